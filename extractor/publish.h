/* Pages, checkpoints and dead letters into Kafka, each acknowledged before the caller goes on. */
#ifndef JST_EXTRACTOR_PUBLISH_H
#define JST_EXTRACTOR_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/wire/ports.h"
#include "extractor/api/window.h"

struct api_answer;
struct checkpoint;
struct envelope;
struct err;
struct pipeline;

struct publisher {
    struct sink *sink;
    const char *state_topic;
    /* Asked again and again while Kafka's acknowledgement is awaited; keeps the process's other duties going.
     * False: give up (asked to stop, or another process reads now). NULL: never give up. */
    bool (*keep_waiting)(void *arg);
    void *arg;

    uint64_t tickets; /* its own: messages sent so far */
};

/* Where a page comes from. */
struct page_origin {
    const struct pipeline *pipeline;
    const char *raw_topic, *dead_topic;
    const char *biz;
    struct window slice;
    int64_t page;
};

/* The answer's body, byte for byte, with its headers. 0: acknowledged by all in-sync replicas. ERR_REJECT:
 * larger than the topic takes. ERR_RETRY: given up waiting. ERR_FATAL: the producer is broken. */
int publish_page(struct publisher *p, const struct page_origin *from, const struct api_answer *answer,
                 const struct envelope *e, struct err *err) __attribute__((warn_unused_result));

/* The same into the dead-letter topic, class too-large; where even that cannot take the body, without it. */
int publish_dead(struct publisher *p, const struct page_origin *from, const struct api_answer *answer,
                 const char *why, struct err *err) __attribute__((warn_unused_result));

int publish_checkpoint(struct publisher *p, const char *pipeline, const struct checkpoint *c, struct err *err)
    __attribute__((warn_unused_result));

#endif
