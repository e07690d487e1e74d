#include "common/wire/topics.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/units.h"

enum { BROKER_DEFAULT_BYTES = 1048588 };

static const char *const role_names[TOPIC_ROLES] = {"raw", "rows", "dead", "state"};

const char *topic_role_name(enum topic_role role)
{
    return role < TOPIC_ROLES ? role_names[role] : "";
}

static void rule_free(struct topic_rule *rule)
{
    free(rule->pattern);
    for (size_t i = 0; i < rule->setting_count; i++) {
        free(rule->settings[i].name);
        free(rule->settings[i].value);
    }
    free(rule->settings);
    *rule = (struct topic_rule){0};
}

void topics_free(struct topics *topics)
{
    for (size_t i = 0; topics != NULL && i < TOPIC_ROLES; i++)
        rule_free(&topics->rules[i]);
}

const char *topic_setting(const struct topic_rule *rule, const char *name)
{
    for (size_t i = 0; i < rule->setting_count; i++)
        if (strcmp(rule->settings[i].name, name) == 0)
            return rule->settings[i].value;
    return NULL;
}

char *topic_name(const struct topics *topics, enum topic_role role, const char *pipeline)
{
    const char *pattern = topics->rules[role].pattern;
    const char *hole = strstr(pattern, TOPIC_PIPELINE);

    if (hole == NULL)
        return mem_strdup(pattern);
    return mem_printf("%.*s%s%s", (int)(hole - pattern), pattern, pipeline, hole + strlen(TOPIC_PIPELINE));
}

size_t topic_max_bytes(const struct topics *topics, enum topic_role role)
{
    const char *text = topic_setting(&topics->rules[role], "max.message.bytes");
    int64_t bytes;

    return text != NULL && parse_int64(text, &bytes) == 0 ? (size_t)bytes : BROKER_DEFAULT_BYTES;
}
