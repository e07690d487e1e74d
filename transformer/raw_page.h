/* One raw page to rows messages and dead letters: what the transformer's loop does with each record. Each
 * document of a page is exactly one message, whose ticket says which document of which page it is. */
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

#define TRANSFORMER_STAGE "transformer"

struct raw_page {
    uint64_t id; /* ascending; below 2^38 */
    struct record record;
    size_t route;       /* index */
    size_t outstanding; /* messages that are not acknowledged yet */
    bool published;     /* all of its messages were queued */
    bool foreign;       /* it became one dead letter, whole */
    int64_t documents, rows;
    int64_t dead[DEAD_TOO_LARGE + 1];
};

/* What publishing needs beside the page. */
struct page_sender {
    struct acks acks;
    const struct routes *routes;
    struct mapper *mapper;
    struct mapped mapped;
    size_t rows_max_bytes; /* the largest rows message */
    int64_t flood_limit;   /* hundredths of a per cent */
    int64_t (*now_ms)(void);
};

enum page_result {
    PAGE_FAILED = -1, /* ERR_FATAL, or ERR_RETRY when asked to stop */
    PAGE_PUBLISHED,   /* everything is queued: rows, or a dead letter, of each document */
    PAGE_FLOOD,       /* its bad documents would be a flood; rows may have been queued, but no dead letter */
};
enum page_result page_publish(struct page_sender *w, struct raw_page *page, struct flood *flood,
                              struct err *err) __attribute__((warn_unused_result));

/* The page whose message that ticket is. */
uint64_t page_of_ticket(uint64_t ticket);

/* The broker takes less than topics.conf says: a refused document becomes a dead letter after all, a refused
 * dead letter goes without its value. -1: ERR_FATAL, or ERR_RETRY when asked to stop. */
int page_refused(struct page_sender *w, struct raw_page *page, const struct sink_failure *failure,
                 struct err *err) __attribute__((warn_unused_result));

#endif
