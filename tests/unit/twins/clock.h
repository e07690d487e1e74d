/* A clock that stands still until the test moves it: nobody waits. */
#ifndef TESTS_TWINS_CLOCK_H
#define TESTS_TWINS_CLOCK_H

#include <stdint.h>

#include "common/base/clock.h"

static int64_t twin_wall_ms = INT64_C(1785312000000);
static int64_t twin_monotonic_ms = 1000000;

static inline int64_t twin_now(void)
{
    return twin_wall_ms;
}

static inline int64_t twin_monotonic(void)
{
    return twin_monotonic_ms;
}

static inline void twin_clock_use(void)
{
    static const struct clock twin = {.now_ms = twin_now, .monotonic_ms = twin_monotonic};

    clock_use(&twin);
}

static inline void twin_pass(int64_t ms)
{
    twin_wall_ms += ms;
    twin_monotonic_ms += ms;
}

#endif
