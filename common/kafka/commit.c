/* Offsets are committed by hand, one asynchronous commit at a time. An offset stored meanwhile goes with the
 * next commit, and so does one whose commit failed. librdkafka's own store of offsets is not used: it commits
 * none that is lower than the last. */
#include "common/base/clock.h"
#include "common/base/fault_point.h"
#include "common/kafka/consumer_private.h"
#include "common/monitor/health.h"

enum { LAST_COMMIT_MS = 1500, COMMIT_EVERY_MS = 100, SERVE_MS = 20 };

/* librdkafka gives an error of the whole only when all partitions failed. */
static rd_kafka_resp_err_t error_of(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_t *at)
{
    return code != RD_KAFKA_RESP_ERR_NO_ERROR ? code : at->err;
}

/* Note what was committed. What failed goes with the next commit; returns its error. A partition that was
 * taken away meanwhile has nothing stored: its failure is nobody's. */
static rd_kafka_resp_err_t take_failures(struct kafka_source *s, rd_kafka_resp_err_t code,
                                         const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t first = RD_KAFKA_RESP_ERR_NO_ERROR;

    for (int i = 0; list != NULL && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *at = &list->elems[i];
        struct part *p = kafka_part(s, at->topic, at->partition);
        if (p == NULL || p->stored < 0)
            continue;
        if (error_of(code, at) == RD_KAFKA_RESP_ERR_NO_ERROR) {
            p->was_committed = true;
            p->committed = at->offset;
            continue;
        }
        p->unsent = s->commit_again = true;
        if (first == RD_KAFKA_RESP_ERR_NO_ERROR)
            first = error_of(code, at);
    }
    return first;
}

void kafka_on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                     void *arg)
{
    struct kafka_source *s = arg;

    (void)rk;
    FAULT_POINT("offsets-committed");
    if (s->leaving)
        return;
    s->committing = false;
    code = take_failures(s, code, list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        s->commit_failed = true;
        health_reason("commit", rd_kafka_err2str(code));
    } else if (s->commit_failed) {
        s->commit_failed = false;
        health_reason("commit", NULL);
    }
}

/* What is to be committed; from now on it counts as sent. */
static rd_kafka_topic_partition_list_t *take_unsent(struct kafka_source *s)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);

    for (size_t i = 0; i < s->part_count; i++) {
        struct part *p = &s->parts[i];
        if (p->unsent)
            rd_kafka_topic_partition_list_add(list, p->topic->name, p->partition)->offset = p->stored;
        p->unsent = false;
    }
    s->commit_again = false;
    return list;
}

static void commit_stored(struct kafka_source *s)
{
    rd_kafka_topic_partition_list_t *list = take_unsent(s);

    s->committed_ms = clock_monotonic_ms();
    if (list->cnt > 0) {
        rd_kafka_resp_err_t code = rd_kafka_commit(s->rk, list, 1);
        FAULT_POINT("offsets-sent");
        s->committing = code == RD_KAFKA_RESP_ERR_NO_ERROR;
        if (!s->committing)
            (void)take_failures(s, code, list);
    }
    rd_kafka_topic_partition_list_destroy(list);
}

void kafka_commit_due(struct kafka_source *s)
{
    if (s->commit_again && !s->committing && clock_monotonic_ms() - s->committed_ms >= COMMIT_EVERY_MS)
        commit_stored(s);
}

/* An offset that was not handed out since the last seek belongs to what the program read before it, perhaps
 * to a log that is gone: committed, it would skip messages after a crash. */
void kafka_store(struct source *source, const char *topic, int32_t partition, int64_t offset)
{
    struct kafka_source *s = (struct kafka_source *)source;
    struct part *p = kafka_part(s, topic, partition);

    if (!kafka_commits(s) || p == NULL || !kafka_part_is_assigned(p) || offset >= p->next)
        return;
    p->stored = offset + 1;
    p->unsent = true;
    s->commit_again = true;
}

static void note_answer(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                        void *arg)
{
    (void)rk, (void)code, (void)list;
    *(bool *)arg = true;
}

/* Whoever gets the partitions reads again what this commit does not reach, so a coordinator that does not
 * answer must not hold up the program: librdkafka's own synchronous commit waits for a minute. */
void kafka_commit_revoked(struct kafka_source *s)
{
    int64_t deadline = clock_monotonic_ms() + s->revoke_commit_ms;
    rd_kafka_topic_partition_list_t *list = take_unsent(s);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(s->rk);
    bool answered = false;

    if (list->cnt == 0 ||
        rd_kafka_commit_queue(s->rk, list, queue, note_answer, &answered) != RD_KAFKA_RESP_ERR_NO_ERROR)
        answered = true;
    while (!answered && clock_monotonic_ms() < deadline)
        rd_kafka_queue_poll_callback(queue, SERVE_MS);
    FAULT_POINT("revoked-offsets-committed");
    rd_kafka_queue_destroy(queue); /* an answer that comes later finds nobody */
    rd_kafka_topic_partition_list_destroy(list);
}

/* The deadline keeps a broker that does not answer from holding up the exit. */
void kafka_last_commit(struct kafka_source *s)
{
    int64_t deadline = clock_monotonic_ms() + LAST_COMMIT_MS;

    if (!kafka_commits(s))
        return;
    kafka_stop_fetching(s);
    while ((s->committing || s->commit_again) && clock_monotonic_ms() < deadline) {
        if (!s->committing)
            commit_stored(s);
        rd_kafka_message_t *m = rd_kafka_consumer_poll(s->rk, SERVE_MS);
        if (m != NULL)
            rd_kafka_message_destroy(m);
    }
    FAULT_POINT("last-offsets-committed");
    rd_kafka_topic_partition_list_destroy(take_unsent(s));
}
