/* The inside of the store over MySQL: shared by store_mysql.c, heads.c, marks.c, stored_keys.c, row_text.c
 * and row_load.c; nobody else includes it. */
#ifndef JST_LOADER_STORE_PRIVATE_H
#define JST_LOADER_STORE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/mysql/db.h"
#include "loader/store.h"

struct mysql_store {
    struct store base;
    struct db *db;
    struct buf sql; /* the next statement's text; its memory is used again */
    size_t aim;     /* bytes of a statement about several rows or documents */
};

static inline struct mysql_store *mysql_store_of(struct store *store)
{
    return (struct mysql_store *)store;
}

/* Empty s->sql, with the server's limit. */
void store_begin_sql(struct mysql_store *s);
/* Run the statement in s->sql. ret may be NULL. ERR_REJECT when it is larger than the server takes. */
int store_run_sql(struct mysql_store *s, struct db_result *ret, struct err *err);
int store_run_text(struct mysql_store *s, const char *sql, struct err *err);

/* How many of these documents one statement takes: at least one. */
size_t store_documents_per_statement(const struct mysql_store *s,
                                     const char *(*id)(const void *list, size_t i), const void *list,
                                     size_t count);

int store_raise_heads(struct store *store, const char *heads_name, const struct head *heads, size_t count,
                      bool *lost, struct err *err);
int store_has_heads(struct store *store, const char *heads_name, bool *ret, struct err *err);

int store_read_marks(struct store *store, const char *pipeline, bool lock, struct stored_marks *ret,
                     struct err *err);
int store_put_marks(struct store *store, const struct table *table, const struct mark *marks, size_t count,
                    struct err *err);

int store_stored_keys(struct store *store, const struct table *table, const char *const *documents,
                      size_t count, struct stored_keys *ret, struct err *err);
void store_free_keys(struct store *store, struct stored_keys *keys);
int store_delete_keys(struct store *store, const struct table *table, char **const *keys, size_t count,
                      uint64_t *ret_deleted, struct err *err);

/* Append "`a`,`b`": the pipeline's columns. */
void store_put_columns(struct buf *sql, const struct pipeline *p);
/* Write rows by multi-row text, at most the target's limit a statement; by LOAD DATA LOCAL, in one. */
int store_write_text(struct mysql_store *s, const struct table *table, const struct batch *batch,
                     struct row *const *rows, size_t count, size_t *replaced, struct err *err);
int store_write_load(struct mysql_store *s, const struct table *table, const struct batch *batch,
                     struct row *const *rows, size_t count, size_t *replaced, struct err *err);
int store_write_witness(struct store *store, const struct table *table, bool *ret_found, struct err *err);

#endif
