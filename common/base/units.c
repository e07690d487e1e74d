#include "common/base/units.h"

#include <stdio.h>
#include <string.h>

/* Read digits at *at, at least one, and move *at behind them. */
static int read_digits(const char **at, uint64_t *ret)
{
    const char *p = *at;
    uint64_t value = 0;

    if (*p < '0' || *p > '9')
        return -1;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
            return -1;
    }
    *at = p;
    *ret = value;
    return 0;
}

int parse_uint64(const char *text, uint64_t *ret)
{
    uint64_t value;

    if (read_digits(&text, &value) != 0 || *text != '\0')
        return -1;
    *ret = value;
    return 0;
}

int parse_int64(const char *text, int64_t *ret)
{
    bool negative = *text == '-';
    uint64_t value;

    if (parse_uint64(negative ? text + 1 : text, &value) != 0)
        return -1;
    if (negative) {
        if (value > (uint64_t)INT64_MAX + 1)
            return -1;
        *ret = value == (uint64_t)INT64_MAX + 1 ? INT64_MIN : -(int64_t)value;
        return 0;
    }
    if (value > INT64_MAX)
        return -1;
    *ret = (int64_t)value;
    return 0;
}

struct unit {
    const char *name;
    uint64_t factor;
};

/* From large to small, which is also the order they must be written in. "ms" is longer than "m", so the name
 * is read whole before it is looked up. */
static const struct unit duration_units[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};
static const struct unit size_units[] = {
    {"", 1},      {"KiB", 1LL << 10}, {"MiB", 1LL << 20}, {"GiB", 1LL << 30},
    {"kB", 1000}, {"MB", 1000000},    {"GB", 1000000000},
};
enum {
    DURATION_UNITS = sizeof duration_units / sizeof duration_units[0],
    SIZE_UNITS = sizeof size_units / sizeof size_units[0],
};

static int find_unit(const struct unit *units, int count, const char *name, size_t len)
{
    for (int i = 0; i < count; i++) {
        if (strlen(units[i].name) == len && memcmp(units[i].name, name, len) == 0)
            return i;
    }
    return -1;
}

int parse_duration(const char *text, int64_t *ret_ms)
{
    int64_t total = 0;
    int last = -1;

    if (strcmp(text, "0") == 0) {
        *ret_ms = 0;
        return 0;
    }
    do {
        uint64_t value;
        int64_t part;
        if (read_digits(&text, &value) != 0)
            return -1;
        size_t len = strcspn(text, "0123456789");
        int unit = find_unit(duration_units, DURATION_UNITS, text, len);
        if (unit <= last || __builtin_mul_overflow(value, duration_units[unit].factor, &part) ||
            __builtin_add_overflow(total, part, &total))
            return -1;
        last = unit;
        text += len;
    } while (*text != '\0');
    *ret_ms = total;
    return 0;
}

int parse_size(const char *text, int64_t *ret_bytes)
{
    uint64_t value;
    int64_t bytes;

    if (read_digits(&text, &value) != 0)
        return -1;
    int unit = find_unit(size_units, SIZE_UNITS, text, strlen(text));
    if (unit < 0 || __builtin_mul_overflow(value, size_units[unit].factor, &bytes))
        return -1;
    *ret_bytes = bytes;
    return 0;
}

int parse_percent(const char *text, int64_t *ret_basis_points)
{
    uint64_t whole;
    uint64_t part = 0;
    int64_t points;

    if (read_digits(&text, &whole) != 0)
        return -1;
    if (*text == '.') {
        const char *digits = ++text;
        if (read_digits(&text, &part) != 0 || text - digits > 2)
            return -1;
        if (text - digits == 1)
            part *= 10;
    }
    if (strcmp(text, "%") != 0 || __builtin_mul_overflow(whole, 100, &points) ||
        __builtin_add_overflow(points, part, &points))
        return -1;
    *ret_basis_points = points;
    return 0;
}

const char *format_duration(int64_t ms, char *out, size_t size)
{
    uint64_t rest = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    int len = snprintf(out, size, "%s", ms == 0 ? "0" : ms < 0 ? "-" : "");

    for (int i = 0; i < DURATION_UNITS && len >= 0 && (size_t)len < size; i++) {
        uint64_t n = rest / duration_units[i].factor;
        rest -= n * duration_units[i].factor;
        if (n > 0)
            len += snprintf(out + len, size - (size_t)len, "%llu%s", (unsigned long long)n,
                            duration_units[i].name);
    }
    return out;
}
