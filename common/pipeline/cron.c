#include "common/pipeline/cron.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/err.h"

enum {
    FIELDS = 5,
    FIELD_TEXT = 256,
    LOOK_DAYS = 8 * 366 /* the leap day is missing for eight years at most: 2096 to 2104 */,
    DAY_MINUTES = 1440
};

struct field {
    const char *name;
    int min, max;
    const char *words; /* three letters each, the first is `min` */
};

static const struct field fields[FIELDS] = {
    {"minute", 0, 59, ""},
    {"hour", 0, 23, ""},
    {"day of month", 1, 31, ""},
    {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    {"day of week", 0, 7, "sunmontuewedthufrisat"},
};
enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY };

static const char *expand_macro(const char *text)
{
    static const char *const macros[][2] = {
        {"@hourly", "0 * * * *"}, {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
        {"@weekly", "0 0 * * 0"}, {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
    };

    for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++) {
        if (strcmp(text, macros[i][0]) == 0)
            return macros[i][1];
    }
    return text;
}

/* A number or a name at *at; moves behind it. -1: neither. */
static int read_value(const struct field *f, const char **at)
{
    const char *p = *at;
    int value = 0;

    for (size_t i = 0; f->words[i] != '\0'; i += 3) {
        if (strncasecmp(p, f->words + i, 3) == 0) {
            *at = p + 3;
            return f->min + (int)(i / 3);
        }
    }
    if (*p < '0' || *p > '9')
        return -1;
    for (; *p >= '0' && *p <= '9' && value < 1000; p++)
        value = value * 10 + (*p - '0');
    *at = p;
    return value;
}

/* One item of a list: "*", "5", "1-5", with an optional "/step". Moves behind it. */
static int read_item(const struct field *f, const char **at, uint64_t *bits)
{
    int low = f->min;
    int high = f == &fields[WEEKDAY] ? 6 : f->max;
    int step = 1;

    if (**at == '*') {
        (*at)++;
    } else {
        low = read_value(f, at);
        bool range = **at == '-';
        if (range)
            (*at)++;
        high = range ? read_value(f, at) : low;
        if (range && high == 0 && f == &fields[WEEKDAY])
            high = 7; /* FRI-SUN */
        if (!range && **at == '/')
            return -1; /* 5/10: cron programs do not agree what it means */
    }
    if (**at == '/') {
        (*at)++;
        step = **at >= '0' && **at <= '9' ? read_value(f, at) : -1;
    }
    if (low < 0 || low < f->min || high > f->max || low > high || step < 1 || step > f->max)
        return -1;
    for (int i = low; i <= high; i += step)
        *bits |= 1ULL << i;
    return 0;
}

static int read_field(const struct field *f, const char *text, uint64_t *ret_bits)
{
    uint64_t bits = 0;

    for (;;) {
        if (read_item(f, &text, &bits) != 0)
            return -1;
        if (*text == '\0')
            break;
        if (*text++ != ',')
            return -1;
    }
    *ret_bits = bits;
    return 0;
}

static bool has_bit(uint64_t bits, int i)
{
    return (bits >> i & 1) != 0;
}

static bool date_matches(const struct cron *cron, int month, int day_of_month, int weekday_number)
{
    bool day = has_bit(cron->days, day_of_month);
    bool weekday = has_bit(cron->weekdays, weekday_number);

    return has_bit(cron->months, month) && (cron->either_day ? day || weekday : day && weekday);
}

/* The most days from one matching day to the next; -1 when no day matches. After 400 years the calendar
 * begins anew, on the same weekday; so all of it is looked at, and the answer does not depend on today. */
static int longest_pause(const struct cron *cron)
{
    int first = -1, last = -1, longest = 0, day_number = 0;
    int weekday = civil_from_days(civil_to_days(2000, 1, 1)).weekday;

    for (int month = 0; month < 400 * 12; month++) {
        int days = days_in_month(2000 + month / 12, month % 12 + 1);
        for (int day = 1; day <= days; day++, day_number++, weekday = (weekday + 1) % 7) {
            if (!date_matches(cron, month % 12 + 1, day, weekday))
                continue;
            if (last >= 0 && day_number - last > longest)
                longest = day_number - last;
            first = first >= 0 ? first : day_number;
            last = day_number;
        }
    }
    if (last < 0)
        return -1;
    int around = first + day_number - last;
    return around > longest ? around : longest;
}

static int check_pause(const struct cron *cron, const char *text, struct err *err)
{
    int pause = longest_pause(cron);

    if (pause < 0)
        return err_set(err, ERR_CONFIG, 0, "crontab \"%s\": no month has that day: it would never run", text);
    if (pause > LOOK_DAYS)
        return err_set(
            err, ERR_CONFIG, 0,
            "crontab \"%s\": it would not run for %d years: the days of month and of week must both "
            "match where one of them begins with a star",
            text, pause / 365);
    return 0;
}

/* Copy the next word of *at to out and move behind it; false: there is none, or it is too long. */
static bool next_word(const char **at, char out[FIELD_TEXT])
{
    *at += strspn(*at, " \t");
    size_t len = strcspn(*at, " \t");
    if (len == 0 || len >= FIELD_TEXT)
        return false;
    memcpy(out, *at, len);
    out[len] = '\0';
    *at += len;
    return true;
}

int cron_parse(const char *text, struct cron *ret, struct err *err)
{
    const char *at = expand_macro(text);
    uint64_t bits[FIELDS];
    bool star[FIELDS];
    char word[FIELD_TEXT];

    for (int i = 0; i < FIELDS; i++) {
        if (!next_word(&at, word))
            return err_set(err, ERR_CONFIG, 0, "crontab \"%s\": the %s is missing: five fields are needed",
                           text, fields[i].name);
        if (read_field(&fields[i], word, &bits[i]) != 0)
            return err_set(err, ERR_CONFIG, 0,
                           "crontab \"%s\": %s \"%s\" is not understood: %d-%d, *, lists "
                           "(1,2), ranges (1-5) and steps (*/5, 1-9/2)",
                           text, fields[i].name, word, fields[i].min, fields[i].max);
        star[i] = word[0] == '*';
    }
    if (next_word(&at, word))
        return err_set(err, ERR_CONFIG, 0, "crontab \"%s\": more than five fields", text);

    struct cron cron = {
        .minutes = bits[MINUTE],
        .hours = (uint32_t)bits[HOUR],
        .days = (uint32_t)bits[DAY],
        .months = (uint32_t)bits[MONTH],
        .weekdays = (uint32_t)((bits[WEEKDAY] | bits[WEEKDAY] >> 7) & 0x7F),
        .either_day = !star[DAY] && !star[WEEKDAY],
    };
    if (check_pause(&cron, text, err) != 0)
        return -1;
    *ret = cron;
    return 0;
}

static bool day_matches(const struct cron *cron, int64_t days)
{
    struct civil_day d = civil_from_days(days);

    return date_matches(cron, d.month, d.day, d.weekday);
}

/* The first matching minute of the day from `minute` on in direction `step`; -1: none. */
static int find_minute(const struct cron *cron, int minute, int step)
{
    for (; minute >= 0 && minute < DAY_MINUTES; minute += step) {
        if (has_bit(cron->hours, minute / 60) && has_bit(cron->minutes, minute % 60))
            return minute;
    }
    return -1;
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* From `minute` (minutes since 1970, Beijing time) on in direction `step`. */
static int64_t find_instant(const struct cron *cron, int64_t minute, int step)
{
    int64_t day = floor_divide(minute, DAY_MINUTES);
    int start = (int)(minute - day * DAY_MINUTES);

    for (int looked = 0; looked <= LOOK_DAYS; looked++) {
        int found = day_matches(cron, day) ? find_minute(cron, start, step) : -1;
        if (found >= 0)
            return (day * DAY_MINUTES + found) * 60 - BEIJING_OFFSET_S;
        day += step;
        start = step > 0 ? 0 : DAY_MINUTES - 1;
    }
    return -1;
}

int64_t cron_next(const struct cron *cron, int64_t after_s)
{
    return find_instant(cron, floor_divide(after_s + BEIJING_OFFSET_S, 60) + 1, 1);
}

int64_t cron_previous(const struct cron *cron, int64_t until_s)
{
    return find_instant(cron, floor_divide(until_s + BEIJING_OFFSET_S, 60), -1);
}
