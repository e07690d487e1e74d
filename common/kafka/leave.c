/* Leaving a group and ending a client, each with a deadline. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/kafka/consumer_private.h"

enum { CLOSE_LEAVE_MS = 1500, DESTROY_MS = 1000, SERVE_MS = 20 };

/* A client that is being ended by a thread of its own. Whoever drops it last frees it. */
struct ending {
    rd_kafka_t *rk;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool has_ended;
    atomic_int users;
};

static void drop_ending(struct ending *e)
{
    if (atomic_fetch_sub(&e->users, 1) > 1)
        return;
    pthread_cond_destroy(&e->ended);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

static void *end_client(void *arg)
{
    struct ending *e = arg;

    rd_kafka_destroy(e->rk);
    pthread_mutex_lock(&e->lock);
    e->has_ended = true;
    pthread_cond_signal(&e->ended);
    pthread_mutex_unlock(&e->lock);
    drop_ending(e);
    return NULL;
}

static void wait_for_end(struct ending *e)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DESTROY_MS / 1000;
    pthread_mutex_lock(&e->lock);
    while (!e->has_ended && pthread_cond_timedwait(&e->ended, &e->lock, &until) == 0)
        continue;
    pthread_mutex_unlock(&e->lock);
}

/* Before 2.2, librdkafka waits for ever when a topic that it read was deleted: it loses count of who uses the
 * partition. The process is about to end, and librdkafka's threads end with it. */
static void destroy_client(rd_kafka_t *rk)
{
    struct ending *e = mem_zalloc(1, sizeof *e);
    pthread_t thread;

    *e = (struct ending){.rk = rk, .users = 2};
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->ended, NULL);
    if (pthread_create(&thread, NULL, end_client, e) == 0) {
        pthread_detach(thread);
        wait_for_end(e);
    } else {
        atomic_store(&e->users, 1);
    }
    drop_ending(e);
}

/* Leave the group, with a deadline: rd_kafka_consumer_close() would wait without limit for a coordinator that
 * does not answer. If the leave fails, the group notices after the session timeout. */
void kafka_leave(struct kafka_source *s)
{
    int64_t deadline = clock_monotonic_ms() + CLOSE_LEAVE_MS;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(s->rk);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(s->rk, queue);

    while (error == NULL && !rd_kafka_consumer_closed(s->rk) && clock_monotonic_ms() < deadline) {
        /* this serves the callbacks; the queue also holds messages that were fetched already */
        rd_kafka_message_t *m = rd_kafka_consume_queue(queue, SERVE_MS);
        if (m != NULL)
            rd_kafka_message_destroy(m);
    }
    bool closed = rd_kafka_consumer_closed(s->rk);
    if (error != NULL)
        rd_kafka_error_destroy(error);
    rd_kafka_queue_destroy(queue);
    /* rd_kafka_destroy() waits until every request under way has timed out: up to 10 s when the broker hangs,
     * and for ever while a record is held (by a writer that hangs). Then it is not called: the process is
     * about to end, and librdkafka's threads end with it. */
    if (closed && s->held == 0)
        destroy_client(s->rk);
}
