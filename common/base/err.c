#include "common/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/utf8.h"

/* A cut in the middle of a UTF-8 sequence would make the whole log line invalid. */
static void drop_broken_tail(char *text)
{
    size_t len = strlen(text);
    size_t last = len;

    while (last > 0 && len - last < 4 && !utf8_begins(text[last - 1]))
        last--;
    if (last > 0 && utf8_character(text + last - 1, text + len) < len - last + 1)
        text[last - 1] = '\0';
}

int err_set(struct err *err, enum err_kind kind, int code, const char *format, ...)
{
    if (err == NULL)
        return -1;

    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    err->kind = kind;
    err->code = code;
    err->row = 0;
    if (n >= (int)sizeof err->text)
        drop_broken_tail(err->text);
    return -1;
}

int err_prefix(struct err *err, const char *format, ...)
{
    if (err == NULL)
        return -1;

    char head[ERR_TEXT_MAX];
    char tail[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(head, sizeof head, format, args);
    va_end(args);
    memcpy(tail, err->text, sizeof tail);
    size_t row = err->row;
    err_set(err, err->kind, err->code, "%s: %s", head, tail);
    err->row = row;
    return -1;
}

void err_clear(struct err *err)
{
    if (err != NULL)
        *err = (struct err)ERR_INIT;
}
