#include "common/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A cut in the middle of a UTF-8 sequence would make the whole log line invalid. */
static void drop_broken_tail(char *text)
{
    size_t len = strlen(text);
    size_t start = len;

    while (start > 0 && len - start < 4 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t want = lead < 0x80 ? 0 : lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (len - start < want)
        text[start - 1] = '\0';
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
    return err_set(err, err->kind, err->code, "%s: %s", head, tail);
}

void err_clear(struct err *err)
{
    if (err != NULL)
        *err = (struct err)ERR_INIT;
}

const char *err_kind_name(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE:
        return "none";
    case ERR_RETRY:
        return "retry";
    case ERR_REJECT:
        return "reject";
    case ERR_PAUSE:
        return "pause";
    case ERR_CONFIG:
        return "config";
    case ERR_FATAL:
        return "fatal";
    }
    return "none";
}
