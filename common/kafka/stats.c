#include "common/kafka/kafka_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/units.h"
#include "common/json/json.h"
#include "common/monitor/metrics.h"

const struct metric_family kafka_consumer_lag = {
    .name = "jst_consumer_lag",
    .type = METRIC_GAUGE,
    .help = "Messages not yet committed, of the partitions assigned to this process.",
    .labels = {"pipeline", "topic", "partition"},
};

static int64_t number_member(const struct json_value *object, const char *name, int64_t otherwise)
{
    const char *text = json_text(json_member(object, name));
    int64_t value;

    return text != NULL && parse_int64(text, &value) == 0 ? value : otherwise;
}

static void read_brokers(const struct json_value *brokers, struct kafka_stats *ret)
{
    for (const struct json_value *b = json_first(brokers); b != NULL; b = json_next(b)) {
        const char *state = json_text(json_member(b, "state"));
        ret->metadata_requests += number_member(json_member(b, "req"), "Metadata", 0);
        if (state == NULL || strcmp(state, "UP") != 0)
            continue;
        int64_t idle = number_member(b, "rxidle", -1);
        ret->brokers_up++;
        if (idle >= 0 && (ret->idle_us < 0 || idle < ret->idle_us))
            ret->idle_us = idle;
    }
}

/* librdkafka reports a consumer_lag of -1 until this process first commits, exactly when an operator wants
 * the lag, and keeps what another assignment committed. So the lag is counted from the group's offset as the
 * source knows it, or from the log's start. -1: not known yet. */
static int64_t lag_of(const struct json_value *partition, int64_t committed)
{
    int64_t end = number_member(partition, "ls_offset", -1);
    int64_t begin = committed >= 0 ? committed : number_member(partition, "committed_offset", -1);

    if (begin < 0)
        begin = number_member(partition, "lo_offset", -1);
    if (end < 0 || begin < 0)
        return -1;
    return end > begin ? end - begin : 0;
}

/* Partition -1 is librdkafka's own and is skipped. */
static void read_lags(const struct json_value *topic, const char *pipeline,
                      const struct kafka_stats_help *help)
{
    const struct json_value *partitions = json_member(topic, "partitions");

    for (const struct json_value *p = json_first(partitions); p != NULL; p = json_next(p)) {
        const char *state = json_text(json_member(p, "fetch_state"));
        int64_t id = number_member(p, "partition", -1);
        if (state == NULL || strcmp(state, "none") == 0 || id < 0)
            continue;
        int64_t lag = lag_of(p, help->start(help->arg, json_name(topic), (int32_t)id));
        if (lag >= 0)
            metric_set(metric_get(&kafka_consumer_lag, pipeline, json_name(topic), json_name(p), NULL),
                       (double)lag);
    }
}

static bool is_true(const struct json_value *object, const char *name)
{
    return json_type(json_member(object, name)) == JSON_TRUE;
}

static void tell_missing(const struct json_value *topic, const struct kafka_stats_help *help)
{
    const struct json_value *partitions = json_member(topic, "partitions");

    for (const struct json_value *p = json_first(partitions); p != NULL; p = json_next(p))
        if (is_true(p, "desired") && is_true(p, "unknown"))
            help->missing(help->arg, json_name(topic), (int32_t)number_member(p, "partition", -1));
}

void kafka_stats_set_lag(const char *pipeline, const char *topic, int32_t partition, int64_t lag)
{
    char number[16];

    snprintf(number, sizeof number, "%" PRId32, partition);
    metric_set(metric_get(&kafka_consumer_lag, pipeline, topic, number, NULL), lag > 0 ? (double)lag : 0);
}

void kafka_stats_forget_lags(void)
{
    metric_hide_all(&kafka_consumer_lag);
}

void kafka_stats_read(const char *json, size_t len, const struct kafka_stats_help *help,
                      struct kafka_stats *ret)
{
    struct json_doc *doc = json_doc_new();
    const struct json_value *root;

    *ret = (struct kafka_stats){.idle_us = -1};
    if (json_parse(doc, json, len, &root, NULL) == 0) {
        read_brokers(json_member(root, "brokers"), ret);
        const struct json_value *topics = json_member(root, "topics");
        for (const struct json_value *t = json_first(topics); t != NULL; t = json_next(t)) {
            const char *pipeline = help->pipeline(help->arg, json_name(t));
            if (pipeline != NULL)
                read_lags(t, pipeline, help);
            if (help->missing != NULL)
                tell_missing(t, help);
        }
    }
    json_doc_free(doc);
}
