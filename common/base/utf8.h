/* UTF-8: characters of a text, where it may be cut, and how it is shown. Pure. */
#ifndef JST_COMMON_BASE_UTF8_H
#define JST_COMMON_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the well-formed sequence beyond ASCII at p (2 to 4: no overlong form, no surrogate, nothing above
 * U+10FFFF); 0 when there is none. */
static inline size_t utf8_sequence(const char *p, const char *end)
{
    const unsigned char *s = (const unsigned char *)p;
    size_t room = (size_t)(end - p);
    unsigned char low = 0x80, high = 0xBF;

    if (room < 2 || s[0] < 0xC2 || s[0] > 0xF4)
        return 0;
    if (s[0] == 0xE0)
        low = 0xA0;
    else if (s[0] == 0xED)
        high = 0x9F;
    else if (s[0] == 0xF0)
        low = 0x90;
    else if (s[0] == 0xF4)
        high = 0x8F;
    if (s[1] < low || s[1] > high)
        return 0;
    size_t n = s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    if (room < n || (n > 2 && (s[2] & 0xC0) != 0x80) || (n > 3 && (s[3] & 0xC0) != 0x80))
        return 0;
    return n;
}

/* Bytes of the character at p < end, 1 for ASCII; 0 when it is not UTF-8. */
static inline size_t utf8_character(const char *p, const char *end)
{
    return (unsigned char)*p < 0x80 ? 1 : utf8_sequence(p, end);
}

/* Does a character begin with this byte? (In a text that is UTF-8 or nearly so.) */
static inline bool utf8_begins(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

/* The code point of a character of n bytes, as utf8_character() gave it. */
uint32_t utf8_code(const char *p, size_t n);

/* Characters of text[0..len). */
size_t utf8_count(const char *text, size_t len);
/* The bytes of the first `characters` characters; len when there are no more. */
size_t utf8_first(const char *text, size_t len, size_t characters);
/* The bytes of the longest beginning of at most max_bytes that cuts no character. */
size_t utf8_cut(const char *text, size_t len, size_t max_bytes);

/* A copy for a terminal: on one line, and without anything that a terminal obeys or that changes the order of
 * what stands around it. Line ends and tabs become \n, \r, \t, other control characters \u001b, bytes that
 * are not UTF-8 \xff. The caller frees it. */
char *utf8_plain(const char *text) __attribute__((returns_nonnull));

#endif
