/* JSON text looked at as text: where a value begins and ends, without judging what is inside; and the strict
 * pre-pass before cJSON. Pure, no allocation of trees. */
#ifndef JST_COMMON_JSON_SCAN_H
#define JST_COMMON_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

struct span {
    const char *at; /* not NUL-ended */
    size_t len;     /* bytes */
};

/* The value that begins at text[0] (after white space): *ret is its exact text. Balanced brackets and closed
 * strings are asked for; what stands inside strings and numbers is not judged. Returns the bytes used, with
 * leading white space, or 0 when there is no whole value (truncated, unbalanced, deeper than 512). A bare
 * token (number, literal, anything else) ends before white space, a quote, a bracket, a comma or a colon. */
size_t scan_value(const char *text, size_t len, struct span *ret);

enum scan_kind {
    SCAN_OBJECT,
    SCAN_ARRAY,
    SCAN_STRING,
    SCAN_NUMBER,
    SCAN_TRUE,
    SCAN_FALSE,
    SCAN_NULL,
    SCAN_OTHER
};
enum scan_kind scan_kind(struct span value); /* by its first byte; SCAN_OTHER: no JSON value */

/* Walk over the members of an object or the elements of an array:
 *     struct scan_iter it = scan_open(object);
 *     while (scan_next(&it)) use(it.key, it.value);
 *     if (it.broken) …
 * key: the text between the quotes, escapes as they stand (empty in an array). */
struct scan_iter {
    struct span key, value;
    bool broken; /* the walk ended before the closing bracket; or this is not an object or array */
    bool object;
    const char *at, *end;
    bool first;
};
struct scan_iter scan_open(struct span container);
bool scan_next(struct scan_iter *it);

/* The first member of that name (written without escapes) in an object; false when there is none. */
bool scan_member(struct span object, const char *name, struct span *ret);

/* A scalar's text without quotes: numbers and literals as they stand, strings without their quotes, escapes
 * as they stand. null gives an empty span with at == NULL; so do objects and arrays. */
struct span scan_scalar(struct span value);
bool span_is(struct span s, const char *text);

/* The pre-pass. Checks that text is one strict JSON value (RFC 8259: grammar, numbers, UTF-8 without
 * surrogates, escapes with paired surrogates, no NUL even as \u0000, no raw control characters, nesting at
 * most 64, no byte order mark, nothing after it) and writes it to *out (replacing what is there; at most 2.5
 * times the text) with every bare number put in quotes behind the byte
 * JSON_MARK, which no valid UTF-8 holds: so no string can be taken for a number. containers (NULL ok)
 * collects the exact text of every object and array of `text`, in the order in which they open. ERR_REJECT
 * with the byte position, counted from 0, and what is wrong there; *out and *containers are then of no use.
 */
#define JSON_MARK '\xFF'
struct span_list {
    struct span *list;
    size_t count, cap;
};
int json_prepare(const char *text, size_t len, struct buf *out, struct span_list *containers, struct err *err)
    __attribute__((warn_unused_result));
void span_list_free(struct span_list *spans);

#endif
