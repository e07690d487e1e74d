#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "tests/unit/twins/clock.h"

static void beijing_times(void **state)
{
    static const struct {
        const char *text;
        int64_t s;
    } cases[] = {
        {"1970-01-01 08:00:00", 0},          {"1970-01-01 00:00:00", -28800},
        {"2026-08-13 11:05:00", 1786590300}, {"2000-02-29 23:59:59", 951839999},
        {"2100-02-28 00:00:00", 4107427200}, {"9999-12-31 23:59:59", 253402271999},
    };
    char out[BEIJING_TEXT];
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t s = 0;
        assert_int_equal(beijing_parse(cases[i].text, &s), 0);
        assert_true(s == cases[i].s);
        assert_string_equal(beijing_format(cases[i].s, out), cases[i].text);
    }
}

static void other_spellings(void **state)
{
    int64_t with_t = 0;
    int64_t date = 0;
    (void)state;

    assert_int_equal(beijing_parse("2026-08-13T11:05:00", &with_t), 0);
    assert_true(with_t == 1786590300);
    assert_int_equal(beijing_parse("2026-08-13", &date), 0);
    assert_true(date == 1786590300 - 11 * 3600 - 300);
}

static void wrong_times(void **state)
{
    static const char *const cases[] = {
        "",
        "2026",
        "2026-08",
        "2026-8-13",
        "2026-08-13 ",
        "2026-08-13 11:05",
        "2026-08-13 11:05:00 ",
        "2026-08-13 11:05:00Z",
        "2026-08-13 11:05:00.123",
        "2026-08-13x11:05:00",
        "2026-08-13 24:00:00",
        "2026-08-13 11:60:00",
        "2026-08-13 11:05:60",
        "2026-00-13",
        "2026-13-13",
        "2026-08-00",
        "2026-08-32",
        "2026-04-31",
        "2025-02-29",
        "2100-02-29",
        "1969-12-31",
        " 2026-08-13",
        "2026/08/13",
    };
    int64_t s = 42;
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (beijing_parse(cases[i], &s) != -1)
            fail_msg("accepted: \"%s\"", cases[i]);
    }
    assert_true(s == 42);
}

static void instants_outside_the_calendar_are_written_as_the_nearest_inside(void **state)
{
    char beijing[BEIJING_TEXT];
    char utc[RFC3339_TEXT];
    (void)state;

    assert_string_equal(beijing_format(INT64_MIN, beijing), "1970-01-01 00:00:00");
    assert_string_equal(beijing_format(INT64_MAX, beijing), "9999-12-31 23:59:59");
    assert_string_equal(rfc3339_format(INT64_MIN, utc), "1970-01-01T00:00:00.000Z");
    assert_string_equal(rfc3339_format(INT64_MAX, utc), "9999-12-31T23:59:59.999Z");
}

static void utc_instants(void **state)
{
    char out[RFC3339_TEXT];
    int64_t ms = 0;
    (void)state;

    assert_string_equal(rfc3339_format(1786590300123, out), "2026-08-13T03:05:00.123Z");
    assert_int_equal(rfc3339_parse(out, &ms), 0);
    assert_true(ms == 1786590300123);
    assert_int_equal(rfc3339_parse("2026-08-13T03:05:00Z", &ms), 0);
    assert_true(ms == 1786590300000);
}

static void wrong_utc_instants(void **state)
{
    static const char *const cases[] = {
        "",
        "2026-08-13",
        "2026-08-13T03:05:00",
        "2026-08-13 03:05:00Z",
        "2026-08-13T03:05:00.Z",
        "2026-08-13T03:05:00.12Z",
        "2026-08-13T03:05:00.1234Z",
        "2026-08-13T03:05:00+08:00",
        "2026-08-13T03:05:00.123Zx",
        "2026-02-30T03:05:00Z",
    };
    int64_t ms = 42;
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (rfc3339_parse(cases[i], &ms) != -1)
            fail_msg("accepted: \"%s\"", cases[i]);
    }
    assert_true(ms == 42);
}

/* Every day of 8,030 years, against a plain count. */
static void the_calendar(void **state)
{
    int64_t days = 0;
    int weekday = 4;
    (void)state;

    for (int year = 1970; year <= 9999; year++) {
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= days_in_month(year, month); day++, days++) {
                struct civil_day d = civil_from_days(days);
                if (civil_to_days(year, month, day) != days || d.year != year || d.month != month ||
                    d.day != day || d.weekday != weekday)
                    fail_msg("%d-%d-%d is not day %lld", year, month, day, (long long)days);
                weekday = (weekday + 1) % 7;
            }
        }
    }
    assert_true(days == 2932897);
    assert_int_equal(civil_from_days(-1).year, 1969);
    assert_int_equal(civil_from_days(-1).weekday, 3);
}

static void the_clocks_run(void **state)
{
    (void)state;
    assert_true(clock_now_ms() > 1700000000000);
    int64_t before = clock_monotonic_ms();
    assert_true(clock_monotonic_ms() >= before);
}

static void the_clock_may_be_a_twin(void **state)
{
    (void)state;

    twin_clock_use();
    assert_int_equal(clock_now_ms(), twin_wall_ms);
    assert_int_equal(clock_monotonic_ms(), twin_monotonic_ms);
    twin_pass(1500);
    assert_int_equal(clock_monotonic_ms(), 1001500);
    clock_use(NULL);
    assert_int_not_equal(clock_now_ms(), twin_wall_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_may_be_a_twin),
        cmocka_unit_test(beijing_times),
        cmocka_unit_test(other_spellings),
        cmocka_unit_test(wrong_times),
        cmocka_unit_test(instants_outside_the_calendar_are_written_as_the_nearest_inside),
        cmocka_unit_test(utc_instants),
        cmocka_unit_test(wrong_utc_instants),
        cmocka_unit_test(the_calendar),
        cmocka_unit_test(the_clocks_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
