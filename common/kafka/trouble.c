/* What readiness says of topics that cannot be read. */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/kafka/consumer_private.h"
#include "common/monitor/health.h"

enum { REASON_KEY = 300, TRY_EVERY_MS = 5000, ASK_TIMEOUT_MS = 1000 };

static void show_trouble(const struct topic_read *t, const char *why)
{
    char key[REASON_KEY];

    snprintf(key, sizeof key, "topic %s", t->name);
    health_reason(key, why);
}

static bool is_unknown(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

void kafka_trouble_begins(struct kafka_source *s, struct topic_read *t, rd_kafka_resp_err_t code,
                          const char *why)
{
    s->trouble_count += !t->troubled;
    t->troubled = true;
    show_trouble(t,
                 is_unknown(code) ? "the topic does not exist (any more); when it is made it is read" : why);
}

void kafka_trouble_ends(struct kafka_source *s, struct topic_read *t)
{
    if (!t->troubled)
        return;
    t->troubled = false;
    s->trouble_count--;
    show_trouble(t, NULL);
}

static bool is_assigned(const struct kafka_source *s, const struct topic_read *t)
{
    for (size_t i = 0; i < s->part_count; i++)
        if (s->parts[i].topic == t && kafka_part_is_assigned(&s->parts[i]))
            return true;
    return false;
}

/* Has the broker the topic, and does it show it to us? */
static bool is_there(const struct kafka_source *s, const struct topic_read *t)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(s->rk, t->name, NULL);
    const struct rd_kafka_metadata *found = NULL;
    bool there = false;

    if (topic == NULL)
        return false;
    if (rd_kafka_metadata(s->rk, 0, topic, &found, ASK_TIMEOUT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        there = found->topic_cnt == 1 && found->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR;
        rd_kafka_metadata_destroy(found);
    }
    rd_kafka_topic_destroy(topic);
    return there;
}

/* An idle topic gives neither a message nor its end once more when it can be read again. A pause that ends at
 * once has librdkafka fetch anew, and then its end is told again. A topic of which this process has no
 * partition is asked for; that its partitions can be read is another process's to find out. */
static void try_again(struct kafka_source *s, struct topic_read *t)
{
    if (is_assigned(s, t)) {
        kafka_fetch_anew(s, t);
    } else if (is_there(s, t)) {
        kafka_trouble_ends(s, t);
    }
}

void kafka_trouble_due(struct kafka_source *s)
{
    if (s->trouble_count == 0 || clock_monotonic_ms() - s->trouble_tried_ms < TRY_EVERY_MS)
        return;
    s->trouble_tried_ms = clock_monotonic_ms();
    for (size_t i = 0; i < s->config.topic_count; i++)
        if (s->topics[i].troubled && !kafka_topic_is_paused(s, s->topics[i].name))
            try_again(s, &s->topics[i]);
}
