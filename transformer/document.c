#include "transformer/document.h"

#include "common/base/err.h"

enum { ROWS_OVERHEAD = 2048 /* headers and framing of a rows message */ };

int transform_document(struct mapper *m, const struct route *route, size_t rows_max_bytes,
                       struct span document, struct mapped *ret, enum dead_class *ret_class, struct err *err)
{
    if (map_document(m, route->pipeline, document, ret, ret_class, err) != 0)
        return -1;
    if (ret->value.len + ret->key.len + ROWS_OVERHEAD <= rows_max_bytes)
        return 0;
    *ret_class = DEAD_TOO_LARGE;
    return err_set(err, ERR_REJECT, 0, "its %lld rows have %zu bytes, more than topic %s takes",
                   (long long)ret->rows, ret->value.len, route->rows);
}
