/* How long to wait before trying again, and when to give a run up. Pure. */
#ifndef JST_COMMON_BASE_BACKOFF_H
#define JST_COMMON_BASE_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

enum { BACKOFF_FIRST_MS = 1000, BACKOFF_MAX_MS = 30000, RETRY_AFTER_MAX_MS = 600000 };

/* Tries that failed one after the other. A round is what is tried within one retry interval: trying goes on
 * with growing pauses all the time, so that work goes on soon after an outage, and a run counts as failed
 * after retry_count such intervals. */
struct backoff {
    int failures;        /* in a row */
    int64_t since_ms;    /* when the first of them was */
    int64_t retry_at_ms; /* try again then; 0: at once */
};

/* The pause after so many failures in a row, from 1 on: doubles from first_ms to most_ms, less up to half of
 * it by chance. random: any 32 bits. */
int64_t backoff_pause_ms(int failures, int64_t first_ms, int64_t most_ms, uint32_t random);

void backoff_reset(struct backoff *b); /* it worked */

/* It failed at now_ms (monotonic). The pause doubles from 1 s to 30 s, less up to half of it by chance, but
 * is never below at_least_ms (Retry-After and the like, taken up to 10 minutes). random: any 32 bits. */
void backoff_fail(struct backoff *b, int64_t now_ms, int64_t at_least_ms, uint32_t random);

/* Have the rounds been used up? At least one is always granted, and at least two tries. */
bool backoff_exhausted(const struct backoff *b, int64_t retry_count, int64_t retry_interval_ms,
                       int64_t now_ms);

#endif
