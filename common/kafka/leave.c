/* Leaving a group and ending a client, with a deadline.
 *
 * Calls into librdkafka may wait for ever then. When its group has ended, it throws away the calls that wait
 * for an answer, as rd_kafka_assign() does in the callback of a rebalance that came just before. Before 2.2,
 * rd_kafka_destroy() waits for ever when a topic that was read was deleted: it loses count of who uses the
 * partition. So a thread of its own makes these calls; if they do not return, the process ends without them.
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/kafka/consumer_private.h"

enum { CLOSE_LEAVE_MS = 1500, DESTROY_MS = 1000, SERVE_MS = 20 };

/* A client that is being ended. Whoever drops it last frees it. */
struct ending {
    rd_kafka_t *rk;
    bool can_destroy;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool has_ended;
    int users;
};

/* Takes the lock, and gives it back. */
static void drop_ending(struct ending *e, bool has_ended)
{
    pthread_mutex_lock(&e->lock);
    e->has_ended |= has_ended;
    pthread_cond_signal(&e->ended);
    bool last = --e->users == 0;
    pthread_mutex_unlock(&e->lock);
    if (!last)
        return;
    pthread_cond_destroy(&e->ended);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

/* rd_kafka_consumer_close() would wait without limit for a coordinator that does not answer. If the leave
 * fails, the group notices after the session timeout. */
static bool close_client(rd_kafka_t *rk)
{
    int64_t deadline = clock_monotonic_ms() + CLOSE_LEAVE_MS;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(rk, queue);

    while (error == NULL && !rd_kafka_consumer_closed(rk) && clock_monotonic_ms() < deadline) {
        /* this serves the callbacks; the queue also holds messages that were fetched already */
        rd_kafka_message_t *m = rd_kafka_consume_queue(queue, SERVE_MS);
        if (m != NULL)
            rd_kafka_message_destroy(m);
    }
    bool closed = rd_kafka_consumer_closed(rk);
    if (error != NULL)
        rd_kafka_error_destroy(error);
    rd_kafka_queue_destroy(queue);
    return closed;
}

/* rd_kafka_destroy() waits until every request under way has timed out: up to 10 s when the broker hangs, and
 * for ever while a record is held (by a writer that hangs). Then it is not called: the process is about to
 * end, and librdkafka's threads end with it. */
static void *end_client(void *arg)
{
    struct ending *e = arg;

    if (close_client(e->rk) && e->can_destroy)
        rd_kafka_destroy(e->rk);
    drop_ending(e, true);
    return NULL;
}

static bool wait_for_end(struct ending *e)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (CLOSE_LEAVE_MS + DESTROY_MS) % 1000 * 1000000L;
    until.tv_sec += (CLOSE_LEAVE_MS + DESTROY_MS) / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&e->lock);
    while (!e->has_ended && pthread_cond_timedwait(&e->ended, &e->lock, &until) == 0)
        continue;
    bool ended = e->has_ended;
    pthread_mutex_unlock(&e->lock);
    return ended;
}

bool kafka_leave(struct kafka_source *s)
{
    struct ending *e = mem_zalloc(1, sizeof *e);
    pthread_t thread;

    s->leaving = true;
    *e = (struct ending){.rk = s->rk, .can_destroy = s->held == 0, .users = 2};
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->ended, NULL);
    if (pthread_create(&thread, NULL, end_client, e) != 0) {
        e->users = 1;
        drop_ending(e, false);
        return false;
    }
    pthread_detach(thread);
    bool ended = wait_for_end(e);
    drop_ending(e, false);
    return ended;
}
