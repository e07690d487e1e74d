/* A result set, wholly read and bounded: text cells, NULL for SQL's NULL. */
#ifndef JST_COMMON_MYSQL_RESULT_H
#define JST_COMMON_MYSQL_RESULT_H

#include <stddef.h>
#include <stdint.h>

/* The cells of one result set with their book-keeping, bytes: what a server sends beyond that is refused. */
enum { DB_RESULT_MAX_BYTES = 64 * 1024 * 1024 };

struct db_result {
    char **
        *rows; /* rows[i][j], NUL-ended; rows[i][columns] does not exist; rows may be put in another order */
    size_t count;
    size_t columns;
    uint64_t affected;  /* of a statement without a result set */
    int64_t duplicates; /* rows of an INSERT of several that were there and were changed; -1: not told */
    unsigned warnings;

    /* result.c's own */
    size_t cap;                     /* of rows */
    size_t bytes;                   /* taken, of DB_RESULT_MAX_BYTES */
    struct db_result_chunk *chunks; /* where rows and cells lie */
};

/* Copy one row of result->columns cells; a NULL cell is SQL's NULL, lengths[j] its bytes otherwise. Returns
 * -1, and leaves the result as it was, when it would pass DB_RESULT_MAX_BYTES. */
int db_result_add(struct db_result *result, const char *const *cells, const unsigned long *lengths)
    __attribute__((warn_unused_result));

void db_result_free(struct db_result *result); /* NULL ok; leaves an empty one */

#endif
