#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/extractor_twins.h"

static const struct account account = {.app_key = "app", .app_secret = "secret"};
static const struct rate unlimited = {0, 0};

/* What the API says, one after the other. */
struct script {
    const struct line {
        const char *path; /* the request that is expected: "query", "init", "refresh" */
        const char *token;
        int status; /* 0: the connection fails */
        const char *body;
        int64_t retry_after_ms;
    } * lines;
    size_t count, at;
};

#define TOKEN(access)                                                                                        \
    "{\"code\":0,\"data\":{\"access_token\":\"" access "\",\"refresh_token\":\"R\",\"expires_in\":2592000}}"
#define GONE "{\"code\":100,\"msg\":\"无效的access_token或access_token已过期\"}"
#define EMPTY                                                                                                \
    "{\"code\":0,\"msg\":\"\",\"data\":{\"data_count\":0,\"page_count\":0,\"has_next\":false,\"datas\":[]}}"

static int follow(struct twin_api *api, const char *path, const struct form *form, struct api_answer *ret,
                  struct err *err)
{
    struct script *s = api->arg;

    (void)form;
    assert_true(s->at < s->count);
    const struct line *l = &s->lines[s->at++];
    const char *expected = strcmp(l->path, "init") == 0      ? PATH_INIT_TOKEN
                           : strcmp(l->path, "refresh") == 0 ? PATH_REFRESH_TOKEN
                                                             : "/open/x";
    assert_string_equal(path, expected);
    if (l->token != NULL)
        assert_string_equal(api->token, l->token);
    if (l->status == 0)
        return err_set(err, ERR_RETRY, 7, "no connection");
    ret->status = l->status;
    ret->retry_after_ms = l->retry_after_ms > 0 ? l->retry_after_ms : -1;
    buf_add_text(&ret->body, l->body);
    return 0;
}

struct talk {
    struct twin_api api;
    struct script script;
    struct client client;
    struct reply reply;
    struct err err;
};

static void begin(struct talk *t, const char *given, const struct line *lines, size_t count)
{
    *t = (struct talk){.script = {.lines = lines, .count = count}};
    twin_api_init(&t->api, follow, &t->script);
    twin_clock_use();
    client_init(&t->client, &t->api.base, &account, twin_random, &unlimited, given, NULL);
}
#define BEGIN(t, given, lines) begin(t, given, lines, sizeof(lines) / sizeof *(lines))

static enum call_result ask(struct talk *t)
{
    err_clear(&t->err);
    return client_query(&t->client, "/open/x", "{}", NULL, &t->reply, &t->err);
}

static void end(struct talk *t)
{
    assert_int_equal(t->script.at, t->script.count);
    client_free(&t->client);
}

static void fetches_a_token_first(void **state)
{
    static const struct line lines[] = {{"init", NULL, 200, TOKEN("A"), 0}, {"query", "A", 200, EMPTY, 0}};
    struct talk t;
    (void)state;

    BEGIN(&t, NULL, lines);
    assert_int_equal(ask(&t), CALL_AGAIN);
    assert_int_equal(ask(&t), CALL_ANSWERED);
    assert_int_equal(t.reply.verdict.class, API_OK);
    end(&t);
}

static void replaces_a_refused_token(void **state)
{
    static const struct line lines[] = {
        {"query", "G", 200, GONE, 0},          {"init", NULL, 200, TOKEN("A"), 0},
        {"query", "A", 200, EMPTY, 0},         {"query", "A", 200, GONE, 0},
        {"refresh", NULL, 200, TOKEN("B"), 0}, {"query", "B", 200, GONE, 0},
        {"init", NULL, 200, TOKEN("C"), 0},    {"query", "C", 200, GONE, 0},
    };
    struct talk t;
    (void)state;

    BEGIN(&t, "G", lines);
    static const enum call_result expected[] = {CALL_AGAIN, CALL_AGAIN, CALL_ANSWERED, CALL_AGAIN,
                                                CALL_AGAIN, CALL_AGAIN, CALL_AGAIN,    CALL_AGAIN};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_int_equal(ask(&t), expected[i]);
    /* nothing more to try: no request */
    assert_int_equal(ask(&t), CALL_FAILED);
    assert_false(t.reply.asked);
    assert_int_equal(t.err.kind, ERR_PAUSE);
    assert_int_equal(t.reply.verdict.reason, PAUSE_CREDENTIALS);
    end(&t);
}

static void a_refused_refresh_leads_to_a_new_token(void **state)
{
    static const struct line lines[] = {
        {"init", NULL, 200, TOKEN("A"), 0}, {"query", "A", 200, EMPTY, 0},      {"query", "A", 200, GONE, 0},
        {"refresh", NULL, 200, GONE, 0},    {"init", NULL, 200, TOKEN("B"), 0}, {"query", "B", 200, EMPTY, 0},
    };
    static const enum call_result expected[] = {CALL_AGAIN, CALL_ANSWERED, CALL_AGAIN,
                                                CALL_AGAIN, CALL_AGAIN,    CALL_ANSWERED};
    struct talk t;
    (void)state;

    BEGIN(&t, NULL, lines);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_int_equal(ask(&t), expected[i]);
    end(&t);
}

/* Code 150: a service provider's app may not refresh. A person must act, and until then nothing is asked. */
static void a_provider_must_authorise(void **state)
{
    static const struct line lines[] = {
        {"init", NULL, 200, TOKEN("A"), 0},
        {"query", "A", 200, GONE, 0},
        {"refresh", NULL, 200, "{\"code\":150,\"msg\":\"服务商应用禁止刷新access_token,需商户重新授权\"}", 0},
    };
    struct talk t;
    (void)state;

    BEGIN(&t, NULL, lines);
    assert_int_equal(ask(&t), CALL_AGAIN);
    assert_int_equal(ask(&t), CALL_AGAIN);
    assert_int_equal(ask(&t), CALL_FAILED);
    assert_int_equal(t.err.kind, ERR_PAUSE);
    assert_int_equal(t.reply.verdict.reason, PAUSE_CREDENTIALS);
    assert_non_null(strstr(t.err.text, "authorise"));
    end(&t);
}

static void refusals_of_the_account_pause(void **state)
{
    static const struct {
        const char *body;
        enum pause_reason reason;
    } cases[] = {
        {"{\"code\":10,\"msg\":\"无效签名\"}", PAUSE_CREDENTIALS},
        {"{\"code\":110,\"msg\":\"该IP不在白名单列表\"}", PAUSE_CREDENTIALS},
        {"{\"code\":190,\"msg\":\"无API权限\"}", PAUSE_PERMISSION},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct line lines[] = {{"query", "G", 200, cases[i].body, 0}};
        struct talk t;
        BEGIN(&t, "G", lines);
        assert_int_equal(ask(&t), CALL_FAILED);
        assert_int_equal(t.err.kind, ERR_PAUSE);
        assert_int_equal(t.reply.verdict.reason, cases[i].reason);
        end(&t);
    }
}

/* Code 140: signed again once with a fresh time, then a person must see to the clock. */
static void a_refused_timestamp_is_signed_again_once(void **state)
{
    static const char refusal[] = "{\"code\":140,\"msg\":\"无效的timestamp\"}";
    static const struct line lines[] = {
        {"query", "G", 200, refusal, 0},
        {"query", "G", 200, EMPTY, 0},
        {"query", "G", 200, refusal, 0},
        {"query", "G", 200, refusal, 0},
    };
    struct talk t;
    char before[64];
    (void)state;

    BEGIN(&t, "G", lines);
    assert_int_equal(ask(&t), CALL_AGAIN);
    memcpy(before, t.api.sign, sizeof before);
    twin_wall_ms += 1000;
    assert_int_equal(ask(&t), CALL_ANSWERED);
    assert_string_not_equal(t.api.sign, before);
    assert_int_equal(ask(&t), CALL_AGAIN);
    assert_int_equal(ask(&t), CALL_FAILED);
    assert_int_equal(t.err.kind, ERR_PAUSE);
    assert_int_equal(t.reply.verdict.reason, PAUSE_CLOCK);
    end(&t);
}

static void what_passes_is_tried_again(void **state)
{
    static const struct line lines[] = {
        {"query", "G", 0, NULL, 0},
        {"query", "G", 500, "<html>", 7000},
        {"query", "G", 200, "{\"code\":0,\"data\":{\"datas\":[", 0},
        {"query", "G", 200, "<html>", 0},
        {"query", "G", 200, "", 0},
        {"query", "G", 200, "{\"code\":130,\"msg\":\"?\"}", 0},
        {"init", NULL, 200, "{\"code\":0,\"data\":{}}", 0},
    };
    struct talk t;
    (void)state;

    BEGIN(&t, "G", lines);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(ask(&t), CALL_FAILED);
        assert_int_equal(t.err.kind, ERR_RETRY);
        assert_int_equal(t.reply.verdict.class, API_TRANSIENT);
        assert_int_equal(t.reply.verdict.wait_ms, i == 1 ? 7000 : 0);
    }
    token_pair_free(&t.client.token.pair);
    assert_int_equal(ask(&t), CALL_FAILED);
    assert_int_equal(t.err.kind, ERR_RETRY);
    end(&t);
}

/* Too much: nothing at all is sent for a while, by whichever pipeline. */
static void too_much_holds_everything(void **state)
{
    static const struct line lines[] = {
        {"query", "G", 200, "{\"code\":199,\"msg\":\"调用频次超过限制\"}", 0},
        {"query", "G", 429, "", 9000},
    };
    struct talk t;
    (void)state;

    BEGIN(&t, "G", lines);
    assert_int_equal(client_wait_ms(&t.client), 0);
    assert_int_equal(ask(&t), CALL_FAILED);
    assert_int_equal(t.reply.verdict.class, API_RATE_LIMITED);
    assert_int_equal(client_wait_ms(&t.client), 1000);
    twin_monotonic_ms += 1000;
    assert_int_equal(ask(&t), CALL_FAILED);
    assert_int_equal(client_wait_ms(&t.client), 9000);
    end(&t);
}

static void now_is_the_earlier_clock(void **state)
{
    static const struct line lines[] = {
        {"query", "G", 200, EMPTY, 0}, {"query", "G", 200, EMPTY, 0}, {"query", "G", 200, EMPTY, 0}};
    struct talk t;
    (void)state;

    BEGIN(&t, "G", lines);
    twin_wall_ms = INT64_C(1785312000400);
    assert_int_equal(client_now_s(&t.client), 1785312000);
    t.api.date_ms = INT64_C(1785308400000); /* an hour behind */
    assert_int_equal(ask(&t), CALL_ANSWERED);
    assert_int_equal(client_now_s(&t.client), 1785308400);
    t.api.date_ms = INT64_C(1785315600000); /* an hour ahead: then ours counts */
    assert_int_equal(ask(&t), CALL_ANSWERED);
    assert_int_equal(client_now_s(&t.client), 1785312000);
    t.api.date_ms = -1; /* says nothing: nothing changes */
    assert_int_equal(ask(&t), CALL_ANSWERED);
    assert_int_equal(client_now_s(&t.client), 1785312000);
    end(&t);
}

/* A gateway's error page may have any date: windows would end by it, perhaps years ago, and nothing would be
 * asked any more that could correct it. */
static void only_the_api_tells_its_time(void **state)
{
    static const struct line lines[] = {{"query", "G", 502, "<html>", 0}, {"query", "G", 200, "<html>", 0}};
    struct talk t;
    (void)state;

    BEGIN(&t, "G", lines);
    t.api.date_ms = INT64_C(1420070400000); /* 2015 */
    assert_int_equal(ask(&t), CALL_FAILED);
    assert_int_equal(client_now_s(&t.client), twin_wall_ms / 1000);
    assert_int_equal(ask(&t), CALL_FAILED);
    assert_int_equal(client_now_s(&t.client), twin_wall_ms / 1000);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fetches_a_token_first),
        cmocka_unit_test(replaces_a_refused_token),
        cmocka_unit_test(a_refused_refresh_leads_to_a_new_token),
        cmocka_unit_test(a_provider_must_authorise),
        cmocka_unit_test(refusals_of_the_account_pause),
        cmocka_unit_test(a_refused_timestamp_is_signed_again_once),
        cmocka_unit_test(what_passes_is_tried_again),
        cmocka_unit_test(too_much_holds_everything),
        cmocka_unit_test(now_is_the_earlier_clock),
        cmocka_unit_test(only_the_api_tells_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
