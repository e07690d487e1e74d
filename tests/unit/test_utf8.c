#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/utf8.h"

static void characters_are_told_from_bytes(void **state)
{
    static const struct {
        const char *text;
        size_t n; /* bytes of the first character; 0: it is not UTF-8 */
        uint32_t code;
    } cases[] = {
        {"a", 1, 'a'},
        {"\x7F", 1, 0x7F},
        {"\xC2\x80", 2, 0x80},
        {"é", 2, 0xE9},
        {"入x", 3, 0x5165},
        {"\xEF\xBF\xBD", 3, 0xFFFD},
        {"😀", 4, 0x1F600},
        {"\xF4\x8F\xBF\xBF", 4, 0x10FFFF},
        {"\x80", 0, 0},
        {"\xC0\x80", 0, 0},
        {"\xC1\xBF", 0, 0},
        {"\xE0\x9F\xBF", 0, 0},
        {"\xED\xA0\x80", 0, 0},
        {"\xF0\x8F\xBF\xBF", 0, 0},
        {"\xF4\x90\x80\x80", 0, 0},
        {"\xF5\x80\x80\x80", 0, 0},
        {"\xE5\x85", 0, 0},
        {"\xE5\x85x", 0, 0},
        {"\xF0\x9F\x98", 0, 0},
        {"\xFF", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = cases[i].text;
        size_t n = utf8_character(text, text + strlen(text));
        if (n != cases[i].n || (n > 0 && utf8_code(text, n) != cases[i].code))
            fail_msg("case %zu: %zu", i, n);
    }
}

static void nothing_is_cut_in_two(void **state)
{
    static const char text[] = "a入é😀z";
    static const size_t cuts[] = {0, 1, 1, 1, 4, 4, 6, 6, 6, 6, 10, 11, 11};
    static const size_t firsts[] = {0, 1, 4, 6, 10, 11, 11};

    (void)state;
    for (size_t max = 0; max < sizeof cuts / sizeof *cuts; max++)
        assert_int_equal(utf8_cut(text, strlen(text), max), cuts[max]);
    for (size_t n = 0; n < sizeof firsts / sizeof *firsts; n++)
        assert_int_equal(utf8_first(text, strlen(text), n), firsts[n]);
    assert_int_equal(utf8_count(text, strlen(text)), 5);
    assert_int_equal(utf8_count(text, 0), 0);
    assert_int_equal(utf8_cut("\x80\x80\x80", 3, 2), 0);
}

static void a_terminal_obeys_nothing_of_it(void **state)
{
    static const struct {
        const char *text, *plain;
    } cases[] = {
        {"", ""},
        {"入库单 \\ \"é\" 😀", "入库单 \\ \"é\" 😀"},
        {"a\nb\r\tc", "a\\nb\\r\\tc"},
        {"\033[2J\a\177", "\\u001b[2J\\u0007\\u007f"},
        {"\xC2\x9B"
         "31m\xC2\xA0",
         "\\u009b31m\xC2\xA0"},
        {"\xE2\x80\xAE"
         "moc\xE2\x81\xA6"
         "x\xE2\x80\xA8",
         "\\u202emoc\\u2066x\\u2028"},
        {"\xFF\xE5\x85", "\\xff\\xe5\\x85"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *plain = utf8_plain(cases[i].text);
        assert_string_equal(plain, cases[i].plain);
        free(plain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_are_told_from_bytes),
        cmocka_unit_test(nothing_is_cut_in_two),
        cmocka_unit_test(a_terminal_obeys_nothing_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
