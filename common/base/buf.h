/* A growing byte buffer with a written limit. */
#ifndef JST_COMMON_BASE_BUF_H
#define JST_COMMON_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data;      /* always ended by a NUL that len does not count; "" while empty */
    size_t len;      /* bytes */
    size_t cap;      /* bytes allocated; 0 while data is the shared empty string */
    size_t max;      /* len never exceeds it */
    bool overflowed; /* an append was refused since the last reset: the content is not whole */
};

/* max_bytes: the limit; an append that would pass it is refused whole and sets overflowed. */
void buf_init(struct buf *b, size_t max_bytes);
void buf_free(struct buf *b);  /* NULL ok; leaves an empty buffer of the same limit */
void buf_reset(struct buf *b); /* keeps the memory */

/* Appends return 0, or -1 when the limit refuses it (look once, at the end, at overflowed). */
int buf_add(struct buf *b, const void *bytes, size_t len);
int buf_add_text(struct buf *b, const char *text);
int buf_add_char(struct buf *b, char c);
int buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for len more bytes at b->data + b->len, for a caller that then raises b->len itself; NULL over the
 * limit. */
char *buf_reserve(struct buf *b, size_t len);

/* Shorten to len bytes. */
void buf_cut(struct buf *b, size_t len);

/* Hand the content over: the caller frees it; the buffer is empty again. */
char *buf_take(struct buf *b, size_t *ret_len) __attribute__((returns_nonnull));

#endif
