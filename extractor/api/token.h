/* The access token's life: when to use, refresh or fetch one. Pure. */
#ifndef JST_EXTRACTOR_API_TOKEN_H
#define JST_EXTRACTOR_API_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* Seconds since 1970 UTC; 0: not known. The texts are owned; NULL: none. */
struct token_pair {
    char *access, *refresh;
    int64_t obtained_s, expires_s;
};
void token_pair_free(struct token_pair *pair); /* overwrites them first; NULL ok */

enum token_step {
    TOKEN_USE,     /* send the query with token->pair.access */
    TOKEN_REFRESH, /* ask refreshToken first */
    TOKEN_INIT,    /* ask getInitToken first */
    TOKEN_HELPLESS /* everything was tried and refused: a person must act */
};

struct token {
    struct token_pair pair;
    struct token_pair spare;   /* of the token file, while JST_ACCESS_TOKEN is used */
    bool refused;              /* the API refused pair.access */
    bool refreshed, initiated; /* tried since the API last accepted a token */
    int64_t refresh_not_before_s;
};

/* given: JST_ACCESS_TOKEN, or NULL; it is used before what the token file holds. stored: taken over (all
 * NULL where there is no file). */
void token_init(struct token *t, const char *given, struct token_pair *stored);
void token_free(struct token *t);

/* A token is refreshed when less than a day, or less than a tenth of its life, is left. */
enum token_step token_next(const struct token *t, int64_t now_s);

/* What happened. */
void token_accepted(struct token *t); /* a query was answered with code 0 */
void token_refused(struct token *t);  /* a query was answered with code 100 */
/* The answer to refreshToken or getInitToken; the pair is taken over. */
void token_obtained(struct token *t, enum token_step how, struct token_pair *pair);
/* refreshToken refused for good. Returns whether the token in use is still good: go on with it, the next
 * attempt is an hour later. */
bool token_refresh_failed(struct token *t, int64_t now_s);
void token_init_failed(struct token *t);     /* getInitToken refused for good */
void token_forget_refusals(struct token *t); /* a person may have acted: everything is tried anew */

/* The `data` of a token call's answer. ERR_RETRY: it holds no access_token. */
int token_read_answer(const char *body, size_t len, int64_t now_s, struct token_pair *ret, struct err *err)
    __attribute__((warn_unused_result));

/* The token file's text, and back. A file of another app, or one that cannot be read, gives an empty pair
 * and -1 with ERR_REJECT: it is then as if there were none. */
void token_file_write(const struct token_pair *pair, const char *app_key, struct buf *out);
int token_file_read(const char *text, size_t len, const char *app_key, struct token_pair *ret,
                    struct err *err) __attribute__((warn_unused_result));

#endif
