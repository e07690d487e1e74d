#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/json/scan.h"

static struct span span(const char *text)
{
    return (struct span){text, strlen(text)};
}

static void assert_span(struct span s, const char *text)
{
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.at, text, s.len);
}

/* A copy that ends where its memory ends, so that the sanitizer sees a read too far. */
static char *exact(const char *text, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    return copy;
}

static void values_are_found(void **state)
{
    static const struct {
        const char *text, *value;
        size_t used;
    } cases[] = {
        {"{}", "{}", 2},
        {" \t\r\n[1] x", "[1]", 7},
        {"\"a\\\"b\\\\\" ,", "\"a\\\"b\\\\\"", 8},
        {"{\"a\":\"]}\",\"b\":[{}]}]", "{\"a\":\"]}\",\"b\":[{}]}", 19},
        {"-1.5e3,2", "-1.5e3", 6},
        {"12", "12", 2},
        {"true}", "true", 4},
        {"01.2.3e]", "01.2.3e", 7},
        {"[1 2 : ,, nonsense \xFF\x01 1.2.3]", "[1 2 : ,, nonsense \xFF\x01 1.2.3]", 28},
        {"\"a long text which has more than eight bytes\"", "\"a long text which has more than eight bytes\"",
         45},
        {"\"\xFF\xFE raw \x01\"", "\"\xFF\xFE raw \x01\"", 10},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span s = {NULL, 0};
        size_t len = strlen(cases[i].text);
        char *text = exact(cases[i].text, len);
        assert_int_equal(scan_value(text, len, &s), cases[i].used);
        assert_span(s, cases[i].value);
        free(text);
    }
}

static void no_whole_value(void **state)
{
    static const char *const cases[] = {
        "",   "   ", "{",     "[",         "]",          "}",       ",",
        ":",  "\"",  "\"abc", "\"abc\\\"", "\"abc\\",    "[1,2",    "{\"a\":1",
        "[}", "{]",  "[{]}",  "[\"]",      "{\"a\":[1}", " [[[ ]]", "\"eight bytes and then some\\\"",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span s = {cases[i], 77};
        size_t len = strlen(cases[i]);
        char *text = exact(cases[i], len);
        assert_int_equal(scan_value(text, len, &s), 0);
        assert_int_equal(s.len, 77);
        free(text);
    }
}

static void depth_is_bounded(void **state)
{
    char text[2 * 513];
    struct span s;

    (void)state;
    for (size_t depth = 511; depth <= 513; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        assert_int_equal(scan_value(text, 2 * depth, &s), depth <= 512 ? 2 * depth : 0);
    }
}

static void kinds(void **state)
{
    static const struct {
        const char *text;
        enum scan_kind kind;
    } cases[] = {
        {"{}", SCAN_OBJECT},    {"[]", SCAN_ARRAY},  {"\"\"", SCAN_STRING}, {"-1", SCAN_NUMBER},
        {"7", SCAN_NUMBER},     {"true", SCAN_TRUE}, {"false", SCAN_FALSE}, {"null", SCAN_NULL},
        {"<html>", SCAN_OTHER}, {"", SCAN_OTHER},    {"+1", SCAN_OTHER},    {".5", SCAN_OTHER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(scan_kind(span(cases[i].text)), cases[i].kind);
}

/* Appends the walk as "key=value;…", and '!' when it is broken. */
static void walked(const char *text, struct buf *out)
{
    struct scan_iter it = scan_open(span(text));

    while (scan_next(&it)) {
        if (it.object)
            buf_printf(out, "%.*s=", (int)it.key.len, it.key.at);
        buf_printf(out, "%.*s;", (int)it.value.len, it.value.at);
    }
    assert_false(scan_next(&it));
    buf_add_text(out, it.broken ? "!" : "");
}

static void walks(void **state)
{
    static const struct {
        const char *text, *walk;
    } cases[] = {
        {"[]", ""},
        {"{ }", ""},
        {"[1,\"b\" , [2] ,{\"c\":3}]", "1;\"b\";[2];{\"c\":3};"},
        {"{\"a\":1, \"b\" : \"x\" ,\"a\\\"\":null,\"\":[ ]}", "a=1;b=\"x\";a\\\"=null;=[ ];"},
        {"[1.2.3,abc]", "1.2.3;abc;"},
        {"[1,]", "1;!"},
        {"[,1]", "!"},
        {"[1 2]", "1;!"},
        {"[1:2]", "1;!"},
        {"[1\"a\"]", "1;!"},
        {"[1", "1;!"},
        {"[", "!"},
        {"[1}", "1;!"},
        {"[1] 2", "1;!"},
        {"[1]  ", "1;"},
        {"{\"a\":1,}", "a=1;!"},
        {"{\"a\"}", "!"},
        {"{\"a\":}", "!"},
        {"{a:1}", "!"},
        {"{\"a\" 1}", "!"},
        {"{1:1}", "!"},
        {"{\"a", "!"},
        {"{\"a\"", "!"},
        {"{\"a\":1,,\"b\":2}", "a=1;!"},
        {"7", "!"},
        {"\"[1]\"", "!"},
        {"", "!"},
    };
    struct buf walk;

    (void)state;
    buf_init(&walk, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buf_reset(&walk);
        walked(cases[i].text, &walk);
        assert_string_equal(walk.data, cases[i].walk);
    }
    buf_free(&walk);
}

static void members(void **state)
{
    struct span object = span("{\"ab\":1,\"a\":\"x\",\"a\":2,\"A\":3,\"\\u0062\":4,\"n\":null}");
    struct span s = span("untouched");

    (void)state;
    assert_true(scan_member(object, "a", &s));
    assert_span(s, "\"x\"");
    assert_true(scan_member(object, "A", &s));
    assert_span(s, "3");
    assert_true(scan_member(object, "n", &s));
    assert_span(s, "null");
    assert_false(scan_member(object, "b", &s));
    assert_false(scan_member(object, "", &s));
    assert_false(scan_member(span("[\"a\",1]"), "", &s));
    assert_false(scan_member(span("1"), "a", &s));
    assert_span(s, "null");
}

static void scalars(void **state)
{
    (void)state;
    assert_span(scan_scalar(span("12.50")), "12.50");
    assert_span(scan_scalar(span("true")), "true");
    assert_span(scan_scalar(span("\"a\\nb\"")), "a\\nb");
    struct span empty = scan_scalar(span("\"\""));
    assert_non_null(empty.at);
    assert_int_equal(empty.len, 0);
    static const char *const none[] = {"null", "{\"a\":1}", "[1]"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_null(scan_scalar(span(none[i])).at);
        assert_int_equal(scan_scalar(span(none[i])).len, 0);
    }
    assert_true(span_is(span("abc"), "abc"));
    assert_false(span_is(span("abc"), "ab"));
    assert_false(span_is(span("ab"), "abc"));
    assert_true(span_is((struct span){NULL, 0}, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found),
        cmocka_unit_test(no_whole_value),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(kinds),
        cmocka_unit_test(walks),
        cmocka_unit_test(members),
        cmocka_unit_test(scalars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
