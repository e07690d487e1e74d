#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/wire/flood.h"

/* What has come, what would come, and whether that is a flood at 5 %. */
static const struct {
    size_t good, bad;
    size_t more_good, more_bad;
    bool flood;
} cases[] = {
    {0, 0, 0, 0, false},      {0, 0, 0, 49, false},    /* never below 50 */
    {0, 0, 0, 50, true},      {0, 0, 950, 50, false},  /* 5 % is not more than 5 % */
    {0, 0, 949, 51, true},    {1000, 0, 0, 50, false}, /* the window moves: 950 good, 50 bad */
    {1000, 0, 0, 51, true},   {0, 49, 0, 1, true},
    {0, 49, 1000, 1, false},  /* the old bad ones have left the window */
    {5000, 0, 0, 1000, true}, /* more than a window at once */
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct flood f = {0};
        flood_add(&f, cases[i].good, cases[i].bad);
        bool flood = flood_exceeds(&f, cases[i].more_good, cases[i].more_bad, 500);
        if (flood != cases[i].flood)
            fail_msg("case %zu", i);
    }
}

static void test_a_question_changes_nothing(void **state)
{
    struct flood f = {0};

    (void)state;
    assert_true(flood_exceeds(&f, 0, 100, 500));
    assert_true(flood_exceeds(&f, 0, 50, 500));
    assert_false(flood_exceeds(&f, 0, 49, 500));
}

static void test_limits(void **state)
{
    struct flood f = {0};

    (void)state;
    assert_true(flood_exceeds(&f, 900, 50, 0));      /* 0 %: 50 suffice */
    assert_false(flood_exceeds(&f, 0, 1000, 10000)); /* 100 %: never */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_a_question_changes_nothing),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
