#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/units.h"

struct number_case {
    const char *text;
    int result; /* -1: refused */
    int64_t value;
};

typedef int parser(const char *text, int64_t *ret);

static void check(parser *parse, const struct number_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t value = -77;
        int result = parse(cases[i].text, &value);
        if (result != cases[i].result || value != (result == 0 ? cases[i].value : -77))
            fail_msg("\"%s\": %d, %lld", cases[i].text, result, (long long)value);
    }
}
#define CHECK(parse, cases) check(parse, cases, sizeof(cases) / sizeof *(cases))

static void int64(void **state)
{
    static const struct number_case cases[] = {
        {"0", 0, 0},
        {"007", 0, 7},
        {"-5", 0, -5},
        {"9223372036854775807", 0, INT64_MAX},
        {"-9223372036854775808", 0, INT64_MIN},
        {"9223372036854775808", -1, 0},
        {"-9223372036854775809", -1, 0},
        {"99999999999999999999999", -1, 0},
        {"", -1, 0},
        {"-", -1, 0},
        {"--1", -1, 0},
        {"+1", -1, 0},
        {" 1", -1, 0},
        {"1 ", -1, 0},
        {"1.0", -1, 0},
        {"0x10", -1, 0},
        {"1e3", -1, 0},
    };
    (void)state;
    CHECK(parse_int64, cases);
}

static void uint64(void **state)
{
    uint64_t value = 1;
    (void)state;

    assert_int_equal(parse_uint64("18446744073709551615", &value), 0);
    assert_true(value == UINT64_MAX);
    assert_int_equal(parse_uint64("18446744073709551616", &value), -1);
    assert_int_equal(parse_uint64("-1", &value), -1);
    assert_true(value == UINT64_MAX);
}

static void duration(void **state)
{
    static const struct number_case cases[] = {
        {"0", 0, 0},
        {"0s", 0, 0},
        {"200ms", 0, 200},
        {"5s", 0, 5000},
        {"10m", 0, 600000},
        {"2h", 0, 7200000},
        {"7d", 0, 604800000},
        {"1h30m", 0, 5400000},
        {"1d1h1m1s1ms", 0, 90061001},
        {"90m", 0, 5400000},
        {"106751991167d", 0, 106751991167 * 86400000},
        {"106751991168d", -1, 0},
        {"106751991167d23h", -1, 0},
        {"5", -1, 0},
        {"00", -1, 0},
        {"", -1, 0},
        {"s", -1, 0},
        {"5 s", -1, 0},
        {"-5s", -1, 0},
        {"5x", -1, 0},
        {"5sm", -1, 0},
        {"5S", -1, 0},
        {"1.5h", -1, 0},
        {"30m1h", -1, 0},
        {"5m5m", -1, 0},
        {"1h30", -1, 0},
    };
    (void)state;
    CHECK(parse_duration, cases);
}

static void size(void **state)
{
    static const struct number_case cases[] = {
        {"0", 0, 0},
        {"1024", 0, 1024},
        {"64KiB", 0, 65536},
        {"8MiB", 0, 8388608},
        {"2GiB", 0, 2147483648},
        {"8MB", 0, 8000000},
        {"64kB", 0, 64000},
        {"2GB", 0, 2000000000},
        {"8589934591GiB", 0, 8589934591 * 1073741824},
        {"8589934592GiB", -1, 0},
        {"8mb", -1, 0},
        {"8M", -1, 0},
        {"8 MiB", -1, 0},
        {"MiB", -1, 0},
        {"-1", -1, 0},
        {"1.5MiB", -1, 0},
        {"", -1, 0},
    };
    (void)state;
    CHECK(parse_size, cases);
}

static void percent(void **state)
{
    static const struct number_case cases[] = {
        {"5%", 0, 500},
        {"0.5%", 0, 50},
        {"0.05%", 0, 5},
        {"0%", 0, 0},
        {"100%", 0, 10000},
        {"150%", 0, 15000},
        {"12.34%", 0, 1234},
        {"12.345%", -1, 0},
        {"5", -1, 0},
        {"%", -1, 0},
        {".5%", -1, 0},
        {"5.%", -1, 0},
        {"-5%", -1, 0},
        {"5%%", -1, 0},
        {"92233720368547758%", 0, 9223372036854775800},
        {"92233720368547758.08%", -1, 0},
    };
    (void)state;
    CHECK(parse_percent, cases);
}

static void durations_are_written_as_they_are_read(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "0"},
        {200, "200ms"},
        {600000, "10m"},
        {90000, "1m30s"},
        {604800000, "7d"},
        {90061001, "1d1h1m1s1ms"},
        {INT64_MAX, "106751991167d7h12m55s807ms"},
        {-90000, "-1m30s"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[32];
        int64_t back = -1;
        assert_string_equal(format_duration(cases[i].ms, out, sizeof out), cases[i].text);
        if (cases[i].ms >= 0) {
            assert_int_equal(parse_duration(out, &back), 0);
            assert_true(back == cases[i].ms);
        }
    }
}

static void a_short_buffer_is_not_overrun(void **state)
{
    char out[4] = "xxx";
    (void)state;

    format_duration(90061001, out, sizeof out);
    assert_string_equal(out, "1d1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(int64),
        cmocka_unit_test(uint64),
        cmocka_unit_test(duration),
        cmocka_unit_test(size),
        cmocka_unit_test(percent),
        cmocka_unit_test(durations_are_written_as_they_are_read),
        cmocka_unit_test(a_short_buffer_is_not_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
