/* Waiting for the broker without losing the place in the consumer group. */
#ifndef JST_COMMON_SKELETON_ACKS_H
#define JST_COMMON_SKELETON_ACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/wire/ports.h"

struct err;

struct acks {
    struct source *in; /* paused and served when the wait takes longer than a second */
    struct sink *out;
    bool (*stopping)(void);
    /* Called for a message that the broker refuses for its size. -1: ERR_FATAL. */
    int (*refused)(void *arg, const struct sink_failure *failure, struct err *err);
    void *arg;
    int64_t patience_ms; /* a bounded run gives up when the broker answers nothing for so long; 0: never */
    int64_t heard_ms;    /* monotonic, set by the program when a message is acknowledged; it may stay 0 */

    int64_t full_since_ms; /* its own: monotonic time since when acks_room() waits; 0: it does not wait */
};

/* After a sink_send() that failed with *err: 0 when there may be room now, so that it can be repeated; -1
 * with *err when it cannot (not ERR_RETRY), or ERR_RETRY when the program is asked to stop, or ERR_FATAL when
 * the patience is over. */
int acks_room(struct acks *a, struct err *err) __attribute__((warn_unused_result));
/* The message for which acks_room() waited has been sent: let records come again. */
void acks_go_on(struct acks *a);

/* Hand every failure to refused(). Returns the number of failures; -1: ERR_FATAL. */
int acks_refusals(const struct acks *a, struct err *err) __attribute__((warn_unused_result));

/* Wait until everything that was sent is acknowledged. 0: it is. 1: the program is asked to stop, and 2 s
 * later it still is not. -1: ERR_FATAL, also when the patience is over. */
int acks_wait(const struct acks *a, struct err *err) __attribute__((warn_unused_result));

#endif
