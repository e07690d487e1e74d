#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "transformer/number.h"

static void test_valid(void **state)
{
    static const char *const valid[] = {"0",      "-0",
                                        "1",      "-1",
                                        "10",     "0.5",
                                        "-0.50",  "1e5",
                                        "1E5",    "1e+5",
                                        "1e-5",   "0e0",
                                        "1.5e10", "12345678901234567890",
                                        "0.10",   "1e999999999999"};
    static const char *const invalid[] = {
        "",    "-",    "+1",  "01",  "-01", ".5",    "5.",    "1e", "1e+", "e5",   "1 ",           " 1",
        "1,0", "0x10", "NaN", "inf", "--1", "1.2.3", "1e5.0", "1-", "00",  "1e5x", "\xEF\xBC\x91", "1.e5"};

    (void)state;
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++)
        if (!number_valid(valid[i]))
            fail_msg("%s is refused", valid[i]);
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++)
        if (number_valid(invalid[i]))
            fail_msg("%s is accepted", invalid[i]);
}

/* The digits that came, with the exponent written out. */
static void test_put(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"0", "0"},
        {"-0", "-0"},
        {"0.10", "0.10"},
        {"2.0000", "2.0000"},
        {"9007199254740993", "9007199254740993"},
        {"1491926160718000123", "1491926160718000123"},
        {"123456789012345678901234567890.123456789", "123456789012345678901234567890.123456789"},
        {"1e0", "1"},
        {"1e5", "100000"},
        {"1E+5", "100000"},
        {"1e-5", "0.00001"},
        {"-1e-5", "-0.00001"},
        {"1.50e2", "150"},
        {"1.50e1", "15.0"},
        {"1.50e0", "1.50"},
        {"1.50e-1", "0.150"},
        {"12e-1", "1.2"},
        {"12e-2", "0.12"},
        {"12e-3", "0.012"},
        {"0.5e1", "5"},
        {"0.05e1", "0.5"},
        {"0.05e2", "5"},
        {"0.05e3", "50"},
        {"-0.05e3", "-50"},
        {"10e-1", "1.0"},
        {"1e00005", "100000"},
        {"1e-0000005", "0.00001"},
        {"0e0", "0"},
        {"0e5", "0"},
        {"0.00e2", "0.00"},
        {"-0e99999999999999999999", "-0"},
        {"0.0e-99999999999999999999", "0.0"},
    };
    struct buf out;

    (void)state;
    buf_init(&out, 2000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buf_reset(&out);
        if (number_put(&out, cases[i].text) != 0)
            fail_msg("%s is refused", cases[i].text);
        if (strcmp(out.data, cases[i].expected) != 0)
            fail_msg("%s: %s instead of %s", cases[i].text, out.data, cases[i].expected);
    }
    buf_free(&out);
}

/* What is written out stays within 400 digits; behind what stood in the buffer. */
static void test_bounds(void **state)
{
    static const char *const refused[] = {
        "1e400",    "1e-400",   "1e99999999999999999999", "1e-99999999999999999999",
        "12.5e399", "1e100000", "1e2147483648",           "1.5e-399"};
    struct buf out;
    char digits[500];

    (void)state;
    buf_init(&out, 2000);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (number_put(&out, refused[i]) == 0)
            fail_msg("%s gives %zu digits", refused[i], out.len);
    assert_int_equal(out.len, 0); /* nothing half done */
    buf_add_text(&out, "x");
    assert_int_equal(number_put(&out, "1e399"), 0);
    assert_int_equal(out.len, 1 + 400);
    assert_int_equal(out.data[400], '0');
    buf_reset(&out);
    assert_int_equal(number_put(&out, "1e-399"), 0);
    assert_int_equal(out.len, 2 + 399);
    assert_int_equal(out.data[400], '1');
    memset(digits, '7', sizeof digits);
    memcpy(digits + 450, "e1", 3);
    buf_reset(&out);
    assert_int_equal(number_put(&out, digits), -1);
    assert_int_equal(out.len, 0);
    digits[450] = '\0'; /* without an exponent there is nothing to write out */
    assert_int_equal(number_put(&out, digits), 0);
    assert_int_equal(out.len, 450);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_put),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
