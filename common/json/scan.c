#include "common/json/scan.h"

#include <string.h>

#include "common/json/bytes.h"

enum { SCAN_DEPTH_MAX = 512 };

/* p stands behind the opening quote. Returns the place behind the closing one, or NULL. */
static const char *string_end(const char *p, const char *end)
{
    while ((p = bytes_plain(p, end, 0)) < end) {
        if (*p == '"')
            return p + 1;
        if (end - p < 2)
            break;
        p += 2; /* whatever the backslash takes with it */
    }
    return NULL;
}

static const bool structural[256] = {['"'] = true, ['['] = true, [']'] = true, ['{'] = true, ['}'] = true};

static const char *container_end(const char *p, const char *end)
{
    char closers[SCAN_DEPTH_MAX];
    size_t depth = 0;

    for (; p < end; p++) {
        if (!structural[(unsigned char)*p])
            continue;
        if (*p == '"') {
            p = string_end(p + 1, end);
            if (p == NULL)
                return NULL;
            p--;
        } else if (*p == '[' || *p == '{') {
            if (depth == SCAN_DEPTH_MAX)
                return NULL;
            closers[depth++] = *p == '[' ? ']' : '}';
        } else {
            if (depth == 0 || closers[--depth] != *p)
                return NULL;
            if (depth == 0)
                return p + 1;
        }
    }
    return NULL;
}

static const char *token_end(const char *p, const char *end)
{
    while (p < end && !structural[(unsigned char)*p] && *p != ',' && *p != ':' && !byte_is_space(*p))
        p++;
    return p;
}

static const char *value_end(const char *p, const char *end)
{
    if (*p == '"')
        return string_end(p + 1, end);
    if (*p == '{' || *p == '[')
        return container_end(p, end);
    return token_end(p, end);
}

size_t scan_value(const char *text, size_t len, struct span *ret)
{
    if (len == 0)
        return 0;
    const char *end = text + len;
    const char *start = bytes_skip_space(text, end);
    if (start == end)
        return 0;
    const char *behind = value_end(start, end);
    if (behind == NULL || behind == start)
        return 0;
    *ret = (struct span){start, (size_t)(behind - start)};
    return (size_t)(behind - text);
}

enum scan_kind scan_kind(struct span value)
{
    switch (value.len > 0 ? value.at[0] : '\0') {
    case '{':
        return SCAN_OBJECT;
    case '[':
        return SCAN_ARRAY;
    case '"':
        return SCAN_STRING;
    case 't':
        return SCAN_TRUE;
    case 'f':
        return SCAN_FALSE;
    case 'n':
        return SCAN_NULL;
    case '-':
        return SCAN_NUMBER;
    default:
        return value.len > 0 && byte_is_digit(value.at[0]) ? SCAN_NUMBER : SCAN_OTHER;
    }
}

struct scan_iter scan_open(struct span container)
{
    struct scan_iter it = {.first = true};
    enum scan_kind kind = scan_kind(container);

    if (kind != SCAN_OBJECT && kind != SCAN_ARRAY) {
        it.broken = true;
        return it;
    }
    it.object = kind == SCAN_OBJECT;
    it.at = container.at + 1;
    it.end = container.at + container.len;
    return it;
}

/* The walk is over: behind the closing bracket, or where no sense can be made of the text. */
static bool iter_end(struct scan_iter *it, bool broken)
{
    it->broken = broken;
    it->at = NULL;
    return false;
}

/* The place behind the key and its colon, or NULL. */
static const char *iter_key(struct scan_iter *it, const char *p)
{
    p = bytes_skip_space(p, it->end);
    if (p == it->end || *p != '"')
        return NULL;
    const char *behind = string_end(p + 1, it->end);
    if (behind == NULL)
        return NULL;
    it->key = (struct span){p + 1, (size_t)(behind - p) - 2};
    p = bytes_skip_space(behind, it->end);
    return p < it->end && *p == ':' ? p + 1 : NULL;
}

bool scan_next(struct scan_iter *it)
{
    if (it->at == NULL)
        return false;
    const char *p = bytes_skip_space(it->at, it->end);
    if (p == it->end)
        return iter_end(it, true);
    if (*p == (it->object ? '}' : ']'))
        return iter_end(it, bytes_skip_space(p + 1, it->end) != it->end);
    if (!it->first && *p++ != ',')
        return iter_end(it, true);
    if (it->object) {
        p = iter_key(it, p);
        if (p == NULL)
            return iter_end(it, true);
    }
    size_t used = scan_value(p, (size_t)(it->end - p), &it->value);
    if (used == 0)
        return iter_end(it, true);
    it->at = p + used;
    it->first = false;
    return true;
}

bool scan_member(struct span object, const char *name, struct span *ret)
{
    struct scan_iter it = scan_open(object);

    while (it.object && scan_next(&it)) {
        if (span_is(it.key, name)) {
            *ret = it.value;
            return true;
        }
    }
    return false;
}

struct span scan_scalar(struct span value)
{
    switch (scan_kind(value)) {
    case SCAN_STRING:
        return (struct span){value.at + 1, value.len - 2};
    case SCAN_NULL:
    case SCAN_OBJECT:
    case SCAN_ARRAY:
        return (struct span){NULL, 0};
    case SCAN_NUMBER:
    case SCAN_TRUE:
    case SCAN_FALSE:
    case SCAN_OTHER:
        break;
    }
    return value;
}

bool span_is(struct span s, const char *text)
{
    size_t len = strlen(text);
    return s.len == len && (len == 0 || memcmp(s.at, text, len) == 0);
}
