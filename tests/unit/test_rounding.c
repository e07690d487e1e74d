#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/mysql/rounding.h"

enum { NONE = ROUNDING_NONE, DIGITS = ROUNDING_DIGITS, SPACES = ROUNDING_SPACES };

static const struct table_column integer = {.kind = COLUMN_INTEGER}, money = {COLUMN_DECIMAL, .scale = 2},
                                 single = {COLUMN_FLOAT, .scale = SCALE_FREE},
                                 twice = {COLUMN_DOUBLE, .scale = SCALE_FREE},
                                 fixed = {COLUMN_DOUBLE, .scale = 2}, day = {.kind = COLUMN_DATE},
                                 second = {.kind = COLUMN_DATETIME}, milli = {COLUMN_DATETIME, .scale = 3},
                                 clock_time = {.kind = COLUMN_TIME}, json = {.kind = COLUMN_OTHER},
                                 status = {COLUMN_OTHER, .positions = true},
                                 name = {COLUMN_TEXT, .form = TEXT_VARCHAR, .length = 3},
                                 code = {COLUMN_TEXT, .form = TEXT_CHAR, .length = 3},
                                 note = {COLUMN_TEXT, .form = TEXT_LONG, .length = 4},
                                 bytes = {COLUMN_TEXT, .form = TEXT_BINARY, .length = 3};

static const struct {
    const struct table_column *column;
    const char *text;
    int rounding;
} losses[] = {
    {&integer, "1", NONE},
    {&integer, "1.5", DIGITS},
    {&integer, "1.0", NONE},
    {&integer, "-0.4", DIGITS},
    {&integer, "007", NONE},
    {&integer, "1e2", NONE},
    {&integer, "15e-1", DIGITS},
    {&integer, "150e-1", NONE},
    {&integer, "x", NONE},
    {&integer, "1.5x", NONE},
    {&integer, " 1.5 ", DIGITS},
    {&integer, "", NONE},
    {&integer, "1.5e", DIGITS},
    {&integer, ".", NONE},
    {&integer, "1.2.3", NONE},
    {&money, "1.25", NONE},
    {&money, "1.250", NONE},
    {&money, "1.255", DIGITS},
    {&money, "0.001", DIGITS},
    {&money, "0.000", NONE},
    {&money, "1e-2", NONE},
    {&money, "1e-3", DIGITS},
    {&money, "1.5E-1", NONE},
    {&money, "1.5E-2", DIGITS},
    {&money, "1e-99999999", DIGITS},
    {&money, "0e-99999999", NONE},
    {&money, "1234.5e-3", DIGITS},
    {&money, "12345e2", NONE},
    {&money, "-.125", DIGITS},
    {&money, "+7.", NONE},
    {&single, "123456", NONE},
    {&single, "1234567", DIGITS},
    {&single, "1234560", NONE},
    {&single, "0.000123456", NONE},
    {&single, "1.2345678", DIGITS},
    {&twice, "123456789012345", NONE},
    {&twice, "12345678901234567", DIGITS},
    {&twice, "0.1", NONE},
    {&twice, "1e300", NONE},
    {&fixed, "1.25", NONE},
    {&fixed, "1.255", DIGITS},
    {&day, "2026-08-13", NONE},
    {&day, "2026-08-13 00:00:00", NONE},
    {&day, "2026-08-13 11:05:00", DIGITS},
    {&day, "2026-08-13T00:00:01", DIGITS},
    {&day, "20260813", NONE},
    {&day, "20260813110500", DIGITS},
    {&day, "20260813000000", NONE},
    {&day, "2026-08-13 00:00:00+08:00", NONE},
    {&second, "2026-08-13 11:05:00", NONE},
    {&second, "2026-08-13 11:05:00.4", DIGITS},
    {&second, "2026-08-13 11:05:00.000", NONE},
    {&second, "2026.08.13", NONE},
    {&second, "20260813110500.5", DIGITS},
    {&milli, "2026-08-13 11:05:00.123", NONE},
    {&milli, "2026-08-13 11:05:00.1234", DIGITS},
    {&milli, "2026-08-13 11:05:00.123000", NONE},
    {&milli, "2026-08-13 11:05:00.", NONE},
    {&clock_time, "11:05:00", NONE},
    {&clock_time, "-11:05:00", NONE},
    {&clock_time, "11:05:00.5", DIGITS},
    {&clock_time, "2026-08-13 11:05:00", DIGITS},
    {&name, "abc", NONE},
    {&name, "ab ", NONE},
    {&name, "abc ", SPACES},
    {&name, "abc  ", SPACES},
    {&name, "ab   ", SPACES},
    {&name, "abcd ", NONE},
    {&name, "abcd", NONE},
    {&name, "款式码", NONE},
    {&name, "款式码 ", SPACES},
    {&name, "款式 ", NONE},
    {&name, "款式码号 ", NONE},
    {&name, "    ", SPACES},
    {&code, "a ", SPACES},
    {&code, "a", NONE},
    {&code, " a", NONE},
    {&code, "abcd ", NONE},
    {&note, "abcd ", SPACES},
    {&note, "abc ", NONE},
    {&note, "款 ", NONE},
    {&note, "款  ", SPACES},
    {&bytes, "abc ", NONE},
    {&json, "1.5 ", NONE},
    {&status, "2", DIGITS},
    {&status, "a", NONE},
    {&status, "a2", NONE},
};

static void what_is_lost_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        int got = (int)column_rounds(losses[i].column, losses[i].text, strlen(losses[i].text));
        if (got != losses[i].rounding)
            fail_msg("case %zu \"%s\": %d instead of %d", i, losses[i].text, got, losses[i].rounding);
    }
    assert_int_equal(column_rounds(&name, NULL, 0), ROUNDING_NONE);
}

static void what_comes_back_as_it_was(void **state)
{
    static const struct {
        const struct table_column *column;
        const char *text;
        bool kept;
    } cases[] = {
        {&integer, "0", true},
        {&integer, "7", true},
        {&integer, "-7", true},
        {&integer, "70", true},
        {&integer, "007", false},
        {&integer, "-0", false},
        {&integer, "+7", false},
        {&integer, " 7", false},
        {&integer, "7.0", false},
        {&integer, "", false},
        {&integer, "-", false},
        {&integer, "7e1", false},
        {&money, "1.50", true},
        {&money, "-0.05", true},
        {&money, "0.00", true},
        {&money, "1.5", false},
        {&money, "1.500", false},
        {&money, "01.50", false},
        {&money, "-0.00", false},
        {&money, ".50", false},
        {&money, "150", false},
        {&money, "1550", false},
        {&money, "1.5.", false},
        {&day, "2026-08-13", true},
        {&day, "2026-8-13", false},
        {&day, "20260813", false},
        {&day, "2026-08-13 00:00:00", false},
        {&second, "2026-08-13 11:05:00", true},
        {&second, "2026-08-13T11:05:00", false},
        {&second, "2026-08-13 11:05:00.0", false},
        {&milli, "2026-08-13 11:05:00.123", true},
        {&milli, "2026-08-13 11:05:00", false},
        {&clock_time, "11:05:00", true},
        {&clock_time, "1:05:00", false},
        {&name, "abc", true},
        {&name, "ab ", true},
        {&name, "abc ", false},
        {&code, "ab ", false},
        {&bytes, "ab ", true},
        {&single, "1", false},
        {&twice, "1", false},
        {&json, "1", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (column_keeps(cases[i].column, cases[i].text, strlen(cases[i].text)) != cases[i].kept)
            fail_msg("case %zu \"%s\"", i, cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_lost_is_named),
        cmocka_unit_test(what_comes_back_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
