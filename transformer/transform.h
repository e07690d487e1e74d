/* The transformer's loop: raw pages in, rows messages and dead letters out. */
#ifndef JST_TRANSFORMER_TRANSFORM_H
#define JST_TRANSFORMER_TRANSFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire/ports.h"
#include "common/wire/routes.h"

struct err;

struct transform {
    struct source *in;
    struct sink *out;
    const struct routes *routes;
    size_t rows_max_bytes; /* the largest rows message */
    int64_t flood_limit;   /* hundredths of a per cent */
    bool bounded;          /* --once: a flood is an error, instead of a wait */
    bool (*stopping)(void);
    int64_t (*now_ms)(void); /* wall clock */
};

/* Run until asked to stop, or until a bounded source ends. A page's offset is stored only after all messages
 * of that page, and of the pages before it in its partition, are acknowledged. Returns 0; -1 with ERR_FATAL,
 * with ERR_PAUSE when bounded, or with ERR_RETRY when asked to stop in the middle of a page. */
int transform_run(const struct transform *t, struct err *err) __attribute__((warn_unused_result));

/* Make the series of the known pipelines, with 0. */
void transform_metrics_init(const struct routes *routes);

#endif
