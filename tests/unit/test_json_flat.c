#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/json/flat.h"
#include "common/json/json.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

enum { COLUMNS_MAX = 64 };

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

/* A copy without a byte behind it, so that the sanitizer sees whoever reads on. */
static char *exact(const char *line, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, line, len);
    return copy;
}

static void same_as_json(const char *line, size_t len, const char *const *names, size_t count,
                         const struct flat_value *values)
{
    const struct json_value *object = NULL;
    const struct json_value *at = NULL;
    struct err err = ERR_INIT;

    if (json_parse(doc, line, len, &object, &err) != 0)
        fail_msg("taken for a plain row, but %s: %.*s", err.text, (int)len, line);
    assert_int_equal(json_type(object), JSON_OBJECT);
    assert_int_equal(json_count(object), count);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_text(json_member_near(object, names[i], &at));
        if (text == NULL) {
            assert_int_equal(values[i].len, FLAT_NULL);
            continue;
        }
        assert_int_equal(values[i].len, strlen(text));
        assert_memory_equal(line + values[i].at, text, values[i].len);
    }
}

/* Is the line plain? If so, json_parse() must take it, and tell the same texts. */
static bool is_plain(const char *line, size_t len, const char *const *names, size_t count)
{
    struct flat_names *n = flat_names_new(names, count);
    struct flat_value values[COLUMNS_MAX];
    char *copy = exact(line, len);
    bool plain = flat_read(copy, len, n, values) == 0;

    if (plain)
        same_as_json(copy, len, names, count, values);
    flat_names_free(n);
    free(copy);
    return plain;
}

static const char *const three[] = {"id", "supplier_name", "qty"};

static void a_row_of_the_transformer_is_plain(void **state)
{
    static const char *const lines[] = {
        "{\"id\":\"100-1\",\"supplier_name\":\"ab\",\"qty\":3}",
        "{\"id\":\"\",\"supplier_name\":null,\"qty\":null}",
        "{\"id\":1,\"supplier_name\":\"供应商😀 (é)\",\"qty\":-0.10}",
        "{\"id\":18446744073709551615,\"supplier_name\":\"a/b 'c' \x7F\",\"qty\":1E+400}",
        "{\"id\":0,\"supplier_name\":\"{,}:[]\",\"qty\":-1.5e-3}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++)
        assert_true(is_plain(lines[i], strlen(lines[i]), three, 3));
}

static void pieces_are_places_in_the_line(void **state)
{
    static const char line[] = "{\"id\":\"甲\",\"supplier_name\":null,\"qty\":25}";
    struct flat_names *n = flat_names_new(three, 3);
    struct flat_value v[3];

    (void)state;
    assert_int_equal(flat_read(line, strlen(line), n, v), 0);
    assert_int_equal(v[0].at, 7);
    assert_int_equal(v[0].len, 3);
    assert_int_equal(v[1].at, 0);
    assert_int_equal(v[1].len, FLAT_NULL);
    assert_memory_equal(line + v[2].at, "25", 2);
    assert_int_equal(v[2].len, 2);
    flat_names_free(n);
}

static void whatever_else_a_line_is_goes_to_json_parse(void **state)
{
    static const char *const lines[] = {
        "",
        "{",
        "{}",
        "[]",
        "{\"id\":1,\"supplier_name\":2}",
        "{\"id\":1,\"supplier_name\":2,\"qty\":3,\"more\":4}",
        "{\"supplier_name\":2,\"id\":1,\"qty\":3}",
        "{\"id\":1,\"id\":1,\"supplier_name\":2,\"qty\":3}",
        "{\"id\":1,\"supplier_name\":2,\"qty\":3,\"qty\":3}",
        "{\"ID\":1,\"supplier_name\":2,\"qty\":3}",
        "{ \"id\":1,\"supplier_name\":2,\"qty\":3}",
        "{\"id\": 1,\"supplier_name\":2,\"qty\":3}",
        "{\"id\":1 ,\"supplier_name\":2,\"qty\":3}",
        "{\"id\":1,\"supplier_name\":2,\"qty\":3 }",
        "{\"id\":1,\"supplier_name\":2,\"qty\":3} ",
        "{\"id\":1,\"supplier_name\":2,\"qty\":3}\n",
        "{\"id\":1,\"supplier_name\":2,\"qty\":3}{}",
        "{\"id\":1,\"supplier_name\":2,\"qty\":3,}",
        "{\"id\":true,\"supplier_name\":2,\"qty\":3}",
        "{\"id\":false,\"supplier_name\":2,\"qty\":3}",
        "{\"id\":nul,\"supplier_name\":2,\"qty\":3}",
        "{\"id\":nullx,\"supplier_name\":2,\"qty\":3}",
        "{\"id\":,\"supplier_name\":2,\"qty\":3}",
        "{\"id\":{},\"supplier_name\":2,\"qty\":3}",
        "{\"id\":[1],\"supplier_name\":2,\"qty\":3}",
        "{\"id\":01,\"supplier_name\":2,\"qty\":3}",
        "{\"id\":1.,\"supplier_name\":2,\"qty\":3}",
        "{\"id\":.1,\"supplier_name\":2,\"qty\":3}",
        "{\"id\":+1,\"supplier_name\":2,\"qty\":3}",
        "{\"id\":-,\"supplier_name\":2,\"qty\":3}",
        "{\"id\":1e,\"supplier_name\":2,\"qty\":3}",
        "{\"id\":0x1,\"supplier_name\":2,\"qty\":3}",
        "{\"id\":1,\"supplier_name\":\"a\\nb\",\"qty\":3}",
        "{\"id\":1,\"supplier_name\":\"a\\u0041\",\"qty\":3}",
        "{\"id\":1,\"supplier_name\":\"a\tb\",\"qty\":3}",
        "{\"id\":1,\"supplier_name\":\"a\x01\",\"qty\":3}",
        "{\"id\":1,\"supplier_name\":\"\xC0\x80\",\"qty\":3}",     /* overlong */
        "{\"id\":1,\"supplier_name\":\"\xED\xA0\x80\",\"qty\":3}", /* a surrogate */
        "{\"id\":1,\"supplier_name\":\"\xE4\xBE\",\"qty\":3}",     /* cut */
        "{\"id\":1,\"supplier_name\":\"\xF4\x90\x80\x80\",\"qty\":3}",
        "{\"id\":1,\"supplier_name\":\"\xFF"
        "1\",\"qty\":3}", /* the mark of the pre-pass */
        "{\"id\":1,\"supplier_name\":\"a,\"qty\":3}",
    };

    static const char nul[] = "{\"id\":1,\"supplier_name\":\"a\0b\",\"qty\":3}";

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++)
        if (is_plain(lines[i], strlen(lines[i]), three, 3))
            fail_msg("plain: %s", lines[i]);
    assert_false(is_plain(nul, sizeof nul - 1, three, 3));
}

static void no_beginning_of_a_row_is_plain(void **state)
{
    static const char line[] = "{\"id\":\"供应商\",\"supplier_name\":null,\"qty\":25.75e1}";

    (void)state;
    assert_true(is_plain(line, strlen(line), three, 3));
    for (size_t len = 0; len < strlen(line); len++)
        assert_false(is_plain(line, len, three, 3));
}

static void names_are_written_as_the_transformer_writes_them(void **state)
{
    static const char *const odd[] = {"a\"b", "数量", "c\\d", "", "e\x1F"};
    static const char line[] = "{\"a\\\"b\":1,\"数量\":2,\"c\\\\d\":3,\"\":4,\"e\\u001f\":5}";
    static const char *const twice[] = {"a", "a"};
    static const char *const foreign[] = {"a\xFF"};

    (void)state;
    assert_true(is_plain(line, strlen(line), odd, COUNT(odd)));
    assert_true(is_plain("{}", 2, NULL, 0));
    assert_false(is_plain("{\"a\":1}", 7, NULL, 0));
    assert_false(is_plain("{\"a\":1,\"a\":2}", 13, twice, 2));
    assert_false(is_plain("{\"a\xFF\":1}", 8, foreign, 1));
}

/* ------------------------------------------------------------------ rows at random */

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state ^= random_state << 13; /* xorshift32: the same rows in every run */
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % below;
}

static const char *pick(const char *const *list, size_t count)
{
    return list[draw((uint32_t)count)];
}

static void put_value(struct buf *out)
{
    static const char *const plain[] = {
        "null",
        "0",
        "-0",
        "12",
        "9007199254740993",
        "18446744073709551616",
        "0.10",
        "-1.5e-300",
        "1E+400",
        "\"\"",
        "\"a\"",
        "\"0123456\"",
        "\"01234567\"",
        "\"012345678\"",
        "\"供应商\"",
        "\"甲😀 é\"",
        "\"a供\"",
        "\"/,:{}[]'\"",
        "\"2026-11-24 10:00:00\"",
        "\"供应商供应商供应商 and some ASCII behind it\"",
    };
    static const char *const other[] = {
        "true",
        "false",
        "{}",
        "[1]",
        "01",
        "1.",
        "-",
        "1e",
        "\"a\\n\"",
        "\"\\u4f9b\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\xE4\xBE\"",
        "\"\xFF"
        "1\"",
        "\"\x01\"",
        "nul",
        "",
        "\"",
        " 1",
        "1 ",
        "\"\x7F\"",
    };

    buf_add_text(out, draw(64) == 0 ? pick(other, COUNT(other)) : pick(plain, COUNT(plain)));
}

/* A row of these names, now and then with a member that is missing, twice or elsewhere. */
static void put_row(struct buf *out, const char *const *names, size_t count)
{
    buf_reset(out);
    buf_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        size_t odd = draw(200);
        if (odd == 0)
            continue;
        if (out->len > 1)
            buf_add_char(out, ',');
        const char *name = odd == 1 ? names[draw((uint32_t)count)] : names[i];
        json_put_string(out, name, strlen(name));
        buf_add_char(out, ':');
        put_value(out);
    }
    buf_add_char(out, '}');
}

static void flip_a_bit(struct buf *line)
{
    line->data[draw((uint32_t)line->len)] ^= (char)(1U << draw(8));
}

static void what_is_plain_reads_as_json_parse_reads_it(void **state)
{
    static const char *const names[] = {"id", "io_id", "supplier_name", "a_rather_long_column_name",
                                        "q",  "数量",  "a\"b",          "modified"};
    struct buf line;
    size_t plain = 0;

    (void)state;
    random_state = 20261124;
    buf_init(&line, 1 << 16);
    for (int n = 0; n < 20000; n++) {
        size_t count = 1 + draw(COUNT(names));
        put_row(&line, names, count);
        plain += is_plain(line.data, line.len, names, count);
        flip_a_bit(&line);
        is_plain(line.data, line.len, names, count);
        is_plain(line.data, draw((uint32_t)line.len), names, count);
    }
    assert_in_range(plain, 10000, 20000);
    buf_free(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_of_the_transformer_is_plain),
        cmocka_unit_test(pieces_are_places_in_the_line),
        cmocka_unit_test(whatever_else_a_line_is_goes_to_json_parse),
        cmocka_unit_test(no_beginning_of_a_row_is_plain),
        cmocka_unit_test(names_are_written_as_the_transformer_writes_them),
        cmocka_unit_test(what_is_plain_reads_as_json_parse_reads_it),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
