#include "common/base/utf8.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

uint32_t utf8_code(const char *p, size_t n)
{
    static const unsigned char lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code = (unsigned char)p[0] & lead_bits[n];

    for (size_t i = 1; i < n; i++)
        code = code << 6 | ((unsigned char)p[i] & 0x3F);
    return code;
}

size_t utf8_count(const char *text, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++)
        count += utf8_begins(text[i]);
    return count;
}

size_t utf8_first(const char *text, size_t len, size_t characters)
{
    size_t n = 0;

    for (size_t count = 0; n < len; n++)
        if (utf8_begins(text[n]) && count++ == characters)
            break;
    return n;
}

size_t utf8_cut(const char *text, size_t len, size_t max_bytes)
{
    if (len <= max_bytes)
        return len;
    size_t n = max_bytes;
    while (n > 0 && !utf8_begins(text[n]))
        n--;
    return n;
}

/* Control characters, and what reorders or breaks a line where Unicode is understood. */
static bool terminal_obeys(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x200E || code == 0x200F ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

enum { ESCAPE_LONGEST = 6 };

/* Returns the place behind the escape. */
static char *put_escaped(char *out, uint32_t code)
{
    static const char short_ones[] = {['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};

    if (code < sizeof short_ones && short_ones[code] != '\0') {
        *out++ = '\\';
        *out++ = short_ones[code];
        return out;
    }
    return out + snprintf(out, ESCAPE_LONGEST + 1, "\\u%04x", (unsigned)(code & 0xFFFF));
}

char *utf8_plain(const char *text)
{
    const char *end = text + strlen(text);
    char *plain = mem_alloc((size_t)(end - text) * ESCAPE_LONGEST + 1);
    char *out = plain;

    for (const char *p = text; p < end;) {
        size_t n = utf8_character(p, end);
        if (n == 0) {
            out += snprintf(out, ESCAPE_LONGEST + 1, "\\x%02x", (unsigned)(unsigned char)*p++);
            continue;
        }
        uint32_t code = utf8_code(p, n);
        if (terminal_obeys(code)) {
            out = put_escaped(out, code);
        } else {
            memcpy(out, p, n);
            out += n;
        }
        p += n;
    }
    *out = '\0';
    return plain;
}
