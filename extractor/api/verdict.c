#include "extractor/api/verdict.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { ANY_CODE = -1, SECOND_MS = 1000, MINUTE_S = 60 };

#define SECRET_ADVICE    "check JST_APP_KEY and JST_APP_SECRET"
#define WHITELIST_ADVICE "add this machine's address (or the proxy's) to the app's IP whitelist"
#define CLOCK_ADVICE     "set this machine's clock (NTP)"
#define AUTHORISE_ADVICE "the merchant must authorise the app again: set JST_ACCESS_TOKEN to the new token"
#define RIGHT_ADVICE     "grant the app this interface in the vendor's console, or correct source.api"

/* The first rule that fits decides: clear texts first, whatever the code, then codes. A text of capitals is
 * matched as a word. */
static const struct rule {
    int code;         /* ANY_CODE: any */
    const char *text; /* NULL: any */
    enum api_class class;
    enum pause_reason reason;
    const char *advice;
} rules[] = {
    {0, NULL, API_OK, PAUSE_NONE, NULL},
    {ANY_CODE, "频次", API_RATE_LIMITED, PAUSE_NONE, NULL},
    {ANY_CODE, "频繁", API_RATE_LIMITED, PAUSE_NONE, NULL},
    {ANY_CODE, "重新授权", API_FATAL, PAUSE_CREDENTIALS, AUTHORISE_ADVICE},
    {ANY_CODE, "禁止刷新", API_FATAL, PAUSE_CREDENTIALS, AUTHORISE_ADVICE},
    {ANY_CODE, "timestamp", API_FATAL, PAUSE_CLOCK, CLOCK_ADVICE},
    {ANY_CODE, "签名", API_FATAL, PAUSE_CREDENTIALS, SECRET_ADVICE},
    {ANY_CODE, "白名单", API_FATAL, PAUSE_CREDENTIALS, WHITELIST_ADVICE},
    {ANY_CODE, "IP", API_FATAL, PAUSE_CREDENTIALS, WHITELIST_ADVICE},
    {ANY_CODE, "API权限", API_FATAL, PAUSE_PERMISSION, RIGHT_ADVICE},
    {ANY_CODE, "接口不存在", API_FATAL, PAUSE_PERMISSION, RIGHT_ADVICE},
    {ANY_CODE, "token", API_TOKEN, PAUSE_NONE, NULL},
    {ANY_CODE, "授权", API_TOKEN, PAUSE_NONE, NULL},
    {10, NULL, API_FATAL, PAUSE_CREDENTIALS, SECRET_ADVICE},
    {100, NULL, API_TOKEN, PAUSE_NONE, NULL},
    {110, NULL, API_FATAL, PAUSE_CREDENTIALS, WHITELIST_ADVICE},
    {140, NULL, API_FATAL, PAUSE_CLOCK, CLOCK_ADVICE},
    {150, NULL, API_FATAL, PAUSE_CREDENTIALS, AUTHORISE_ADVICE},
    {190, NULL, API_FATAL, PAUSE_PERMISSION, RIGHT_ADVICE},
    {199, NULL, API_RATE_LIMITED, PAUSE_NONE, NULL},
    {200, NULL, API_RATE_LIMITED, PAUSE_NONE, NULL},
};

static bool text_has(const char *msg, const char *text)
{
    if (strcmp(text, "IP") != 0)
        return strstr(msg, text) != NULL;
    for (const char *at = strstr(msg, text); at != NULL; at = strstr(at + 1, text)) {
        bool alone_before = at == msg || !isalpha((unsigned char)at[-1]);
        if (alone_before && !isalpha((unsigned char)at[2]))
            return true;
    }
    return false;
}

static int64_t rate_wait_ms(int64_t code, int64_t now_s)
{
    if (code == 200)
        return (MINUTE_S - now_s % MINUTE_S) * SECOND_MS;
    return SECOND_MS;
}

struct api_verdict api_classify(int64_t code, const char *msg, int64_t now_s)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *r = &rules[i];
        if ((r->code != ANY_CODE && r->code != code) || (r->text != NULL && !text_has(msg, r->text)))
            continue;
        return (struct api_verdict){
            .class = r->class,
            .reason = r->reason,
            .wait_ms = r->class == API_RATE_LIMITED ? rate_wait_ms(code, now_s) : 0,
            .advice = r->advice,
        };
    }
    return (struct api_verdict){.class = API_TRANSIENT};
}

struct api_verdict api_classify_http(int status)
{
    if (status == 429)
        return (struct api_verdict){.class = API_RATE_LIMITED, .wait_ms = SECOND_MS};
    return (struct api_verdict){.class = API_TRANSIENT};
}

const char *api_class_name(enum api_class class)
{
    switch (class) {
    case API_OK:
        return "ok";
    case API_RATE_LIMITED:
        return "rate_limited";
    case API_TOKEN:
        return "token";
    case API_TRANSIENT:
        return "transient";
    case API_FATAL:
        return "fatal";
    }
    return "fatal";
}
