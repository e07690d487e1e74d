/* What the JSON modules share to look at bytes: eight at a time where nothing is special. Internal to
 * common/json, envelope.c and message.c. */
#ifndef JST_COMMON_JSON_BYTES_H
#define JST_COMMON_JSON_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/utf8.h"

#define BYTES_ALL(b) (UINT64_C(0x0101010101010101) * (b))

/* Marks the bytes below n (n <= 128) with their top bit. Only the lowest mark is certain: subtraction borrows
 * upwards. */
static inline uint64_t bytes_below(uint64_t word, unsigned n)
{
    return (word - BYTES_ALL(n)) & ~word & BYTES_ALL(0x80);
}

enum { STOP_CONTROL = 1, STOP_BEYOND_ASCII = 2 };

static inline bool byte_stops(unsigned char c, unsigned stops)
{
    return c == '"' || c == '\\' || ((stops & STOP_CONTROL) && c < 0x20) ||
           ((stops & STOP_BEYOND_ASCII) && c >= 0x80);
}

/* The first quote or backslash in [p, end), or what `stops` (a constant) adds; end when there is none. */
static inline const char *bytes_plain(const char *p, const char *end, unsigned stops)
{
    while (end - p >= 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        word = le64toh(word);
        uint64_t marks = bytes_below(word ^ BYTES_ALL('"'), 1) | bytes_below(word ^ BYTES_ALL('\\'), 1);
        if (stops & STOP_CONTROL)
            marks |= bytes_below(word, 0x20);
        if (stops & STOP_BEYOND_ASCII)
            marks |= word & BYTES_ALL(0x80);
        if (marks != 0)
            return p + __builtin_ctzll(marks) / 8;
        p += 8;
    }
    while (p < end && !byte_stops((unsigned char)*p, stops))
        p++;
    return p;
}

static inline bool byte_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline bool byte_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Behind one or more digits, or NULL. */
static inline const char *bytes_skip_digits(const char *p, const char *end)
{
    const char *start = p;
    while (p < end && byte_is_digit(*p))
        p++;
    return p > start ? p : NULL;
}

/* Behind the number of JSON's grammar that begins at p < end; NULL when there is none. */
static inline const char *bytes_number_end(const char *p, const char *end)
{
    if (*p == '-')
        p++;
    if (p < end && *p == '0')
        p++;
    else
        p = bytes_skip_digits(p, end);
    if (p != NULL && p < end && *p == '.')
        p = bytes_skip_digits(p + 1, end);
    if (p != NULL && p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        p = bytes_skip_digits(p, end);
    }
    return p;
}

static inline const char *bytes_skip_space(const char *p, const char *end)
{
    while (p < end && byte_is_space(*p))
        p++;
    return p;
}

/* Behind the characters beyond ASCII that begin at p < end, or where one of them is not UTF-8 (then a byte
 * beyond ASCII stands there). */
static inline const char *bytes_beyond_ascii(const char *p, const char *end)
{
    size_t n;

    while (p < end && (unsigned char)*p >= 0x80 && (n = utf8_sequence(p, end)) > 0)
        p += n;
    return p;
}

/* The value of four hexadecimal digits at p; -1 when they are not there. */
static inline int bytes_hex4(const char *p, const char *end)
{
    int value = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = byte_is_digit(c)         ? c - '0'
                    : (c >= 'a' && c <= 'f') ? c - 'a' + 10
                    : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                             : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static inline bool is_high_surrogate(int code)
{
    return code >= 0xD800 && code <= 0xDBFF;
}

static inline bool is_low_surrogate(int code)
{
    return code >= 0xDC00 && code <= 0xDFFF;
}

#endif
