#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "extractor/api/verdict.h"

#define TOKEN_GONE "无效的access_token或access_token已过期"

static void classes(void **state)
{
    static const struct {
        int64_t code;
        const char *msg;
        enum api_class class;
        enum pause_reason reason;
    } cases[] = {
        /* the current list */
        {0, "执行成功", API_OK, PAUSE_NONE},
        {0, "token", API_OK, PAUSE_NONE},
        {10, "无效签名", API_FATAL, PAUSE_CREDENTIALS},
        {100, TOKEN_GONE, API_TOKEN, PAUSE_NONE},
        {110, "该IP不在白名单列表", API_FATAL, PAUSE_CREDENTIALS},
        {140, "无效的timestamp", API_FATAL, PAUSE_CLOCK},
        {150, "服务商应用禁止刷新access_token,需商户重新授权", API_FATAL, PAUSE_CREDENTIALS},
        {190, "无API权限", API_FATAL, PAUSE_PERMISSION},
        {190, "接口不存在", API_FATAL, PAUSE_PERMISSION},
        {199, "调用频次超过限制", API_RATE_LIMITED, PAUSE_NONE},
        {200, "调用频次超过限制", API_RATE_LIMITED, PAUSE_NONE},
        /* without a text that says something */
        {10, "", API_FATAL, PAUSE_CREDENTIALS},
        {100, "", API_TOKEN, PAUSE_NONE},
        {110, "", API_FATAL, PAUSE_CREDENTIALS},
        {140, "", API_FATAL, PAUSE_CLOCK},
        {150, "", API_FATAL, PAUSE_CREDENTIALS},
        {190, "", API_FATAL, PAUSE_PERMISSION},
        {199, "", API_RATE_LIMITED, PAUSE_NONE},
        {200, "", API_RATE_LIMITED, PAUSE_NONE},
        /* older lists: a clear text wins over the code */
        {140, TOKEN_GONE, API_TOKEN, PAUSE_NONE},
        {150, "调用过于频繁", API_RATE_LIMITED, PAUSE_NONE},
        {180, "商户未授权", API_TOKEN, PAUSE_NONE},
        {20, "签名错误", API_FATAL, PAUSE_CREDENTIALS},
        {30, "IP 1.2.3.4 未登记", API_FATAL, PAUSE_CREDENTIALS},
        {100, "timestamp已过期", API_FATAL, PAUSE_CLOCK},
        /* everything else passes, perhaps */
        {130, "page_size必须是整数", API_TRANSIENT, PAUSE_NONE},
        {500, "系统繁忙", API_TRANSIENT, PAUSE_NONE},
        {-1, "", API_TRANSIENT, PAUSE_NONE},
        {1, "SHIPPING ZIP", API_TRANSIENT, PAUSE_NONE}, /* no IP address */
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct api_verdict v = api_classify(cases[i].code, cases[i].msg, 0);
        if (v.class != cases[i].class || v.reason != cases[i].reason)
            fail_msg("%d %s: %s %s", (int)cases[i].code, cases[i].msg, api_class_name(v.class),
                     pause_name(v.reason));
        assert_int_equal(v.class == API_FATAL, v.advice != NULL);
    }
}

static void waits(void **state)
{
    (void)state;
    assert_int_equal(api_classify(199, "调用频次超过限制", 30).wait_ms, 1000);
    assert_int_equal(api_classify(200, "调用频次超过限制", 60 * 1000 + 15).wait_ms, 45000);
    assert_int_equal(api_classify(0, "", 0).wait_ms, 0);
}

static void http_statuses(void **state)
{
    (void)state;
    assert_int_equal(api_classify_http(429).class, API_RATE_LIMITED);
    assert_int_equal(api_classify_http(500).class, API_TRANSIENT);
    assert_int_equal(api_classify_http(302).class, API_TRANSIENT);
    assert_int_equal(api_classify_http(404).class, API_TRANSIENT);
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(api_class_name(API_RATE_LIMITED), "rate_limited");
    assert_string_equal(pause_name(PAUSE_CREDENTIALS), "credentials");
    assert_string_equal(pause_name(PAUSE_PERMISSION), "permission");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes),
        cmocka_unit_test(waits),
        cmocka_unit_test(http_statuses),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
