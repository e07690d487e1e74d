/* What the apply*.c files share; nobody else includes it. */
#ifndef JST_LOADER_APPLY_PRIVATE_H
#define JST_LOADER_APPLY_PRIVATE_H

#include "common/base/buf.h"
#include "loader/apply.h"

struct work {
    struct db *db;
    const struct table *table;
    const struct pipeline *p;
    struct batch *batch;
    const struct apply_rules *rules;
    size_t *sorted; /* wanted documents by id */
    size_t count;
    bool *lost; /* of each of them */
    struct buf sql;
    size_t aim; /* bytes of a statement about several rows or documents */
    struct apply_result result;
    size_t found_bad; /* rows newly rejected in this transaction */
};

/* Run what stands in w->sql. ERR_REJECT when it is larger than the server takes. */
int apply_run(struct work *w, struct db_result *ret, struct err *err);
/* The n-th wanted document, by id. */
const struct document *apply_document(const struct work *w, size_t n);
/* How many documents, from the first-th on, a statement about documents takes: at least one. */
size_t apply_documents_a_statement(const struct work *w, size_t first);

/* Delete the stored rows of the documents that won whose key is not among those to be written. */
int apply_prune(struct work *w, struct err *err);
/* Write the rows of the documents that won; those at fault are marked rejected, and counted in found_bad. */
int apply_write(struct work *w, struct err *err);

#endif
