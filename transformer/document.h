/* Turns one document into its rows message, or says why it cannot. */
#ifndef JST_TRANSFORMER_DOCUMENT_H
#define JST_TRANSFORMER_DOCUMENT_H

#include <stddef.h>

#include "common/wire/routes.h"
#include "transformer/map.h"

/* As map_document(), and checks that the rows message fits into the topic. Pure. */
int transform_document(struct mapper *m, const struct route *route, size_t rows_max_bytes,
                       struct span document, struct mapped *ret, enum dead_class *ret_class, struct err *err)
    __attribute__((warn_unused_result));

#endif
