#include "extractor/api/token.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/json/json.h"
#include "common/json/scan.h"

enum { HOUR_S = 3600, TOKEN_MAX = 4096 };

static void wipe_text(char **text)
{
    if (*text != NULL)
        explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void token_pair_free(struct token_pair *pair)
{
    if (pair == NULL)
        return;
    wipe_text(&pair->access);
    wipe_text(&pair->refresh);
    *pair = (struct token_pair){0};
}

static void pair_move(struct token_pair *to, struct token_pair *from)
{
    token_pair_free(to);
    *to = *from;
    *from = (struct token_pair){0};
}

void token_init(struct token *t, const char *given, struct token_pair *stored)
{
    *t = (struct token){0};
    if (given == NULL || *given == '\0') {
        pair_move(&t->pair, stored);
        return;
    }
    t->pair.access = mem_strdup(given);
    pair_move(&t->spare, stored);
}

void token_free(struct token *t)
{
    token_pair_free(&t->pair);
    token_pair_free(&t->spare);
}

static bool ends_soon(const struct token_pair *pair, int64_t now_s)
{
    if (pair->expires_s == 0)
        return false;
    int64_t life = pair->expires_s - pair->obtained_s;
    int64_t reserve = life / 10 > DAY_S ? life / 10 : DAY_S;
    if (reserve > life / 2) /* a life of hours: not at every turn */
        reserve = life / 10;
    return pair->expires_s - now_s < reserve;
}

enum token_step token_next(const struct token *t, int64_t now_s)
{
    if (t->pair.access == NULL)
        return t->initiated ? TOKEN_HELPLESS : TOKEN_INIT;
    if (t->refused) {
        if (!t->refreshed && t->pair.refresh != NULL)
            return TOKEN_REFRESH;
        return t->initiated ? TOKEN_HELPLESS : TOKEN_INIT;
    }
    if (t->pair.refresh != NULL && !t->refreshed && now_s >= t->refresh_not_before_s &&
        ends_soon(&t->pair, now_s))
        return TOKEN_REFRESH;
    return TOKEN_USE;
}

void token_accepted(struct token *t)
{
    t->refused = t->refreshed = t->initiated = false;
}

void token_refused(struct token *t)
{
    /* The token file may hold a better one than JST_ACCESS_TOKEN: it has been kept for this. */
    if (t->spare.access != NULL && strcmp(t->spare.access, t->pair.access) != 0) {
        pair_move(&t->pair, &t->spare);
        return;
    }
    if (t->spare.refresh != NULL)
        pair_move(&t->pair, &t->spare);
    t->refused = true;
}

void token_obtained(struct token *t, enum token_step how, struct token_pair *pair)
{
    *(how == TOKEN_INIT ? &t->initiated : &t->refreshed) = true;
    if (pair->refresh == NULL && t->pair.refresh != NULL) {
        pair->refresh = t->pair.refresh;
        t->pair.refresh = NULL;
    }
    pair_move(&t->pair, pair);
    t->refused = false;
}

bool token_refresh_failed(struct token *t, int64_t now_s)
{
    t->refresh_not_before_s = now_s + HOUR_S;
    if (!t->refused)
        return true;
    t->refreshed = true;
    return false;
}

void token_init_failed(struct token *t)
{
    t->initiated = true;
}

void token_forget_refusals(struct token *t)
{
    token_accepted(t);
    t->refresh_not_before_s = 0;
}

/* ---- texts ---- */

/* A string member, unescaped as far as tokens need it (they hold none); NULL: there is none. */
static char *text_member(struct span object, const char *name)
{
    struct span value;

    if (!scan_member(object, name, &value) || scan_kind(value) != SCAN_STRING)
        return NULL;
    value = scan_scalar(value);
    if (value.len == 0 || value.len > TOKEN_MAX || memchr(value.at, '\\', value.len) != NULL)
        return NULL;
    return mem_strndup(value.at, value.len);
}

static int64_t number_member(struct span object, const char *name)
{
    struct span value;
    char text[32];
    int64_t number;

    if (!scan_member(object, name, &value))
        return 0;
    value = scan_scalar(value);
    if (value.at == NULL || value.len >= sizeof text)
        return 0;
    memcpy(text, value.at, value.len);
    text[value.len] = '\0';
    return parse_int64(text, &number) == 0 && number > 0 ? number : 0;
}

int token_read_answer(const char *body, size_t len, int64_t now_s, struct token_pair *ret, struct err *err)
{
    struct span object;
    struct span data;
    struct token_pair pair = {.obtained_s = now_s};

    if (scan_value(body, len, &object) != 0 && scan_kind(object) == SCAN_OBJECT &&
        scan_member(object, "data", &data) && scan_kind(data) == SCAN_OBJECT) {
        pair.access = text_member(data, "access_token");
        pair.refresh = text_member(data, "refresh_token");
        int64_t life = number_member(data, "expires_in");
        pair.expires_s = life > 0 ? now_s + life : 0;
    }
    if (pair.access == NULL) {
        token_pair_free(&pair);
        return err_set(err, ERR_RETRY, 0, "the answer to a token call holds no access_token");
    }
    *ret = pair;
    return 0;
}

static void put_text(const char *name, const char *text, struct buf *out)
{
    buf_printf(out, ",\"%s\":", name);
    json_put_string(out, text, strlen(text));
}

void token_file_write(const struct token_pair *pair, const char *app_key, struct buf *out)
{
    buf_add_text(out, "{\"v\":1");
    put_text("app_key", app_key, out);
    put_text("access_token", pair->access, out);
    if (pair->refresh != NULL)
        put_text("refresh_token", pair->refresh, out);
    buf_printf(out, ",\"obtained_at\":%" PRId64 ",\"expires_at\":%" PRId64 "}\n", pair->obtained_s,
               pair->expires_s);
}

int token_file_read(const char *text, size_t len, const char *app_key, struct token_pair *ret,
                    struct err *err)
{
    struct span object;
    struct span version;

    *ret = (struct token_pair){0};
    if (scan_value(text, len, &object) == 0 || scan_kind(object) != SCAN_OBJECT ||
        !scan_member(object, "v", &version) || !span_is(version, "1"))
        return err_set(err, ERR_REJECT, 0, "it is not a token file of version 1");
    char *owner = text_member(object, "app_key");
    bool mine = owner != NULL && strcmp(owner, app_key) == 0;
    free(owner);
    if (!mine)
        return err_set(err, ERR_REJECT, 0, "it belongs to another app key");
    ret->access = text_member(object, "access_token");
    ret->refresh = text_member(object, "refresh_token");
    ret->obtained_s = number_member(object, "obtained_at");
    ret->expires_s = number_member(object, "expires_at");
    if (ret->access == NULL) {
        token_pair_free(ret);
        return err_set(err, ERR_REJECT, 0, "it holds no access_token");
    }
    return 0;
}
