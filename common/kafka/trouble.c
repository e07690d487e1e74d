/* What readiness says of topics that cannot be read. */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/kafka/consumer_private.h"
#include "common/monitor/health.h"

enum { REASON_KEY = 300, TRY_EVERY_MS = 5000 };

static void show_trouble(const struct topic_read *t, const char *why)
{
    char key[REASON_KEY];

    snprintf(key, sizeof key, "topic %s", t->name);
    health_reason(key, why);
}

void kafka_trouble_begins(struct kafka_source *s, struct topic_read *t, const char *why)
{
    s->trouble_count += !t->troubled;
    t->troubled = true;
    show_trouble(t, why);
}

void kafka_trouble_ends(struct kafka_source *s, struct topic_read *t)
{
    if (!t->troubled)
        return;
    t->troubled = false;
    s->trouble_count--;
    show_trouble(t, NULL);
}

/* An idle topic gives neither a message nor its end once more when it can be read again. A pause that ends at
 * once has librdkafka fetch anew, and then its end is told again. */
void kafka_trouble_due(struct kafka_source *s)
{
    if (s->trouble_count == 0 || clock_monotonic_ms() - s->trouble_tried_ms < TRY_EVERY_MS)
        return;
    s->trouble_tried_ms = clock_monotonic_ms();
    for (size_t i = 0; i < s->config.topic_count; i++) {
        const struct topic_read *t = &s->topics[i];
        if (!t->troubled || kafka_topic_is_paused(s, t->name))
            continue;
        kafka_switch_partitions(s, t->name, true);
        kafka_switch_partitions(s, t->name, false);
    }
}
