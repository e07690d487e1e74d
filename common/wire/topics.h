/* The topics: their names, partitions and settings, as topics.conf says. Pure. */
#ifndef JST_COMMON_WIRE_TOPICS_H
#define JST_COMMON_WIRE_TOPICS_H

#include <stddef.h>

/* Stands for a pipeline's name in a pattern. */
#define TOPIC_PIPELINE "{pipeline}"

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
