#include "common/wire/topics_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/wire/topic_rules.h"
#include "common/wire/topic_settings.h"

enum { TOPIC_NAME_MAX = 249, PIPELINE_NAME_MAX = 63, FILE_MAX_BYTES = 64 * 1024, WORDS_MAX = 64 };
enum { PARTITIONS_MAX = 1000, REPLICATION_MAX = 100 };

/* The shipped topics.conf, for programs that run without it. */
static const char built_in[] = "raw jst.{pipeline}.raw 3 retention.ms=7776000000 max.message.bytes=16777216"
                               " message.timestamp.type=LogAppendTime\n"
                               "rows jst.{pipeline}.rows 6 retention.ms=7776000000 max.message.bytes=16777216"
                               " message.timestamp.type=LogAppendTime\n"
                               "dead jst.{pipeline}.dead 1 retention.ms=-1 max.message.bytes=17825792\n"
                               "state jst.state 1 cleanup.policy=compact\n";

/* One line of the file, cut into words. */
struct line {
    const char *file;
    size_t number;
    char *words[WORDS_MAX];
    size_t count;
    struct faults *faults;
};

static void fault_at(const struct line *line, enum fault_level level, const char *text)
{
    char *place = mem_printf("%s:%zu", line->file, line->number);
    fault_add(line->faults, level, place, "%s", text);
    free(place);
}

#define line_fault(line, level, ...)                                                                         \
    do {                                                                                                     \
        char *text_ = mem_printf(__VA_ARGS__);                                                               \
        fault_at((line), (level), text_);                                                                    \
        free(text_);                                                                                         \
    } while (0)

/* ---- one line ---- */

static bool legal_topic_text(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool legal = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                     c == '_' || c == '-';
        if (!legal)
            return false;
    }
    return true;
}

static void check_pattern(const struct line *line, enum topic_role role, const char *pattern)
{
    const char *hole = strstr(pattern, TOPIC_PIPELINE);
    const char *rest = hole != NULL ? hole + strlen(TOPIC_PIPELINE) : pattern + strlen(pattern);
    size_t head_len = hole != NULL ? (size_t)(hole - pattern) : strlen(pattern);
    size_t longest = head_len + strlen(rest) + (hole != NULL ? PIPELINE_NAME_MAX : 0);

    if (role == TOPIC_STATE && hole != NULL)
        line_fault(line, FAULT_ERROR,
                   "the state topic belongs to all pipelines: its name has no " TOPIC_PIPELINE);
    else if (role != TOPIC_STATE && hole == NULL)
        line_fault(line, FAULT_ERROR,
                   "each pipeline has a %s topic of its own: write " TOPIC_PIPELINE " into the name",
                   topic_role_name(role));
    else if (!legal_topic_text(pattern, head_len) || !legal_topic_text(rest, strlen(rest)) ||
             strcmp(pattern, ".") == 0 || strcmp(pattern, "..") == 0)
        line_fault(line, FAULT_ERROR,
                   "\"%s\" is not a topic name: letters, digits, '.', '_', '-' and one " TOPIC_PIPELINE,
                   pattern);
    if (longest > TOPIC_NAME_MAX)
        line_fault(line, FAULT_ERROR,
                   "a topic name has at most %d characters; with the longest pipeline name "
                   "(%d) this one has %zu",
                   TOPIC_NAME_MAX, PIPELINE_NAME_MAX, longest);
}

static int read_number(const struct line *line, const char *what, const char *text, int max)
{
    int64_t n;

    if (parse_int64(text, &n) == 0 && n >= 1 && n <= max)
        return (int)n;
    line_fault(line, FAULT_ERROR, "%s: \"%s\" is not a number from 1 to %d", what, text, max);
    return 1;
}

static void check_setting_name(const struct line *line, const char *name)
{
    const char *nearest = topic_setting_nearest(name);

    if (nearest != NULL && strcmp(nearest, name) != 0)
        line_fault(line, FAULT_ERROR, "unknown topic setting %s; did you mean %s?", name, nearest);
    else if (nearest == NULL)
        line_fault(line, FAULT_WARNING, "%s is not a topic setting of Apache Kafka: the broker will decide",
                   name);
}

static void add_setting(const struct line *line, const char *name, const char *text, struct topic_rule *rule,
                        size_t *cap)
{
    char *why = NULL;
    char *value = topic_setting_value(name, text, &why);

    if (value == NULL) {
        line_fault(line, FAULT_ERROR, "%s=%s: %s", name, text, why);
        free(why);
        return;
    }
    rule->settings = mem_grow(rule->settings, cap, rule->setting_count, sizeof *rule->settings);
    rule->settings[rule->setting_count++] = (struct topic_setting){.name = mem_strdup(name), .value = value};
}

static void read_setting(const struct line *line, char *word, struct topic_rule *rule, size_t *cap)
{
    char *equals = strchr(word, '=');

    if (equals == NULL || equals == word || equals[1] == '\0') {
        line_fault(line, FAULT_ERROR, "\"%s\": a setting is written name=value", word);
        return;
    }
    *equals = '\0';
    if (topic_setting(rule, word) != NULL || (rule->replication != 0 && strcmp(word, "replication") == 0)) {
        line_fault(line, FAULT_ERROR, "%s is given twice", word);
    } else if (strcmp(word, "replication") == 0) {
        rule->replication = read_number(line, word, equals + 1, REPLICATION_MAX);
    } else {
        check_setting_name(line, word);
        add_setting(line, word, equals + 1, rule, cap);
    }
}

static int find_role(const struct line *line)
{
    const char *names[TOPIC_ROLES];

    for (int role = 0; role < TOPIC_ROLES; role++) {
        names[role] = topic_role_name((enum topic_role)role);
        if (strcmp(line->words[0], names[role]) == 0)
            return role;
    }
    const char *nearest = nearest_name(line->words[0], names, TOPIC_ROLES);
    line_fault(line, FAULT_ERROR, "unknown role \"%s\"%s%s%s; roles are raw, rows, dead and state",
               line->words[0], nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
               nearest != NULL ? "?" : "");
    return -1;
}

static void read_line(const struct line *line, struct topics *ret)
{
    int role = find_role(line);
    size_t cap = 0;

    if (role < 0)
        return;
    struct topic_rule *rule = &ret->rules[role];
    if (rule->pattern != NULL) {
        line_fault(line, FAULT_ERROR, "the role %s is given twice", topic_role_name((enum topic_role)role));
        return;
    }
    if (line->count < 3) {
        line_fault(line, FAULT_ERROR, "a line is: role topic partitions [setting=value …]");
        return;
    }
    rule->line = line->number;
    rule->pattern = mem_strdup(line->words[1]);
    check_pattern(line, (enum topic_role)role, rule->pattern);
    rule->partitions = read_number(line, "partitions", line->words[2], PARTITIONS_MAX);
    for (size_t i = 3; i < line->count; i++)
        read_setting(line, line->words[i], rule, &cap);
}

/* ---- the whole file ---- */

/* Cut one line, which it changes, into words; a word that begins with '#' ends it. */
static void split_line(struct line *line, char *text)
{
    static const char spaces[] = " \t\r";

    line->count = 0;
    for (text += strspn(text, spaces); *text != '\0' && *text != '#'; text += strspn(text, spaces)) {
        if (line->count == WORDS_MAX) {
            line_fault(line, FAULT_ERROR, "more than %d words", WORDS_MAX);
            return;
        }
        line->words[line->count++] = text;
        text += strcspn(text, spaces);
        if (*text != '\0')
            *text++ = '\0';
    }
}

static void read_lines(const char *file, const char *text, struct topics *ret, struct faults *faults)
{
    struct line line = {.file = file, .faults = faults};
    char *copy = mem_strdup(text);
    char *at = copy;

    for (char *next; (next = strsep(&at, "\n")) != NULL;) {
        line.number++;
        split_line(&line, next);
        if (line.count > 0)
            read_line(&line, ret);
    }
    free(copy);
}

void topics_parse(const char *file, const char *text, struct topics *ret, struct faults *faults)
{
    struct topics usual = {0};
    size_t errors = faults->errors;

    *ret = (struct topics){0};
    read_lines(file, text, ret, faults);
    read_lines("built-in", built_in, &usual, faults);
    for (int role = 0; role < TOPIC_ROLES; role++) {
        if (ret->rules[role].pattern != NULL)
            continue;
        ret->rules[role] = usual.rules[role];
        ret->rules[role].line = 0;
        usual.rules[role] = (struct topic_rule){0};
    }
    topics_free(&usual);
    if (faults->errors == errors) /* else one mistake would be reported twice */
        topics_check(file, ret, faults);
}

void topics_read(const char *file, int must_exist, struct topics *ret, struct faults *faults)
{
    struct err err = ERR_INIT;
    char *text = NULL;
    size_t len = 0;

    if (file_read(file, FILE_MAX_BYTES, &text, &len, &err) != 0 && (must_exist || err.code != ENOENT))
        fault_add(faults, FAULT_ERROR, file, "%s", err.text);
    if (text != NULL && memchr(text, '\0', len) != NULL)
        fault_add(faults, FAULT_ERROR, file, "holds a NUL byte: it is not text");
    topics_parse(file, text != NULL ? text : "", ret, faults);
    free(text);
}
