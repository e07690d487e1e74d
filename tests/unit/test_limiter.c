#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "extractor/api/limiter.h"

static void parses(void **state)
{
    static const struct {
        const char *text;
        int result;
        struct rate rate;
    } cases[] = {
        {"5/s,100/m", 0, {5, 100}},
        {"100/m,5/s", 0, {5, 100}},
        {"100/m", 0, {0, 100}},
        {"7/s", 0, {7, 0}},
        {"0/s,0/m", 0, {0, 0}},
        {"100000/s", 0, {100000, 0}},
        {"100001/s", -1, {0}},
        {"", -1, {0}},
        {"5", -1, {0}},
        {"5/s,5/s", -1, {0}},
        {"5/h", -1, {0}},
        {"5/s,", -1, {0}},
        {",5/s", -1, {0}},
        {"-1/s", -1, {0}},
        {"5/s 100/m", -1, {0}},
        {"5/sec", -1, {0}},
        {"/s", -1, {0}},
        {"5.5/s", -1, {0}},
        {"99999999999999999999999999999999999/s", -1, {0}},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rate rate = {-7, -7};
        struct err err = ERR_INIT;
        int result = rate_parse(cases[i].text, &rate, &err);
        if (result != cases[i].result ||
            (result == 0 &&
             (rate.per_second != cases[i].rate.per_second || rate.per_minute != cases[i].rate.per_minute)) ||
            (result != 0 && (rate.per_second != -7 || err.kind != ERR_CONFIG)))
            fail_msg("\"%s\": %d", cases[i].text, result);
    }
}

static void spacing(void **state)
{
    (void)state;
    assert_int_equal(rate_interval_ms(&(struct rate){5, 100}), 620);
    assert_int_equal(rate_interval_ms(&(struct rate){0, 100}), 620);
    assert_int_equal(rate_interval_ms(&(struct rate){1, 100}), 1030);
    assert_int_equal(rate_interval_ms(&(struct rate){5, 0}), 210);
    assert_int_equal(rate_interval_ms(&(struct rate){0, 0}), 0);
    assert_int_equal(rate_interval_ms(&(struct rate){100000, 0}), 1);
}

/* Requests as fast as the limiter lets them go for ten minutes, some of them slow: in no second and no minute
 * more than allowed, and with a backlog at least 95 % of it. */
static void never_above(const struct rate *rate, int64_t slow_ms)
{
    enum { MINUTES = 10, MAX = 4096 };
    int64_t sent[MAX];
    size_t count = 0;
    struct limiter l;
    int64_t now = 5000;

    limiter_init(&l, rate, now);
    assert_true(limiter_wait_ms(&l, now) > 0);
    while (now < MINUTES * 60000) {
        now += limiter_wait_ms(&l, now);
        limiter_take(&l, now);
        sent[count++] = now;
        assert_true(count < MAX);
        now += count % 7 == 0 ? slow_ms : 30;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t second = 0;
        int64_t minute = 0;
        for (size_t j = i; j < count && sent[j] < sent[i] + 60000; j++) {
            second += sent[j] < sent[i] + 1000;
            minute++;
        }
        assert_true(rate->per_second == 0 || second <= rate->per_second);
        assert_true(rate->per_minute == 0 || minute <= rate->per_minute);
    }
    if (slow_ms < rate_interval_ms(rate) && rate->per_minute > 0)
        assert_true(count >= (size_t)(MINUTES * rate->per_minute * 95 / 100));
}

static void never_above_the_limits(void **state)
{
    (void)state;
    never_above(&(struct rate){5, 100}, 100);
    never_above(&(struct rate){5, 100}, 9000);
    never_above(&(struct rate){5, 0}, 2500);
    never_above(&(struct rate){1, 0}, 30);
}

static void holds(void **state)
{
    struct limiter l;
    (void)state;

    limiter_init(&l, &(struct rate){0, 0}, 100);
    assert_int_equal(limiter_wait_ms(&l, 100), 0);
    limiter_hold(&l, 100, 5000);
    assert_int_equal(limiter_wait_ms(&l, 1100), 4000);
    limiter_hold(&l, 1100, 1000); /* a shorter one takes nothing back */
    assert_int_equal(limiter_wait_ms(&l, 1100), 4000);
    limiter_hold(&l, 5100, INT64_MAX / 2); /* bounded */
    assert_int_equal(limiter_wait_ms(&l, 5100), 600000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(spacing),
        cmocka_unit_test(never_above_the_limits),
        cmocka_unit_test(holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
