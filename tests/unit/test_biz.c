#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/base/clock.h"
#include "extractor/api/query.h"
#include "tests/unit/extractor_twins.h"

#define STATUSES                                                                                             \
    "\"statuss\":[\"WaitConfirm\",\"Confirmed\",\"Cancelled\",\"Delete\",\"Archive\",\"OuterConfirming\"]"
#define WINDOW "\"modified_begin\":\"2026-08-13 11:05:00\",\"modified_end\":\"2026-08-14 00:00:00\""

static struct biz sample(void)
{
    struct biz biz = {.page = 7, .page_size = 50};

    assert_int_equal(beijing_parse("2026-08-13 11:05:00", &biz.window.begin_s), 0);
    assert_int_equal(beijing_parse("2026-08-14 00:00:00", &biz.window.end_s), 0);
    assert_int_equal(beijing_parse("2026-08-14 00:01:00", &biz.now_s), 0);
    return biz;
}

static void check(const char *request, const char *text)
{
    struct pipeline *p = twin_pipeline(request, "");
    struct biz biz = sample();
    struct err err = ERR_INIT;
    struct buf out;

    assert_non_null(p);
    buf_init(&out, 100000);
    assert_int_equal(biz_write(p, &biz, &out, &err), 0);
    assert_string_equal(out.data, text);
    buf_free(&out);
    pipeline_free(p);
}

static void the_case(void **state)
{
    (void)state;
    check(WINDOW_REQUEST, "{\"page_index\":7,\"page_size\":50," WINDOW "," STATUSES "}");
}

/* Whatever a template says: the window is the slice's, and what is missing is added. */
static void window_fields_are_the_slice(void **state)
{
    (void)state;
    check("{\"field\":\"modified_begin\",\"type\":\"string\",\"value\":\"{{DAYS_AGO_2|datetime}}\"},"
          "{\"field\":\"modified_end\",\"type\":\"string\",\"value\":\"{{CURRENT_TIME|date}}\"}",
          "{" WINDOW ",\"page_index\":7,\"page_size\":50," STATUSES "}");
}

static void statuses_that_are_named_stay(void **state)
{
    (void)state;
    check(WINDOW_REQUEST ",{\"field\":\"statuss\",\"type\":\"array\",\"value\":\"Confirmed,Delete\"}",
          "{\"page_index\":7,\"page_size\":50," WINDOW ",\"statuss\":[\"Confirmed\",\"Delete\"]}");
    /* named, but empty: absent would mean Confirmed only */
    check(WINDOW_REQUEST ",{\"field\":\"statuss\",\"type\":\"array\",\"value\":\"\"}",
          "{\"page_index\":7,\"page_size\":50," WINDOW "," STATUSES "}");
}

static void values_and_types(void **state)
{
    static const struct {
        const char *field, *text;
    } cases[] = {
        {"\"type\":\"string\",\"value\":\"a\\\"b测\"", ",\"x\":\"a\\\"b测\""},
        {"\"type\":\"string\",\"value\":\"12\"", ",\"x\":\"12\""},
        {"\"type\":\"int\",\"value\":\"12\"", ",\"x\":12"},
        {"\"type\":\"int\",\"value\":\"12a\"", ",\"x\":\"12a\""},
        {"\"type\":\"bool\",\"value\":\"false\"", ",\"x\":false"},
        {"\"type\":\"array\",\"value\":\"[1,\\\"b\\\"]\"", ",\"x\":[1,\"b\"]"},
        {"\"type\":\"array\",\"value\":\"[1\"", ",\"x\":[\"[1\"]"},
        {"\"type\":\"int\",\"value\":3", ",\"x\":3"},
        {"\"type\":\"array\",\"value\":[1,2]", ",\"x\":[1,2]"},
        {"\"type\":\"string\",\"value\":\"\"", ""},
        {"\"type\":\"string\",\"value\":\"{{LAST_SYNC_TIME|datetime}}\"", ",\"x\":\"2026-08-13 11:05:00\""},
        {"\"type\":\"string\",\"value\":\"{{CURRENT_TIME|date}}\"", ",\"x\":\"2026-08-14\""},
        {"\"type\":\"int\",\"value\":\"{{CURRENT_TIME|timestamp}}\"", ",\"x\":1786636800"},
        {"\"type\":\"int\",\"value\":\"{{CURRENT_TIME|timestamp_ms}}\"", ",\"x\":1786636800000"},
        {"\"type\":\"int\",\"value\":\"{{CURRENT_TIME}}\"", ",\"x\":1786636800"},
        {"\"type\":\"string\",\"value\":\"from {{DAYS_AGO_2|datetime}}\"",
         ",\"x\":\"from 2026-08-12 00:01:00\""},
        {"\"type\":\"string\",\"value\":\"{PAGINATION_START_PAGE}/{PAGINATION_PAGE_SIZE}\"",
         ",\"x\":\"7/50\""},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *request = mem_printf(WINDOW_REQUEST ",{\"field\":\"x\",%s}", cases[i].field);
        char *text =
            mem_printf("{\"page_index\":7,\"page_size\":50," WINDOW "%s," STATUSES "}", cases[i].text);
        check(request, text);
        free(request);
        free(text);
    }
}

/* The pipeline's reader refuses these already; here they must not become a request all the same. */
static void what_cannot_be_filled_in(void **state)
{
    static const struct {
        char name[24], filter[12];
    } cases[] = {
        {"DAYS_AGO_x", "datetime"}, {"DAYS_AGO_", "date"}, {"io_id", "date"}, {"CURRENT_TIME", "fortnight"}};
    struct biz biz = sample();
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pipeline *p = twin_pipeline(
            WINDOW_REQUEST ",{\"field\":\"x\",\"type\":\"string\",\"value\":\"{{CURRENT_TIME|date}}\"}", "");
        struct template_part *part = &p->request.fields[4].value.parts[0];
        struct err err = ERR_INIT;
        struct buf out;
        free(part->text);
        part->text = mem_strdup(cases[i].name);
        free(part->filter);
        part->filter = mem_strdup(cases[i].filter);
        buf_init(&out, 100000);
        assert_int_equal(biz_write(p, &biz, &out, &err), -1);
        assert_int_equal(err.kind, ERR_CONFIG);
        buf_free(&out);
        pipeline_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_case),
        cmocka_unit_test(window_fields_are_the_slice),
        cmocka_unit_test(statuses_that_are_named_stay),
        cmocka_unit_test(values_and_types),
        cmocka_unit_test(what_cannot_be_filled_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
