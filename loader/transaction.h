/* A transaction under way: what it works on, the text of its next statement, and what it has done so far.
 * Below apply.c, prune.c and row_write.c; nobody else includes it. */
#ifndef JST_LOADER_TRANSACTION_H
#define JST_LOADER_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/mysql/db.h"
#include "common/mysql/shape.h"
#include "loader/batch.h"

struct err;

struct transaction {
    struct db *db;
    const struct table *table;
    const struct pipeline *p;
    struct batch *batch;
    bool unknown_as_row; /* an error that the table of errors does not know is the fault of a row's data */
    size_t *sorted;      /* wanted documents by id */
    size_t count;
    bool *lost; /* of each of them: a newer version is in the table */
    struct buf sql;
    size_t aim; /* bytes of a statement about several rows or documents */

    /* so far; begins anew when the transaction is run again */
    size_t rows;      /* written */
    size_t pruned;    /* stored rows deleted */
    size_t found_bad; /* rows newly rejected */
};

/* Run the statement in t->sql. ret may be NULL. ERR_REJECT when it is larger than the server takes. */
int transaction_query(struct transaction *t, struct db_result *ret, struct err *err);

/* The n-th wanted document, by id. */
const struct document *transaction_document(const struct transaction *t, size_t n);

/* How many documents, from the first-th on, one statement about documents takes: at least one. */
size_t documents_per_statement(const struct transaction *t, size_t first);

#endif
