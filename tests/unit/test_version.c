#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/wire/version.h"

static void test_versions(void **state)
{
    static const struct {
        const char *text;
        uint64_t version;
    } cases[] = {
        {"0", 0},
        {"1491926160718000123", 1491926160718000123},
        {"18446744073709551615", UINT64_MAX},
        {"2026-08-13 11:05:09", 20260813110509},
        {"2026-08-13T11:05:09", 20260813110509},
        {"2026-08-13", 20260813000000},
        {"2024-02-29 00:00:00", 20240229000000},
        {"9999-12-31 23:59:59", 99991231235959},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t version = 77;
        if (version_parse(cases[i].text, &version) != 0)
            fail_msg("%s is refused", cases[i].text);
        assert_int_equal(version, cases[i].version);
    }
}

static void test_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "-1",
        "+1",
        "1.5",
        "1e3",
        " 1",
        "1 ",
        "0x1",
        "18446744073709551616",
        "2026-02-29",
        "2026-13-01",
        "2026-08-13 24:00:00",
        "2026-08-13 11:05",
        "2026-08-13 11:05:09.123",
        "2026-08-13T11:05:09Z",
        "2026-8-13",
        "now",
        "20260813 110509",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint64_t version = 77;
        if (version_parse(texts[i], &version) == 0)
            fail_msg("%s is accepted", texts[i]);
        assert_int_equal(version, 77);
    }
}

/* A date alone is before every time of its day, and after the day before. */
static void test_order(void **state)
{
    static const char *const ascending[] = {"2025-12-31 23:59:59", "2026-01-01", "2026-01-01 00:00:01",
                                            "2026-01-02"};
    uint64_t before = 0;

    (void)state;
    for (size_t i = 0; i < sizeof ascending / sizeof ascending[0]; i++) {
        uint64_t version;
        assert_int_equal(version_parse(ascending[i], &version), 0);
        assert_true(version > before);
        before = version;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
