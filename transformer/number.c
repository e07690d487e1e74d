#include "transformer/number.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"

enum { DIGITS_MAX = 400 };

static const char *skip_digits(const char *at)
{
    while (*at >= '0' && *at <= '9')
        at++;
    return at;
}

bool number_valid(const char *text)
{
    const char *at = *text == '-' ? text + 1 : text;
    const char *end = skip_digits(at);

    if (end == at || (*at == '0' && end != at + 1))
        return false;
    if (*end == '.') {
        at = end + 1;
        end = skip_digits(at);
        if (end == at)
            return false;
    }
    if (*end == 'e' || *end == 'E') {
        at = end + 1;
        if (*at == '+' || *at == '-')
            at++;
        end = skip_digits(at);
        if (end == at)
            return false;
    }
    return *end == '\0';
}

static void put_zeros(struct buf *out, long n)
{
    for (; n > 0; n--)
        buf_add_char(out, '0');
}

/* Append the digits, with the decimal point `point` places from their left end. */
static void put_shifted(struct buf *out, const char *digits, long count, long point)
{
    if (point <= 0) {
        buf_add_text(out, "0.");
        put_zeros(out, -point);
        buf_add(out, digits, (size_t)count);
    } else if (point >= count) {
        buf_add(out, digits, (size_t)count);
        put_zeros(out, point - count);
    } else {
        buf_add(out, digits, (size_t)point);
        buf_add_char(out, '.');
        buf_add(out, digits + point, (size_t)(count - point));
    }
}

/* The exponent behind the 'e', limited to a range in which its value matters. */
static long read_exponent(const char *text)
{
    long n = strtol(text, NULL, 10); /* LONG_MAX when it is beyond */

    return n > 2 * DIGITS_MAX ? 2 * DIGITS_MAX : n < -2 * DIGITS_MAX ? -2 * DIGITS_MAX : n;
}

static long digits_written(long count, long point)
{
    if (point <= 0)
        return 1 - point + count;
    return point > count ? point : count;
}

int number_put(struct buf *out, const char *text)
{
    const char *exponent = strpbrk(text, "eE");
    if (exponent == NULL)
        return buf_add_text(out, text);
    if (strspn(text, "-0.") == (size_t)(exponent - text))
        return buf_add(out, text, (size_t)(exponent - text)); /* zero stays zero */

    char digits[DIGITS_MAX];
    long count = 0;
    long point = -1;
    const char *at = *text == '-' ? text + 1 : text;
    for (; at < exponent; at++) {
        if (*at == '.')
            point = count;
        else if (count == DIGITS_MAX)
            return -1;
        else
            digits[count++] = *at;
    }
    if (point < 0)
        point = count;
    point += read_exponent(exponent + 1);
    /* drop leading zeros: 0.5e1 is 5, not 05 */
    long lead = 0;
    while (lead < count - 1 && digits[lead] == '0')
        lead++;
    if (digits_written(count - lead, point - lead) > DIGITS_MAX)
        return -1;
    if (*text == '-')
        buf_add_char(out, '-');
    put_shifted(out, digits + lead, count - lead, point - lead);
    return 0;
}
