#include "common/mysql/rounding.h"

#include <string.h>

#include "common/base/utf8.h"

enum { FLOAT_DIGITS = 6, DOUBLE_DIGITS = 15, EXPONENT_MAX = 100000, COMPACT_TIME = 12 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ------------------------------------------------------------------ numbers */

struct number {
    long lowest;      /* the last digit that is not 0 stands at 10^lowest */
    long significant; /* digits from the first to the last that is not 0; 0: the number is 0 */
};

/* "-7" behind an "e": its value, within ±EXPONENT_MAX. Returns the position behind it; 0: not an exponent.
 * MySQL takes a bare "e", too. */
static size_t read_exponent(const char *text, size_t len, size_t at, long *ret)
{
    bool minus = at < len && text[at] == '-';
    long value = 0;

    if (at == len)
        return at;
    if (text[at] == '-' || text[at] == '+')
        at++;
    if (at == len || !is_digit(text[at]))
        return 0;
    for (; at < len && is_digit(text[at]); at++)
        value = value < EXPONENT_MAX ? value * 10 + (text[at] - '0') : EXPONENT_MAX;
    *ret = minus ? -value : value;
    return at;
}

/* False: not a number; the server refuses it. */
static bool read_number(const char *text, size_t len, struct number *ret)
{
    long digits = 0, whole = -1, first = -1, last = -1, exponent = 0;
    size_t at = 0;

    while (len > 0 && text[len - 1] == ' ')
        len--;
    while (at < len && text[at] == ' ')
        at++;
    at += at < len && (text[at] == '-' || text[at] == '+');
    for (; at < len && (is_digit(text[at]) || (text[at] == '.' && whole < 0)); at++) {
        if (text[at] == '.') {
            whole = digits;
            continue;
        }
        if (text[at] != '0') {
            first = first < 0 ? digits : first;
            last = digits;
        }
        digits++;
    }
    if (at < len && digits > 0 && (text[at] == 'e' || text[at] == 'E'))
        at = read_exponent(text, len, at + 1, &exponent);
    if (at != len || digits == 0)
        return false;
    ret->significant = first < 0 ? 0 : last - first + 1;
    ret->lowest = (whole < 0 ? digits : whole) - 1 - last + exponent;
    return true;
}

static enum rounding round_number(const struct table_column *c, long most_digits, const char *text,
                                  size_t len)
{
    struct number n;

    if (!read_number(text, len, &n) || n.significant == 0)
        return ROUNDING_NONE;
    bool below = c->scale != SCALE_FREE && n.lowest < -(long)c->scale;
    return below || (most_digits > 0 && n.significant > most_digits) ? ROUNDING_DIGITS : ROUNDING_NONE;
}

/* ------------------------------------------------------------------ times */

static bool has_value(const char *text, size_t len)
{
    for (size_t i = 0; i < len && (is_digit(text[i]) || text[i] == ':' || text[i] == '.'); i++)
        if (text[i] >= '1' && text[i] <= '9')
            return true;
    return false;
}

/* A fraction begins at a point behind a time, "11:05:00.5" or "20260813110500.5"; other points are between
 * year, month and day. */
static enum rounding round_fraction(unsigned digits, const char *text, size_t len)
{
    const char *point = memchr(text, '.', len);
    size_t at = point != NULL ? (size_t)(point - text) : len;

    if (point == NULL || (memchr(text, ':', at) == NULL && at < COMPACT_TIME))
        return ROUNDING_NONE;
    at += 1 + digits;
    return at < len && has_value(text + at, len - at) ? ROUNDING_DIGITS : ROUNDING_NONE;
}

/* A DATE loses the time behind it. */
static enum rounding round_date(const char *text, size_t len)
{
    size_t at = 0;

    while (at < len && text[at] != ' ' && text[at] != 'T' && text[at] != 't')
        at++;
    if (at == len)
        at = len >= COMPACT_TIME && memchr(text, '-', len) == NULL ? strlen("20260813") - 1 : len;
    return at < len && has_value(text + at + 1, len - at - 1) ? ROUNDING_DIGITS : ROUNDING_NONE;
}

/* A TIME loses the date before it. */
static enum rounding round_time(const struct table_column *c, const char *text, size_t len)
{
    bool date = len > 10 && memchr(text + 1, '-', 9) != NULL && memchr(text, ':', len) != NULL;

    return date ? ROUNDING_DIGITS : round_fraction(c->scale, text, len);
}

/* ------------------------------------------------------------------ texts */

static enum rounding round_text(const struct table_column *c, const char *text, size_t len)
{
    if (text[len - 1] != ' ' || c->form == TEXT_BINARY || (c->form != TEXT_CHAR && len <= c->length))
        return ROUNDING_NONE;
    size_t kept = c->form == TEXT_LONG ? c->length : utf8_first(text, len, c->length);
    size_t end = len;
    while (end > 0 && text[end - 1] == ' ')
        end--;
    bool cut = c->form == TEXT_CHAR || kept < len;
    return cut && end <= kept ? ROUNDING_SPACES : ROUNDING_NONE;
}

static enum rounding round_member(const struct table_column *c, const char *text, size_t len)
{
    if (!c->positions)
        return ROUNDING_NONE;
    for (size_t i = 0; i < len; i++)
        if (!is_digit(text[i]))
            return ROUNDING_NONE;
    return ROUNDING_DIGITS;
}

enum rounding column_rounds(const struct table_column *c, const char *text, size_t len)
{
    if (len == 0)
        return ROUNDING_NONE;
    switch (c->kind) {
    case COLUMN_TEXT:
        return round_text(c, text, len);
    case COLUMN_INTEGER:
    case COLUMN_DECIMAL:
        return round_number(c, 0, text, len);
    case COLUMN_FLOAT:
        return round_number(c, FLOAT_DIGITS, text, len);
    case COLUMN_DOUBLE:
        return round_number(c, DOUBLE_DIGITS, text, len);
    case COLUMN_DATE:
        return round_date(text, len);
    case COLUMN_DATETIME:
        return round_fraction(c->scale, text, len);
    case COLUMN_TIME:
        return round_time(c, text, len);
    case COLUMN_OTHER:
        return round_member(c, text, len);
    }
    return ROUNDING_NONE;
}

/* ------------------------------------------------------------------ given back as it came */

/* "-?(0|[1-9][0-9]*)" with just so many decimals, and no minus before a zero. */
static bool is_canonical_number(const char *text, size_t len, unsigned decimals)
{
    size_t at = len > 0 && text[0] == '-';
    bool zero = !has_value(text + at, len - at);
    size_t tail = decimals > 0 ? decimals + 1 : 0;

    if (len - at <= tail || (at > 0 && zero) || (text[at] == '0' && len - at - tail > 1))
        return false;
    for (size_t i = at; i < len; i++)
        if (decimals > 0 && i == len - tail ? text[i] != '.' : !is_digit(text[i]))
            return false;
    return true;
}

/* pattern: 0 stands for a digit; a point and so many digits follow it. */
static bool is_shaped(const char *text, size_t len, const char *pattern, unsigned decimals)
{
    size_t head = strlen(pattern);

    if (len != head + (decimals > 0 ? decimals + 1 : 0))
        return false;
    for (size_t i = 0; i < len; i++) {
        char want = i < head ? pattern[i] : i == head ? '.' : '0';
        if (want == '0' ? !is_digit(text[i]) : text[i] != want)
            return false;
    }
    return true;
}

bool column_keeps(const struct table_column *c, const char *text, size_t len)
{
    switch (c->kind) {
    case COLUMN_TEXT:
        return column_rounds(c, text, len) == ROUNDING_NONE;
    case COLUMN_INTEGER:
        return is_canonical_number(text, len, 0);
    case COLUMN_DECIMAL:
        return is_canonical_number(text, len, c->scale);
    case COLUMN_DATE:
        return is_shaped(text, len, "0000-00-00", 0);
    case COLUMN_DATETIME:
        return is_shaped(text, len, "0000-00-00 00:00:00", c->scale);
    case COLUMN_TIME:
        return is_shaped(text, len, "00:00:00", c->scale);
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE:
    case COLUMN_OTHER:
        break;
    }
    return false;
}
