/* Offsets are committed by hand, one asynchronous commit at a time. An offset stored meanwhile goes with the
 * next commit. An offset whose commit failed is still stored, so the next commit repeats it. */
#include "common/base/clock.h"
#include "common/kafka/consumer_private.h"
#include "common/monitor/health.h"

enum { LAST_COMMIT_MS = 1500, COMMIT_EVERY_MS = 100 };

/* What the commit came to. librdkafka gives an error of the whole only when all partitions failed. */
static rd_kafka_resp_err_t commit_error(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t *list)
{
    if (code == RD_KAFKA_RESP_ERR__NO_OFFSET)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && list != NULL && i < list->cnt; i++)
        if (list->elems[i].err != RD_KAFKA_RESP_ERR__NO_OFFSET)
            code = list->elems[i].err;
    return code;
}

void kafka_on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                     void *arg)
{
    struct kafka_source *s = arg;

    (void)rk;
    s->committing = false;
    code = commit_error(code, list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        s->commit_again = true;
        s->commit_failed = true;
        health_reason("commit", rd_kafka_err2str(code));
    } else if (s->commit_failed) {
        s->commit_failed = false;
        health_reason("commit", NULL);
    }
}

static void commit_stored(struct kafka_source *s)
{
    s->commit_again = false;
    s->committed_ms = clock_monotonic_ms();
    rd_kafka_resp_err_t code = rd_kafka_commit(s->rk, NULL, 1);
    s->committing = code == RD_KAFKA_RESP_ERR_NO_ERROR;
    s->commit_again = code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__NO_OFFSET;
}

void kafka_commit_due(struct kafka_source *s)
{
    if (s->commit_again && !s->committing && clock_monotonic_ms() - s->committed_ms >= COMMIT_EVERY_MS)
        commit_stored(s);
}

void kafka_store(struct source *source, const char *topic, int32_t partition, int64_t offset)
{
    struct kafka_source *s = (struct kafka_source *)source;

    if (s->config.from_beginning || !kafka_part(s, topic, partition)->assigned)
        return;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset + 1;
    rd_kafka_offsets_store(s->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    s->commit_again = true;
}

/* The deadline keeps a broker that does not answer from holding up the exit. */
void kafka_last_commit(struct kafka_source *s)
{
    int64_t deadline = clock_monotonic_ms() + LAST_COMMIT_MS;

    if (s->config.from_beginning)
        return;
    kafka_switch_partitions(s, NULL, true);
    while ((s->committing || s->commit_again) && clock_monotonic_ms() < deadline) {
        if (!s->committing)
            commit_stored(s);
        rd_kafka_message_t *m = rd_kafka_consumer_poll(s->rk, 20);
        if (m != NULL)
            rd_kafka_message_destroy(m);
    }
    s->commit_again = false;
}
