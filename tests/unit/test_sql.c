#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/mysql/sql.h"

#define BYTES(text) (text), sizeof(text) - 1

static void test_text(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *sql;
    } cases[] = {
        {BYTES(""), "''"},
        {BYTES("abc"), "'abc'"},
        {BYTES("O'Neil"), "'O\\'Neil'"},
        {BYTES("''"), "'\\'\\''"},
        {BYTES("\\"), "'\\\\'"},
        {BYTES("\\'"), "'\\\\\\''"},
        {BYTES("say \"hi\""), "'say \\\"hi\\\"'"},
        {BYTES("a\0b"), "'a\\0b'"},
        {BYTES("\0"), "'\\0'"},
        {BYTES("a\nb\rc\td"), "'a\\nb\\rc\td'"},
        {BYTES("\x1A"), "'\\Z'"},
        {BYTES("%_`;--#/*"), "'%_`;--#/*'"},
        {BYTES("\xE5\x8D\x95 \xF0\x9F\x98\x80"), "'\xE5\x8D\x95 \xF0\x9F\x98\x80'"},
        {BYTES("\xBF\x27"), "'\xBF\\''"}, /* no character set but utf8mb4 */
        {BYTES("'; DROP TABLE t; --"), "'\\'; DROP TABLE t; --'"},
    };
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buf_reset(&out);
        buf_add_text(&out, "x=");
        sql_put_text(&out, cases[i].text, cases[i].len);
        assert_int_equal(out.len, 2 + strlen(cases[i].sql));
        assert_string_equal(out.data + 2, cases[i].sql);
    }
    buf_free(&out);
}

/* No backslash is left, whatever there was, and every quote inside is doubled: so both ways to read it agree.
 */
static void test_portable_text(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *sql;
    } cases[] = {
        {BYTES(""), "''"},
        {BYTES("\xE5\x8D\x95\xE6\x8D\xAE \"no\""), "'\xE5\x8D\x95\xE6\x8D\xAE \"no\"'"},
        {BYTES("O'Neil"), "'O''Neil'"},
        {BYTES("'"), "''''"},
        {BYTES("\\"), "'/'"},
        {BYTES("\\'; DROP TABLE t; --"), "'/''; DROP TABLE t; --'"},
        {BYTES("a\nb\tc\0d\x1A\x7F"), "'a b c d  '"},
    };
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buf_reset(&out);
        sql_put_portable_text(&out, cases[i].text, cases[i].len);
        assert_string_equal(out.data, cases[i].sql);
    }
    buf_free(&out);
}

/* Up to the very limit; beyond it nothing is written, and it shows. */
static void test_limit(void **state)
{
    struct buf out;

    (void)state;
    for (size_t max = 5; max < 16; max++) {
        buf_init(&out, max);
        sql_put_text(&out, BYTES("abc\n'def")); /* 12 bytes */
        assert_int_equal(out.overflowed, max < 12);
        assert_string_equal(out.data, max < 12 ? "" : "'abc\\n\\'def'");
        buf_free(&out);
    }
    buf_init(&out, 12);
    buf_add_text(&out, "0123456");
    sql_put_text(&out, BYTES("abc"));
    assert_string_equal(out.data, "0123456'abc'");
    assert_false(out.overflowed);
    sql_put_text(&out, BYTES(""));
    assert_true(out.overflowed);
    assert_int_equal(out.len, 12);
    buf_free(&out);
}

static void test_names(void **state)
{
    static const struct {
        const char *name, *as_name, *as_table;
    } cases[] = {
        {"t", "`t`", "`t`"},
        {"order", "`order`", "`order`"},
        {"a`b", "`a``b`", "`a``b`"},
        {"db.t", "`db.t`", "`db`.`t`"},
        {"d`b.t`", "`d``b.t```", "`d``b`.`t```"},
        {"\xE5\x8D\x95", "`\xE5\x8D\x95`", "`\xE5\x8D\x95`"},
    };
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buf_reset(&out);
        sql_put_name(&out, cases[i].name);
        assert_string_equal(out.data, cases[i].as_name);
        buf_reset(&out);
        sql_put_table(&out, cases[i].name);
        assert_string_equal(out.data, cases[i].as_table);
    }
    buf_reset(&out);
    sql_put_names(&out, (const char *const[]){"a", "b`", "c"}, 3);
    assert_string_equal(out.data, "`a`,`b```,`c`");
    buf_reset(&out);
    sql_put_names(&out, NULL, 0);
    assert_string_equal(out.data, "");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_portable_text),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
