#include "common/kafka_private.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/json.h"
#include "common/metrics.h"
#include "common/units.h"

static const struct metric_family lag_family = {
    .name = "jst_consumer_lag",
    .type = METRIC_GAUGE,
    .help = "Messages between the committed offset and the end of a partition assigned to this process.",
    .labels = {"pipeline", "topic", "partition"},
};

static int64_t number(const struct json_value *object, const char *name, int64_t otherwise)
{
    const char *text = json_text(json_member(object, name));
    int64_t value;

    return text != NULL && parse_int64(text, &value) == 0 ? value : otherwise;
}

static void read_brokers(const struct json_value *brokers, struct kafka_stats *ret)
{
    for (const struct json_value *b = json_first(brokers); b != NULL; b = json_next(b)) {
        const char *state = json_text(json_member(b, "state"));
        if (state == NULL || strcmp(state, "UP") != 0)
            continue;
        int64_t idle = number(b, "rxidle", -1);
        ret->brokers_up++;
        if (idle >= 0 && (ret->idle_us < 0 || idle < ret->idle_us))
            ret->idle_us = idle;
    }
}

/* consumer_lag is -1 while it is unknown, and partition -1 is librdkafka's own. */
static void read_lags(const struct json_value *topic, const char *pipeline)
{
    const struct json_value *partitions = json_member(topic, "partitions");

    for (const struct json_value *p = json_first(partitions); p != NULL; p = json_next(p)) {
        int64_t lag = number(p, "consumer_lag", -1);
        const char *state = json_text(json_member(p, "fetch_state"));
        if (lag < 0 || state == NULL || strcmp(state, "none") == 0 || strcmp(json_name(p), "-1") == 0)
            continue;
        metric_set(metric_get(&lag_family, pipeline, json_name(topic), json_name(p), NULL), (double)lag);
    }
}

void kafka_stats_forget_lags(void)
{
    metric_hide_all(&lag_family);
}

void kafka_stats_read(const char *json, size_t len, const char *(*topic_pipeline)(void *, const char *),
                      void *arg, struct kafka_stats *ret)
{
    struct json_doc *doc = json_doc_new();
    const struct json_value *root;

    *ret = (struct kafka_stats){.idle_us = -1};
    if (json_parse(doc, json, len, &root, NULL) == 0) {
        read_brokers(json_member(root, "brokers"), ret);
        const struct json_value *topics = json_member(root, "topics");
        for (const struct json_value *t = json_first(topics); t != NULL; t = json_next(t)) {
            const char *pipeline = topic_pipeline(arg, json_name(t));
            if (pipeline != NULL)
                read_lags(t, pipeline);
        }
    }
    json_doc_free(doc);
}
