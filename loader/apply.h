/* Writes a batch into MySQL, in one transaction that leaves exactly the newest version of each document. */
#ifndef JST_LOADER_APPLY_H
#define JST_LOADER_APPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/mysql/db.h"
#include "common/mysql/shape.h"
#include "common/wire/flood.h"
#include "loader/batch.h"

struct err;

struct apply_result {
    size_t written;  /* documents */
    size_t stale;    /* documents that lost to a newer version, in the batch or in the table */
    size_t rows;     /* rows written */
    size_t pruned;   /* stored rows deleted because their document no longer has them */
    size_t rejected; /* rows of written documents */
};

struct apply_rules {
    bool unknown_as_row; /* treat an error that the table of errors does not know as an error of a row's data
                          */
    const struct flood
        *flood;          /* the pipeline's last documents, good or bad; NULL: no limit to dead letters */
    int64_t flood_limit; /* hundredths of a per cent */
    struct buf *sql;     /* memory for statements that is used again; NULL: none */
};

enum { APPLY_FLOOD = -1 }; /* err->code: too many documents would end in dead letters */

/* Write the wanted documents and COMMIT. On success, rows that could not be written are marked rejected in
 * the batch, with code and text, and documents that lost are marked stale. On failure the transaction is
 * rolled back, or its connection closed. The batch is then as before but for rejected marks, and may be
 * applied again: ERR_RETRY (connection, lock, capacity, read-only, unknown) or ERR_PAUSE (schema, flood). */
int apply_batch(struct db *db, const struct table *table, struct batch *batch,
                const struct apply_rules *rules, struct apply_result *ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
