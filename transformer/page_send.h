/* Sends the messages of a page. A message's ticket leads back to its page and document. */
#ifndef JST_TRANSFORMER_PAGE_SEND_H
#define JST_TRANSFORMER_PAGE_SEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json/scan.h"
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
    bool foreign;       /* it is not a page of documents: the whole page became one dead letter */
    int64_t documents, rows;
    int64_t dead[DEAD_TOO_LARGE + 1];
};

/* Everything that publishing needs besides the page. */
struct page_sender {
    struct acks acks;
    const struct routes *routes;
    struct mapper *mapper;
    struct mapped mapped;
    size_t rows_max_bytes; /* the largest rows message */
    int64_t flood_limit;   /* hundredths of a per cent */
    int64_t (*now_ms)(void);
    struct flood_first first; /* of the page that was looked at for a flood last */
};

enum message_kind { MESSAGE_ROWS, MESSAGE_DEAD, MESSAGE_BARE /* a dead letter without its value */ };

/* A document, or a whole page, that did not become rows. */
struct failed {
    struct span value;
    size_t index;    /* of the document in its page */
    const char *key; /* the document's id; NULL: it could not be read */
    enum dead_class class;
    const char *why;
};

/* The id of the page that a ticket's message belongs to. */
uint64_t page_of_ticket(uint64_t ticket);
/* The document's index in the page, and the kind of the message. */
size_t index_of_ticket(uint64_t ticket);
enum message_kind kind_of_ticket(uint64_t ticket);

const struct route *page_route(const struct page_sender *w, const struct raw_page *page);

/* Queue the rows in w->mapped. ERR_REJECT: they are too large for the client. ERR_RETRY: asked to stop. */
int send_rows(struct page_sender *w, struct raw_page *page, size_t index, struct err *err);
/* send_dead() queues a dead letter, counts and logs it; send_dead_bare() queues the same letter again without
 * its value. -1: ERR_FATAL, or ERR_RETRY when asked to stop. */
int send_dead(struct page_sender *w, struct raw_page *page, const struct failed *f, struct err *err);
int send_dead_bare(struct page_sender *w, struct raw_page *page, const struct failed *f, struct err *err);

#endif
