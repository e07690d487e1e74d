/* Exact JSON: a tree whose numbers keep the characters that came. Over cJSON behind the pre-pass of
 * scan.h; nothing here knows a binary floating-point number. */
#ifndef JST_COMMON_JSON_JSON_H
#define JST_COMMON_JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct json_doc;   /* a parsed text with its memory; reusable */
struct json_value; /* a node in it; lives as long as the document holds that text */

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_doc *json_doc_new(void) __attribute__((returns_nonnull));
void json_doc_free(struct json_doc *doc); /* NULL ok */

/* Parse text; what the document held before is gone. The text must stay where it is while values are used
 * (json_raw points into it). ERR_REJECT: see json_prepare(), and duplicate keys within one object. Memory is
 * taken from an arena that is kept and reused (up to some 64 MiB); it takes about 5 times len for usual
 * documents, at most some 40 times for arrays of single digits. Single-threaded per process. */
int json_parse(struct json_doc *doc, const char *text, size_t len, const struct json_value **ret,
               struct err *err) __attribute__((warn_unused_result));

enum json_type json_type(const struct json_value *v); /* JSON_NULL for NULL */
/* STRING: the decoded text; NUMBER: its characters as they came; NUL-ended. NULL for every other type. */
const char *json_text(const struct json_value *v);
/* The exact text of an object or array as it came. */
bool json_raw(const struct json_doc *doc, const struct json_value *v, const char **ret_at, size_t *ret_len);
/* Where a value of this document begins: bytes from the start of the text. The first call after a parse walks
 * over the whole text, later ones cost nothing: for faults, not for each value. */
size_t json_offset(struct json_doc *doc, const struct json_value *v);

/* Objects and arrays. Names are compared with case. NULL when there is none. */
const struct json_value *json_member(const struct json_value *object, const char *name);
/* The same; the search begins behind *at, where the last one was found (NULL: at the first), and leaves there
 * what it finds: fields that are asked for in the order of the text cost one comparison each. */
const struct json_value *json_member_near(const struct json_value *object, const char *name,
                                          const struct json_value **at);
const struct json_value *json_first(const struct json_value *container);
const struct json_value *json_next(const struct json_value *v);
const char *json_name(const struct json_value *member); /* of an object's member */
size_t json_count(const struct json_value *container);

/* Append a string with its quotes, escaped as RFC 8259 asks and no more. text must be UTF-8, as json_text()
 * is. Over the buffer's limit nothing is appended, and out->overflowed set. */
void json_put_string(struct buf *out, const char *text, size_t len);
/* The same for text of any origin: what is not UTF-8 becomes U+FFFD. */
void json_put_text(struct buf *out, const char *text, size_t len);

#endif
