#include "common/base/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { HOUR_S = 3600, MINUTE_S = 60, FIRST_YEAR = 1970, LAST_YEAR = 9999 };

static int64_t read_clock(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t system_now_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}

static int64_t system_monotonic_ms(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static const struct clock system_clock = {.now_ms = system_now_ms, .monotonic_ms = system_monotonic_ms};
static const struct clock *_Atomic used = &system_clock;

void clock_use(const struct clock *clock)
{
    atomic_store(&used, clock != NULL ? clock : &system_clock);
}

int64_t clock_now_ms(void)
{
    return atomic_load(&used)->now_ms();
}

int64_t clock_monotonic_ms(void)
{
    return atomic_load(&used)->monotonic_ms();
}

/* Years are counted from March here, so that the leap day is the last one (Howard Hinnant's
 * days_from_civil). */
int64_t civil_to_days(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

struct civil_day civil_from_days(int64_t days)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);

    return (struct civil_day){
        .year = (int)(year_of_era + era * 400 + (month <= 2)),
        .month = month,
        .day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
        .weekday = (int)(((days + 4) % 7 + 7) % 7), /* 1970-01-01 was a Thursday */
    };
}

int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

/* Digits and fixed characters as `shape` says, '0' standing for a digit: "0000-00-00". */
static bool has_shape(const char *text, const char *shape)
{
    for (; *shape != '\0'; shape++, text++) {
        bool fits = *shape == '0' ? *text >= '0' && *text <= '9' : *text == *shape;
        if (!fits)
            return false;
    }
    return true;
}

static int digits_value(const char *at, int count)
{
    int value = 0;

    while (count-- > 0)
        value = value * 10 + (*at++ - '0');
    return value;
}

/* "YYYY-MM-DD" at text -> days since 1970. */
static int parse_date(const char *text, int64_t *ret_days)
{
    if (!has_shape(text, "0000-00-00"))
        return -1;
    int year = digits_value(text, 4);
    int month = digits_value(text + 5, 2);
    int day = digits_value(text + 8, 2);
    if (year < FIRST_YEAR || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return -1;
    *ret_days = civil_to_days(year, month, day);
    return 0;
}

/* "HH:MM:SS" at text -> seconds of the day. */
static int parse_time(const char *text, int64_t *ret_s)
{
    if (!has_shape(text, "00:00:00"))
        return -1;
    int hour = digits_value(text, 2);
    int minute = digits_value(text + 3, 2);
    int second = digits_value(text + 6, 2);
    if (hour > 23 || minute > 59 || second > 59)
        return -1;
    *ret_s = hour * HOUR_S + minute * MINUTE_S + second;
    return 0;
}

int beijing_parse(const char *text, int64_t *ret_s)
{
    int64_t days;
    int64_t time = 0;

    if (parse_date(text, &days) != 0)
        return -1;
    text += 10;
    if (*text != '\0') {
        if ((*text != ' ' && *text != 'T') || parse_time(text + 1, &time) != 0 || text[9] != '\0')
            return -1;
    }
    *ret_s = days * DAY_S + time - BEIJING_OFFSET_S;
    return 0;
}

static void put_digits(char *at, int count, int64_t value)
{
    while (count-- > 0) {
        at[count] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* Seconds since 1970-01-01 of the wanted zone, within the years, as 19 characters. */
static void put_date_time(char *out, int64_t s, char between)
{
    int64_t time = s % DAY_S;
    struct civil_day day = civil_from_days(s / DAY_S);

    memcpy(out, "0000-00-00 00:00:00", 19);
    put_digits(out, 4, day.year);
    put_digits(out + 5, 2, day.month);
    put_digits(out + 8, 2, day.day);
    out[10] = between;
    put_digits(out + 11, 2, time / HOUR_S);
    put_digits(out + 14, 2, time / MINUTE_S % 60);
    put_digits(out + 17, 2, time % 60);
}

static int64_t clamp_to(int64_t value, int64_t min, int64_t max)
{
    return value < min ? min : value > max ? max : value;
}

static int64_t last_second(void)
{
    return civil_to_days(LAST_YEAR + 1, 1, 1) * DAY_S - 1;
}

const char *beijing_format(int64_t s, char out[BEIJING_TEXT])
{
    int64_t local = clamp_to(s, -BEIJING_OFFSET_S, last_second() - BEIJING_OFFSET_S) + BEIJING_OFFSET_S;

    put_date_time(out, local, ' ');
    out[BEIJING_TEXT - 1] = '\0';
    return out;
}

const char *rfc3339_format(int64_t ms, char out[RFC3339_TEXT])
{
    ms = clamp_to(ms, 0, last_second() * 1000 + 999);
    put_date_time(out, ms / 1000, 'T');
    out[19] = '.';
    put_digits(out + 20, 3, ms % 1000);
    memcpy(out + 23, "Z", 2);
    return out;
}

int rfc3339_parse(const char *text, int64_t *ret_ms)
{
    int64_t days;
    int64_t time;
    int milliseconds = 0;

    if (parse_date(text, &days) != 0 || text[10] != 'T' || parse_time(text + 11, &time) != 0)
        return -1;
    text += 19;
    if (has_shape(text, ".000")) {
        milliseconds = digits_value(text + 1, 3);
        text += 4;
    }
    if (strcmp(text, "Z") != 0)
        return -1;
    *ret_ms = (days * DAY_S + time) * 1000 + milliseconds;
    return 0;
}
