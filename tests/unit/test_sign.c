#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/base/err.h"
#include "common/http/form.h"
#include "extractor/api/request.h"
#include "extractor/api/sign.h"

/* The vectors of the API reference. */
static const struct account account = {.app_key = "app", .app_secret = "secret"};
static const int64_t now_s = 1785312000;

static void check(struct form *form, const char *sign)
{
    assert_string_equal(form_get(form, "sign"), sign);
    form_free(form);
}

static void queries(void **state)
{
    static const struct {
        const char *biz, *sign;
    } cases[] = {
        {"{\"page_index\":1,\"page_size\":50}", "63b407c8cb9317b230c24ec1536f4fa2"},
        {"{\"page_index\":1,\"page_size\":50,\"so_ids\":[\"测试-1\"]}", "93cd65f1bb192f067b5a6aac303b2192"},
        {"{}", "d086da4e309870b961113800ceb7e3b7"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct form form;
        struct err err = ERR_INIT;
        assert_int_equal(request_query(&account, "token", cases[i].biz, now_s, &form, &err), 0);
        assert_string_equal(form_get(&form, "version"), "2");
        check(&form, cases[i].sign);
    }
}

static void tokens(void **state)
{
    struct form form;
    struct err err = ERR_INIT;
    (void)state;

    assert_int_equal(request_init_token(&account, "abc123", now_s, &form, &err), 0);
    assert_null(form_get(&form, "version"));
    check(&form, "d9f70f0b96ad6dfdee1c24a4c3bad205");
    assert_int_equal(request_refresh_token(&account, "rtok", now_s, &form, &err), 0);
    assert_null(form_get(&form, "access_token"));
    check(&form, "3a87fbe726da5640b4534420e49a1d5e");
}

static void a_signature_does_not_sign_itself(void **state)
{
    struct form form;
    struct err err = ERR_INIT;
    char sign[SIGN_TEXT];
    (void)state;

    assert_int_equal(request_query(&account, "token", "{}", now_s, &form, &err), 0);
    assert_int_equal(sign_form(&form, "secret", sign, &err), 0);
    assert_string_equal(sign, form_get(&form, "sign"));
    form_free(&form);
}

static void init_codes(void **state)
{
    char one[INIT_CODE_TEXT];
    char other[INIT_CODE_TEXT];
    (void)state;

    request_init_code(UINT64_MAX, one);
    request_init_code(12345678901234, other);
    assert_int_equal(strlen(one), 6);
    assert_int_equal(strspn(one, "abcdefghijklmnopqrstuvwxyz0123456789"), 6);
    assert_string_not_equal(one, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries),
        cmocka_unit_test(tokens),
        cmocka_unit_test(a_signature_does_not_sign_itself),
        cmocka_unit_test(init_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
