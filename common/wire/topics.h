/* topics.conf: which topics there are, how many partitions, which settings. Pure but for reading the file. */
#ifndef JST_COMMON_WIRE_TOPICS_H
#define JST_COMMON_WIRE_TOPICS_H

#include <stddef.h>

#include "common/base/faults.h"

enum topic_role { TOPIC_RAW, TOPIC_ROWS, TOPIC_DEAD, TOPIC_STATE, TOPIC_ROLES };

struct topic_setting {
    char *name, *value; /* "retention.ms", "7776000000" */
};

struct topic_rule {
    char *pattern;   /* "jst.{pipeline}.raw"; the state topic has no {pipeline} */
    int partitions;  /* 1-1000 */
    int replication; /* 0: the broker's default */
    struct topic_setting *settings;
    size_t setting_count;
    size_t line; /* of topics.conf; 0: it is a built-in rule */
};

struct topics {
    struct topic_rule rules[TOPIC_ROLES];
};

/* A file that does not exist is an error only if it was asked for (must_exist); else the built-in rules hold,
 * which are those of the shipped topics.conf. Every fault names file:line. Checked: each role at most once,
 * the {pipeline} where it belongs, legal topic names (letters, digits, . _ -, at most 249 with the longest
 * pipeline name), values (durations and sizes take units, and are kept as the broker writes them), and what
 * the promises rest on: topic_rules.c. */
void topics_read(const char *file, int must_exist, struct topics *ret, struct faults *faults);
void topics_parse(const char *file, const char *text, struct topics *ret, struct faults *faults);
void topics_free(struct topics *topics); /* NULL ok */

const char *topic_role_name(enum topic_role role); /* "raw" */
/* The topic's name for a pipeline (ignored for the state topic); the caller frees it. */
char *topic_name(const struct topics *topics, enum topic_role role, const char *pipeline)
    __attribute__((returns_nonnull));
/* A setting's value, or NULL. */
const char *topic_setting(const struct topic_rule *rule, const char *name);
/* The largest message that a topic of this role takes, with key and headers: its max.message.bytes, else the
 * broker's default. */
size_t topic_max_bytes(const struct topics *topics, enum topic_role role);

#endif
