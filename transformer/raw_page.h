/* One raw page to rows messages and dead letters: what the transformer's loop does with each record. */
#ifndef JST_TRANSFORMER_RAW_PAGE_H
#define JST_TRANSFORMER_RAW_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/skeleton/acks.h"
#include "common/wire/flood.h"
#include "common/wire/message.h"
#include "common/wire/ports.h"
#include "common/wire/routes.h"
#include "transformer/map.h"

struct err;

struct page {
    struct record record;
    const struct route *route;
    uint64_t first_ticket; /* of its first message */
    bool foreign;          /* it became one dead letter, whole */
    int64_t documents, rows;
    int64_t dead[DEAD_TOO_LARGE + 1];
};

struct publisher {
    struct acks acks;
    struct mapper *mapper;
    struct mapped mapped;
    size_t rows_max_bytes; /* the largest rows message */
    int64_t (*now_ms)(void);
    uint64_t tickets; /* messages sent so far */
};

/* Queue everything that the page gives: each document is exactly one message, rows or dead letter. 0: queued.
 * 1: its bad documents would be a flood; rows may have been queued, but no dead letter. -1: ERR_FATAL, or
 * ERR_RETRY when asked to stop. */
int page_publish(struct publisher *w, struct page *page, struct flood *flood, int64_t flood_limit,
                 struct err *err) __attribute__((warn_unused_result));

/* The broker takes less than topics.conf says: what it refused of these pages becomes a dead letter after
 * all. */
int page_refused(struct publisher *w, struct page *pages, size_t count, const struct sink_failure *failure,
                 struct err *err) __attribute__((warn_unused_result));

/* Count a page whose messages are all acknowledged. */
void page_count(const struct page *page);
void page_metrics_init(const struct routes *routes);

#endif
