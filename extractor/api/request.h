/* The forms of the API's calls: a query, and the two of the tokens. Pure. */
#ifndef JST_EXTRACTOR_API_REQUEST_H
#define JST_EXTRACTOR_API_REQUEST_H

#include <stdint.h>

struct err;
struct form;

#define PATH_INIT_TOKEN    "/openWeb/auth/getInitToken"
#define PATH_REFRESH_TOKEN "/openWeb/auth/refreshToken"

struct account {
    const char *app_key;
    const char *app_secret;
};

enum { INIT_CODE_TEXT = 7 }; /* six letters or digits, and the NUL */

/* Each fills *ret, which the caller frees, signed for this instant (seconds since 1970 UTC). */
int request_query(const struct account *account, const char *access_token, const char *biz, int64_t now_s,
                  struct form *ret, struct err *err) __attribute__((warn_unused_result));
int request_init_token(const struct account *account, const char code[INIT_CODE_TEXT], int64_t now_s,
                       struct form *ret, struct err *err) __attribute__((warn_unused_result));
int request_refresh_token(const struct account *account, const char *refresh_token, int64_t now_s,
                          struct form *ret, struct err *err) __attribute__((warn_unused_result));

/* Six letters or digits made of random bits. */
void request_init_code(uint64_t random, char ret[INIT_CODE_TEXT]);

#endif
