#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/pipeline/cron.h"

static int64_t at(const char *text)
{
    int64_t s = 0;

    assert_int_equal(beijing_parse(text, &s), 0);
    return s;
}

static void instants(void **state)
{
    /* 2026-08-13 is a Thursday. */
    static const struct {
        const char *cron, *from, *next, *previous;
    } cases[] = {
        {"0 * * * *", "2026-08-13 11:05:00", "2026-08-13 12:00:00", "2026-08-13 11:00:00"},
        {"* * * * *", "2026-08-13 11:05:00", "2026-08-13 11:06:00", "2026-08-13 11:05:00"},
        {"* * * * *", "2026-08-13 11:05:59", "2026-08-13 11:06:00", "2026-08-13 11:05:00"},
        {"*/15 * * * *", "2026-08-13 11:50:00", "2026-08-13 12:00:00", "2026-08-13 11:45:00"},
        {"2 */2 * * *", "2026-08-13 23:30:00", "2026-08-14 00:02:00", "2026-08-13 22:02:00"},
        {"0 8 * * *", "2026-08-13 08:00:00", "2026-08-14 08:00:00", "2026-08-13 08:00:00"},
        {"0 0 * * *", "2026-08-13 00:00:00", "2026-08-14 00:00:00", "2026-08-13 00:00:00"},
        {"10-20/5,59 3 * * *", "2026-08-13 03:15:00", "2026-08-13 03:20:00", "2026-08-13 03:15:00"},
        {"0 9 * * MON-fri", "2026-08-14 10:00:00", "2026-08-17 09:00:00", "2026-08-14 09:00:00"},
        {"0 9 * * 7", "2026-08-13 00:00:00", "2026-08-16 09:00:00", "2026-08-09 09:00:00"},
        {"0 9 * * FRI-SUN", "2026-08-15 10:00:00", "2026-08-16 09:00:00", "2026-08-15 09:00:00"},
        {"0 9 * * 5-7", "2026-08-16 10:00:00", "2026-08-21 09:00:00", "2026-08-16 09:00:00"},
        {"0 0 1 * *", "2026-12-31 00:00:00", "2027-01-01 00:00:00", "2026-12-01 00:00:00"},
        {"0 0 31 * *", "2026-09-01 00:00:00", "2026-10-31 00:00:00", "2026-08-31 00:00:00"},
        {"0 0 29 2 *", "2026-08-13 00:00:00", "2028-02-29 00:00:00", "2024-02-29 00:00:00"},
        {"0 0 1 jan *", "2026-08-13 00:00:00", "2027-01-01 00:00:00", "2026-01-01 00:00:00"},
        /* both days restricted: either suffices; with a star in one, both must hold */
        {"0 0 20 * FRI", "2026-08-13 00:00:00", "2026-08-14 00:00:00", "2026-08-07 00:00:00"},
        {"0 0 20 * FRI", "2026-08-15 00:00:00", "2026-08-20 00:00:00", "2026-08-14 00:00:00"},
        {"0 0 */10 * FRI", "2026-08-13 00:00:00", "2026-08-21 00:00:00", "2026-07-31 00:00:00"},
        {"0 0 30 2 MON", "2026-08-13 00:00:00", "2027-02-01 00:00:00", "2026-02-23 00:00:00"},
        {"@hourly", "2026-08-13 11:05:00", "2026-08-13 12:00:00", "2026-08-13 11:00:00"},
        {"@daily", "2026-08-13 11:05:00", "2026-08-14 00:00:00", "2026-08-13 00:00:00"},
        {"@midnight", "2026-08-13 11:05:00", "2026-08-14 00:00:00", "2026-08-13 00:00:00"},
        {"@weekly", "2026-08-13 11:05:00", "2026-08-16 00:00:00", "2026-08-09 00:00:00"},
        {"@monthly", "2026-08-13 11:05:00", "2026-09-01 00:00:00", "2026-08-01 00:00:00"},
        {"@yearly", "2026-08-13 11:05:00", "2027-01-01 00:00:00", "2026-01-01 00:00:00"},
        {"  0\t0  * * *  ", "2026-08-13 11:05:00", "2026-08-14 00:00:00", "2026-08-13 00:00:00"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cron cron;
        struct err err = ERR_INIT;
        char next[BEIJING_TEXT];
        char previous[BEIJING_TEXT];
        if (cron_parse(cases[i].cron, &cron, &err) != 0)
            fail_msg("%s", err.text);
        beijing_format(cron_next(&cron, at(cases[i].from)), next);
        beijing_format(cron_previous(&cron, at(cases[i].from)), previous);
        if (strcmp(next, cases[i].next) != 0 || strcmp(previous, cases[i].previous) != 0)
            fail_msg("\"%s\" from %s: next %s, previous %s", cases[i].cron, cases[i].from, next, previous);
    }
}

static void wrong_expressions(void **state)
{
    static const struct {
        const char *cron, *says;
    } cases[] = {
        {"", "minute is missing"},
        {"0 * * *", "day of week is missing"},
        {"0 * * * * *", "more than five fields"},
        {"60 * * * *", "minute \"60\""},
        {"-1 * * * *", "minute \"-1\""},
        {"0 24 * * *", "hour \"24\""},
        {"0 0 0 * *", "day of month \"0\""},
        {"0 0 32 * *", "day of month \"32\""},
        {"0 0 * 13 *", "month \"13\""},
        {"0 0 * jann *", "month \"jann\""},
        {"0 0 * * 8", "day of week \"8\""},
        {"0 0 * * foo", "day of week \"foo\""},
        {"5-1 * * * *", "minute \"5-1\""},
        {"*/0 * * * *", "minute \"*/0\""},
        {"*/60 * * * *", "minute \"*/60\""},
        {"5/10 * * * *", "minute \"5/10\""},
        {"1,,2 * * * *", "minute \"1,,2\""},
        {"1, * * * *", "minute \"1,\""},
        {"1- * * * *", "minute \"1-\""},
        {"*5 * * * *", "minute \"*5\""},
        {"99999999999999999999 * * * *", "minute"},
        {"0 0 30 2 *", "never run"},
        {"0 0 31 4,6,9,11 *", "never run"},
        {"0 0 29 2 */7", "would not run for 40 years"}, /* a leap day that is a Sunday */
        {"0 0 13 2 */7", "would not run for 12 years"},
        {"0 0 */31 2 1", "would not run for"},
        {"@reboot", "minute \"@reboot\""},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cron cron = {.minutes = 7};
        struct err err = ERR_INIT;
        if (cron_parse(cases[i].cron, &cron, &err) != -1)
            fail_msg("accepted: \"%s\"", cases[i].cron);
        assert_int_equal(err.kind, ERR_CONFIG);
        if (strstr(err.text, cases[i].says) == NULL)
            fail_msg("%s", err.text);
        assert_int_equal(cron.minutes, 7);
    }
}

static void looks_eight_years_far(void **state)
{
    struct cron cron;
    (void)state;

    assert_int_equal(cron_parse("0 0 29 2 *", &cron, NULL), 0);
    /* 2100 is not a leap year: from 2096 to 2104 there is none */
    assert_true(cron_next(&cron, at("2096-02-29 00:00:00")) == at("2104-02-29 00:00:00"));
    assert_true(cron_previous(&cron, at("2104-02-28 23:59:00")) == at("2096-02-29 00:00:00"));
}

static void times_before_1970(void **state)
{
    struct cron cron;
    (void)state;

    assert_int_equal(cron_parse("30 7 * * *", &cron, NULL), 0);
    assert_true(cron_next(&cron, -86400) == -1800);
    assert_true(cron_previous(&cron, -1) == -1800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants),
        cmocka_unit_test(wrong_expressions),
        cmocka_unit_test(looks_eight_years_far),
        cmocka_unit_test(times_before_1970),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
