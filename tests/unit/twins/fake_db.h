/* A twin of the database: understands just the statements of the loader, with transactions, one target table
 * and jst_heads, and fails as it is told to. */
#ifndef JST_TESTS_FAKE_DB_H
#define JST_TESTS_FAKE_DB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mysql/db.h"
#include "common/pipeline/pipeline.h"

struct buf;

enum { FAKE_COLUMNS_MAX = 40 };

struct fake_row {
    char *cells[FAKE_COLUMNS_MAX]; /* by column; NULL: SQL's NULL */
};
struct fake_head {
    char *pipeline, *document;
    uint64_t version, published;
    size_t rows;
};
/* What a transaction changes. */
struct fake_data {
    struct fake_row *rows;
    size_t row_count, row_cap;
    struct fake_head *heads;
    size_t head_count, head_cap;
};

/* The next statements that begin with `prefix` fail. */
struct fake_fault {
    const char *prefix;
    int skip, times; /* after so many that pass; so many that fail, -1: all */
    int code;
    const char *text;
};

struct fake_db {
    struct db base;
    const struct pipeline *pipeline;
    bool mariadb;
    size_t max_statement;

    struct fake_data now, committed;
    bool connected, in_transaction;

    struct fake_fault faults[4];
    /* A row's fault: MySQL's error code, 0 none. numbered: the error's text names the row. */
    int (*row_fault)(const struct fake_db *db, const struct fake_row *row);
    bool numbered;
    size_t wrong_number; /* the row that every such text names, as a trigger's would; 0: the right one */
    bool connect_fails;
    _Atomic bool hang;                                     /* statements do not come back until abort() */
    void (*on_query)(struct fake_db *db, const char *sql); /* on the writing thread */
    void *arg;

    size_t connects, disconnects, commits, rollbacks, queries, longest;
    struct buf *log;   /* NULL ok: every statement, one a line */
    char trouble[256]; /* what the twin did not understand, or must not happen; "" */
};

struct fake_db *fake_db_new(const struct pipeline *pipeline);

/* The committed rows, sorted, one a line, cells joined by '|', NULL as '~'. */
void fake_db_dump(const struct fake_db *f, struct buf *out);
/* The committed head of a document, or NULL. */
const struct fake_head *fake_db_head(const struct fake_db *f, const char *document);
/* Put a committed row or head there, as somebody else would. cells: as many as the pipeline has columns. */
void fake_db_put_row(struct fake_db *f, const char *const *cells);
void fake_db_put_head(struct fake_db *f, const char *document, uint64_t version, uint64_t published);
void fake_db_fail(struct fake_db *f, const char *prefix, int skip, int times, int code, const char *text);

#endif
