#include "common/wire/envelope.h"

#include <string.h>
#include <strings.h>

#include "common/base/err.h"
#include "common/base/utf8.h"
#include "common/json/bytes.h"

/* The members of one level (the top, or `data`) that decide what an answer says; at == NULL: not there. */
struct level {
    struct span code, msg, issuccess, data;
    struct span data_count, page_count, has_next;
    struct span named, datas, array; /* the list of that name; the one called `datas`; some array */
    size_t arrays;
};

/* The place for a member of that name; NULL: the member does not matter. */
static struct span *level_place(struct level *l, struct span key)
{
    const struct {
        const char *name;
        struct span *place;
    } known[] = {
        {"code", &l->code},
        {"msg", &l->msg},
        {"issuccess", &l->issuccess},
        {"data", &l->data},
        {"data_count", &l->data_count},
        {"page_count", &l->page_count},
        {"has_next", &l->has_next},
        {"datas", &l->datas},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (span_is(key, known[i].name))
            return known[i].place;
    return NULL;
}

/* false: the object is broken before its end. */
static bool level_read(struct span object, const char *list_name, struct level *l)
{
    struct scan_iter it = scan_open(object);

    *l = (struct level){0};
    while (scan_next(&it)) {
        struct span *place = level_place(l, it.key);
        if (place != NULL && place->at == NULL)
            *place = it.value;
        if (list_name != NULL && l->named.at == NULL && span_is(it.key, list_name))
            l->named = it.value;
        if (scan_kind(it.value) == SCAN_ARRAY) {
            l->array = it.value;
            l->arrays++;
        }
    }
    return !it.broken;
}

/* A whole number, in quotes or not, also as "3.0"; false for anything else. */
static bool read_integer(struct span value, int64_t *ret)
{
    struct span s = scan_scalar(value);
    bool negative = s.len > 0 && s.at[0] == '-';
    size_t i = negative ? 1 : 0;
    size_t first = i;
    int64_t n = 0;

    for (; i < s.len && byte_is_digit(s.at[i]); i++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, s.at[i] - '0', &n))
            return false;
    if (i == first)
        return false;
    if (i + 1 < s.len && s.at[i] == '.')
        for (i++; i < s.len && s.at[i] == '0';)
            i++;
    if (i != s.len)
        return false;
    *ret = negative ? -n : n;
    return true;
}

/* A count: -1 when it is not given, or is not a count. */
static int64_t read_count(struct span inner, struct span outer)
{
    int64_t n;

    if (!read_integer(inner, &n) && !read_integer(outer, &n))
        return -1;
    return n >= 0 ? n : -1;
}

/* 1, 0, or -1 for neither; true, "True" and 1 are the same. */
static int read_flag(struct span value)
{
    struct span s = scan_scalar(value);

    if (span_is(s, "1") || (s.len == 4 && strncasecmp(s.at, "true", 4) == 0))
        return 1;
    if (span_is(s, "0") || (s.len == 5 && strncasecmp(s.at, "false", 5) == 0))
        return 0;
    return -1;
}

static size_t put_utf8(int code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(lead[n] | code);
    return n;
}

/* \uXXXX, or a pair of them, at p (behind the u). Returns the bytes used; *ret is 0 when they are not a
 * character. */
static size_t unicode_escape(const char *p, const char *end, int *ret)
{
    int code = bytes_hex4(p, end);

    *ret = 0;
    if (code < 0)
        return 0;
    if (is_high_surrogate(code) && end - p >= 10 && p[4] == '\\' && p[5] == 'u') {
        int low = bytes_hex4(p + 6, end);
        if (is_low_surrogate(low)) {
            *ret = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            return 10;
        }
    }
    if (!is_high_surrogate(code) && !is_low_surrogate(code))
        *ret = code;
    return 4;
}

/* The character at p, escaped or not; '?' when the bytes are not a character. Returns the bytes used. */
static size_t next_character(const char *p, const char *end, char out[4], size_t *ret_len)
{
    static const char escapes[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                      ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    size_t used = 1;

    *ret_len = 1;
    out[0] = (unsigned char)*p < 0x80 && *p != '\0' ? *p : '?';
    if ((unsigned char)*p >= 0x80 && (used = utf8_sequence(p, end)) > 0) {
        memcpy(out, p, used);
        *ret_len = used;
    } else if (*p == '\\' && end - p >= 2 && p[1] == 'u') {
        int code;
        used = 2 + unicode_escape(p + 2, end, &code);
        *ret_len = put_utf8(code != 0 ? code : '?', out);
    } else if (*p == '\\' && end - p >= 2 && escapes[(unsigned char)p[1]] != '\0') {
        out[0] = escapes[(unsigned char)p[1]];
        used = 2;
    }
    return used > 0 ? used : 1;
}

static void read_msg(struct span value, char *out, size_t size)
{
    struct span s = scan_scalar(value);
    const char *end = s.len > 0 ? s.at + s.len : s.at;
    size_t len = 0;

    for (const char *p = s.at; p < end;) {
        char bytes[4];
        size_t n;
        p += next_character(p, end, bytes, &n);
        if (len + n >= size)
            break;
        memcpy(out + len, bytes, n);
        len += n;
    }
    out[len] = '\0';
}

static int read_code(const struct level *top, struct envelope *e, struct err *err)
{
    int success = read_flag(top->issuccess);

    if (scan_scalar(top->code).at == NULL) {
        if (success < 0)
            return err_set(err, ERR_RETRY, 0, "the answer has no code");
        e->code = success == 1 ? 0 : -1;
        return 0;
    }
    if (!read_integer(top->code, &e->code))
        return err_set(err, ERR_RETRY, 0, "the answer's code is not a number");
    if (e->code == 0 && success == 0)
        e->code = -1;
    return 0;
}

/* The list of a level, as an array or null; at == NULL: it has none. */
static int choose_list(const struct level *l, const char *list_name, struct span *ret, struct err *err)
{
    if (list_name != NULL)
        *ret = l->named;
    else if (l->arrays == 1 && l->datas.at == NULL)
        *ret = l->array;
    else
        *ret = l->datas;
    if (list_name == NULL && l->arrays > 1 && ret->at == NULL)
        return err_set(err, ERR_PAUSE, 0, "the answer has %zu arrays: name one in the option list",
                       l->arrays);
    return 0;
}

static int read_list(struct span list, struct envelope *e, struct err *err)
{
    e->has_list = list.at != NULL;
    if (list.at == NULL || span_is(list, "null"))
        return 0;
    if (scan_kind(list) != SCAN_ARRAY)
        return err_set(err, ERR_RETRY, 0, "the answer's list is not an array");
    struct scan_iter it = scan_open(list);
    while (scan_next(&it))
        e->documents++;
    if (it.broken)
        return err_set(err, ERR_RETRY, 0, "the answer's list is broken after %zu documents", e->documents);
    e->list = list;
    return 0;
}

/* Paging and list of a successful answer. */
static int read_data(const struct level *top, const char *list_name, struct envelope *e, struct err *err)
{
    struct level data = {0};
    struct span list = {NULL, 0};
    bool inside = scan_kind(top->data) == SCAN_OBJECT;

    if (inside && !level_read(top->data, list_name, &data))
        return err_set(err, ERR_RETRY, 0, "the answer's data is broken JSON");
    e->no_data = span_is(top->data, "null");
    e->data_count = read_count(data.data_count, top->data_count);
    e->page_count = read_count(data.page_count, top->page_count);
    e->has_next = read_flag(data.has_next);
    if (e->has_next < 0)
        e->has_next = read_flag(top->has_next);
    if (inside && choose_list(&data, list_name, &list, err) != 0)
        return -1;
    if (list.at == NULL && (!inside || list_name != NULL) && choose_list(top, list_name, &list, err) != 0)
        return -1;
    return read_list(list, e, err);
}

int envelope_read(const char *body, size_t len, const char *list_name, struct envelope *ret, struct err *err)
{
    struct envelope e = {.data_count = -1, .page_count = -1, .has_next = -1};
    struct span whole;
    struct level top;
    size_t used = scan_value(body, len, &whole);

    if (used == 0 || scan_kind(whole) != SCAN_OBJECT ||
        bytes_skip_space(body + used, body + len) != body + len)
        return err_set(err, ERR_RETRY, 0, "the answer is not one whole JSON object (%zu bytes)", len);
    if (!level_read(whole, list_name, &top))
        return err_set(err, ERR_RETRY, 0, "the answer is broken JSON");
    if (read_code(&top, &e, err) != 0)
        return -1;
    read_msg(top.msg, e.msg, sizeof e.msg);
    if (e.code == 0 && read_data(&top, list_name, &e, err) != 0)
        return -1;
    *ret = e;
    return 0;
}
