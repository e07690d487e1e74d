/* Messages that the broker refuses for their size although topics.conf allows it. */
#ifndef JST_TRANSFORMER_PAGE_REFUSED_H
#define JST_TRANSFORMER_PAGE_REFUSED_H

#include "transformer/page_send.h"

/* Handle a refused message: a document becomes a dead letter, and a dead letter is sent again without its
 * value. -1: ERR_FATAL, or ERR_RETRY when asked to stop. */
int page_refused(struct page_sender *w, struct raw_page *page, const struct sink_failure *failure,
                 struct err *err) __attribute__((warn_unused_result));

#endif
