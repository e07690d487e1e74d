/* The strict pre-pass: what leaves it, cJSON can parse without harm. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/json/bytes.h"
#include "common/json/scan.h"

enum { DEPTH_MAX = 64, BOM_LEN = 3 };

struct open_container {
    bool object;
    const char *at;
    size_t ordinal; /* its place in the span list */
};

struct pass {
    const char *text, *p, *end;
    const char *run; /* what is before it has been written */
    struct buf *out;
    char *w, *limit; /* the free part of out */
    struct span_list *containers;
    struct err *err;
    struct open_container open[DEPTH_MAX];
    size_t depth;
};

static bool refuse_at(struct pass *s, const char *at, const char *what)
{
    err_set(s->err, ERR_REJECT, 0, "byte %zu: %s", (size_t)(at - s->text), what);
    return false;
}

/* Make room for n more bytes, and for the rest of the text with some numbers in it. */
static bool writer_grow(struct pass *s, size_t n)
{
    size_t rest = (size_t)(s->end - s->run);

    s->out->len = (size_t)(s->w - s->out->data);
    s->w = buf_reserve(s->out, n + rest + rest / 4);
    if (s->w == NULL) {
        s->out->overflowed = false;
        s->w = buf_reserve(s->out, n);
    }
    if (s->w == NULL) {
        s->w = s->out->data + s->out->len;
        return refuse_at(s, s->p, "too large");
    }
    s->limit = s->out->data + s->out->cap - 1;
    return true;
}

static bool write_bytes(struct pass *s, const char *bytes, size_t n)
{
    if ((size_t)(s->limit - s->w) < n && !writer_grow(s, n))
        return false;
    memcpy(s->w, bytes, n);
    s->w += n;
    return true;
}

static bool write_run(struct pass *s, const char *until)
{
    bool ok = write_bytes(s, s->run, (size_t)(until - s->run));
    s->run = until;
    return ok;
}

/* May a number or a literal end before p? */
static bool token_ends(const char *p, const char *end)
{
    return p == end || byte_is_space(*p) || *p == ',' || *p == ']' || *p == '}';
}

static bool read_number(struct pass *s)
{
    static const char open[2] = {'"', JSON_MARK};
    const char *behind = bytes_number_end(s->p, s->end);

    if (behind == NULL || !token_ends(behind, s->end))
        return refuse_at(s, s->p, "not a number of JSON's grammar");
    if (!write_run(s, s->p) || !write_bytes(s, open, sizeof open) || !write_run(s, behind))
        return false;
    s->p = behind;
    return write_bytes(s, "\"", 1);
}

static bool read_literal(struct pass *s, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0 || !token_ends(s->p + len, s->end))
        return refuse_at(s, s->p, "not a JSON value");
    s->p += len;
    return true;
}

/* p: behind the backslash and the u. */
static bool read_unicode_escape(struct pass *s, const char *p)
{
    int code = bytes_hex4(p, s->end);

    if (code < 0)
        return refuse_at(s, s->p, "\\u without four hexadecimal digits");
    if (code == 0)
        return refuse_at(s, s->p, "\\u0000: no value may hold a NUL");
    p += 4;
    if (is_high_surrogate(code) && s->end - p >= 6 && p[0] == '\\' && p[1] == 'u' &&
        is_low_surrogate(bytes_hex4(p + 2, s->end)))
        p += 6;
    else if (is_high_surrogate(code) || is_low_surrogate(code))
        return refuse_at(s, s->p, "half a surrogate pair");
    s->p = p;
    return true;
}

static bool read_escape(struct pass *s)
{
    if (s->end - s->p < 2)
        return refuse_at(s, s->end, "the text ends within a string");
    switch (s->p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        s->p += 2;
        return true;
    case 'u':
        return read_unicode_escape(s, s->p + 2);
    default:
        return refuse_at(s, s->p, "unknown escape");
    }
}

static bool read_beyond_ascii(struct pass *s)
{
    s->p = bytes_beyond_ascii(s->p, s->end);
    return s->p == s->end || (unsigned char)*s->p < 0x80 || refuse_at(s, s->p, "not UTF-8");
}

/* s->p stands on the opening quote. */
static bool read_string(struct pass *s)
{
    for (s->p++;;) {
        s->p = bytes_plain(s->p, s->end, STOP_CONTROL | STOP_BEYOND_ASCII);
        if (s->p == s->end)
            return refuse_at(s, s->p, "the text ends within a string");
        unsigned char c = (unsigned char)*s->p;
        if (c == '"') {
            s->p++;
            return true;
        }
        if (c < 0x20)
            return refuse_at(s, s->p, c == 0 ? "a NUL" : "a raw control character in a string");
        if (!(c == '\\' ? read_escape(s) : read_beyond_ascii(s)))
            return false;
    }
}

static bool read_scalar(struct pass *s)
{
    switch (*s->p) {
    case '"':
        return read_string(s);
    case 't':
        return read_literal(s, "true");
    case 'f':
        return read_literal(s, "false");
    case 'n':
        return read_literal(s, "null");
    case '-':
        return read_number(s);
    default:
        return byte_is_digit(*s->p) ? read_number(s) : refuse_at(s, s->p, "a value is expected here");
    }
}

/* A member's name and colon. */
static bool read_name(struct pass *s)
{
    s->p = bytes_skip_space(s->p, s->end);
    if (s->p == s->end || *s->p != '"')
        return refuse_at(s, s->p, "a member's name is expected here");
    if (!read_string(s))
        return false;
    s->p = bytes_skip_space(s->p, s->end);
    if (s->p == s->end || *s->p != ':')
        return refuse_at(s, s->p, "a colon is expected here");
    s->p++;
    return true;
}

static bool open_container(struct pass *s)
{
    struct span_list *spans = s->containers;

    if (s->depth == DEPTH_MAX)
        return refuse_at(s, s->p, "nested deeper than 64");
    struct open_container *o = &s->open[s->depth++];
    *o = (struct open_container){.object = *s->p == '{', .at = s->p};
    if (spans != NULL) {
        spans->list = mem_grow(spans->list, &spans->cap, spans->count, sizeof *spans->list);
        o->ordinal = spans->count;
        spans->list[spans->count++] = (struct span){s->p, 0};
    }
    s->p++;
    return true;
}

/* s->p stands on the closing bracket. */
static void close_container(struct pass *s)
{
    const struct open_container *o = &s->open[--s->depth];

    s->p++;
    if (s->containers != NULL)
        s->containers->list[o->ordinal].len = (size_t)(s->p - o->at);
}

static bool at_closer(const struct pass *s)
{
    return s->p < s->end && *s->p == (s->open[s->depth - 1].object ? '}' : ']');
}

/* A scalar, or the beginning of a container up to its first value. *ret_whole: a value has ended. */
static bool begin_value(struct pass *s, bool *ret_whole)
{
    *ret_whole = true;
    s->p = bytes_skip_space(s->p, s->end);
    if (s->p == s->end)
        return refuse_at(s, s->p, "the text ends where a value is expected");
    if (*s->p != '{' && *s->p != '[')
        return read_scalar(s);
    if (!open_container(s))
        return false;
    s->p = bytes_skip_space(s->p, s->end);
    if (at_closer(s)) {
        close_container(s);
        return true;
    }
    *ret_whole = false;
    return !s->open[s->depth - 1].object || read_name(s);
}

/* What follows a value: closing brackets, then a comma (and a name), or the end at depth 0. */
static bool after_value(struct pass *s)
{
    while (s->depth > 0) {
        s->p = bytes_skip_space(s->p, s->end);
        if (at_closer(s)) {
            close_container(s);
            continue;
        }
        if (s->p == s->end)
            return refuse_at(s, s->p, "the text ends within an object or array");
        if (*s->p != ',')
            return refuse_at(s, s->p, "a comma or closing bracket is expected here");
        s->p++;
        return !s->open[s->depth - 1].object || read_name(s);
    }
    return true;
}

static bool read_text(struct pass *s)
{
    bool whole = false;

    if (s->end - s->p >= BOM_LEN && memcmp(s->p, "\xEF\xBB\xBF", BOM_LEN) == 0)
        return refuse_at(s, s->p, "a byte order mark");
    do {
        if (!begin_value(s, &whole) || (whole && !after_value(s)))
            return false;
    } while (s->depth > 0);
    s->p = bytes_skip_space(s->p, s->end);
    if (s->p != s->end)
        return refuse_at(s, s->p, "something follows the value");
    return write_run(s, s->end);
}

int json_prepare(const char *text, size_t len, struct buf *out, struct span_list *containers, struct err *err)
{
    if (text == NULL || len == 0)
        return err_set(err, ERR_REJECT, 0, "byte 0: the text is empty");
    struct pass s = {.text = text, .p = text, .run = text, .end = text + len};
    s.out = out;
    s.containers = containers;
    s.err = err;
    buf_reset(out);
    if (containers != NULL)
        containers->count = 0;
    s.w = s.limit = out->data;
    bool ok = read_text(&s);
    out->len = (size_t)(s.w - out->data);
    if (out->cap > 0)
        out->data[out->len] = '\0';
    return ok ? 0 : -1;
}

void span_list_free(struct span_list *spans)
{
    if (spans == NULL)
        return;
    free(spans->list);
    *spans = (struct span_list){0};
}
