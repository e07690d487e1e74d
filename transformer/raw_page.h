/* Turns one raw page into rows messages and dead letters; the transformer's loop does so with each record.
 * Each document of a page becomes exactly one message, whose ticket names the page and the document. */
#ifndef JST_TRANSFORMER_RAW_PAGE_H
#define JST_TRANSFORMER_RAW_PAGE_H

#include "common/wire/flood.h"
#include "transformer/page_send.h"

struct err;

enum page_result {
    PAGE_FAILED = -1, /* ERR_FATAL, or ERR_RETRY when asked to stop */
    PAGE_PUBLISHED,   /* each document is queued, as rows or as a dead letter */
    PAGE_FLOOD,       /* its bad documents would be a flood, w->first is one: rows may be queued, but no dead
                       * letter is */
};
/* flood: the pipeline's documents before this page; with this page's once it is published. */
enum page_result page_publish(struct page_sender *w, struct raw_page *page, struct flood *flood,
                              struct err *err) __attribute__((warn_unused_result));

#endif
