/* What the broker refuses for its size, although topics.conf allows it. */
#ifndef JST_TRANSFORMER_PAGE_REFUSED_H
#define JST_TRANSFORMER_PAGE_REFUSED_H

#include "transformer/page_send.h"

/* The broker takes less than topics.conf says: a refused document becomes a dead letter after all, a refused
 * dead letter goes without its value. -1: ERR_FATAL, or ERR_RETRY when asked to stop. */
int page_refused(struct page_sender *w, struct raw_page *page, const struct sink_failure *failure,
                 struct err *err) __attribute__((warn_unused_result));

#endif
