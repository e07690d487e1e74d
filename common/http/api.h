/* The network as the extractor sees it: a form that goes, and an answer that comes. http.c implements this
 * port; the unit tests have a twin in memory. */
#ifndef JST_COMMON_HTTP_API_H
#define JST_COMMON_HTTP_API_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

struct err;
struct form;

enum { ANSWER_MAX = 64 * 1024 * 1024 };

struct api_answer {
    int status;             /* HTTP */
    struct buf body;        /* at most ANSWER_MAX, decompressed */
    int64_t received_ms;    /* when it was complete: wall clock, milliseconds since 1970 UTC */
    int64_t date_ms;        /* the Date header; -1: none */
    int64_t retry_after_ms; /* the Retry-After header; -1: none */
    double seconds;         /* from sending to the last byte, also when it failed */
};

struct api {
    const struct api_ops *ops;
};

struct api_ops {
    /* Send one POST - exactly one, never a repetition on another connection - and take its whole answer into
     * *ret, whatever its status; the body's memory is reused. ERR_RETRY: no whole answer came, perhaps
     * because the program is asked to stop; err->code is libcurl's. ERR_REJECT: the answer is larger than
     * ANSWER_MAX. */
    int (*post)(struct api *api, const char *path, const struct form *form, struct api_answer *ret,
                struct err *err);
    void (*free)(struct api *api);
};

static inline int api_post(struct api *api, const char *path, const struct form *form, struct api_answer *ret,
                           struct err *err)
{
    return api->ops->post(api, path, form, ret, err);
}
static inline void api_free(struct api *api)
{
    if (api != NULL)
        api->ops->free(api);
}

#endif
