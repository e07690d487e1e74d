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

enum { REVOKE_COMMIT_MS = 3000 };

static struct kafka_source *source_of(struct source *source)
{
    return (struct kafka_source *)source;
}

static void on_error(rd_kafka_t *rk, int code, const char *text, void *arg)
{
    struct kafka_source *s = arg;

    (void)rk;
    if (s->leaving)
        return;
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
    const struct topic_read *t = kafka_topic(arg, topic);

    return t != NULL ? t->pipeline : NULL;
}

static int64_t start_of(void *arg, const char *topic, int32_t partition)
{
    const struct part *p = kafka_part(arg, topic, partition);

    return p != NULL ? p->committed : -1;
}

static void take_missing(void *arg, const char *topic, int32_t partition)
{
    struct part *p = kafka_part(arg, topic, partition);

    if (p != NULL && p->state == PART_READ)
        kafka_part_is_missing(arg, p);
}

static int on_stats(rd_kafka_t *rk, char *json, size_t len, void *arg)
{
    struct kafka_source *s = arg;
    const struct kafka_stats_help help = {
        .pipeline = topic_pipeline, .start = start_of, .missing = take_missing, .arg = s};
    struct kafka_stats stats;

    (void)rk;
    if (s->leaving)
        return 0;
    kafka_stats_read(json, len, &help, &stats);
    s->verify |= stats.metadata_requests > s->metadata_requests;
    s->metadata_requests = stats.metadata_requests;
    if (stats.brokers_up > 0) {
        health_dependency("kafka", true, NULL);
        health_reason("subscription", NULL);
        s->contact_ms = clock_monotonic_ms() - stats.idle_us / 1000;
    } else {
        health_dependency("kafka", false, *s->reason != '\0' ? s->reason : "no broker is connected");
    }
    return 0;
}

/* ---- events ---- */

/* The error is one of a topic, or of one of its partitions (p; else NULL). */
static void take_topic_error(struct kafka_source *s, const rd_kafka_message_t *m, struct topic_read *t,
                             struct part *p)
{
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && p != NULL) {
        p->done = p->done || m->offset >= p->end;
        kafka_trouble_ends(s, t);
        kafka_check_ended(s);
    } else if (m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && p != NULL) {
        if (p->state != PART_READ)
            return;
        p->outside = m->offset >= 0 ? m->offset : p->next;
        kafka_look_up_later(s, p, PART_OUTSIDE);
    } else {
        kafka_trouble_begins(s, t, m->err, rd_kafka_message_errstr(m));
    }
}

/* Take an event that librdkafka delivered in place of a message. */
static void take_error(struct kafka_source *s, const rd_kafka_message_t *m)
{
    const char *topic = m->rkt != NULL ? rd_kafka_topic_name(m->rkt) : NULL;
    struct topic_read *t = topic != NULL ? kafka_topic(s, topic) : NULL;

    if (m->err == RD_KAFKA_RESP_ERR__FATAL)
        s->fatal = true;
    else if (t != NULL)
        take_topic_error(s, m, t, m->partition >= 0 ? kafka_part(s, topic, m->partition) : NULL);
    else if (m->err != RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED)
        health_reason("subscription", rd_kafka_message_errstr(m));
}

static bool take_event(struct kafka_source *s, struct source_event *ret)
{
    if (s->revoked) {
        s->revoked = false;
        ret->kind = SOURCE_REVOKED;
    } else if (s->assigned > 0) {
        *ret = (struct source_event){.kind = SOURCE_ASSIGNED, .partitions = s->assigned - 1};
        s->assigned = 0;
        kafka_check_ended(s); /* of an assignment without partitions */
    } else if (kafka_take_news(s, ret)) {
        return true;
    } else if (s->ended && s->stash_count == 0 && !s->moved) { /* only after the last record */
        s->ended = false;
        ret->kind = SOURCE_END;
    } else {
        return false;
    }
    return true;
}

/* Is the message beyond the end of a bounded read? Such messages are not handed out. */
static bool beyond_end(struct kafka_source *s, struct part *p, const rd_kafka_message_t *m)
{
    if (!s->config.bounded)
        return false;
    if (m->offset + 1 >= p->end && !p->done) {
        p->done = true;
        kafka_check_ended(s);
    }
    return m->offset >= p->end && !s->config.from_beginning;
}

/* ---- messages ---- */

/* Poll librdkafka for at most timeout_ms, and wake its broker threads when the queue was full; see wake.h. */
static rd_kafka_message_t *poll_awake(struct kafka_source *s, int timeout_ms)
{
    bool may_be_full = s->wake.needed && wake_may_be_needed(&s->wake);
    rd_kafka_message_t *m = rd_kafka_consumer_poll(s->rk, may_be_full ? 0 : timeout_ms);

    if (m == NULL && s->wake.needed && wake_emptied(&s->wake)) {
        wake_up(&s->wake, s->rk);
        m = timeout_ms > 0 ? rd_kafka_consumer_poll(s->rk, timeout_ms) : NULL;
    }
    if (m != NULL && m->err == RD_KAFKA_RESP_ERR_NO_ERROR && s->wake.needed &&
        wake_looks(&s->wake, clock_monotonic_ms(), m->len + m->key_len) &&
        wake_is_due(&s->wake, rd_kafka_queue_length(s->queue)))
        wake_up(&s->wake, s->rk);
    return m;
}

static int check_fatal(const struct kafka_source *s, struct err *err)
{
    char text[256] = "";

    if (!s->fatal)
        return 0;
    rd_kafka_fatal_error(s->rk, text, sizeof text);
    return err_set(err, ERR_FATAL, 0, "Kafka consumer: %s", text);
}

/* Poll once. An event that came instead of a message is noted. NULL: no message came. */
static rd_kafka_message_t *next_fetched(struct kafka_source *s, int timeout_ms)
{
    kafka_starts_due(s);
    kafka_commit_due(s);
    kafka_trouble_due(s);
    rd_kafka_message_t *m = poll_awake(s, timeout_ms);
    if (m == NULL || m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return m;
    take_error(s, m);
    rd_kafka_message_destroy(m);
    return NULL;
}

/* Note that this message is handed out. false: it is beyond the end, and is not. */
static bool note_read(struct kafka_source *s, const rd_kafka_message_t *m)
{
    struct part *p = kafka_part(s, rd_kafka_topic_name(m->rkt), m->partition);
    rd_kafka_timestamp_type_t kind;

    if (s->trouble_count > 0)
        kafka_trouble_ends(s, p->topic);
    if (beyond_end(s, p, m))
        return false;
    if (p->mark < 0) {
        p->mark = m->offset;
        p->mark_ms = rd_kafka_message_timestamp(m, &kind);
    }
    p->next = m->offset + 1;
    return true;
}

/* The next message to hand out. NULL: there is none, or an event must be handed out first. */
static rd_kafka_message_t *next_message(struct kafka_source *s, int timeout_ms)
{
    rd_kafka_message_t *m = next_fetched(s, kafka_stash_has(s) ? 0 : timeout_ms);

    if (m != NULL)
        kafka_stash_push(s, m);
    if (s->revoked || s->assigned > 0 || s->news_count > 0 || s->moved)
        return NULL;
    m = kafka_stash_pop(s);
    if (m == NULL || note_read(s, m))
        return m;
    rd_kafka_message_destroy(m);
    return NULL;
}

static int consumer_poll(struct source *source, int timeout_ms, struct source_event *ret, struct err *err)
{
    struct kafka_source *s = source_of(source);

    ret->kind = SOURCE_NONE;
    if (take_event(s, ret))
        return 0;
    rd_kafka_message_t *m = next_message(s, timeout_ms);
    if (check_fatal(s, err) != 0) {
        if (m != NULL)
            rd_kafka_message_destroy(m);
        return -1;
    }
    if (m == NULL) {
        take_event(s, ret);
        return 0;
    }
    kafka_record_fill(m, &ret->record);
    s->held++;
    ret->kind = SOURCE_RECORD;
    return 0;
}

static int consumer_serve(struct source *source, int timeout_ms, struct err *err)
{
    struct kafka_source *s = source_of(source);
    rd_kafka_message_t *m = next_fetched(s, timeout_ms);

    if (m != NULL)
        kafka_stash_push(s, m);
    return check_fatal(s, err);
}

static void consumer_release(struct source *source, struct record *record)
{
    if (record->owner == NULL)
        return;
    kafka_record_free(record);
    source_of(source)->held--;
}

/* ---- life ---- */

static void forget_source(struct kafka_source *s)
{
    free(s->parts);
    for (size_t i = 0; i < s->paused_count; i++)
        free(s->paused[i]);
    free(s->paused);
    for (size_t i = 0; i < s->config.topic_count; i++) {
        free(s->topics[i].name);
        free(s->topics[i].pipeline);
    }
    free(s->topics);
    free(s->group);
    free(s->stash);
    wake_free(&s->wake);
    free(s);
}

static void consumer_free(struct source *source)
{
    struct kafka_source *s = source_of(source);

    kafka_last_commit(s);
    kafka_stash_drop(s, NULL);
    rd_kafka_queue_destroy(s->queue);
    kafka_forget_assignment(s);
    if (kafka_leave(s))
        forget_source(s);
}

static const struct source_ops consumer_ops = {
    .poll = consumer_poll,
    .serve = consumer_serve,
    .release = consumer_release,
    .store = kafka_store,
    .seek = kafka_seek,
    .pause = kafka_pause,
    .resume = kafka_resume,
    .free = consumer_free,
};

static int subscribe_topics(struct kafka_source *s, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)s->config.topic_count);

    for (size_t i = 0; i < s->config.topic_count; i++)
        rd_kafka_topic_partition_list_add(list, s->topics[i].name, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(s->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err_set(err, ERR_FATAL, (int)code, "cannot subscribe: %s", rd_kafka_err2str(code));
    return 0;
}

static struct topic_read *copy_topics(const struct source_config *config)
{
    struct topic_read *copy = mem_zalloc(config->topic_count, sizeof *copy);

    for (size_t i = 0; i < config->topic_count; i++) {
        copy[i].name = mem_strdup(config->topics[i]);
        copy[i].pipeline = config->pipelines != NULL ? mem_strdup(config->pipelines[i]) : NULL;
    }
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
    s->topics = copy_topics(config);
    s->group = mem_strdup(config->group);
    s->revoke_commit_ms = REVOKE_COMMIT_MS;
    s->config.topics = NULL;
    s->config.pipelines = NULL;
    s->config.group = NULL;
    kafka_conf_must(conf, "group.id", config->group);
    rd_kafka_conf_set_opaque(conf, s);
    rd_kafka_conf_set_rebalance_cb(conf, kafka_on_rebalance);
    rd_kafka_conf_set_offset_commit_cb(conf, kafka_on_commit);
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
    if (!config->replay && subscribe_topics(s, err) != 0) {
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
