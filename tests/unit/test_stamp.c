#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loader/stamp.h"

static void test_read(void **state)
{
    static const struct {
        const char *text;
        int64_t received;
        int rc;
        enum stamp_kind kind;
        uint64_t version;
    } cases[] = {
        {"", 1234, 0, STAMP_RECEIVED, 1234},
        {"", -1, 0, STAMP_RECEIVED, 0},
        {"0", 1, 0, STAMP_INTEGER, 0},
        {"18446744073709551615", 1, 0, STAMP_INTEGER, UINT64_MAX},
        {"18446744073709551616", 1, -1, STAMP_INTEGER, 0},
        {"2026-08-13 11:05:00", 1, 0, STAMP_DATETIME, 20260813110500},
        {"20260813110500", 1, 0, STAMP_INTEGER, 20260813110500},
        {"-1", 1, -1, STAMP_INTEGER, 0},
        {"5 ", 1, -1, STAMP_INTEGER, 0},
        {"2026-08-13", 1, 0, STAMP_DATETIME, 20260813000000},
        {"2026-13-13 11:05:00", 1, -1, STAMP_INTEGER, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stamp s;
        if (stamp_read(cases[i].text, cases[i].received, 77, &s) != cases[i].rc)
            fail_msg("%s", cases[i].text);
        if (cases[i].rc != 0)
            continue;
        assert_int_equal(s.kind, cases[i].kind);
        assert_int_equal(s.version, cases[i].version);
        assert_int_equal(s.received_ms, cases[i].received);
        assert_int_equal(s.published_ms, 77);
    }
}

/* Each is newer than all before it. Versions of one kind decide; then reception; then publication. */
static const struct stamp rising[][6] = {
    {
        {STAMP_INTEGER, 1, 900, 900},
        {STAMP_INTEGER, 2, 100, 100},
        {STAMP_INTEGER, 2, 100, 101},
        {STAMP_INTEGER, 2, 101, 50}, /* read later, mapped earlier: what was read counts */
        {STAMP_INTEGER, 3, 1, 1},
        {STAMP_INTEGER, UINT64_MAX, 0, 0},
    },
    {
        {STAMP_DATETIME, 20251231235959, 900, 900},
        {STAMP_DATETIME, 20260101000000, 1, 1},
        {STAMP_DATETIME, 20260101000000, 1, 2},
        {STAMP_DATETIME, 20260101000000, 2, 1},
        {STAMP_DATETIME, 20260101000001, 0, 0},
        {STAMP_DATETIME, 20270101000001, 0, 0},
    },
    {
        {STAMP_RECEIVED, 1, 1, 900},
        {STAMP_RECEIVED, 2, 2, 1},
        {STAMP_RECEIVED, 2, 2, 2},
        {STAMP_RECEIVED, 3, 3, 0},
        {STAMP_RECEIVED, 3, 3, 1},
        {STAMP_RECEIVED, 4, 4, 0},
    },
    /* the pipeline's `version` was changed: kinds that differ are compared by reception */
    {
        {STAMP_INTEGER, 999, 1, 900},
        {STAMP_DATETIME, 20260101000000, 2, 1},
        {STAMP_RECEIVED, 3, 3, 0},
        {STAMP_INTEGER, 1, 4, 0},
        {STAMP_RECEIVED, 5, 5, 0},
        {STAMP_DATETIME, 1, 5, 1},
    },
};

static void test_order(void **state)
{
    (void)state;
    for (size_t set = 0; set < sizeof rising / sizeof rising[0]; set++)
        for (size_t i = 0; i + 1 < 6; i++) {
            assert_true(stamp_newer(&rising[set][i + 1], &rising[set][i]));
            assert_false(stamp_newer(&rising[set][i], &rising[set][i + 1]));
            assert_false(stamp_newer(&rising[set][i], &rising[set][i])); /* the same again repairs */
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
