/* Is a row at fault, or the table? A row becomes a dead letter only with proof that its neighbours, or a row
 * that the table holds, are taken. */
#ifndef JST_LOADER_JUDGE_H
#define JST_LOADER_JUDGE_H

struct err;
struct transaction;

/* Write the transaction's good rows by multi-row text, and mark those that fail alone as rejected. The rows
 * written stay in the transaction, which the caller rolls back. ERR_PAUSE: rows fail and nothing proves that
 * the fault is theirs; then none is rejected. */
int judge_rows(struct transaction *t, struct err *err) __attribute__((warn_unused_result));

/* More stored rows were written over than these documents had: the key does not tell documents apart. Says of
 * how many rows; whose they were is not known any more. Always -1, ERR_PAUSE. */
int judge_overwritten(const struct transaction *t, struct err *err) __attribute__((warn_unused_result));

#endif
