#include "common/wire/dead.h"

#include <string.h>

#include "common/base/err.h"
#include "common/monitor/metrics.h"

static const struct metric_family dead_family = {
    .name = "jst_dead_letters_total",
    .type = METRIC_COUNTER,
    .help = "Records that were sent to the dead-letter topic.",
    .labels = {"pipeline", "stage", "class"},
};

int dead_send(struct sink *sink, const char *topic, const struct record *r, const char *key,
              const char *value, size_t value_len, const struct dead_letter *dead, struct err *err)
{
    struct header_set headers;

    dead_letter_headers(r, dead, &headers);
    struct message m = {
        .topic = topic,
        .key = key,
        .key_len = key != NULL ? strlen(key) : 0,
        .value = value,
        .value_len = value_len,
        .headers = headers.list,
        .header_count = headers.count,
    };
    int rc = sink_send(sink, &m, NULL, err);
    headers_free(&headers);
    return rc;
}

void dead_count(const char *pipeline, const char *stage, enum dead_class class)
{
    metric_add(metric_get(&dead_family, pipeline, stage, dead_class_name(class), NULL), 1);
}

void dead_count_init(const char *pipeline, const char *stage)
{
    for (int c = DEAD_PARSE; c <= DEAD_TOO_LARGE; c++)
        metric_get(&dead_family, pipeline, stage, dead_class_name((enum dead_class)c), NULL);
}
