/* Instants and Beijing time (UTC+8 all year since 1992; the API knows no other). */
#ifndef JST_COMMON_BASE_CLOCK_H
#define JST_COMMON_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

enum { BEIJING_OFFSET_S = 8 * 3600, DAY_S = 86400 };

int64_t clock_now_ms(void);       /* wall clock, milliseconds since 1970 UTC */
int64_t clock_monotonic_ms(void); /* for waits and deadlines */

/* Where both come from: the system, or a test's twin, in which nobody waits. */
struct clock {
    int64_t (*now_ms)(void);
    int64_t (*monotonic_ms)(void);
};
/* From now on the whole process asks this clock, which is kept by reference; NULL: the system's. */
void clock_use(const struct clock *clock);

/* "YYYY-MM-DD HH:MM:SS" or "YYYY-MM-DD" (midnight), Beijing time, years 1970-9999, a day that exists.
 * Also takes a 'T' for the space. -> seconds since 1970 UTC. -1 when it is anything else. */
int beijing_parse(const char *text, int64_t *ret_s);

enum { BEIJING_TEXT = 20, RFC3339_TEXT = 25 }; /* bytes, with the NUL */
/* seconds since 1970 UTC -> "2026-08-13 11:05:00". Instants outside the years 1970-9999 are written as the
 * nearest one inside. Returns out. */
const char *beijing_format(int64_t s, char out[BEIJING_TEXT]);
/* milliseconds since 1970 UTC -> "2026-08-13T03:05:00.123Z"; bounds as above. Returns out. */
const char *rfc3339_format(int64_t ms, char out[RFC3339_TEXT]);
/* Reads what rfc3339_format wrote (UTC, with or without milliseconds). -1 when it is anything else. */
int rfc3339_parse(const char *text, int64_t *ret_ms);

/* A day of the Gregorian calendar. */
struct civil_day {
    int year, month, day; /* month 1-12, day 1-31 */
    int weekday;          /* 0-6, Sunday is 0 */
};
/* Days since 1970-01-01 of a date, and back. */
int64_t civil_to_days(int year, int month, int day);
struct civil_day civil_from_days(int64_t days);
int days_in_month(int year, int month);

#endif
