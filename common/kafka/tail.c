/* The last messages of topics, read once. */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/kafka/consumer_private.h"
#include "common/options/options.h"

enum { ASK_TIMEOUT_MS = 2000, POLL_MS = 100 };

struct tail {
    rd_kafka_t *rk;
    int64_t until_ms;
    rd_kafka_topic_partition_list_t *parts; /* each from the offset where it is read */
    int unfinished;                         /* parts */
};

static int ask_timeout(const struct tail *t)
{
    int64_t left = t->until_ms - clock_monotonic_ms();

    return left < 1 ? 1 : left < ASK_TIMEOUT_MS ? (int)left : ASK_TIMEOUT_MS;
}

static int tail_failed(rd_kafka_resp_err_t code, const char *topic, struct err *err)
{
    return err_set(err, ERR_RETRY, (int)code, "the last messages of %s cannot be read: %s", topic,
                   rd_kafka_err2str(code));
}

/* A partition that holds nothing is not read. */
static rd_kafka_resp_err_t add_part(struct tail *t, const char *topic, int32_t partition, int64_t count)
{
    int64_t low, high;
    rd_kafka_resp_err_t code =
        rd_kafka_query_watermark_offsets(t->rk, topic, partition, &low, &high, ask_timeout(t));

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && high > low)
        rd_kafka_topic_partition_list_add(t->parts, topic, partition)->offset =
            high - count > low ? high - count : low;
    return code;
}

static rd_kafka_resp_err_t add_topic(struct tail *t, const char *topic, int64_t count)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(t->rk, topic, NULL);
    const struct rd_kafka_metadata *found = NULL;

    if (handle == NULL)
        return rd_kafka_last_error();
    rd_kafka_resp_err_t code = rd_kafka_metadata(t->rk, 0, handle, &found, ask_timeout(t));
    rd_kafka_topic_destroy(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return code;
    code = found->topic_cnt == 1 ? found->topics[0].err : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < found->topics[0].partition_cnt; i++)
        code = add_part(t, topic, found->topics[0].partitions[i].id, count);
    rd_kafka_metadata_destroy(found);
    return code;
}

/* A partition's end is an event of its own: enable.partition.eof. */
static rd_kafka_resp_err_t take_message(struct tail *t, rd_kafka_message_t *m,
                                        void (*take)(void *arg, const struct record *r), void *arg)
{
    struct record r;
    rd_kafka_resp_err_t code = m->err;

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        kafka_record_fill(m, &r);
        take(arg, &r);
        kafka_record_free(&r);
        return code;
    }
    t->unfinished -= code == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    rd_kafka_message_destroy(m);
    /* what the client cures by itself ends with the time */
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t read_parts(struct tail *t, void (*take)(void *arg, const struct record *r),
                                      void *arg)
{
    rd_kafka_resp_err_t code = rd_kafka_assign(t->rk, t->parts);

    t->unfinished = t->parts->cnt;
    while (code == RD_KAFKA_RESP_ERR_NO_ERROR && t->unfinished > 0) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(t->rk, POLL_MS);
        if (m != NULL)
            code = take_message(t, m, take, arg);
        else if (clock_monotonic_ms() >= t->until_ms)
            code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    return code;
}

/* A topic that is missing costs the others nothing. */
static int read_tail(struct tail *t, const struct tail_wish *wish, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; i < wish->topic_count; i++) {
        rd_kafka_resp_err_t code = add_topic(t, wish->topics[i], wish->last);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            rc = tail_failed(code, wish->topics[i], err);
        if (clock_monotonic_ms() >= t->until_ms)
            return rc;
    }
    rd_kafka_resp_err_t code = read_parts(t, wish->take, wish->arg);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? rc : tail_failed(code, "all topics", err);
}

int kafka_read_tail(const struct options *options, const struct tail_wish *wish, struct err *err)
{
    struct tail t = {.until_ms = clock_monotonic_ms() + wish->timeout_ms};
    rd_kafka_conf_t *conf;

    if (kafka_conf_new(options, KAFKA_CONSUMER, &conf, err) != 0)
        return -1;
    kafka_conf_must(conf, "group.id",
                    "jst.tail"); /* librdkafka needs one; it is neither joined nor committed to */
    kafka_conf_must(conf, "statistics.interval.ms", "0");
    if (kafka_client_new(RD_KAFKA_CONSUMER, conf, &t.rk, err) != 0)
        return -1;
    t.parts = rd_kafka_topic_partition_list_new(8);
    int rc = read_tail(&t, wish, err);
    rd_kafka_topic_partition_list_destroy(t.parts);
    rd_kafka_destroy(t.rk);
    return rc;
}
