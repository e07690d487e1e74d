/* The database as the loader's transaction sees it: a port with MySQL behind it (store_mysql.c), and a
 * database in memory in the unit tests (fake_store). Not thread-safe, but for store_abort().
 *
 * Errors are data: err->code is MySQL's errno, err->kind what its class asks for (common/mysql/errors.h),
 * err->row the row that it names, from 1. A lost connection is closed; only connect() opens another, so
 * nothing runs outside its transaction. */
#ifndef JST_LOADER_STORE_H
#define JST_LOADER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mysql/shape.h"
#include "loader/batch.h"

struct err;

/* What jst_heads holds of a document. */
struct head {
    const char *document;
    struct stamp stamp;
    size_t rows;
    const char *source; /* position of its raw message: topic/partition/offset */
};

/* What jst_offsets holds of a partition: every message below next_offset is committed in this database. */
struct mark {
    const char *topic;
    int32_t partition;
    int64_t next_offset;
    int64_t written; /* what this process knows to be there; -1: nothing */
    bool reset;      /* put_marks() writes it even if it is lower than what is there */
};

/* What is there of a partition. */
struct stored_mark {
    char *pipeline, *topic;
    int32_t partition;
    int64_t next_offset;
    char *target; /* the table for which it was written, "db.table" */
};
struct stored_marks {
    struct stored_mark *list;
    size_t count;
};
void stored_marks_free(struct stored_marks *marks); /* NULL ok; leaves an empty list */
/* NULL: there is none. */
const struct stored_mark *stored_marks_find(const struct stored_marks *marks, const char *topic,
                                            int32_t partition);

/* A stored row's key: a text for each of the pipeline's key columns. */
struct stored_keys {
    char ***rows; /* rows[i][k], NULL for SQL's NULL */
    size_t count;
    void *memory; /* the store's */
};

enum write_form {
    FORM_TEXT, /* multi-row REPLACE or INSERT: errors name a row */
    FORM_LOAD, /* LOAD DATA LOCAL from memory: two thirds of the server's time, by bench/README.md */
};

struct store {
    const struct store_ops *ops;
};

struct store_ops {
    /* Connect unless connected. */
    int (*connect)(struct store *store, struct err *err);
    /* Does the server answer? Reads and writes nothing. */
    int (*ask)(struct store *store, struct err *err);
    /* The target table's shape, verified; see table_load(). */
    int (*look)(struct store *store, const struct pipeline *p, bool create, struct table **ret,
                struct err *err);
    /* Does jst_heads hold a document with rows of this name? */
    int (*has_heads)(struct store *store, const char *heads_name, bool *ret, struct err *err);
    /* The marks of one pipeline. lock: hold them until the end of the transaction. */
    int (*read_marks)(struct store *store, const char *pipeline, bool lock, struct stored_marks *ret,
                      struct err *err);

    int (*begin)(struct store *store, struct err *err);
    /* Create the missing heads, raise the lower ones, and hold all until the end of the transaction. heads
     * are in the order of their documents, byte by byte. lost[i] is set where a head stands above. */
    int (*raise_heads)(struct store *store, const char *heads_name, const struct head *heads, size_t count,
                       bool *lost, struct err *err);
    /* The keys of the stored rows of these documents. */
    int (*stored_keys)(struct store *store, const struct table *table, const char *const *documents,
                       size_t count, struct stored_keys *ret, struct err *err);
    void (*free_keys)(struct store *store, struct stored_keys *keys);
    int (*delete_keys)(struct store *store, const struct table *table, char **const *keys, size_t count,
                       uint64_t *ret_deleted, struct err *err);
    /* A point to go back to, so that what follows it can be undone alone. One at a time. */
    int (*set_point)(struct store *store, struct err *err);
    int (*back_to_point)(struct store *store, struct err *err);
    /* Write these rows. On an error of a row's data the transaction goes on as if nothing had been written by
     * the failed statement; earlier statements of this call may have been. */
    int (*write_rows)(struct store *store, const struct table *table, const struct batch *batch,
                      struct row *const *rows, size_t count, enum write_form form, size_t *ret_replaced,
                      struct err *err);
    /* Write a row that the table holds back as it is, in the form of FORM_TEXT. *ret_found: false when the
     * table is empty. The caller undoes it by back_to_point(). */
    int (*write_witness)(struct store *store, const struct table *table, bool *ret_found, struct err *err);
    int (*put_marks)(struct store *store, const struct table *table, const struct mark *marks, size_t count,
                     struct err *err);
    int (*commit)(struct store *store, struct err *err);
    /* -1: the connection was closed instead, which comes to the same. */
    int (*rollback)(struct store *store);

    /* Does the server take FORM_LOAD? After connect(). */
    bool (*can_load)(const struct store *store);
    void (*disconnect)(struct store *store);
    /* From another thread: make a call that is under way fail soon, as if the connection were lost. */
    void (*abort)(struct store *store);
    void (*free)(struct store *store);
};

static inline int store_connect(struct store *s, struct err *err)
{
    return s->ops->connect(s, err);
}
static inline void store_disconnect(struct store *s)
{
    s->ops->disconnect(s);
}
static inline void store_abort(struct store *s)
{
    s->ops->abort(s);
}
static inline void store_free(struct store *s)
{
    if (s != NULL)
        s->ops->free(s);
}

#endif
