/* The API's two quotas for one app key, a second's and a minute's. Requests are spaced evenly, so neither is
 * ever exceeded in any second or minute, a restart needs no history, and unused quota is not saved up. Pure:
 * the clock is passed in (monotonic milliseconds). */
#ifndef JST_EXTRACTOR_API_LIMITER_H
#define JST_EXTRACTOR_API_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

struct err;

struct rate {
    int64_t per_second; /* 0: unlimited */
    int64_t per_minute; /* 0: unlimited */
};

/* "5/s,100/m": each unit at most once, in any order; a unit that is absent or 0 is unlimited; at most 100000.
 * ERR_CONFIG for anything else. */
int rate_parse(const char *text, struct rate *ret, struct err *err) __attribute__((warn_unused_result));

struct limiter {
    int64_t interval_ms; /* from the start of one request to the start of the next; 0: unlimited */
    int64_t next_ms;     /* not before */
};

/* Milliseconds between requests: 620 for 5/s,100/m, which leaves 3 % for the jitter of the network. */
int64_t rate_interval_ms(const struct rate *rate);

/* The first request waits one interval too: a process that was killed may have sent one just before. */
void limiter_init(struct limiter *l, const struct rate *rate, int64_t now_ms);
/* Milliseconds until the next request may start; 0: now. */
int64_t limiter_wait_ms(const struct limiter *l, int64_t now_ms);
/* A request starts now. */
void limiter_take(struct limiter *l, int64_t now_ms);
/* The API said that it was too much: nothing starts for so long. */
void limiter_hold(struct limiter *l, int64_t now_ms, int64_t hold_ms);

#endif
