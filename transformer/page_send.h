/* The messages that a page becomes, and the tickets that lead from a message back to its document. Private to
 * raw_page.c and page_refused.c. */
#ifndef JST_TRANSFORMER_PAGE_SEND_H
#define JST_TRANSFORMER_PAGE_SEND_H

#include "common/json/scan.h"
#include "transformer/raw_page.h"

enum message_kind { MESSAGE_ROWS, MESSAGE_DEAD, MESSAGE_BARE /* a dead letter without its value */ };

/* A document, or a whole page, that did not become rows. */
struct failed {
    struct span value;
    size_t index;    /* of the document in its page */
    const char *key; /* NULL: none could be read */
    enum dead_class class;
    const char *why;
};

size_t index_of_ticket(uint64_t ticket);
enum message_kind kind_of_ticket(uint64_t ticket);

const struct route *page_route(const struct page_sender *w, const struct raw_page *page);

/* Queue the rows in w->mapped. ERR_REJECT: the client does not take their size. ERR_RETRY: asked to stop. */
int send_rows(struct page_sender *w, struct raw_page *page, size_t index, struct err *err);
/* Queue a dead letter, counted and logged; and the same letter once more, without its value. -1: ERR_FATAL,
 * or ERR_RETRY when asked to stop. */
int send_dead(struct page_sender *w, struct raw_page *page, const struct failed *f, struct err *err);
int send_dead_bare(struct page_sender *w, struct raw_page *page, const struct failed *f, struct err *err);

#endif
