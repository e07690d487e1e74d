/* One value of an option: from text, by its type. */
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/base/utf8.h"
#include "common/options/options_private.h"

enum { SHOWN_MAX = 80 };

static bool has_bounds(const struct option_spec *spec)
{
    return spec->min != 0 || spec->max != 0;
}

static const char *format_size(int64_t bytes, char *out, size_t size)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB"};
    int unit = 0;

    for (; unit < 3 && bytes > 0 && bytes % 1024 == 0; unit++)
        bytes /= 1024;
    snprintf(out, size, "%lld%s", (long long)bytes, units[unit]);
    return out;
}

static const char *format_bound(const struct option_spec *spec, int64_t value, char *out, size_t size)
{
    if (spec->type == OPT_DURATION)
        return format_duration(value, out, size);
    if (spec->type == OPT_SIZE)
        return format_size(value, out, size);
    snprintf(out, size, spec->type == OPT_PERCENT ? "%lld%%" : "%lld",
             (long long)(spec->type == OPT_PERCENT ? value / 100 : value));
    return out;
}

static const char *type_in_words(enum option_type type)
{
    switch (type) {
    case OPT_FLAG:
        return "1, true, on, 0, false or off";
    case OPT_LIST:
        return "a comma-separated list without empty items";
    case OPT_INT:
        return "a whole number";
    case OPT_DURATION:
        return "a duration such as 200ms, 5m or 7d";
    case OPT_SIZE:
        return "a size such as 64KiB or 8MiB";
    case OPT_PERCENT:
        return "a percentage such as 5% or 0.5%";
    case OPT_TIME:
        return "a time YYYY-MM-DD[ HH:MM:SS] in Beijing";
    case OPT_SINCE:
        return "a time YYYY-MM-DD[ HH:MM:SS] in Beijing, or a duration such as 7d";
    case OPT_TEXT:
    case OPT_PAIRS:
    case OPT_CHOICE:
        break;
    }
    return "text";
}

const char *option_allowed(const struct option_spec *spec, char out[ALLOWED_TEXT])
{
    char low[32];
    char high[32];

    if (spec->type == OPT_CHOICE)
        snprintf(out, ALLOWED_TEXT, "one of %s", spec->choices);
    else if (has_bounds(spec))
        snprintf(out, ALLOWED_TEXT, "%s%s%s from %s to %s", spec->choices != NULL ? spec->choices : "",
                 spec->choices != NULL ? " or " : "", type_in_words(spec->type),
                 format_bound(spec, spec->min, low, sizeof low),
                 format_bound(spec, spec->max, high, sizeof high));
    else
        snprintf(out, ALLOWED_TEXT, "%s", type_in_words(spec->type));
    return out;
}

/* A foreign text for a message: one line, not endless. */
static const char *one_line(const char *text, char out[SHOWN_MAX + 4])
{
    size_t whole = strlen(text);
    size_t len = utf8_cut(text, whole, SHOWN_MAX);
    bool cut = len < whole;

    for (size_t i = 0; i < len; i++)
        out[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7F ? '?' : text[i];
    memcpy(out + len, cut ? "..." : "", cut ? 4 : 1);
    return out;
}

static void refuse_value(const struct option_value *v, const char *place, const char *text,
                         struct faults *faults)
{
    char allowed[ALLOWED_TEXT];
    char value[SHOWN_MAX + 4];

    fault_add(faults, FAULT_ERROR, place, "\"%s\" is not allowed: %s is needed", one_line(text, value),
              option_allowed(v->spec, allowed));
}

static int parse_number(const struct option_spec *spec, const char *text, int64_t *ret)
{
    int64_t value = 0;
    int result = -1;

    if (spec->type == OPT_INT && spec->choices != NULL && strcmp(text, spec->choices) == 0) {
        *ret = 0;
        return 0;
    }
    if (spec->type == OPT_INT)
        result = parse_int64(text, &value);
    else if (spec->type == OPT_DURATION)
        result = parse_duration(text, &value);
    else if (spec->type == OPT_SIZE)
        result = parse_size(text, &value);
    else if (spec->type == OPT_PERCENT)
        result = parse_percent(text, &value);
    else if (spec->type == OPT_TIME)
        return beijing_parse(text, ret);
    if (result != 0 || value < spec->min || (has_bounds(spec) && value > spec->max))
        return -1;
    *ret = value;
    return 0;
}

static int parse_flag(const char *text, bool *ret)
{
    static const char *const names[] = {"0", "1", "false", "true", "off", "on"};

    for (int i = 0; i < 6; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret = i % 2 != 0;
            return 0;
        }
    }
    return -1;
}

/* Is text one of "a|b|c"? */
static bool is_choice(const char *choices, const char *text)
{
    size_t len = strlen(text);

    for (const char *at = choices; len > 0; at++) {
        size_t n = strcspn(at, "|");
        if (n == len && memcmp(at, text, n) == 0)
            return true;
        at += n;
        if (*at == '\0')
            return false;
    }
    return false;
}

static bool is_since(const char *text)
{
    int64_t ignored;

    return beijing_parse(text, &ignored) == 0 || parse_duration(text, &ignored) == 0;
}

static void add_item(struct option_value *v, const char *text, size_t len)
{
    v->items = mem_grow(v->items, &v->item_cap, v->item_count, sizeof *v->items);
    v->items[v->item_count++] = mem_strndup(text, len);
}

static void clear_items(struct option_value *v)
{
    while (v->item_count > 0)
        free(v->items[--v->item_count]);
}

static bool list_is_whole(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && text[0] != ',' && text[len - 1] != ',' && strstr(text, ",,") == NULL;
}

/* The first item of a text of pairs that is not one, counted from 1; 0: all are fine. */
static int wrong_pair(const char *text, const char *separators)
{
    int n = 1;

    for (text += strspn(text, separators); *text != '\0'; n++) {
        size_t len = strcspn(text, separators);
        if (*text == '=' || memchr(text, '=', len) == NULL)
            return n;
        text += len;
        text += strspn(text, separators);
    }
    return 0;
}

static void add_items(struct option_value *v, enum option_origin origin, const char *text,
                      const char *separators)
{
    if (origin != v->origin)
        clear_items(v);
    for (text += strspn(text, separators); *text != '\0'; text += strspn(text, separators)) {
        size_t len = strcspn(text, separators);
        add_item(v, text, len);
        text += len;
    }
    v->origin = origin;
}

/* A pair's text may hold a password, whole or (where white space cut it) in part: it is not shown. */
static void set_pairs(struct option_value *v, enum option_origin origin, const char *place, const char *text,
                      struct faults *faults)
{
    const char *separators = origin == FROM_FLAG ? "" : " \t\r\n";
    int wrong = wrong_pair(text, separators);

    if (wrong == 0)
        add_items(v, origin, text, separators);
    else if (origin == FROM_FLAG)
        fault_add(faults, FAULT_ERROR, place, "NAME=VALUE is needed");
    else
        fault_add(faults, FAULT_ERROR, place,
                  "item %d is not NAME=VALUE (items are separated by white space; a value with a space in it "
                  "goes into --kafka-config)",
                  wrong);
}

static void set_text(struct option_value *v, const char *text)
{
    if (v->text != NULL && v->spec->place == OPT_SECRET)
        explicit_bzero(v->text, strlen(v->text));
    free(v->text);
    v->text = mem_strdup(text);
}

static int set_single(struct option_value *v, const char *text)
{
    switch (v->spec->type) {
    case OPT_FLAG:
        return parse_flag(text, &v->flag);
    case OPT_CHOICE:
        if (!is_choice(v->spec->choices, text))
            return -1;
        v->flag = strcmp(text, "on") == 0;
        set_text(v, text);
        return 0;
    case OPT_SINCE:
        if (!is_since(text))
            return -1;
        set_text(v, text);
        return 0;
    case OPT_TEXT:
        set_text(v, text);
        return 0;
    case OPT_INT:
    case OPT_DURATION:
    case OPT_SIZE:
    case OPT_PERCENT:
    case OPT_TIME:
        return parse_number(v->spec, text, &v->number);
    case OPT_LIST:
    case OPT_PAIRS:
        break;
    }
    return -1;
}

void option_set(struct option_value *v, enum option_origin origin, const char *place, const char *text,
                struct faults *faults)
{
    if (v->spec->type == OPT_PAIRS)
        set_pairs(v, origin, place, text, faults);
    else if (v->spec->type == OPT_LIST && list_is_whole(text))
        add_items(v, origin, text, ",");
    else if (v->spec->type != OPT_LIST && set_single(v, text) == 0)
        v->origin = origin;
    else
        refuse_value(v, place, text, faults);
}
