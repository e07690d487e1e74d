/* What `jstctl topics` says about the topics. Pure. */
#ifndef JST_JSTCTL_VERB_TOPICS_H
#define JST_JSTCTL_VERB_TOPICS_H

#include <stdbool.h>
#include <stdio.h>

#include "common/kafka/kafka.h"

/* before: as they were found. after: as they are since they were mended, in the same order; NULL: nothing was
 * changed. Returns how many topics are not as topics.conf has them. */
size_t topics_print(const struct topics *topics, const struct topic_report *before,
                    const struct topic_report *after, bool json, FILE *out);

#endif
