#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/json/json.h"

static struct json_doc *doc;

static int setup(void **state)
{
    (void)state;
    doc = json_doc_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    json_doc_free(doc);
    return 0;
}

static const struct json_value *parse(const char *text)
{
    const struct json_value *v = NULL;
    struct err err = ERR_INIT;

    if (json_parse(doc, text, strlen(text), &v, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    return v;
}

static void scalars_keep_their_characters(void **state)
{
    static const struct {
        const char *json;
        enum json_type type;
        const char *text;
    } cases[] = {
        {"9007199254740993", JSON_NUMBER, "9007199254740993"},
        {"18446744073709551615", JSON_NUMBER, "18446744073709551615"},
        {"0.10", JSON_NUMBER, "0.10"},
        {"199.90", JSON_NUMBER, "199.90"},
        {"-0", JSON_NUMBER, "-0"},
        {"1E+400", JSON_NUMBER, "1E+400"},
        {" 2.0000 ", JSON_NUMBER, "2.0000"},
        {"\"2.0000\"", JSON_STRING, "2.0000"},
        {"\"\"", JSON_STRING, ""},
        {"\"a\\n\\\"\\\\\\/\\u00e9\\ud83d\\ude00\"", JSON_STRING, "a\n\"\\/é😀"},
        {"\"供应商😀\"", JSON_STRING, "供应商😀"},
        {"true", JSON_TRUE, NULL},
        {"false", JSON_FALSE, NULL},
        {"null", JSON_NULL, NULL},
        {"[]", JSON_ARRAY, NULL},
        {"{}", JSON_OBJECT, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct json_value *v = parse(cases[i].json);
        assert_int_equal(json_type(v), cases[i].type);
        if (cases[i].text == NULL)
            assert_null(json_text(v));
        else
            assert_string_equal(json_text(v), cases[i].text);
    }
    assert_int_equal(json_type(NULL), JSON_NULL);
    assert_null(json_text(NULL));
}

static void members_with_case(void **state)
{
    const struct json_value *v = parse("{\"id\":1,\"ID\":\"2\",\"\\u0061b\":{\"x\":[7,null]},\"\":false}");

    (void)state;
    assert_int_equal(json_count(v), 4);
    assert_string_equal(json_text(json_member(v, "id")), "1");
    assert_string_equal(json_text(json_member(v, "ID")), "2");
    assert_int_equal(json_type(json_member(v, "ID")), JSON_STRING);
    assert_null(json_member(v, "Id"));
    assert_null(json_member(v, "i"));
    assert_int_equal(json_type(json_member(v, "")), JSON_FALSE);
    const struct json_value *list = json_member(json_member(v, "ab"), "x");
    assert_int_equal(json_count(list), 2);
    assert_string_equal(json_text(json_first(list)), "7");
    assert_int_equal(json_type(json_next(json_first(list))), JSON_NULL);
    assert_null(json_next(json_next(json_first(list))));
    assert_null(json_member(list, "x"));
    assert_null(json_member(json_first(list), "x"));
    assert_null(json_member(NULL, "x"));
    assert_null(json_first(NULL));
    assert_null(json_next(NULL));
    assert_null(json_name(NULL));
    assert_null(json_name(json_first(list)));
    assert_string_equal(json_name(json_first(v)), "id");
    assert_string_equal(json_name(json_next(json_next(json_first(v)))), "ab");
    assert_int_equal(json_count(json_member(v, "id")), 0);
    assert_int_equal(json_count(NULL), 0);
    assert_null(json_first(parse("[]")));
    assert_null(json_first(parse("{}")));
}

static void assert_raw(const struct json_value *v, const char *text)
{
    const char *at = NULL;
    size_t len = 0;

    assert_true(json_raw(doc, v, &at, &len));
    assert_int_equal(len, strlen(text));
    assert_memory_equal(at, text, len);
}

static void raw_text_is_exact(void **state)
{
    const struct json_value *v =
        parse(" {\"a\":[ 1.0 ,{\"\\u0062\":0.10}, [] ],\"s\":\"[{\",\"c\":{ \"d\" : {}}} ");
    const char *at = "untouched";
    size_t len = 77;

    (void)state;
    assert_raw(v, "{\"a\":[ 1.0 ,{\"\\u0062\":0.10}, [] ],\"s\":\"[{\",\"c\":{ \"d\" : {}}}");
    const struct json_value *a = json_member(v, "a");
    assert_raw(a, "[ 1.0 ,{\"\\u0062\":0.10}, [] ]");
    assert_raw(json_next(json_first(a)), "{\"\\u0062\":0.10}");
    assert_raw(json_next(json_next(json_first(a))), "[]");
    assert_raw(json_member(v, "c"), "{ \"d\" : {}}");
    assert_raw(json_member(json_member(v, "c"), "d"), "{}");
    assert_false(json_raw(doc, json_member(v, "s"), &at, &len));
    assert_false(json_raw(doc, json_first(a), &at, &len));
    assert_false(json_raw(doc, NULL, &at, &len));
    assert_string_equal(at, "untouched");
    assert_int_equal(len, 77);
}

/* Scalars, containers, keys that need an escape: each is found where its text begins. */
static void offsets_are_found(void **state)
{
    static const char text[] = " {\"\\u0061\": [ 1.0 , \"ü\" ,{\"\":null}, [], true ],\n\"s\": \"[{\"} ";
    static const char *const elements[] = {"1.0 ,", "\"ü\"", "{\"\":null", "[], t", "true"};
    const struct json_value *v = parse(text);
    const struct json_value *list = json_member(v, "a");
    const struct json_value *e = json_first(list);

    (void)state;
    assert_int_equal(json_offset(doc, v), 1);
    assert_int_equal(json_offset(doc, list), strchr(text, '[') - text);
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++, e = json_next(e))
        assert_int_equal(json_offset(doc, e), strstr(text, elements[i]) - text);
    e = json_first(json_next(json_next(json_first(list))));
    assert_int_equal(json_offset(doc, e), strstr(text, "null") - text);
    assert_int_equal(json_offset(doc, json_member(v, "s")), strstr(text, "\"[{") - text);
    assert_string_equal(json_text(json_first(list)), "1.0");
    assert_int_equal(json_type(json_next(list)), JSON_STRING);

    v = parse("  7");
    assert_int_equal(json_offset(doc, v), 2);
    assert_int_equal(json_offset(doc, NULL), 0);
}

static void duplicate_keys_are_refused(void **state)
{
    static const struct {
        const char *json;
        const char *why; /* NULL: fine */
    } cases[] = {
        {"{\"a\":1,\"a\":1}", "byte 0: "},
        {"{\"a\":1,\"b\":2,\"\\u0061\":3}", "byte 0: "},
        {"{\"\":1,\"\":2}", "byte 0: "},
        {"[{\"a\":1},{\"b\":{\"x\":1,\"y\":2,\"x\":3}}]", "byte 14: "},
        {"{\"a_long_name_1\":1,\"a_long_name_2\":2,\"a_long_name_1\":3}", "byte 0: "},
        {"{\"a\":1,\"A\":1}", NULL},
        {"{\"a\":{\"a\":{\"a\":1}}}", NULL},
        {"[{\"a\":1},{\"a\":1}]", NULL},
        {"{\"abcdefgh\":1,\"abcdefghi\":2,\"abcdefg\":3}", NULL},
        {"{\"12345678\":{\"12345678\":1},\"2\":{\"12345678\":1}}", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct json_value *v = NULL;
        struct err err = ERR_INIT;
        int result = json_parse(doc, cases[i].json, strlen(cases[i].json), &v, &err);
        assert_int_equal(result, cases[i].why != NULL ? -1 : 0);
        if (cases[i].why != NULL) {
            assert_int_equal(err.kind, ERR_REJECT);
            assert_ptr_equal(strstr(err.text, cases[i].why), err.text);
            assert_null(v);
        }
    }
}

/* 100,000 members: a quadratic search would take minutes. */
static void many_members(void **state)
{
    struct buf text;
    const struct json_value *v;

    (void)state;
    buf_init(&text, 1 << 24);
    buf_add_char(&text, '{');
    for (int i = 0; i < 100000; i++)
        buf_printf(&text, "\"field_%d\":%d,", i, i);
    size_t stem = text.len;
    buf_add_text(&text, "\"last\":0}");
    assert_int_equal(json_parse(doc, text.data, text.len, &v, NULL), 0);
    assert_int_equal(json_count(v), 100001);
    assert_string_equal(json_text(json_member(v, "field_99999")), "99999");
    buf_cut(&text, stem);
    buf_add_text(&text, "\"field_50000\":0}");
    assert_int_equal(json_parse(doc, text.data, text.len, &v, NULL), -1);
    buf_free(&text);
}

static void broken_texts_leave_ret_alone(void **state)
{
    static const char *const cases[] = {"", "{", "[1,]", "01", "\"\\u0000\"", "\"\xFF!\"", "{} x", "{'a':1}"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct json_value *v = NULL;
        struct err err = ERR_INIT;
        assert_int_equal(json_parse(doc, cases[i], strlen(cases[i]), &v, &err), -1);
        assert_int_equal(err.kind, ERR_REJECT);
        assert_null(v);
    }
    assert_string_equal(json_text(parse("7")), "7");
}

static void nesting_to_64(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 1000);
    for (size_t depth = 64; depth <= 65; depth++) {
        const struct json_value *v = NULL;
        buf_reset(&text);
        for (size_t i = 0; i < depth; i++)
            buf_add_text(&text, "{\"a\":");
        buf_add_char(&text, '9');
        for (size_t i = 0; i < depth; i++)
            buf_add_char(&text, '}');
        assert_int_equal(json_parse(doc, text.data, text.len, &v, NULL), depth == 64 ? 0 : -1);
        for (size_t i = 0; i < depth && v != NULL; i++)
            v = json_member(v, "a");
        assert_true(depth == 65 ? v == NULL : strcmp(json_text(v), "9") == 0);
    }
    buf_free(&text);
}

/* Texts of all sizes one after the other, two documents at once: the arena is reused, nothing is mixed up. */
static void memory_is_reused(void **state)
{
    static const size_t sizes[] = {1, 1000, 300000, 3, 300000, 1200000, 10};
    struct json_doc *other = json_doc_new();
    const struct json_value *kept, *v;
    struct buf text;

    (void)state;
    assert_int_equal(json_parse(other, "{\"kept\":[1.50]}", 15, &kept, NULL), 0);
    buf_init(&text, 1 << 24);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        buf_reset(&text);
        buf_add_char(&text, '[');
        for (size_t n = 0; n < sizes[i]; n++)
            buf_printf(&text, "%zu,", n % 10);
        buf_add_text(&text, "-1]");
        assert_int_equal(json_parse(doc, text.data, text.len, &v, NULL), 0);
        assert_int_equal(json_count(v), sizes[i] + 1);
        v = json_first(v);
        for (size_t n = 0; n < sizes[i]; n++, v = json_next(v))
            assert_true(json_text(v)[0] == (char)('0' + n % 10) && json_text(v)[1] == '\0');
        assert_string_equal(json_text(v), "-1");
    }
    assert_string_equal(json_text(json_first(json_member(kept, "kept"))), "1.50");
    buf_free(&text);
    json_doc_free(other);
    json_doc_free(NULL);
}

/* The second text takes the memory of the first; a string larger than any piece of it still has room. */
static void memory_is_given_out_again(void **state)
{
    const struct json_value *first = parse("[1,2]");
    struct buf text;

    (void)state;
    assert_ptr_equal(parse("[3,4]"), first);
    buf_init(&text, 1 << 20);
    buf_add_text(&text, "[1");
    for (int i = 0; i < 2000; i++) /* more than one piece, and less than the string */
        buf_add_text(&text, ",2");
    buf_add_char(&text, ']');
    assert_int_equal(json_count(parse(text.data)), 2001);
    buf_reset(&text);
    buf_add_char(&text, '"');
    for (int i = 0; i < 20000; i++)
        buf_add_text(&text, "0123456789");
    buf_add_char(&text, '"');
    const char *read = json_text(parse(text.data));
    assert_int_equal(strlen(read), 200000);
    assert_memory_equal(read, text.data + 1, 200000);
    buf_free(&text);
}

static void strings_are_written(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *json;
    } cases[] = {
        {"", 0, "\"\""},
        {"abc", 3, "\"abc\""},
        {"a plain text of more than eight bytes", 37, "\"a plain text of more than eight bytes\""},
        {"\"", 1, "\"\\\"\""},
        {"\\", 1, "\"\\\\\""},
        {"a/b\x7F", 4, "\"a/b\x7F\""},
        {"\b\t\n\f\r", 5, "\"\\b\\t\\n\\f\\r\""},
        {"\x01\x1F\v", 3, "\"\\u0001\\u001f\\u000b\""},
        {"a\0b", 3, "\"a\\u0000b\""},
        {"供应商😀\"é\n", 17, "\"供应商😀\\\"é\\n\""},
        {"1234567\"1234567\\12345678\n", 25, "\"1234567\\\"1234567\\\\12345678\\n\""},
        {NULL, 0, "\"\""},
    };
    struct buf out;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buf_init(&out, 100);
        buf_add_text(&out, "x");
        json_put_string(&out, cases[i].text, cases[i].len);
        assert_string_equal(out.data + 1, cases[i].json);
        if (strlen(cases[i].json) > 2 && strlen(cases[i].text) == cases[i].len) { /* reads back */
            const struct json_value *v = parse(out.data + 1);
            assert_string_equal(json_text(v), cases[i].text);
        }
        buf_free(&out);
    }
}

static void a_full_buffer_takes_no_half_string(void **state)
{
    struct buf out;

    (void)state;
    for (size_t max = 0; max < 20; max++) {
        buf_init(&out, max);
        buf_add_text(&out, "ab");
        size_t before = out.len;
        json_put_string(&out, "12345678\n1234567", 16);
        assert_true(out.overflowed);
        assert_int_equal(out.len, before);
        buf_free(&out);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scalars_keep_their_characters),
        TEST(members_with_case),
        TEST(raw_text_is_exact),
        TEST(offsets_are_found),
        TEST(duplicate_keys_are_refused),
        TEST(many_members),
        TEST(broken_texts_leave_ret_alone),
        TEST(nesting_to_64),
        TEST(memory_is_reused),
        TEST(memory_is_given_out_again),
        TEST(strings_are_written),
        TEST(a_full_buffer_takes_no_half_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
