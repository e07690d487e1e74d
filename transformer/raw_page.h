/* One raw page to rows messages and dead letters: what the transformer's loop does with each record. Each
 * document of a page is exactly one message, whose ticket says which document of which page it is. */
#ifndef JST_TRANSFORMER_RAW_PAGE_H
#define JST_TRANSFORMER_RAW_PAGE_H

#include "common/wire/flood.h"
#include "transformer/page_send.h"

struct err;

enum page_result {
    PAGE_FAILED = -1, /* ERR_FATAL, or ERR_RETRY when asked to stop */
    PAGE_PUBLISHED,   /* everything is queued: rows, or a dead letter, of each document */
    PAGE_FLOOD,       /* its bad documents would be a flood; rows may have been queued, but no dead letter */
};
enum page_result page_publish(struct page_sender *w, struct raw_page *page, struct flood *flood,
                              struct err *err) __attribute__((warn_unused_result));

#endif
