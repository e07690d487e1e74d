/* One pipeline's sync: a window of time, slice by slice, page by page, into the raw topic; after each slice
 * the checkpoint. It can be left and taken up again between any two requests, so that pipelines take turns
 * and a failed request is repeated where it was. */
#ifndef JST_EXTRACTOR_READING_SYNC_H
#define JST_EXTRACTOR_READING_SYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/backoff.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "extractor/api/window.h"
#include "extractor/checkpoint.h"
#include "extractor/metrics.h"
#include "extractor/reading/split.h"
#include "extractor/reading/walk.h"

struct client;
struct publisher;
struct reply;
struct route;

/* What all syncs share. */
struct sync_world {
    struct client *client;
    struct publisher *publisher;
    int64_t since_s; /* where a pipeline without a checkpoint begins */
    int64_t until_s; /* -1: up to now - lag */
};

struct sync {
    const struct route *route;
    struct pipeline_metrics metrics;
    struct window_rules rules;
    struct backoff backoff; /* requests that failed since the last page */
    int walks_given_up;     /* in a row: the slice could not be read completely */

    /* while it is active */
    bool active;
    int64_t began_s;              /* own clock */
    struct checkpoint checkpoint; /* what Kafka has acknowledged */
    struct window plan, slice;
    struct walk walk;
    struct split split;      /* the page that the walk asks for, in parts if it is too large */
    struct walk_answer page; /* what its parts said so far */
    struct buf biz;
    uint64_t pages, documents; /* acknowledged in this sync */
    struct err notice;         /* a dead letter was published: for the log; taken by sync_notice() */
};

void sync_init(struct sync *r, const struct route *route);
void sync_free(struct sync *r);

/* Plan a sync from the checkpoint to now. False: there is nothing to read. */
bool sync_begin(struct sync *r, const struct sync_world *w, const struct checkpoint *checkpoint);
/* Forget what is under way: the next sync begins at the checkpoint. */
void sync_abandon(struct sync *r);

enum sync_result {
    SYNC_GOES_ON, /* call again when the client may send */
    SYNC_DONE,    /* everything up to the plan's end is acknowledged, and the checkpoint too */
    SYNC_FAILED, /* *err: ERR_RETRY - the same step may succeed, not before *ret_wait_ms; ERR_PAUSE - a person
                   must act; ERR_FATAL */
};

/* One request, what follows from it, and Kafka's acknowledgement. ret: what the API answered; no longer than
 * the body in the client's answer may its envelope be used. */
enum sync_result sync_step(struct sync *r, const struct sync_world *w, struct reply *ret,
                           int64_t *ret_wait_ms, struct err *err) __attribute__((warn_unused_result));

/* Take the notice, if there is one. */
bool sync_notice(struct sync *r, struct err *ret);

/* Have all retries been used up? */
bool sync_exhausted(const struct sync *r, int64_t now_ms);

#endif
