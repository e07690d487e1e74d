#include "common/json/flat.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/json/bytes.h"
#include "common/json/json.h"

/* What stands before a value: `{"name":` before the first, `,"name":` before the others. */
struct lead {
    char *text;
    size_t len;
};

struct flat_names {
    struct lead *leads;
    size_t count;
    bool possible; /* a line with these names can be JSON */
};

static char *write_lead(const char *name, char before, size_t *ret_len)
{
    struct buf out;

    buf_init(&out, strlen(name) * 6 + 4); /* \u001f: six bytes for one */
    buf_add_char(&out, before);
    json_put_string(&out, name, strlen(name));
    buf_add_char(&out, ':');
    return buf_take(&out, ret_len);
}

static bool is_utf8(const char *text)
{
    const char *end = text + strlen(text);

    for (size_t n; text < end; text += n)
        if ((n = utf8_character(text, end)) == 0)
            return false;
    return true;
}

static bool can_be_names(const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_utf8(names[i]))
            return false;
        for (size_t k = 0; k < i; k++)
            if (strcmp(names[i], names[k]) == 0)
                return false;
    }
    return true;
}

struct flat_names *flat_names_new(const char *const *names, size_t count)
{
    struct flat_names *n = mem_zalloc(1, sizeof *n);

    n->leads = mem_zalloc(count + 1, sizeof *n->leads);
    n->count = count;
    n->possible = can_be_names(names, count);
    for (size_t i = 0; i < count; i++)
        n->leads[i].text = write_lead(names[i], i == 0 ? '{' : ',', &n->leads[i].len);
    return n;
}

void flat_names_free(struct flat_names *names)
{
    if (names == NULL)
        return;
    for (size_t i = 0; i < names->count; i++)
        free(names->leads[i].text);
    free(names->leads);
    free(names);
}

static inline bool same_word(const char *a, const char *b)
{
    return memcmp(a, b, sizeof(uint64_t)) == 0; /* of constant length: one comparison, no call */
}

/* Does [p, end) begin with the lead? Words from the front, the last one so that it ends with the lead. */
static inline bool begins_with(const char *p, const char *end, const struct lead *lead)
{
    const size_t word = sizeof(uint64_t);

    if ((size_t)(end - p) < lead->len)
        return false;
    if (lead->len < word)
        return memcmp(p, lead->text, lead->len) == 0;
    for (size_t i = 0; i + word < lead->len; i += word)
        if (!same_word(p + i, lead->text + i))
            return false;
    return same_word(p + lead->len - word, lead->text + lead->len - word);
}

/* The closing quote of the string whose text begins at p; NULL when it is not plain. */
static inline const char *string_end(const char *p, const char *end)
{
    for (;;) {
        p = bytes_plain(p, end, STOP_CONTROL | STOP_BEYOND_ASCII);
        if (p == end)
            return NULL;
        if ((unsigned char)*p < 0x80)
            return *p == '"' ? p : NULL;
        p = bytes_beyond_ascii(p, end);
        if (p == end || (unsigned char)*p >= 0x80)
            return NULL;
    }
}

/* The value at p; returns the place behind it, or NULL. */
static inline const char *read_value(const char *line, const char *p, const char *end, struct flat_value *ret)
{
    static const char null[] = {'n', 'u', 'l', 'l'};
    const char *start = p;
    const char *behind;

    if (p == end)
        return NULL;
    if (*p == '"') {
        start++;
        behind = p = string_end(start, end);
        if (behind != NULL)
            behind++;
    } else if (*p == '-' || byte_is_digit(*p)) {
        behind = p = bytes_number_end(p, end);
    } else {
        *ret = (struct flat_value){.len = FLAT_NULL};
        return (size_t)(end - p) > sizeof null && memcmp(p, null, sizeof null) == 0 ? p + sizeof null : NULL;
    }
    if (p != NULL)
        *ret = (struct flat_value){.at = (uint32_t)(start - line), .len = (uint32_t)(p - start)};
    return behind;
}

int flat_read(const char *line, size_t len, const struct flat_names *names, struct flat_value *values)
{
    const char *p = line;
    const char *end = line + len;

    if (!names->possible || len >= FLAT_NULL)
        return -1;
    if (names->count == 0)
        return len == 2 && memcmp(line, "{}", 2) == 0 ? 0 : -1;
    for (size_t i = 0; i < names->count; i++) {
        if (!begins_with(p, end, &names->leads[i]))
            return -1;
        p = read_value(line, p + names->leads[i].len, end, &values[i]);
        if (p == NULL)
            return -1;
    }
    return end - p == 1 && *p == '}' ? 0 : -1;
}
