/* A consumer in a group, eager rebalancing, offsets committed by hand. */
#include "common/kafka/consumer_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/monitor/health.h"
#include "common/options/options.h"

enum { CLOSE_COMMIT_MS = 1500, CLOSE_LEAVE_MS = 1500, COMMIT_EVERY_MS = 100 };

static struct kafka_source *of(struct source *source)
{
    return (struct kafka_source *)source;
}

static void on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                      void *arg)
{
    struct kafka_source *s = arg;

    (void)rk, (void)list;
    s->committing = false;
    /* Whatever failed is still stored, and goes with the next commit. */
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__NO_OFFSET)
        s->commit_again = true;
}

static void on_error(rd_kafka_t *rk, int code, const char *text, void *arg)
{
    struct kafka_source *s = arg;

    (void)rk;
    if (code == RD_KAFKA_RESP_ERR__FATAL)
        s->fatal = true;
    else if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        health_dependency("kafka", false, *s->reason != '\0' ? s->reason : text);
    else
        snprintf(s->reason, sizeof s->reason, "%s", text);
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL)
        health_dependency("kafka", false, text);
}

static const char *topic_pipeline(void *arg, const char *topic)
{
    const struct kafka_source *s = arg;

    for (size_t i = 0; s->pipelines != NULL && i < s->config.topic_count; i++)
        if (strcmp(s->topics[i], topic) == 0)
            return s->pipelines[i];
    return NULL;
}

static int64_t start_of(void *arg, const char *topic, int32_t partition)
{
    return kafka_part(arg, topic, partition)->start;
}

static int on_stats(rd_kafka_t *rk, char *json, size_t len, void *arg)
{
    struct kafka_source *s = arg;
    const struct kafka_stats_help help = {.pipeline = topic_pipeline, .start = start_of, .arg = s};
    struct kafka_stats stats;

    (void)rk;
    kafka_stats_read(json, len, &help, &stats);
    if (stats.brokers_up > 0) {
        health_dependency("kafka", true, NULL);
        s->contact_ms = clock_monotonic_ms() - stats.idle_us / 1000;
    } else {
        health_dependency("kafka", false, *s->reason != '\0' ? s->reason : "no broker is connected");
    }
    return 0;
}

static void fill_record(rd_kafka_message_t *m, struct record *ret)
{
    rd_kafka_timestamp_type_t kind;
    rd_kafka_headers_t *headers;

    *ret = (struct record){
        .topic = rd_kafka_topic_name(m->rkt),
        .partition = m->partition,
        .offset = m->offset,
        .timestamp_ms = rd_kafka_message_timestamp(m, &kind),
        .key = m->key,
        .key_len = m->key_len,
        .has_key = m->key != NULL,
        .value = m->payload,
        .value_len = m->len,
        .has_value = m->payload != NULL,
        .owner = m,
    };
    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    const char *name;
    const void *value;
    size_t size;
    for (size_t i = 0;
         ret->header_count < RECORD_HEADERS_MAX &&
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         i++)
        ret->headers[ret->header_count++] = (struct header){.name = name, .value = value};
}

static void check_ended(struct kafka_source *s)
{
    if (!s->config.bounded || s->end_given)
        return;
    for (size_t i = 0; i < s->part_count; i++)
        if (s->parts[i].assigned && !s->parts[i].done)
            return;
    s->end_given = true;
    s->ended = true;
}

/* An event in place of a message. */
static void take_error(struct kafka_source *s, const rd_kafka_message_t *m)
{
    struct part *p = m->rkt != NULL ? kafka_part(s, rd_kafka_topic_name(m->rkt), m->partition) : NULL;

    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && p != NULL) {
        p->done = true;
        check_ended(s);
    } else if (m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && p != NULL) {
        s->lost_topic = p->topic;
        s->lost_partition = p->partition;
    } else if (m->err == RD_KAFKA_RESP_ERR__FATAL) {
        s->fatal = true;
    } else if (m->err != RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED) {
        health_reason("subscription", rd_kafka_message_errstr(m));
    }
}

static bool take_event(struct kafka_source *s, enum source_event *ret_event, struct record *ret)
{
    if (s->revoked) {
        s->revoked = false;
        *ret_event = SOURCE_REVOKED;
    } else if (s->assigned > 0) {
        *ret = (struct record){.partition = s->assigned - 1};
        s->assigned = 0;
        check_ended(s);
        *ret_event = SOURCE_ASSIGNED;
    } else if (s->lost_topic != NULL) {
        *ret = (struct record){.topic = s->lost_topic, .partition = s->lost_partition};
        s->lost_topic = NULL;
        *ret_event = SOURCE_LOST;
    } else if (s->ended && s->stash == NULL) { /* behind the last record */
        s->ended = false;
        *ret_event = SOURCE_END;
    } else {
        return false;
    }
    return true;
}

/* Beyond the end of a bounded read nothing is handed out. */
static bool beyond_end(struct kafka_source *s, const rd_kafka_message_t *m)
{
    if (!s->config.bounded)
        return false;
    struct part *p = kafka_part(s, rd_kafka_topic_name(m->rkt), m->partition);
    if (m->offset + 1 >= p->end && !p->done) {
        p->done = true;
        check_ended(s);
    }
    return m->offset >= p->end && !s->config.from_beginning;
}

static int consumer_commit(struct source *source, struct err *err)
{
    struct kafka_source *s = of(source);

    if (!s->commit_again || s->committing)
        return 0;
    s->commit_again = false;
    rd_kafka_resp_err_t code = rd_kafka_commit(s->rk, NULL, 1);
    if (code == RD_KAFKA_RESP_ERR__NO_OFFSET)
        return 0;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        s->commit_again = true;
        return err_set(err, ERR_RETRY, (int)code, "commit of offsets: %s", rd_kafka_err2str(code));
    }
    s->committing = true;
    s->committed_ms = clock_monotonic_ms();
    return 0;
}

/* What was stored while a commit was under way, or whose commit failed. */
static void commit_rest(struct kafka_source *s)
{
    if (s->commit_again && !s->committing && clock_monotonic_ms() - s->committed_ms >= COMMIT_EVERY_MS)
        consumer_commit(&s->base, NULL);
}

/* What librdkafka has, within the time; see wake.h. */
static rd_kafka_message_t *poll_awake(struct kafka_source *s, int timeout_ms)
{
    rd_kafka_message_t *m = rd_kafka_consumer_poll(s->rk, s->wake.was_full ? 0 : timeout_ms);

    if (m == NULL && wake_emptied(&s->wake)) {
        wake_up(&s->wake, s->rk);
        m = timeout_ms > 0 ? rd_kafka_consumer_poll(s->rk, timeout_ms) : NULL;
    }
    if (m != NULL && m->err == RD_KAFKA_RESP_ERR_NO_ERROR && s->wake.needed &&
        wake_looks(&s->wake, clock_monotonic_ms(), m->len + m->key_len) &&
        wake_is_due(&s->wake, rd_kafka_queue_length(s->queue)))
        wake_up(&s->wake, s->rk);
    return m;
}

/* One call to librdkafka. *ret: a message to hand out, or NULL. */
static int next_message(struct kafka_source *s, int timeout_ms, rd_kafka_message_t **ret, struct err *err)
{
    kafka_retry_assignment(s);
    commit_rest(s);
    rd_kafka_message_t *m = s->stash != NULL ? s->stash : poll_awake(s, timeout_ms);

    *ret = NULL;
    s->stash = NULL;
    if (m != NULL && m->err == RD_KAFKA_RESP_ERR_NO_ERROR && !beyond_end(s, m)) {
        health_reason("subscription", NULL);
        *ret = m;
    } else if (m != NULL) {
        if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            take_error(s, m);
        rd_kafka_message_destroy(m);
    }
    if (!s->fatal)
        return 0;
    char text[256];
    rd_kafka_fatal_error(s->rk, text, sizeof text);
    return err_set(err, ERR_FATAL, 0, "Kafka consumer: %s", text);
}

static int consumer_poll(struct source *source, int timeout_ms, enum source_event *ret_event,
                         struct record *ret, struct err *err)
{
    struct kafka_source *s = of(source);
    rd_kafka_message_t *m;

    *ret_event = SOURCE_NONE;
    if (take_event(s, ret_event, ret))
        return 0;
    if (next_message(s, timeout_ms, &m, err) != 0)
        return -1;
    if (m != NULL && (s->revoked || s->assigned > 0)) { /* the event comes first */
        s->stash = m;
        m = NULL;
    }
    if (m != NULL) {
        fill_record(m, ret);
        s->held++;
        *ret_event = SOURCE_RECORD;
        return 0;
    }
    take_event(s, ret_event, ret);
    return 0;
}

static int consumer_serve(struct source *source, int timeout_ms, struct err *err)
{
    struct kafka_source *s = of(source);

    return s->stash == NULL ? next_message(s, timeout_ms, &s->stash, err) : 0;
}

static void consumer_release(struct source *source, struct record *record)
{
    if (record->owner == NULL)
        return;
    rd_kafka_message_destroy(record->owner);
    record->owner = NULL;
    of(source)->held--;
}

static void consumer_store(struct source *source, const char *topic, int32_t partition, int64_t offset)
{
    struct kafka_source *s = of(source);

    if (s->config.from_beginning || !kafka_part(s, topic, partition)->assigned)
        return;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset + 1;
    rd_kafka_offsets_store(s->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    s->commit_again = true;
}

/* Commit what is stored, with a deadline: a broker that is away must not hold up the exit. */
static void last_commit(struct kafka_source *s)
{
    int64_t deadline = clock_monotonic_ms() + CLOSE_COMMIT_MS;

    if (s->config.from_beginning)
        return;
    kafka_switch_partitions(s, NULL, true);
    for (;;) {
        consumer_commit(&s->base, NULL);
        if ((!s->committing && !s->commit_again) || clock_monotonic_ms() >= deadline)
            return;
        rd_kafka_message_t *m = rd_kafka_consumer_poll(s->rk, 20);
        if (m != NULL)
            rd_kafka_message_destroy(m);
    }
}

/* Leave the group, with a deadline: rd_kafka_consumer_close() waits for a coordinator that is away as long as
 * it takes. Without an orderly leave the group notices after the session timeout. */
static void leave_group(struct kafka_source *s)
{
    int64_t deadline = clock_monotonic_ms() + CLOSE_LEAVE_MS;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(s->rk);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(s->rk, queue);

    while (error == NULL && !rd_kafka_consumer_closed(s->rk) && clock_monotonic_ms() < deadline) {
        /* serves the callbacks; messages that were fetched already stand in the queue too */
        rd_kafka_message_t *m = rd_kafka_consume_queue(queue, 20);
        if (m != NULL)
            rd_kafka_message_destroy(m);
    }
    bool closed = rd_kafka_consumer_closed(s->rk);
    if (error != NULL)
        rd_kafka_error_destroy(error);
    rd_kafka_queue_destroy(queue);
    /* Destroying waits until every request under way has timed out, up to 10 s when the broker hangs, and for
     * ever when a record is held (by a writer that hangs itself). A source is freed when its process ends,
     * and its threads end with that. */
    if (closed && s->held == 0)
        rd_kafka_destroy(s->rk);
}

static void forget_source(struct kafka_source *s)
{
    if (s->waiting != NULL)
        rd_kafka_topic_partition_list_destroy(s->waiting);
    for (size_t i = 0; i < s->part_count; i++)
        free(s->parts[i].topic);
    free(s->parts);
    for (size_t i = 0; i < s->paused_count; i++)
        free(s->paused[i]);
    free(s->paused);
    for (size_t i = 0; i < s->config.topic_count; i++) {
        free(s->topics[i]);
        if (s->pipelines != NULL)
            free(s->pipelines[i]);
    }
    free(s->topics);
    free(s->pipelines);
    wake_free(&s->wake);
    free(s);
}

static void consumer_free(struct source *source)
{
    struct kafka_source *s = of(source);

    last_commit(s);
    s->commit_again = false;
    kafka_drop_stash(s);
    rd_kafka_queue_destroy(s->queue);
    leave_group(s);
    forget_source(s);
}

static const struct source_ops consumer_ops = {
    .poll = consumer_poll,
    .serve = consumer_serve,
    .release = consumer_release,
    .store = consumer_store,
    .commit = consumer_commit,
    .pause = kafka_pause,
    .resume = kafka_resume,
    .free = consumer_free,
};

static int subscribe(struct kafka_source *s, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)s->config.topic_count);

    for (size_t i = 0; i < s->config.topic_count; i++)
        rd_kafka_topic_partition_list_add(list, s->topics[i], RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(s->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err_set(err, ERR_FATAL, (int)code, "cannot subscribe: %s", rd_kafka_err2str(code));
    return 0;
}

static char **copy_names(const char *const *names, size_t count)
{
    char **copy = mem_zalloc(count, sizeof *copy);

    for (size_t i = 0; i < count; i++)
        copy[i] = mem_strdup(names[i]);
    return copy;
}

int kafka_source_open(const struct options *options, const struct source_config *config, struct source **ret,
                      struct err *err)
{
    rd_kafka_conf_t *conf;

    if (kafka_conf_new(options, KAFKA_CONSUMER, &conf, err) != 0)
        return -1;
    struct kafka_source *s = mem_zalloc(1, sizeof *s);
    s->base.ops = &consumer_ops;
    s->config = *config;
    s->topics = copy_names(config->topics, config->topic_count);
    s->pipelines = config->pipelines != NULL ? copy_names(config->pipelines, config->topic_count) : NULL;
    s->config.topics = NULL;
    s->config.pipelines = NULL;
    kafka_conf_must(conf, "group.id", config->group);
    rd_kafka_conf_set_opaque(conf, s);
    rd_kafka_conf_set_rebalance_cb(conf, kafka_on_rebalance);
    rd_kafka_conf_set_offset_commit_cb(conf, on_commit);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_stats_cb(conf, on_stats);
    wake_init(&s->wake, conf);
    if (kafka_client_new(RD_KAFKA_CONSUMER, conf, &s->rk, err) != 0) {
        forget_source(s);
        return -1;
    }
    rd_kafka_poll_set_consumer(s->rk);
    s->queue = rd_kafka_queue_get_consumer(s->rk);
    health_reason("assignment", "no partitions are assigned");
    if (subscribe(s, err) != 0) {
        consumer_free(&s->base);
        return -1;
    }
    *ret = &s->base;
    return 0;
}

int64_t kafka_source_contact_ms(const struct source *source)
{
    const struct kafka_source *s = (const struct kafka_source *)source;

    return s->contact_ms > 0 ? clock_monotonic_ms() - s->contact_ms : -1;
}
