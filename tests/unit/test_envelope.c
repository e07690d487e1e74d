#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/wire/envelope.h"

#define DOCUMENT                                                                                             \
    "{\"io_id\":100,\"ts\":1491926160718000123,\"po_id\":200,\"so_id\":\"EXT-1\",\"supplier_id\":8,"         \
    "\"supplier_name\":\"供应商\",\"wms_co_id\":10,\"warehouse\":\"主仓\",\"status\":\"Confirmed\","    \
    "\"io_date\":\"2026-08-13 11:00:00\",\"modified\":\"2026-08-13 11:05:00\",\"type\":\"采购入库\","    \
    "\"tax_rate\":13.00,\"items\":[{\"ioi_id\":300,\"sku_id\":\"S1\",\"qty\":\"2.0000\","                    \
    "\"cost_price\":99.9900,\"cost_amount\":\"199.98\"}]}"

/* The example of the API reference. */
static const char sample[] =
    "{\"code\":0,\"msg\":\"\",\"data\":{\"page_index\":1,\"page_size\":50,\"data_count\":1,\"page_count\":1,"
    "\"has_next\":false,\"datas\":[\n " DOCUMENT "]}}";

struct expected {
    const char *body, *list_name;
    struct {
        int64_t code, data_count, page_count;
        int has_next, documents; /* -1: no list; -2: not even a null */
        const char *msg;
    } is;
};

static void check(const struct expected *x)
{
    struct envelope e;
    struct err err = ERR_INIT;
    size_t len = strlen(x->body);
    char *body = malloc(len > 0 ? len : 1); /* no NUL: a read too far is seen by the sanitizer */

    assert_non_null(body);
    memcpy(body, x->body, len);
    if (envelope_read(body, len, x->list_name, &e, &err) != 0)
        fail_msg("%s: %s", x->body, err.text);
    if (e.code != x->is.code || e.data_count != x->is.data_count || e.page_count != x->is.page_count ||
        e.has_next != x->is.has_next)
        fail_msg("%s: code %d, counts %d %d, has_next %d", x->body, (int)e.code, (int)e.data_count,
                 (int)e.page_count, e.has_next);
    assert_string_equal(e.msg, x->is.msg != NULL ? x->is.msg : "");
    assert_int_equal(e.has_list, x->is.documents >= -1);
    assert_int_equal(e.list.at != NULL, x->is.documents >= 0);
    assert_int_equal(e.documents, x->is.documents >= 0 ? x->is.documents : 0);
    free(body);
}

static const struct expected good[] = {
    {sample, NULL, {0, 1, 1, 0, 1, ""}},
    {sample, "datas", {0, 1, 1, 0, 1, ""}},
    {sample, "orders", {0, 1, 1, 0, -2, ""}},
    {" {\"code\":0,\"data\":{\"has_next\":true,\"datas\":[{},{}]}}\r\n", NULL, {0, -1, -1, 1, 2, ""}},
    /* counts in quotes, as 3.0, null, empty, or nonsense */
    {"{\"code\":\"0\",\"data\":{\"data_count\":\"123\",\"page_count\":\"3\",\"page_index\":\"2\","
     "\"has_next\":\"true\",\"datas\":[1]}}",
     NULL,
     {0, 123, 3, 1, 1, ""}},
    {"{\"code\":0.0,\"data\":{\"data_count\":3.0,\"page_count\":null,\"page_index\":\"\",\"has_next\":"
     "\"False\","
     "\"datas\":[]}}",
     NULL,
     {0, 3, -1, 0, 0, ""}},
    {"{\"code\":0,\"data\":{\"data_count\":-1,\"page_count\":1.5,\"page_index\":99999999999999999999,"
     "\"has_next\":null,\"datas\":[]}}",
     NULL,
     {0, -1, -1, -1, 0, ""}},
    {"{\"code\":0,\"data\":{\"data_count\":[],\"page_count\":{},\"page_index\":\"1x\",\"has_next\":2,"
     "\"datas\":[]}}",
     "datas",
     {0, -1, -1, -1, 0, ""}},
    {"{\"code\":0,\"data\":{\"page_count\":9223372036854775807,\"has_next\":1,\"datas\":[]}}",
     NULL,
     {0, -1, INT64_MAX, 1, 0, ""}},
    {"{\"code\":0,\"data\":{\"data_count\":-7,\"page_count\":9223372036854775808,\"datas\":[]}}",
     NULL,
     {0, -1, -1, -1, 0, ""}},
    /* of two members of one name, the first */
    {"{\"code\":0,\"code\":5,\"data\":{\"orders\":[1],\"orders\":[1,2]}}", "orders", {0, -1, -1, -1, 1, ""}},
    /* no documents */
    {"{\"code\":0,\"data\":{\"data_count\":0,\"datas\":null}}", NULL, {0, 0, -1, -1, -1, ""}},
    {"{\"code\":0,\"data\":{\"data_count\":0,\"orders\":null}}", "orders", {0, 0, -1, -1, -1, ""}},
    {"{\"code\":0,\"data\":{\"datas\":null,\"errors\":[1]}}", NULL, {0, -1, -1, -1, -1, ""}},
    {"{\"code\":0,\"data\":{\"datas\":[]}}", NULL, {0, -1, -1, -1, 0, ""}},
    {"{\"code\":0,\"data\":null}", NULL, {0, -1, -1, -1, -2, ""}},
    {"{\"code\":0,\"data\":{}}", "datas", {0, -1, -1, -1, -2, ""}},
    {"{\"code\":0,\"data\":{},\"errors\":[1]}", NULL, {0, -1, -1, -1, -2, ""}},
    {"{\"code\":0}", NULL, {0, -1, -1, -1, -2, ""}},
    /* other lists */
    {"{\"code\":0,\"data\":{\"orders\":[{},{},{}],\"page_index\":1}}", NULL, {0, -1, -1, -1, 3, ""}},
    {"{\"code\":0,\"data\":{\"x\":[1],\"orders\":[{},{}]}}", "orders", {0, -1, -1, -1, 2, ""}},
    {"{\"code\":0,\"data\":{\"x\":[1],\"datas\":[{},{}]}}", NULL, {0, -1, -1, -1, 2, ""}},
    {"{\"code\":0,\"data\":[{},{}]}", NULL, {0, -1, -1, -1, 2, ""}},
    {"{\"code\":0,\"data\":{\"has_next\":false},\"orders\":[{}]}", "orders", {0, -1, -1, 0, 1, ""}},
    /* everything at the top */
    {"{\"issuccess\":true,\"msg\":null,\"page_index\":2,\"page_count\":4,\"data_count\":70,\"has_next\":"
     "true,"
     "\"datas\":[{},{}]}",
     NULL,
     {0, 70, 4, 1, 2, ""}},
    {"{\"issuccess\":\"True\",\"code\":null,\"datas\":[{}]}", "datas", {0, -1, -1, -1, 1, ""}},
    /* failures: nothing else matters */
    {"{\"code\":199,\"msg\":\"调用频次超过限制\",\"data\":null}",
     NULL,
     {199, -1, -1, -1, -2, "调用频次超过限制"}},
    {"{\"msg\":\"\\u65e0\\u6548\\n\\\"\\ud83d\\ude00\\\"\",\"code\":\"10\"}",
     NULL,
     {10, -1, -1, -1, -2, "无效\n\"😀\""}},
    {"{\"code\":-5,\"msg\":\"\\u00e9\\ud83d\\u0000\\x\\u12\xFF.\",\"data\":{\"a\":[],\"b\":[]}}",
     NULL,
     {-5, -1, -1, -1, -2, "é??\\x?12?."}},
    {"{\"issuccess\":false,\"msg\":\"无权限\"}", NULL, {-1, -1, -1, -1, -2, "无权限"}},
    {"{\"issuccess\":false,\"code\":0,\"datas\":[]}", NULL, {-1, -1, -1, -1, -2, ""}},
    {"{\"issuccess\":false,\"code\":100}", NULL, {100, -1, -1, -1, -2, ""}},
    {"{\"issuccess\":true,\"code\":100}", NULL, {100, -1, -1, -1, -2, ""}},
    {"{\"code\":1,\"msg\":{\"a\":1}}", NULL, {1, -1, -1, -1, -2, ""}},
    /* documents however odd */
    {"{\"code\":0,\"data\":{\"datas\":[{\"n\":01.2.3,\"s\":\"\xFF\xC0\x01\",\"x\" "
     "\"y\",,},null,7,{\"a\":[nonsense]}]}}",
     NULL,
     {0, -1, -1, -1, 4, ""}},
    {"{\"code\":0,\"data\":{\"datas\":[{\"code\":5,\"datas\":[1,2],\"s\":\"]}]}\\\"\"}]}}",
     NULL,
     {0, -1, -1, -1, 1, ""}},
};

static void answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        check(&good[i]);
}

static void no_answers(void **state)
{
    static const struct {
        const char *body, *list_name;
        enum err_kind kind;
    } cases[] = {
        {"", NULL, ERR_RETRY},
        {"  \n", NULL, ERR_RETRY},
        {"<html><body>502 Bad Gateway</body></html>", NULL, ERR_RETRY},
        {"upstream connect error", NULL, ERR_RETRY},
        {"null", NULL, ERR_RETRY},
        {"[]", NULL, ERR_RETRY},
        {"[{\"code\":0}]", NULL, ERR_RETRY},
        {"\"code\"", NULL, ERR_RETRY},
        {"{}", NULL, ERR_RETRY},
        {"{\"data\":{\"code\":0,\"datas\":[]}}", NULL, ERR_RETRY},
        {"{\"code\":null}", NULL, ERR_RETRY},
        {"{\"code\":\"\"}", NULL, ERR_RETRY},
        {"{\"code\":\"ok\"}", NULL, ERR_RETRY},
        {"{\"code\":1.5}", NULL, ERR_RETRY},
        {"{\"code\":0.}", NULL, ERR_RETRY},
        {"{\"code\":-}", NULL, ERR_RETRY},
        {"{\"code\":99999999999999999999}", NULL, ERR_RETRY},
        {"{\"issuccess\":2}", NULL, ERR_RETRY},
        {"{\"code\":0} x", NULL, ERR_RETRY},
        {"{\"code\":0}{\"code\":0}", NULL, ERR_RETRY},
        {"{\"code\":0,}", NULL, ERR_RETRY},
        {"{\"code\":0 \"data\":{\"datas\":[]}}", NULL, ERR_RETRY},
        {"{\"code\":0,\"data\":{\"has_next\":false \"datas\":[1]}}", NULL, ERR_RETRY},
        {"{\"code\":0,\"data\":{\"datas\":[1,]}}", NULL, ERR_RETRY},
        {"{\"code\":0,\"data\":{\"datas\":[{} {}]}}", NULL, ERR_RETRY},
        {"{\"code\":0,\"data\":{\"datas\":{}}}", NULL, ERR_RETRY},
        {"{\"code\":0,\"data\":{\"datas\":\"\"}}", "datas", ERR_RETRY},
        {"{\"code\":0,\"data\":{\"a\":[],\"b\":[]}}", NULL, ERR_PAUSE},
        {"{\"code\":0,\"a\":[],\"b\":[]}", NULL, ERR_PAUSE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct envelope e = {.code = 77};
        struct err err = ERR_INIT;
        if (envelope_read(cases[i].body, strlen(cases[i].body), cases[i].list_name, &e, &err) == 0)
            fail_msg("accepted: %s", cases[i].body);
        assert_int_equal(err.kind, cases[i].kind);
        assert_int_equal(e.code, 77);
    }
    assert_int_equal(envelope_read(NULL, 0, NULL, &(struct envelope){0}, NULL), -1);
}

static void every_truncation_is_seen(void **state)
{
    struct envelope e;

    (void)state;
    for (size_t len = 0; len < sizeof sample - 1; len++) {
        struct err err = ERR_INIT;
        char *body = malloc(len > 0 ? len : 1);
        assert_non_null(body);
        memcpy(body, sample, len);
        assert_int_equal(envelope_read(body, len, NULL, &e, &err), -1);
        assert_int_equal(err.kind, ERR_RETRY);
        free(body);
    }
    assert_int_equal(envelope_read(sample, sizeof sample - 1, NULL, &e, NULL), 0);
}

static void the_list_is_the_text_itself(void **state)
{
    struct envelope e;

    (void)state;
    assert_int_equal(envelope_read(sample, sizeof sample - 1, NULL, &e, NULL), 0);
    assert_ptr_equal(e.list.at, strstr(sample, "[\n"));
    assert_int_equal(e.list.len, strlen("[\n " DOCUMENT "]"));
    struct scan_iter it = scan_open(e.list);
    assert_true(scan_next(&it));
    assert_int_equal(it.value.len, strlen(DOCUMENT));
    assert_memory_equal(it.value.at, DOCUMENT, it.value.len);
}

static void a_long_message_is_cut_on_a_character(void **state)
{
    struct envelope e;
    struct buf body;

    (void)state;
    buf_init(&body, 1000);
    buf_add_text(&body, "{\"code\":1,\"msg\":\"a");
    for (int i = 0; i < 100; i++)
        buf_add_text(&body, "频");
    buf_add_text(&body, "\"}");
    assert_int_equal(envelope_read(body.data, body.len, NULL, &e, NULL), 0);
    assert_int_equal(strlen(e.msg), 253); /* one byte and 84 characters; the next would end at 256 */
    assert_string_equal(e.msg + 250, "频");
    buf_free(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(no_answers),
        cmocka_unit_test(every_truncation_is_seen),
        cmocka_unit_test(the_list_is_the_text_itself),
        cmocka_unit_test(a_long_message_is_cut_on_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
