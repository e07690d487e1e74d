/* Writes a batch into the database, in one transaction that leaves exactly the newest version of each
 * document, or nothing changed. Row by row (WRITE_REPLACE) it writes all rows in the order in which they
 * came. */
#ifndef JST_LOADER_APPLY_H
#define JST_LOADER_APPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/mysql/shape.h"
#include "loader/apply_rules.h"
#include "loader/batch.h"
#include "loader/store.h"

struct err;

struct apply_result {
    size_t written;    /* documents */
    size_t stale;      /* documents that lost to a newer version, in the batch or in the table */
    size_t older;      /* of these, to one in the table */
    size_t rows;       /* rows written */
    size_t pruned;     /* stored rows deleted because their document no longer has them */
    size_t rejected;   /* rows of written documents */
    uint32_t *rounded; /* values that the table holds otherwise than they came, one count a column of the
                          pipeline; the caller frees it */
};

/* Write the wanted documents and COMMIT. On success, rows that could not be written are marked rejected in
 * the batch, with code and text, and documents that lost are marked stale. On failure the transaction is
 * rolled back, or its connection closed. The batch is then as before but for rejected marks, and may be
 * applied again: ERR_RETRY (connection, lock, capacity, read-only, unknown, set back) or ERR_PAUSE (schema,
 * flood). */
int apply_batch(struct store *store, const struct table *table, struct batch *batch,
                const struct apply_rules *rules, struct apply_result *ret, struct err *err)
    __attribute__((warn_unused_result));

/* Write marks, as the last statement of a transaction. APPLY_SET_BACK: the database lacks what this process
 * has committed; nothing was written. */
int apply_marks(struct store *store, const struct table *table, const struct mark_list *marks,
                struct err *err) __attribute__((warn_unused_result));

#endif
