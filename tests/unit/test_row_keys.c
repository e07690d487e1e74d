/* Two rows of one document with the same key: the table would keep one of them, so the document is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "tests/unit/twins/twin_pipeline.h"
#include "transformer/map.h"

enum { MANY = 5000 };

static struct mapper *mapper;
static struct mapped mapped;
static struct err err;
static enum dead_class class;

static int set_up(void **state)
{
    (void)state;
    mapper = mapper_new();
    mapped_init(&mapped);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mapped_free(&mapped);
    mapper_free(mapper);
    return 0;
}

static int map_lines(const struct pipeline *p, const char *lines)
{
    struct buf document;

    buf_init(&document, 1 << 20);
    buf_printf(&document, "{\"io_id\":100,\"items\":[%s]}", lines);
    err_clear(&err);
    int rc = map_document(mapper, p, (struct span){document.data, document.len}, &mapped, &class, &err);
    buf_free(&document);
    return rc;
}

#define F(name, type, value) "{\"field\":\"" name "\",\"type\":\"" type "\",\"value\":\"" value "\"}"

/* A key of a number and a text, with a column that is not of it in between. */
static struct pipeline *two_column_key(void)
{
    return twin_pipeline(&(struct twin_spec){
        .fields = F("io_id", "int", "{io_id}") "," F("a", "int", "{items_a}") "," F(
            "qty", "int", "{items_qty}") "," F("b", "string", "{items_b}"),
        .sql = "REPLACE INTO t(io_id,a,qty,b) VALUES",
        .options = ",\"key\":[\"b\",\"a\"]",
    });
}

static void rows_of_one_key_are_refused(void **state)
{
    static const struct {
        const char *lines, *text;
    } cases[] = {
        {"{\"a\":1,\"b\":\"x\"},{\"a\":1,\"b\":\"x\"}", "rows 1 and 2 have the same key (b, a)"},
        {"{\"a\":1,\"b\":\"x\",\"qty\":1},{\"a\":1,\"b\":\"x\",\"qty\":2}", "rows 1 and 2"},
        {"{\"a\":1,\"b\":\"x\"},{\"a\":2,\"b\":\"x\"},{\"a\":2,\"b\":\"x\"}", "rows 2 and 3"},
        {"{\"a\":1,\"b\":\"x\"},{\"a\":2,\"b\":\"x\"},{\"a\":1,\"b\":\"x\"}", "rows 1 and 3"},
        {"{\"a\":1,\"b\":\"\"},{\"a\":1,\"b\":\"\"}", "rows 1 and 2"},          /* empty text is a value */
        {"{\"a\":1,\"b\":\"null\"},{\"a\":1,\"b\":\"null\"}", "rows 1 and 2"},  /* so is this text */
        {"{\"a\":10,\"b\":\"x\"},{\"a\":\"1e1\",\"b\":\"x\"}", "rows 1 and 2"}, /* one number */
        {"{\"a\":1,\"b\":\"\\u4e2d\"},{\"a\":1,\"b\":\"中\"}", "rows 1 and 2"}, /* one text */
    };
    struct pipeline *p = two_column_key();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (map_lines(p, cases[i].lines) == 0)
            fail_msg("accepted: %s", cases[i].lines);
        assert_int_equal(class, DEAD_CONVERT);
        assert_int_equal(err.kind, ERR_REJECT);
        if (strstr(err.text, cases[i].text) == NULL)
            fail_msg("%s: %s", cases[i].lines, err.text);
        assert_string_equal(mapped.key.data, "100"); /* the dead letter's key */
    }
    pipeline_free(p);
}

static void rows_of_different_keys_are_kept(void **state)
{
    static const char *const cases[] = {
        "{\"a\":1,\"b\":\"x\"}",
        "{\"a\":1,\"b\":\"x\"},{\"a\":2,\"b\":\"x\"},{\"a\":1,\"b\":\"y\"}",
        "{\"a\":1,\"b\":\"x\"},{\"a\":1,\"b\":\"X\"},{\"a\":1,\"b\":\"x \"}",
        "{\"a\":1,\"b\":\"12\"},{\"a\":11,\"b\":\"2\"}", /* joined they would be one text */
        "{\"a\":1,\"b\":null},{\"a\":1,\"b\":\"\"},{\"a\":1,\"b\":\"null\"}",
        "{\"a\":1,\"b\":null},{\"a\":1,\"b\":null}", /* NULL does not count: the loader refuses such rows */
        "{\"b\":\"x\"},{\"b\":\"x\"}",
    };
    struct pipeline *p = two_column_key();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (map_lines(p, cases[i]) != 0)
            fail_msg("%s: %s", cases[i], err.text);
    pipeline_free(p);
}

/* The key was forgotten: what would have been one row of three is a dead letter. */
static void a_key_that_is_the_same_on_each_line(void **state)
{
    struct pipeline *p = twin_pipeline(&(struct twin_spec){.options = ",\"key\":\"io_id\""});

    (void)state;
    assert_int_equal(map_lines(p, "{\"ioi_id\":1}"), 0);
    assert_int_equal(map_lines(p, "{\"ioi_id\":1},{\"ioi_id\":2}"), -1);
    assert_int_equal(class, DEAD_CONVERT);
    assert_non_null(strstr(err.text, "rows 1 and 2 have the same key (io_id)"));
    assert_int_equal(map_lines(p, "{\"ioi_id\":3}"), 0); /* nothing is remembered of another document */
    pipeline_free(p);
}

static void many_lines_are_compared_without_the_square(void **state)
{
    struct pipeline *p = twin_pipeline(&(struct twin_spec){.options = ""});
    struct buf lines;
    char text[64];

    (void)state;
    buf_init(&lines, 1 << 20);
    for (int i = 1; i <= MANY; i++)
        buf_printf(&lines, "%s{\"ioi_id\":%d}", i > 1 ? "," : "", i);
    assert_int_equal(map_lines(p, lines.data), 0);
    assert_int_equal(mapped.rows, MANY);
    buf_add_text(&lines, ",{\"ioi_id\":4321}");
    assert_int_equal(map_lines(p, lines.data), -1);
    snprintf(text, sizeof text, "rows 4321 and %d", MANY + 1);
    assert_non_null(strstr(err.text, text));
    buf_free(&lines);
    pipeline_free(p);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rows_of_one_key_are_refused),
        CASE(rows_of_different_keys_are_kept),
        CASE(a_key_that_is_the_same_on_each_line),
        CASE(many_lines_are_compared_without_the_square),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
