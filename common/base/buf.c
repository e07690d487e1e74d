#include "common/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

static char empty[1] = "";

void buf_init(struct buf *b, size_t max_bytes)
{
    *b = (struct buf){.data = empty, .max = max_bytes};
}

void buf_free(struct buf *b)
{
    if (b == NULL)
        return;
    if (b->cap > 0)
        free(b->data);
    buf_init(b, b->max);
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->overflowed = false;
    if (b->cap > 0)
        b->data[0] = '\0';
}

char *buf_reserve(struct buf *b, size_t len)
{
    if (len > b->max || b->len > b->max - len) {
        b->overflowed = true;
        return NULL;
    }
    size_t need = b->len + len + 1;
    if (need > b->cap) {
        size_t cap = b->cap > 0 ? b->cap * 2 : 256;
        while (cap < need)
            cap *= 2;
        if (cap > b->max + 1)
            cap = b->max + 1;
        b->data = mem_realloc(b->cap > 0 ? b->data : NULL, cap);
        b->cap = cap;
        b->data[b->len] = '\0';
    }
    return b->data + b->len;
}

int buf_add(struct buf *b, const void *bytes, size_t len)
{
    char *at = buf_reserve(b, len);
    if (at == NULL)
        return -1;
    if (len > 0)
        memcpy(at, bytes, len);
    b->len += len;
    b->data[b->len] = '\0';
    return 0;
}

int buf_add_text(struct buf *b, const char *text)
{
    return buf_add(b, text, strlen(text));
}

int buf_add_char(struct buf *b, char c)
{
    return buf_add(b, &c, 1);
}

int buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_list again;

    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *at = n >= 0 ? buf_reserve(b, (size_t)n) : NULL;
    if (at != NULL) {
        vsnprintf(at, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    }
    va_end(again);
    return at != NULL ? 0 : -1;
}

void buf_cut(struct buf *b, size_t len)
{
    if (len < b->len) {
        b->len = len;
        b->data[len] = '\0';
    }
}

char *buf_take(struct buf *b, size_t *ret_len)
{
    char *data = b->cap > 0 ? b->data : mem_strdup("");
    if (ret_len != NULL)
        *ret_len = b->len;
    buf_init(b, b->max);
    return data;
}
