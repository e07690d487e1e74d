/* A conversation with the API for one app key: one request at a time, with its quota, its token, and the
 * meaning of each answer. */
#ifndef JST_EXTRACTOR_API_CLIENT_H
#define JST_EXTRACTOR_API_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/http/api.h"
#include "common/wire/envelope.h"
#include "extractor/api/limiter.h"
#include "extractor/api/request.h"
#include "extractor/api/token.h"
#include "extractor/api/verdict.h"

struct client {
    struct api *api;
    struct account account;
    uint64_t (*random)(void);
    const char *token_file; /* NULL: tokens are not kept */
    struct limiter limiter;
    struct token token;
    int64_t ahead_ms;         /* how far the own clock is ahead of the API's; never below 0 */
    bool clock_refused;       /* the last query was refused for its timestamp */
    struct api_answer answer; /* the last one; its memory is used again */
    struct err notice; /* something a person should know although work goes on; taken by client_notice() */
};

/* given_token: JST_ACCESS_TOKEN or NULL. What the token file holds is read here; a file that cannot be used
 * is a notice. The texts of the account are kept by reference. random: any 64 bits. */
void client_init(struct client *c, struct api *api, const struct account *account, uint64_t (*random)(void),
                 const struct rate *rate, const char *given_token, const char *token_file);
void client_free(struct client *c);

enum call_result {
    CALL_ANSWERED, /* c->answer.body has code 0, and r->envelope describes it */
    CALL_AGAIN,    /* the request was about the token, or was refused in a way that is mended: ask again */
    CALL_FAILED,   /* *err says why */
};

/* What came of a call. */
struct reply {
    bool asked;                 /* a request was sent; of its answer: */
    struct api_verdict verdict; /* what it means */
    struct envelope envelope;   /* code and text, and of a query the documents */
};

/* Send one request, now; the caller has waited until client_wait_ms() was 0. CALL_FAILED: ERR_RETRY (not
 * before r->verdict.wait_ms), ERR_REJECT (the answer is too large), ERR_PAUSE (a person must act:
 * r->verdict.reason), ERR_FATAL. *r is written in any case. list: the name of the documents' array, or NULL.
 */
enum call_result client_query(struct client *c, const char *path, const char *biz, const char *list,
                              struct reply *r, struct err *err) __attribute__((warn_unused_result));

int64_t client_wait_ms(const struct client *c);
/* The earlier of the own clock and the API's, in whole seconds since 1970 UTC. */
int64_t client_now_s(const struct client *c);
/* A person may have acted: tokens are tried anew. */
void client_forget_refusals(struct client *c);
/* Take the notice, if there is one. */
bool client_notice(struct client *c, struct err *ret);

#endif
