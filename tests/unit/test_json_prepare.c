#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/json/scan.h"

/* Runs the pre-pass over a copy that ends where its memory ends. */
static int prepare(const char *text, size_t len, struct buf *out, struct err *err)
{
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    int result = json_prepare(copy, len, out, NULL, err);
    free(copy);
    return result;
}

#define M "\"\xFF" /* what stands before a number */

static void numbers_are_quoted(void **state)
{
    static const struct {
        const char *text, *out;
    } cases[] = {
        {"0", M "0\""},
        {"-0", M "-0\""},
        {" 7 ", " " M "7\" "},
        {"-12.50", M "-12.50\""},
        {"1e5", M "1e5\""},
        {"1E+05", M "1E+05\""},
        {"0.0e-0", M "0.0e-0\""},
        {"9007199254740993", M "9007199254740993\""},
        {"1234567890123456789012345678901234567890.123", M "1234567890123456789012345678901234567890.123\""},
        {"[1,2,[3],{\"a\":4,\"5\":6}]", "[" M "1\"," M "2\",[" M "3\"],{\"a\":" M "4\",\"5\":" M "6\"}]"},
        {"[ 1 , 2\n]", "[ " M "1\" , " M "2\"\n]"},
        {"{}", "{}"},
        {"[]", "[]"},
        {"[ ]", "[ ]"},
        {"[[],{}]", "[[],{}]"},
        {"true", "true"},
        {"[false,null]", "[false,null]"},
        {"\"\"", "\"\""},
        {"\"1,2,\\\"3\\\":4\\\\\"", "\"1,2,\\\"3\\\":4\\\\\""},
        {"{\"12\":\"34\",\"a\\\"5\":\"[6]\"}", "{\"12\":\"34\",\"a\\\"5\":\"[6]\"}"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u4f9B\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u4f9B\""},
        {"\"\\ud83d\\uDE00\"", "\"\\ud83d\\uDE00\""},
        {"\"供应商 é 😀 \x7F\"", "\"供应商 é 😀 \x7F\""},
        {"\"\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF4\x8F\xBF\xBF\xC2\x80\xE0\xA0\x80\xF0\x90\x80\x80\"",
         "\"\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF4\x8F\xBF\xBF\xC2\x80\xE0\xA0\x80\xF0\x90\x80\x80\""},
        {"\t\r\n {\"a\" : 1 }\n", "\t\r\n {\"a\" : " M "1\" }\n"},
    };
    struct buf out;
    struct err err = ERR_INIT;

    (void)state;
    buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(prepare(cases[i].text, strlen(cases[i].text), &out, &err), 0);
        assert_string_equal(out.data, cases[i].out);
        assert_int_equal(out.len, strlen(cases[i].out));
    }
    buf_free(&out);
}

static const struct {
    const char *text;
    size_t at;
    const char *why;
} broken[] = {
    {"", 0, "empty"},
    {" \n ", 3, "where a value is expected"},
    /* numbers */
    {"01", 0, "number"},
    {"-01", 0, "number"},
    {"00", 0, "number"},
    {"1.", 0, "number"},
    {"[1.]", 1, "number"},
    {"1.e5", 0, "number"},
    {".5", 0, "value"},
    {"-", 0, "number"},
    {"-a", 0, "number"},
    {"-.5", 0, "number"},
    {"1e", 0, "number"},
    {"1e+", 0, "number"},
    {"1e5.5", 0, "number"},
    {"+1", 0, "value"},
    {"1.2.3", 0, "number"},
    {"0x1F", 0, "number"},
    {"1a", 0, "number"},
    {"1\"a\"", 0, "number"},
    {"NaN", 0, "value"},
    {"-Infinity", 0, "number"},
    {"{\"a\":1_000}", 5, "number"},
    /* literals */
    {"True", 0, "value"},
    {"nul", 0, "value"},
    {"nulll", 0, "value"},
    {"truefalse", 0, "value"},
    {"[true1]", 1, "value"},
    {"undefined", 0, "value"},
    {"'a'", 0, "value"},
    /* grammar */
    {"[1,]", 3, "value"},
    {"[,1]", 1, "value"},
    {"[1,,2]", 3, "value"},
    {"[1 2]", 3, "comma"},
    {"[1:2]", 1, "number"},
    {"[\"a\":2]", 4, "comma"},
    {"[1}", 2, "comma"},
    {"{\"a\":1]", 6, "comma"},
    {"{\"a\":1,}", 7, "name"},
    {"{,}", 1, "name"},
    {"{1:2}", 1, "name"},
    {"{a:2}", 1, "name"},
    {"{\"a\"}", 4, "colon"},
    {"{\"a\",1}", 4, "colon"},
    {"{\"a\":}", 5, "value"},
    {"{\"a\" 1}", 5, "colon"},
    {"{\"a\":1 \"b\":2}", 7, "comma"},
    {"[", 1, "where a value is expected"},
    {"{", 1, "name"},
    {"[1", 2, "within an object or array"},
    {"{\"a\":[1]", 8, "within an object or array"},
    {"{\"a\"", 4, "colon"},
    {"{\"a\":1,", 7, "name"},
    {"]", 0, "value"},
    {"[]]", 2, "follows"},
    {"{} {}", 3, "follows"},
    {"1 2", 2, "follows"},
    {"[1]x", 3, "follows"},
    {"[1] // c", 4, "follows"},
    {"/* c */ 1", 0, "value"},
    /* strings */
    {"\"abc", 4, "within a string"},
    {"\"abc\\", 5, "within a string"},
    {"\"abc\\\"", 6, "within a string"},
    {"\"a\nb\"", 2, "control"},
    {"\"a\tb\"", 2, "control"},
    {"\"eight by\x1F\"", 9, "control"},
    {"{\"a\x01\":1}", 3, "control"},
    {"\"\\x41\"", 1, "escape"},
    {"\"\\a\"", 1, "escape"},
    {"\"\\U0041\"", 1, "escape"},
    {"\"\\u12\"", 1, "hexadecimal"},
    {"\"\\u12G4\"", 1, "hexadecimal"},
    {"\"\\u", 1, "hexadecimal"},
    {"\"\\u0000\"", 1, "NUL"},
    {"\"ab\\u0000cd\"", 3, "NUL"},
    {"\"\\ud83d\"", 1, "surrogate"},
    {"\"\\ud83dx\"", 1, "surrogate"},
    {"\"\\ud83d\\n\"", 1, "surrogate"},
    {"\"\\ud83d\\ud83d\"", 1, "surrogate"},
    {"\"\\ud83d\\u0041\"", 1, "surrogate"},
    {"\"\\ud83d\\ude0\"", 1, "surrogate"},
    {"\"\\ude00\"", 1, "surrogate"},
    {"\"\\ude00\\ud83d\"", 1, "surrogate"},
    /* UTF-8 */
    {"\"\xFF\"", 1, "UTF-8"},
    {"\"\xFF"
     "12\"",
     1, "UTF-8"},
    {"\"\xFE\"", 1, "UTF-8"},
    {"\"\x80\"", 1, "UTF-8"},
    {"\"a\xBF\"", 2, "UTF-8"},
    {"\"\xC3\"", 1, "UTF-8"},
    {"\"\xC3", 1, "UTF-8"},
    {"\"\xC0\x80\"", 1, "UTF-8"},
    {"\"\xC1\xBF\"", 1, "UTF-8"},
    {"\"\xE0\x9F\xBF\"", 1, "UTF-8"},
    {"\"\xED\xA0\x80\"", 1, "UTF-8"},
    {"\"\xED\xB0\x80\"", 1, "UTF-8"},
    {"\"\xE4\xBE\"", 1, "UTF-8"},
    {"\"\xE4\xBE\x9B\xE4\"", 4, "UTF-8"},
    {"\"\xE4\xBEx\"", 1, "UTF-8"},
    {"\"\xF0\x8F\xBF\xBF\"", 1, "UTF-8"},
    {"\"\xF0\x9F\x98\"", 1, "UTF-8"},
    {"\"\xF0\x9F\x98x\"", 1, "UTF-8"},
    {"\"\xF4\x90\x80\x80\"", 1, "UTF-8"},
    {"\"\xE4\xBE", 1, "UTF-8"},
    {"\"\xF0\x9F\x98", 1, "UTF-8"},
    {"\"\xF5\x80\x80\x80\"", 1, "UTF-8"},
    {"\"eight by\xC0\xAF\"", 9, "UTF-8"},
    {"\xE4\xBE\x9B", 0, "value"},
    {"\xEF\xBB\xBF{}", 0, "byte order mark"},
    {"\xC2\xA0{}", 0, "value"},
    {"\f{}", 0, "value"},
    {"[1\v]", 1, "number"},
};

static void broken_texts_are_refused(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct err err = ERR_INIT;
        char place[32];
        if (prepare(broken[i].text, strlen(broken[i].text), &out, &err) == 0)
            fail_msg("accepted: %s", broken[i].text);
        assert_int_equal(err.kind, ERR_REJECT);
        snprintf(place, sizeof place, "byte %zu: ", broken[i].at);
        if (strncmp(err.text, place, strlen(place)) != 0 || strstr(err.text, broken[i].why) == NULL)
            fail_msg("%s: \"%s\", expected %s%s", broken[i].text, err.text, place, broken[i].why);
    }
    buf_free(&out);
}

static void raw_nul_is_refused(void **state)
{
    static const struct {
        char text[8];
        size_t len;
    } cases[] = {{"\"a\0b\"", 5}, {"1\0", 2}, {"\0", 1}, {"[1]\0", 4}, {"[\0]", 3}};
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(prepare(cases[i].text, cases[i].len, &out, NULL), -1);
    assert_int_equal(json_prepare(NULL, 0, &out, NULL, NULL), -1);
    buf_free(&out);
}

/* `depth` times the opening and closing text. */
static int prepare_nested(size_t depth, const char *open, char close, struct err *err)
{
    struct buf text, out;

    buf_init(&text, 4096);
    buf_init(&out, 4096);
    for (size_t i = 0; i < depth; i++)
        buf_add_text(&text, open);
    buf_add_char(&text, '1');
    for (size_t i = 0; i < depth; i++)
        buf_add_char(&text, close);
    int result = prepare(text.data, text.len, &out, err);
    buf_free(&text);
    buf_free(&out);
    return result;
}

static void depth_is_64(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    for (size_t depth = 63; depth <= 65; depth++) {
        assert_int_equal(prepare_nested(depth, "[", ']', &err), depth <= 64 ? 0 : -1);
        assert_int_equal(prepare_nested(depth, "{\"a\":", '}', &err), depth <= 64 ? 0 : -1);
    }
    assert_string_equal(err.text, "byte 320: nested deeper than 64");
}

/* Every special byte at every place of a word, so that the fast path sees all of them. */
static void every_place_in_a_word(void **state)
{
    static const struct {
        const char *bytes;
        int result;
    } cases[] = {{"\\\"", 0}, {"\x1F", -1}, {"\xFF", -1}, {"é", 0},
                 {"\x7F", 0}, {"!#[]", 0},  {"\xC3", -1}, {" ", 0}};
    struct buf out;
    char text[64];

    (void)state;
    buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int before = 0; before < 20; before++) {
            snprintf(text, sizeof text, "\"%.*s%s%s\"", before, "abcdefghijklmnopqrstuvwxyz", cases[i].bytes,
                     "0123456789ab");
            assert_int_equal(prepare(text, strlen(text), &out, NULL), cases[i].result);
            if (cases[i].result == 0)
                assert_string_equal(out.data, text);
        }
    }
    buf_free(&out);
}

static void containers_in_opening_order(void **state)
{
    static const char text[] = " {\"a\":[1,{}, [ ] ],\"[\":\"{\",\"b\":{\"c\":[\"]\"]}} ";
    static const char *const spans[] = {
        "{\"a\":[1,{}, [ ] ],\"[\":\"{\",\"b\":{\"c\":[\"]\"]}}",
        "[1,{}, [ ] ]",
        "{}",
        "[ ]",
        "{\"c\":[\"]\"]}",
        "[\"]\"]",
    };
    struct span_list list = {0};
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(json_prepare(text, sizeof text - 1, &out, &list, NULL), 0);
        assert_int_equal(list.count, 6);
        for (size_t i = 0; i < list.count; i++) {
            assert_int_equal(list.list[i].len, strlen(spans[i]));
            assert_memory_equal(list.list[i].at, spans[i], list.list[i].len);
        }
    }
    assert_int_equal(json_prepare("7", 1, &out, &list, NULL), 0);
    assert_int_equal(list.count, 0);
    span_list_free(&list);
    assert_null(list.list);
    buf_free(&out);
}

static void the_limit_holds(void **state)
{
    struct buf text, out;
    struct err err = ERR_INIT;

    (void)state;
    buf_init(&text, 4096);
    buf_add_char(&text, '[');
    for (size_t i = 0; i < 1000; i++)
        buf_add_text(&text, &",1"[i > 0 ? 0 : 1]);
    buf_add_char(&text, ']');
    buf_init(&out, 5000);
    assert_int_equal(json_prepare(text.data, text.len, &out, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_REJECT);
    assert_non_null(strstr(err.text, "too large"));
    buf_free(&out);
    buf_init(&out, 5001); /* 1000 numbers of four bytes, 999 commas, two brackets */
    assert_int_equal(json_prepare(text.data, text.len, &out, NULL, &err), 0);
    assert_int_equal(out.len, 5001);
    assert_int_equal(strlen(out.data), 5001);
    assert_false(out.overflowed);
    buf_free(&out);
    buf_init(&out, 8);
    assert_int_equal(json_prepare("\"1234567\"", 9, &out, NULL, &err), -1);
    assert_int_equal(json_prepare("\"\"", 2, &out, NULL, &err), 0);
    assert_false(out.overflowed);
    assert_int_equal(json_prepare("\"123456\"", 8, &out, NULL, &err), 0);
    assert_string_equal(out.data, "\"123456\"");
    assert_false(out.overflowed);
    buf_free(&out);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_quoted),    cmocka_unit_test(broken_texts_are_refused),
        cmocka_unit_test(raw_nul_is_refused),    cmocka_unit_test(depth_is_64),
        cmocka_unit_test(every_place_in_a_word), cmocka_unit_test(containers_in_opening_order),
        cmocka_unit_test(the_limit_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
