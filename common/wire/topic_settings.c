#include "common/wire/topic_settings.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "common/base/faults.h"
#include "common/base/mem.h"
#include "common/base/units.h"

/* Those that take a number; the bounds are the broker's, but for the largest message, which the programs hold
 * in memory several times. */
enum number_unit { COUNT, BYTES, MILLISECONDS };

static const struct number_setting {
    const char *name;
    enum number_unit unit;
    int64_t min, max;
} numbers[] = {
    {"delete.retention.ms", MILLISECONDS, 0, INT64_MAX},
    {"file.delete.delay.ms", MILLISECONDS, 0, INT64_MAX},
    {"flush.messages", COUNT, 1, INT64_MAX},
    {"flush.ms", MILLISECONDS, 0, INT64_MAX},
    {"index.interval.bytes", BYTES, 0, INT32_MAX},
    {"local.retention.bytes", BYTES, -2, INT64_MAX},
    {"local.retention.ms", MILLISECONDS, -2, INT64_MAX},
    {"max.compaction.lag.ms", MILLISECONDS, 1, INT64_MAX},
    {"max.message.bytes", BYTES, TOPIC_MESSAGE_BYTES_MIN, TOPIC_MESSAGE_BYTES_MAX},
    {"message.timestamp.after.max.ms", MILLISECONDS, 0, INT64_MAX},
    {"message.timestamp.before.max.ms", MILLISECONDS, 0, INT64_MAX},
    {"min.compaction.lag.ms", MILLISECONDS, 0, INT64_MAX},
    {"min.insync.replicas", COUNT, 1, INT32_MAX},
    {"retention.bytes", BYTES, -1, INT64_MAX},
    {"retention.ms", MILLISECONDS, -1, INT64_MAX},
    {"segment.bytes", BYTES, 14, INT32_MAX},
    {"segment.index.bytes", BYTES, 4, INT32_MAX},
    {"segment.jitter.ms", MILLISECONDS, 0, INT64_MAX},
    {"segment.ms", MILLISECONDS, 1, INT64_MAX},
};

static const char *const others[] = {
    "cleanup.policy",
    "compression.gzip.level",
    "compression.lz4.level",
    "compression.type",
    "compression.zstd.level",
    "follower.replication.throttled.replicas",
    "leader.replication.throttled.replicas",
    "message.timestamp.type",
    "min.cleanable.dirty.ratio",
    "preallocate",
    "remote.log.copy.disable",
    "remote.log.delete.on.disable",
    "remote.storage.enable",
    "unclean.leader.election.enable",
};
enum { NUMBERS = sizeof numbers / sizeof numbers[0], OTHERS = sizeof others / sizeof others[0] };

static const struct number_setting *find_number(const char *name)
{
    for (size_t i = 0; i < NUMBERS; i++)
        if (strcmp(numbers[i].name, name) == 0)
            return &numbers[i];
    return NULL;
}

/* A whole number, or one with the units of options. */
static int parse_with_unit(enum number_unit unit, const char *text, int64_t *ret)
{
    if (parse_int64(text, ret) == 0)
        return 0;
    if (unit == BYTES)
        return parse_size(text, ret);
    return unit == MILLISECONDS ? parse_duration(text, ret) : -1;
}

static char *why_not(const struct number_setting *setting, int64_t bound, const char *than)
{
    return mem_printf("%" PRId64 " is the %s that %s may be", bound, than, setting->name);
}

char *topic_setting_value(const char *name, const char *value, char **ret_why)
{
    static const char *const expected[] = {"a whole number is expected",
                                           "a size such as 16MiB, or bytes, is expected",
                                           "a duration such as 90d, or milliseconds, is expected"};
    const struct number_setting *setting = find_number(name);
    int64_t n;

    if (setting == NULL)
        return mem_strdup(value);
    if (parse_with_unit(setting->unit, value, &n) != 0)
        *ret_why = mem_strdup(expected[setting->unit]);
    else if (n < setting->min)
        *ret_why = why_not(setting, setting->min, "least");
    else if (n > setting->max)
        *ret_why = why_not(setting, setting->max, "most");
    else
        return mem_printf("%" PRId64, n);
    return NULL;
}

const char *topic_setting_nearest(const char *name)
{
    const char *names[NUMBERS + OTHERS];

    for (size_t i = 0; i < NUMBERS; i++)
        names[i] = numbers[i].name;
    memcpy(names + NUMBERS, others, sizeof others);
    return nearest_name(name, names, NUMBERS + OTHERS);
}
