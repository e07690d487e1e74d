#include "common/base/backoff.h"

void backoff_reset(struct backoff *b)
{
    *b = (struct backoff){0};
}

int64_t backoff_pause_ms(int failures, int64_t first_ms, int64_t most_ms, uint32_t random)
{
    int64_t pause = first_ms;

    for (int i = 1; i < failures && pause < most_ms; i++)
        pause *= 2;
    if (pause > most_ms)
        pause = most_ms;
    return pause - pause / 2 * (random % 1001) / 1000;
}

void backoff_fail(struct backoff *b, int64_t now_ms, int64_t at_least_ms, uint32_t random)
{
    if (b->failures++ == 0)
        b->since_ms = now_ms;
    int64_t pause = backoff_pause_ms(b->failures, BACKOFF_FIRST_MS, BACKOFF_MAX_MS, random);
    if (at_least_ms > RETRY_AFTER_MAX_MS)
        at_least_ms = RETRY_AFTER_MAX_MS;
    b->retry_at_ms = now_ms + (pause > at_least_ms ? pause : at_least_ms);
}

bool backoff_exhausted(const struct backoff *b, int64_t retry_count, int64_t retry_interval_ms,
                       int64_t now_ms)
{
    int64_t rounds = retry_count > 0 ? retry_count : 1;

    return b->failures > 1 && now_ms - b->since_ms >= rounds * retry_interval_ms;
}
