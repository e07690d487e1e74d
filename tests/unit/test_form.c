#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/base/buf.h"
#include "common/http/form.h"

static void encodes(void **state)
{
    static const struct {
        const char *value, *text;
    } cases[] = {
        {"plain-._~09azAZ", "plain-._~09azAZ"},
        {"a b", "a+b"},
        {"a+b&c=d%", "a%2Bb%26c%3Dd%25"},
        {"{\"so_ids\":[\"测试-1\"]}", "%7B%22so_ids%22%3A%5B%22%E6%B5%8B%E8%AF%95-1%22%5D%7D"},
        {"\n\x7f", "%0A%7F"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct form form;
        struct buf out;
        form_init(&form);
        buf_init(&out, 1024);
        form_put(&form, "v", cases[i].value);
        form_encode(&form, &out);
        assert_string_equal(out.data + 2, cases[i].text);
        buf_free(&out);
        form_free(&form);
    }
}

static void keeps_order_and_leaves_out_what_is_empty(void **state)
{
    struct form form;
    struct buf out;
    (void)state;

    form_init(&form);
    buf_init(&out, 1024);
    form_put(&form, "z", "1");
    form_put(&form, "empty", "");
    form_put(&form, "null", NULL);
    form_put_int(&form, "a", -1785312000);
    form_encode(&form, &out);
    assert_string_equal(out.data, "z=1&a=-1785312000");
    assert_string_equal(form_get(&form, "a"), "-1785312000");
    assert_null(form_get(&form, "empty"));
    buf_free(&out);
    form_free(&form);
    assert_int_equal(form.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes),
        cmocka_unit_test(keeps_order_and_leaves_out_what_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
