#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "extractor/api/window.h"

static const struct window_rules week = {.overlap_s = 600, .lag_s = 60, .max_window_s = 604800};

static void rules(void **state)
{
    (void)state;
    struct window_rules r = window_rules(600001, 1, 999);
    assert_int_equal(r.overlap_s, 601);
    assert_int_equal(r.lag_s, 1);
    assert_int_equal(r.max_window_s, 1);
    r = window_rules(0, 0, 604800999);
    assert_int_equal(r.overlap_s, 0);
    assert_int_equal(r.lag_s, 0);
    assert_int_equal(r.max_window_s, 604800);
}

static void plans(void **state)
{
    static const struct {
        const char *what;
        int64_t checkpoint, since, until, now;
        int some;
        int64_t begin, end;
    } cases[] = {
        {"never read: from since, without overlap", -1, 1000, -1, 5000, 1, 1000, 4940},
        {"read before: the overlap, up to now - lag", 3000, 1000, -1, 5000, 1, 2400, 4940},
        {"until ends it earlier", 3000, 0, 4000, 5000, 1, 2400, 4000},
        {"until in the future changes nothing", 3000, 0, 9000, 5000, 1, 2400, 4940},
        {"nothing new yet", 4940, 0, -1, 5000, 0, 0, 0},
        {"one second is something", 4939, 0, -1, 5000, 1, 4339, 4940},
        {"the clock went back", 6000, 0, -1, 5000, 0, 0, 0},
        {"since in the future", -1, 9000, -1, 5000, 0, 0, 0},
        {"since is the end: one second", -1, 4940, -1, 5000, 1, 4940, 4940},
        {"not before 1970", 100, 0, -1, 5000, 1, 0, 4940},
        {"until before the checkpoint", 3000, 0, 2900, 5000, 0, 0, 0},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct window w = {0, 0};
        int some = window_plan(&week, cases[i].checkpoint, cases[i].since, cases[i].until, cases[i].now, &w);
        if (some != cases[i].some || w.begin_s != cases[i].begin || w.end_s != cases[i].end)
            fail_msg("%s: %d, %lld to %lld", cases[i].what, some, (long long)w.begin_s, (long long)w.end_s);
    }
}

/* Whatever the lengths: the slices cover the plan without a gap, none is too long, and they come to an end.
 */
static void slices(void **state)
{
    (void)state;
    for (int64_t length = 0; length < 40; length++) {
        for (int64_t max = 1; max < 15; max++) {
            struct window_rules r = {.max_window_s = max};
            struct window plan = {1000, 1000 + length};
            int64_t at = plan.begin_s;
            int count = 0;
            struct window s;
            do {
                s = window_slice(&r, &plan, at);
                assert_int_equal(s.begin_s, at);
                assert_true(s.end_s - s.begin_s <= max);
                assert_true(s.end_s <= plan.end_s);
                at = s.end_s;
                assert_true(++count <= length + 1);
            } while (s.end_s < plan.end_s);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules),
        cmocka_unit_test(plans),
        cmocka_unit_test(slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
