#include "extractor/api/limiter.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/units.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60000, RATE_MAX = 100000, MARGIN_PERCENT = 103, HOLD_MAX_MS = 600000 };

/* One part, "100/m". */
static int parse_part(const char *text, struct rate *rate, bool seen[2])
{
    char number[16];
    const char *slash = strchr(text, '/');
    int64_t n;

    if (slash == NULL || slash == text || (size_t)(slash - text) >= sizeof number || strlen(slash) != 2)
        return -1;
    memcpy(number, text, (size_t)(slash - text));
    number[slash - text] = '\0';
    if (parse_int64(number, &n) != 0 || n < 0 || n > RATE_MAX || (slash[1] != 's' && slash[1] != 'm'))
        return -1;
    int unit = slash[1] == 'm';
    if (seen[unit])
        return -1;
    seen[unit] = true;
    *(unit ? &rate->per_minute : &rate->per_second) = n;
    return 0;
}

int rate_parse(const char *text, struct rate *ret, struct err *err)
{
    struct rate rate = {0};
    bool seen[2] = {false, false};
    const char *at = text;

    for (;;) {
        char part[32];
        size_t len = strcspn(at, ",");
        if (len >= sizeof part)
            break;
        memcpy(part, at, len);
        part[len] = '\0';
        if (parse_part(part, &rate, seen) != 0)
            break;
        if (at[len] == '\0') {
            *ret = rate;
            return 0;
        }
        at += len + 1;
    }
    return err_set(
        err, ERR_CONFIG, 0,
        "\"%s\" is not a rate: write it as 5/s,100/m (a second's and a minute's limit, 0 for none)", text);
}

/* The spacing that keeps n within a period, with a margin, rounded up. */
static int64_t spacing_ms(int64_t n, int64_t period_ms)
{
    if (n == 0)
        return 0;
    return (period_ms * MARGIN_PERCENT + n * 100 - 1) / (n * 100);
}

int64_t rate_interval_ms(const struct rate *rate)
{
    int64_t second = spacing_ms(rate->per_second, SECOND_MS);
    int64_t minute = spacing_ms(rate->per_minute, MINUTE_MS);
    int64_t longer = second > minute ? second : minute;

    /* The proven value of this API: 618 would be as right. */
    return longer > 100 ? (longer + 9) / 10 * 10 : longer;
}

void limiter_init(struct limiter *l, const struct rate *rate, int64_t now_ms)
{
    l->interval_ms = rate_interval_ms(rate);
    l->next_ms = now_ms + l->interval_ms;
}

int64_t limiter_wait_ms(const struct limiter *l, int64_t now_ms)
{
    return l->next_ms > now_ms ? l->next_ms - now_ms : 0;
}

void limiter_take(struct limiter *l, int64_t now_ms)
{
    l->next_ms = now_ms + l->interval_ms;
}

void limiter_hold(struct limiter *l, int64_t now_ms, int64_t hold_ms)
{
    if (hold_ms > HOLD_MAX_MS)
        hold_ms = HOLD_MAX_MS;
    if (l->next_ms < now_ms + hold_ms)
        l->next_ms = now_ms + hold_ms;
}
