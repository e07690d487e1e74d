#include "loader/transaction.h"

#include <string.h>

#include "common/base/err.h"

enum {
    DOCUMENTS_MAX = 1000, /* in one statement */
    HEAD_BYTES = 256,     /* of one document in a statement, without its id */
};

int transaction_query(struct transaction *t, struct db_result *ret, struct err *err)
{
    if (t->sql.overflowed)
        return err_set(err, ERR_REJECT, 1153,
                       "a statement of this row is larger than the server takes (%zu bytes)", t->sql.max);
    return db_query(t->db, t->sql.data, t->sql.len, ret, err);
}

const struct document *transaction_document(const struct transaction *t, size_t n)
{
    return &t->batch->documents[t->sorted[n]];
}

size_t documents_per_statement(const struct transaction *t, size_t first)
{
    size_t n = 0;
    size_t bytes = 0;

    while (first + n < t->count && n < DOCUMENTS_MAX) {
        bytes += strlen(transaction_document(t, first + n)->id) * 2 + HEAD_BYTES;
        if (n > 0 && bytes > t->aim / 2)
            break;
        n++;
    }
    return n;
}
