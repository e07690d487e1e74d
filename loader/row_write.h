/* Writes rows into the table, and finds those that MySQL refuses. */
#ifndef JST_LOADER_ROW_WRITE_H
#define JST_LOADER_ROW_WRITE_H

struct err;
struct transaction;

/* Write the rows of the documents that won. A row at fault is marked rejected and counted in t->found_bad;
 * the other rows are written. Errors as transaction_query(), but never ERR_REJECT. */
int write_wanted_rows(struct transaction *t, struct err *err);

#endif
