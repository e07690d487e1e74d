/* Deletes stored rows that their document no longer has. */
#ifndef JST_LOADER_PRUNE_H
#define JST_LOADER_PRUNE_H

struct err;
struct transaction;

/* Delete the stored rows of the documents that won whose key is not among the rows to be written, and count
 * the others. Errors as the store's. */
int prune_stored_rows(struct transaction *t, struct err *err);

#endif
