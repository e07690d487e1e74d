#include "extractor/api/client.h"

#include "common/base/clock.h"
#include "common/http/form.h"
#include "extractor/api/token_file.h"

enum { SECOND_MS = 1000 };

void client_init(struct client *c, struct api *api, const struct account *account, uint64_t (*random)(void),
                 const struct rate *rate, const char *given_token, const char *token_file)
{
    struct token_pair stored = {0};

    *c = (struct client){.api = api, .account = *account, .random = random, .token_file = token_file};
    buf_init(&c->answer.body, ANSWER_MAX);
    limiter_init(&c->limiter, rate, clock_monotonic_ms());
    if (token_file != NULL && token_file_load(token_file, account->app_key, &stored, &c->notice) != 0)
        err_prefix(&c->notice, "the token file is not used");
    token_init(&c->token, given_token, &stored);
}

void client_free(struct client *c)
{
    buf_free(&c->answer.body);
    token_free(&c->token);
}

int64_t client_wait_ms(const struct client *c)
{
    return limiter_wait_ms(&c->limiter, clock_monotonic_ms());
}

static int64_t floor_s(int64_t ms)
{
    return ms / SECOND_MS;
}

int64_t client_now_s(const struct client *c)
{
    return floor_s(clock_now_ms() - c->ahead_ms);
}

void client_forget_refusals(struct client *c)
{
    token_forget_refusals(&c->token);
    c->clock_refused = false;
}

bool client_notice(struct client *c, struct err *ret)
{
    if (c->notice.kind == ERR_NONE)
        return false;
    *ret = c->notice;
    err_clear(&c->notice);
    return true;
}

/* ---- one request ---- */

/* What the verdict means for the caller, where the answer is not a success. */
static enum call_result judge_failure(struct client *c, struct reply *r, struct err *err)
{
    const struct envelope *e = &r->envelope;
    int64_t now_ms = clock_monotonic_ms();

    if (c->answer.retry_after_ms > r->verdict.wait_ms)
        r->verdict.wait_ms = c->answer.retry_after_ms;
    if (r->verdict.class == API_RATE_LIMITED)
        limiter_hold(&c->limiter, now_ms, r->verdict.wait_ms);
    if (r->verdict.class == API_FATAL)
        err_set(err, ERR_PAUSE, (int)e->code, "the API refuses with code %lld \"%s\": %s", (long long)e->code,
                e->msg, r->verdict.advice);
    else
        err_set(err, ERR_RETRY, (int)e->code, "the API answers with code %lld \"%s\"", (long long)e->code,
                e->msg);
    return CALL_FAILED;
}

static void note_clock(struct client *c)
{
    if (c->answer.date_ms < 0)
        return;
    /* The header has whole seconds, cut: so this is late by up to a second, never early. */
    int64_t ahead_ms = c->answer.received_ms - c->answer.date_ms;
    c->ahead_ms = ahead_ms > 0 ? ahead_ms : 0;
}

/* Send the form and judge the answer as far as its envelope. CALL_ANSWERED: it is readable, and
 * r->verdict.class says what it means. */
static enum call_result post_form(struct client *c, const char *path, struct form *form, const char *list,
                                  struct reply *r, struct err *err)
{
    limiter_take(&c->limiter, clock_monotonic_ms());
    r->asked = true;
    c->answer.retry_after_ms = -1;
    int rc = api_post(c->api, path, form, &c->answer, err);
    form_free(form);
    r->verdict = (struct api_verdict){.class = API_TRANSIENT};
    if (rc != 0)
        return CALL_FAILED;
    if (c->answer.status != 200) {
        r->verdict = api_classify_http(c->answer.status);
        if (c->answer.retry_after_ms > r->verdict.wait_ms)
            r->verdict.wait_ms = c->answer.retry_after_ms;
        if (r->verdict.class == API_RATE_LIMITED)
            limiter_hold(&c->limiter, clock_monotonic_ms(), r->verdict.wait_ms);
        err_set(err, ERR_RETRY, c->answer.status, "the API answers with HTTP status %d", c->answer.status);
        return CALL_FAILED;
    }
    if (envelope_read(c->answer.body.data, c->answer.body.len, list, &r->envelope, err) != 0) {
        err->kind = ERR_RETRY; /* which list is meant is a person's to say, but it may be a passing answer */
        return CALL_FAILED;
    }
    note_clock(c); /* of the API itself, not of a gateway's error page */
    r->verdict = api_classify(r->envelope.code, r->envelope.msg, floor_s(c->answer.received_ms));
    return CALL_ANSWERED;
}

/* ---- tokens ---- */

/* A refusal of refreshToken or getInitToken that waiting does not mend. */
static enum call_result token_call_refused(struct client *c, enum token_step step, struct reply *r,
                                           struct err *err)
{
    const struct envelope *e = &r->envelope;

    if (step == TOKEN_REFRESH && r->verdict.class == API_TOKEN) {
        token_refresh_failed(&c->token, client_now_s(c));
        return CALL_AGAIN; /* with the token as it is, or with getInitToken */
    }
    if (step == TOKEN_REFRESH && token_refresh_failed(&c->token, client_now_s(c))) {
        err_set(&c->notice, ERR_RETRY, (int)e->code,
                "the access token ends soon and refreshing it is refused with code %lld \"%s\": %s",
                (long long)e->code, e->msg, r->verdict.advice);
        return CALL_AGAIN;
    }
    token_init_failed(&c->token);
    if (r->verdict.class == API_TOKEN) {
        r->verdict = (struct api_verdict){
            .class = API_FATAL,
            .reason = PAUSE_CREDENTIALS,
            .advice = "authorise the app anew and set JST_ACCESS_TOKEN, or check JST_APP_KEY"};
    }
    return judge_failure(c, r, err);
}

/* Does the verdict leave hope that the same token call succeeds later? */
static bool is_transient(const struct api_verdict *v)
{
    return v->class == API_TRANSIENT || v->class == API_RATE_LIMITED;
}

static enum call_result ask_token(struct client *c, enum token_step step, struct reply *r, struct err *err)
{
    struct form form;
    struct token_pair pair;
    char code[INIT_CODE_TEXT];
    int64_t now_s = floor_s(clock_now_ms());

    request_init_code(c->random(), code);
    int rc = step == TOKEN_REFRESH
                 ? request_refresh_token(&c->account, c->token.pair.refresh, now_s, &form, err)
                 : request_init_token(&c->account, code, now_s, &form, err);
    if (rc != 0)
        return CALL_FAILED;
    const char *path = step == TOKEN_REFRESH ? PATH_REFRESH_TOKEN : PATH_INIT_TOKEN;
    if (post_form(c, path, &form, NULL, r, err) != CALL_ANSWERED)
        return CALL_FAILED;
    if (is_transient(&r->verdict))
        return judge_failure(c, r, err);
    if (r->verdict.class != API_OK)
        return token_call_refused(c, step, r, err);
    if (token_read_answer(c->answer.body.data, c->answer.body.len, now_s, &pair, err) != 0) {
        r->verdict.class = API_TRANSIENT;
        return CALL_FAILED;
    }
    token_obtained(&c->token, step, &pair);
    if (c->token_file != NULL &&
        token_file_save(c->token_file, c->account.app_key, &c->token.pair, &c->notice) != 0)
        return CALL_AGAIN; /* with the token all the same; the notice tells */
    return CALL_AGAIN;
}

static enum call_result no_token_left(struct reply *r, struct err *err)
{
    r->verdict = (struct api_verdict){.class = API_FATAL, .reason = PAUSE_CREDENTIALS};
    err_set(err, ERR_PAUSE, 100,
            "the API refuses every access token: authorise the app anew and set JST_ACCESS_TOKEN");
    return CALL_FAILED;
}

/* ---- queries ---- */

/* No list does not mean no documents: to treat it as empty would mark the window as read. */
static enum call_result list_missing(struct reply *r, const char *list, struct err *err)
{
    r->verdict = (struct api_verdict){.class = API_TRANSIENT};
    err_set(err, ERR_RETRY, 0, "the answer has no list of documents%s%s: look at the option list",
            list != NULL ? " named " : "", list != NULL ? list : "");
    return CALL_FAILED;
}

enum call_result client_query(struct client *c, const char *path, const char *biz, const char *list,
                              struct reply *r, struct err *err)
{
    struct form form;
    enum token_step step = token_next(&c->token, client_now_s(c));

    *r = (struct reply){0};
    if (step == TOKEN_HELPLESS)
        return no_token_left(r, err);
    if (step != TOKEN_USE)
        return ask_token(c, step, r, err);
    if (request_query(&c->account, c->token.pair.access, biz, floor_s(clock_now_ms()), &form, err) != 0)
        return CALL_FAILED;
    if (post_form(c, path, &form, list, r, err) != CALL_ANSWERED)
        return CALL_FAILED;
    bool clock_was_refused = c->clock_refused;
    c->clock_refused = r->verdict.class == API_FATAL && r->verdict.reason == PAUSE_CLOCK;
    if (r->verdict.class == API_OK) {
        token_accepted(&c->token);
        if (!r->envelope.has_list && !r->envelope.no_data && r->envelope.data_count != 0)
            return list_missing(r, list, err);
        return CALL_ANSWERED;
    }
    if (r->verdict.class == API_TOKEN) {
        token_refused(&c->token);
        return CALL_AGAIN;
    }
    if (c->clock_refused && !clock_was_refused)
        return CALL_AGAIN; /* signed again with a fresh time, once */
    return judge_failure(c, r, err);
}
