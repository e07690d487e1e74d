#include "extractor/api/request.h"

#include <string.h>

#include "common/http/form.h"
#include "extractor/api/sign.h"

/* Sign what is there and add the signature; frees the form on failure. */
static int add_sign(const struct account *account, struct form *form, struct err *err)
{
    char sign[SIGN_TEXT];

    if (sign_form(form, account->app_secret, sign, err) != 0) {
        form_free(form);
        return -1;
    }
    form_put(form, "sign", sign);
    return 0;
}

static void begin_form(const struct account *account, int64_t now_s, struct form *ret)
{
    form_init(ret);
    form_put(ret, "app_key", account->app_key);
    form_put_int(ret, "timestamp", now_s);
    form_put(ret, "charset", "utf-8");
}

int request_query(const struct account *account, const char *access_token, const char *biz, int64_t now_s,
                  struct form *ret, struct err *err)
{
    begin_form(account, now_s, ret);
    form_put(ret, "access_token", access_token);
    form_put(ret, "version", "2");
    form_put(ret, "biz", biz);
    return add_sign(account, ret, err);
}

int request_init_token(const struct account *account, const char code[INIT_CODE_TEXT], int64_t now_s,
                       struct form *ret, struct err *err)
{
    begin_form(account, now_s, ret);
    form_put(ret, "grant_type", "authorization_code");
    form_put(ret, "code", code);
    return add_sign(account, ret, err);
}

int request_refresh_token(const struct account *account, const char *refresh_token, int64_t now_s,
                          struct form *ret, struct err *err)
{
    begin_form(account, now_s, ret);
    form_put(ret, "grant_type", "refresh_token");
    form_put(ret, "refresh_token", refresh_token);
    form_put(ret, "scope", "all");
    return add_sign(account, ret, err);
}

void request_init_code(uint64_t random, char ret[INIT_CODE_TEXT])
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";

    for (int i = 0; i < INIT_CODE_TEXT - 1; i++) {
        ret[i] = alphabet[random % (sizeof alphabet - 1)];
        random /= sizeof alphabet - 1;
    }
    ret[INIT_CODE_TEXT - 1] = '\0';
}
