#include "common/wire/topic_rules.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

enum { MIB = 1 << 20 };

static bool has_setting(const struct topic_rule *rule, const char *name, const char *value)
{
    const char *actual = topic_setting(rule, name);

    return actual != NULL && strcmp(actual, value) == 0;
}

/* One file's rules while they are checked. */
struct rule_check {
    const char *file;
    const struct topics *topics;
    struct faults *faults;
};

#define role_fault(check, role, ...)                                                                         \
    do {                                                                                                     \
        char *place_ = role_place((check), (role));                                                          \
        fault_add((check)->faults, FAULT_ERROR, place_, __VA_ARGS__);                                        \
        free(place_);                                                                                        \
    } while (0)

static char *role_place(const struct rule_check *check, enum topic_role role)
{
    size_t line = check->topics->rules[role].line;

    return line > 0 ? mem_printf("%s:%zu", check->file, line) : mem_strdup(check->file);
}

/* A replay begins and ends at instants of publication, and a lag is told in seconds. Both use the broker's
 * clock, because only it orders the messages of several processes. */
static void check_clock(const struct rule_check *check, enum topic_role role)
{
    if (!has_setting(&check->topics->rules[role], "message.timestamp.type", "LogAppendTime"))
        role_fault(check, role, "the %s topics need message.timestamp.type=LogAppendTime",
                   topic_role_name(role));
}

/* Compaction keeps one message of each key and refuses those without a key. Messages of these roles must all
 * stay until their time is over. */
static void check_nothing_is_compacted(const struct rule_check *check, enum topic_role role)
{
    const char *policy = topic_setting(&check->topics->rules[role], "cleanup.policy");

    if (policy != NULL && strcmp(policy, "delete") != 0)
        role_fault(check, role,
                   "cleanup.policy must be delete, the default, for the %s topics: compaction "
                   "would remove messages before they are read",
                   topic_role_name(role));
}

static void check_least_size(const struct rule_check *check, enum topic_role role)
{
    size_t bytes = topic_max_bytes(check->topics, role);

    if (bytes < MIB)
        role_fault(check, role, "max.message.bytes=%zu is too small for the %s topics: 1MiB is the least",
                   bytes, topic_role_name(role));
}

/* A dead letter holds a whole message that could not be processed, and the reason: its topic must take more.
 */
static void check_room_for_dead_letters(const struct rule_check *check)
{
    size_t raw = topic_max_bytes(check->topics, TOPIC_RAW);
    size_t rows = topic_max_bytes(check->topics, TOPIC_ROWS);
    size_t dead = topic_max_bytes(check->topics, TOPIC_DEAD);
    size_t larger = raw > rows ? raw : rows;
    bool is_default = topic_setting(&check->topics->rules[TOPIC_DEAD], "max.message.bytes") == NULL;

    if (dead < larger + MIB)
        role_fault(
            check, TOPIC_DEAD,
            "max.message.bytes=%zu%s is too small for the dead topics: a dead letter holds a message of "
            "%s, which may have %zu, so %zu is the least",
            dead, is_default ? " (the broker's default)" : "", raw > rows ? "raw" : "rows", larger,
            larger + MIB);
}

/* The state topic is a table of checkpoints, read whole by one reader: anything else would lose or mix them.
 */
static void check_state(const struct rule_check *check)
{
    const struct topic_rule *rule = &check->topics->rules[TOPIC_STATE];

    if (rule->partitions != 1)
        role_fault(check, TOPIC_STATE, "the state topic has 1 partition, not %d", rule->partitions);
    if (!has_setting(rule, "cleanup.policy", "compact"))
        role_fault(check, TOPIC_STATE,
                   "the state topic needs cleanup.policy=compact: with any other policy checkpoints vanish");
}

/* Two roles in one topic would read each other's messages. */
static void check_distinct(const struct rule_check *check)
{
    const struct topic_rule *rules = check->topics->rules;

    for (int a = 0; a < TOPIC_ROLES; a++)
        for (int b = a + 1; b < TOPIC_ROLES; b++)
            if (strcmp(rules[a].pattern, rules[b].pattern) == 0)
                fault_add(check->faults, FAULT_ERROR, check->file, "%s and %s have the same topic %s",
                          topic_role_name((enum topic_role)a), topic_role_name((enum topic_role)b),
                          rules[a].pattern);
}

void topics_check(const char *file, const struct topics *topics, struct faults *faults)
{
    const struct rule_check check = {.file = file, .topics = topics, .faults = faults};

    check_clock(&check, TOPIC_RAW);
    check_clock(&check, TOPIC_ROWS);
    check_nothing_is_compacted(&check, TOPIC_RAW);
    check_nothing_is_compacted(&check, TOPIC_ROWS);
    check_nothing_is_compacted(&check, TOPIC_DEAD);
    check_least_size(&check, TOPIC_RAW);
    check_least_size(&check, TOPIC_ROWS);
    check_room_for_dead_letters(&check);
    check_state(&check);
    check_distinct(&check);
}
