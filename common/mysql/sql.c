#include "common/mysql/sql.h"

#include <string.h>

#include "common/base/buf.h"

/* The character to write behind a backslash; 0: none is needed. */
static char escape_of(char c)
{
    switch (c) {
    case '\0':
        return '0';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\x1A':
        return 'Z';
    case '\\':
    case '\'':
    case '"':
        return c;
    default:
        return 0;
    }
}

/* Bytes that the text takes, with its quotes. */
static size_t quoted_size(const char *text, size_t len)
{
    size_t size = len + 2;

    for (size_t i = 0; i < len; i++)
        size += escape_of(text[i]) != 0;
    return size;
}

void sql_put_text(struct buf *out, const char *text, size_t len)
{
    size_t size = len * 2 + 2; /* at most; the exact size is counted only if this might not fit */

    if (size > out->max - out->len)
        size = quoted_size(text, len);
    char *at = buf_reserve(out, size);
    if (at == NULL)
        return;
    char *start = at;
    *at++ = '\'';
    for (size_t i = 0; i < len; i++) {
        char escape = escape_of(text[i]);
        if (escape != 0) {
            *at++ = '\\';
            *at++ = escape;
        } else {
            *at++ = text[i];
        }
    }
    *at++ = '\'';
    *at = '\0';
    out->len += (size_t)(at - start);
}

static char portable_character(char c)
{
    if (c == '\\')
        return '/';
    return (unsigned char)c < 0x20 || c == 0x7F ? ' ' : c;
}

void sql_put_portable_text(struct buf *out, const char *text, size_t len)
{
    buf_add_char(out, '\'');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\'')
            buf_add_char(out, '\'');
        buf_add_char(out, portable_character(text[i]));
    }
    buf_add_char(out, '\'');
}

void sql_put_name(struct buf *out, const char *name)
{
    buf_add_char(out, '`');
    for (; *name != '\0'; name++) {
        if (*name == '`')
            buf_add_char(out, '`');
        buf_add_char(out, *name);
    }
    buf_add_char(out, '`');
}

void sql_put_table(struct buf *out, const char *table)
{
    const char *dot = strchr(table, '.');

    if (dot == NULL) {
        sql_put_name(out, table);
        return;
    }
    char schema[256];
    size_t len = (size_t)(dot - table);
    if (len >= sizeof schema)
        len = sizeof schema - 1;
    memcpy(schema, table, len);
    schema[len] = '\0';
    sql_put_name(out, schema);
    buf_add_char(out, '.');
    sql_put_name(out, dot + 1);
}

void sql_put_names(struct buf *out, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        sql_put_name(out, names[i]);
    }
}
