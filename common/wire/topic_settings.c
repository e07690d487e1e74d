#include "common/wire/topic_settings.h"

#include <stdint.h>
#include <string.h>

#include "common/base/faults.h"
#include "common/base/units.h"

/* Names as the broker lists them; those in the first part take whole numbers. */
static const char *const names[] = {
    "delete.retention.ms",
    "file.delete.delay.ms",
    "flush.messages",
    "flush.ms",
    "index.interval.bytes",
    "local.retention.bytes",
    "local.retention.ms",
    "max.compaction.lag.ms",
    "max.message.bytes",
    "message.timestamp.after.max.ms",
    "message.timestamp.before.max.ms",
    "min.compaction.lag.ms",
    "min.insync.replicas",
    "retention.bytes",
    "retention.ms",
    "segment.bytes",
    "segment.index.bytes",
    "segment.jitter.ms",
    "segment.ms",

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
enum { NUMBERS = 19, NAMES = sizeof names / sizeof names[0] };

const char *topic_setting_check(const char *name, const char *value)
{
    int64_t n;

    for (size_t i = 0; i < NUMBERS; i++)
        if (strcmp(name, names[i]) == 0 && parse_int64(value, &n) != 0)
            return "a whole number is expected, without a unit";
    return NULL;
}

const char *topic_setting_nearest(const char *name)
{
    return nearest_name(name, names, NAMES);
}
