/* Crontab expressions, five fields, in Beijing time. Pure. */
#ifndef JST_COMMON_PIPELINE_CRON_H
#define JST_COMMON_PIPELINE_CRON_H

#include <stdint.h>

struct err;

struct cron {
    uint64_t minutes;  /* bit m set: minute m matches (0-59) */
    uint32_t hours;    /* 0-23 */
    uint32_t days;     /* 1-31 */
    uint32_t months;   /* 1-12 */
    uint32_t weekdays; /* 0-6, Sunday is 0 */
    int either_day;    /* neither day field begins with a star: one of them suffices, as in Vixie cron */
};

/* "m h dom mon dow": stars, numbers, ranges, lists, steps; month and weekday names (jan, MON); 7 is Sunday;
 * @hourly @daily @midnight @weekly @monthly @yearly. -1 with ERR_CONFIG and the field's name otherwise; also
 * for an expression that never matches (30 February), or not for more than eight years at some time. */
int cron_parse(const char *text, struct cron *ret, struct err *err) __attribute__((warn_unused_result));

/* The first matching instant after `after_s` (seconds since 1970 UTC), and the last one at or before
 * `until_s`; whole minutes. There is one within eight years. */
int64_t cron_next(const struct cron *cron, int64_t after_s);
int64_t cron_previous(const struct cron *cron, int64_t until_s);

#endif
