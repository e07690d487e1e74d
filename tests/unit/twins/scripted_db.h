/* A twin of a connection that keeps what it is asked, and answers what it was told to. */
#ifndef JST_TESTS_SCRIPTED_DB_H
#define JST_TESTS_SCRIPTED_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/mysql/db.h"

/* To the next statement that begins with prefix. */
struct scripted_answer {
    const char *prefix;
    const char *const *cells; /* of count rows, one after the other; NULL: SQL's NULL */
    size_t count, columns;
    uint64_t affected;
    int64_t duplicates;
    unsigned warnings;
    int code;   /* MySQL's; 0: no error */
    size_t row; /* that the error names */
    bool given;
};

struct scripted_db {
    struct db base;
    struct scripted_answer answers[8];
    struct buf sql;   /* the statements, one a line */
    struct buf fed;   /* what LOAD DATA read */
    size_t feed_size; /* asked for at once */
    size_t max_statement, longest;
};

/* The caller's memory; db_free() frees what it holds. */
void scripted_db_init(struct scripted_db *d);
void scripted_db_answer(struct scripted_db *d, const struct scripted_answer *answer);

#endif
