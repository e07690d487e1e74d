/* A transaction under way: what it works on, and what it has done so far. Below apply.c, prune.c and judge.c;
 * nobody else includes it. */
#ifndef JST_LOADER_TRANSACTION_H
#define JST_LOADER_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"
#include "common/mysql/errors.h"
#include "loader/apply_rules.h"
#include "loader/batch.h"

struct transaction {
    struct store *store;
    const struct table *table;
    const struct pipeline *p;
    struct batch *batch;
    const struct apply_rules *rules;
    size_t *sorted; /* wanted documents by id */
    size_t count;
    struct head *heads; /* of each of them */
    bool *lost;         /* of each of them: a newer version is in the table */
    struct row **good;  /* the rows to be written, by document */
    size_t good_count;
    uint32_t *rounded; /* by column, of the rows written */

    /* so far; begins anew when the transaction is run again */
    size_t pruned;   /* stored rows deleted */
    size_t kept;     /* stored rows of these documents that will be written again */
    size_t replaced; /* stored rows that were written over */
};

/* The n-th wanted document, by id. */
static inline const struct document *transaction_document(const struct transaction *t, size_t n)
{
    return &t->batch->documents[t->sorted[n]];
}

/* May a row be at fault for this error? */
static inline bool transaction_blames_row(const struct transaction *t, const struct err *err)
{
    return err->kind == ERR_REJECT ||
           (t->rules->unknown_as_row && err->kind == ERR_RETRY && db_error_class(err->code) == DB_UNKNOWN);
}

#endif
