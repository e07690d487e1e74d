#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/backoff.h"

static void grows_to_a_limit(void **state)
{
    static const int64_t longest[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
    (void)state;

    for (uint32_t random = 0; random < 100000; random += 997) {
        struct backoff b = {0};
        for (size_t i = 0; i < sizeof longest / sizeof longest[0]; i++) {
            backoff_fail(&b, 1000, 0, random);
            int64_t pause = b.retry_at_ms - 1000;
            assert_true(pause <= longest[i] && pause >= longest[i] / 2);
        }
    }
    struct backoff b = {0};
    for (int i = 0; i < 100000; i++)
        backoff_fail(&b, 0, 0, 0);
    assert_int_equal(b.retry_at_ms, 30000);
}

static void chance_spreads(void **state)
{
    struct backoff a = {0};
    struct backoff b = {0};
    (void)state;

    backoff_fail(&a, 0, 0, 0);
    backoff_fail(&b, 0, 0, 1000);
    assert_int_equal(a.retry_at_ms, 1000);
    assert_int_equal(b.retry_at_ms, 500);
}

static void never_less_than_what_was_asked(void **state)
{
    struct backoff b = {0};
    (void)state;

    backoff_fail(&b, 100, 7000, 0);
    assert_int_equal(b.retry_at_ms, 7100);
    backoff_fail(&b, 100, INT64_MAX / 2, 0); /* but bounded */
    assert_int_equal(b.retry_at_ms, 600100);
}

static void rounds(void **state)
{
    struct backoff b = {0};
    (void)state;

    assert_false(backoff_exhausted(&b, 3, 1000, 99999));
    backoff_fail(&b, 1000, 0, 0);
    assert_false(backoff_exhausted(&b, 0, 0, 1000)); /* the first failure is tried again */
    backoff_fail(&b, 3999, 0, 0);
    assert_false(backoff_exhausted(&b, 3, 1000, 3999));
    backoff_fail(&b, 4000, 0, 0);
    assert_true(backoff_exhausted(&b, 3, 1000, 4000));
    assert_true(backoff_exhausted(&b, 0, 1000, 4000)); /* 0 is one round too */
    backoff_reset(&b);
    assert_false(backoff_exhausted(&b, 1, 1, 99999));
    assert_int_equal(b.retry_at_ms, 0);
}

static void pauses_double_between_their_bounds(void **state)
{
    static const int64_t pauses[] = {200, 200, 400, 800, 1600, 3000, 3000};
    (void)state;

    for (int n = 0; n < 7; n++) {
        assert_int_equal(backoff_pause_ms(n, 200, 3000, 0), pauses[n]);
        assert_int_equal(backoff_pause_ms(n, 200, 3000, 1000), pauses[n] / 2);
    }
    assert_int_equal(backoff_pause_ms(1000000, 1, 3000, 0), 3000);
    assert_int_equal(backoff_pause_ms(5, 60000, 3000, 0), 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_double_between_their_bounds),
        cmocka_unit_test(grows_to_a_limit),
        cmocka_unit_test(chance_spreads),
        cmocka_unit_test(never_less_than_what_was_asked),
        cmocka_unit_test(rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
