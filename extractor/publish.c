#include "extractor/publish.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fault_point.h"
#include "common/http/api.h"
#include "common/pipeline/pipeline.h"
#include "common/wire/envelope.h"
#include "common/wire/message.h"
#include "extractor/checkpoint.h"
#include "extractor/state.h"

enum { TURN_MS = 100, CHECKPOINT_MAX = 1024, KEY_TEXT = 2 * BEIJING_TEXT };

/* ---- one acknowledged message ---- */

static int given_up(struct err *err)
{
    return err_set(err, ERR_RETRY, 0, "given up waiting for Kafka");
}

static bool goes_on(const struct publisher *p)
{
    return p->keep_waiting == NULL || p->keep_waiting(p->arg);
}

/* Queue it; the queue may be full of what Kafka has not taken yet. */
static int queue_message(const struct publisher *p, const struct message *m, struct err *err)
{
    while (sink_send(p->sink, m, err) != 0) {
        if (err->kind != ERR_RETRY)
            return -1;
        err_clear(err);
        if (sink_wait(p->sink, TURN_MS, err) < 0)
            return -1;
        if (!goes_on(p))
            return given_up(err);
    }
    return 0;
}

static int wait_for_all(const struct publisher *p, struct err *err)
{
    for (;;) {
        int outstanding = sink_wait(p->sink, TURN_MS, err);
        if (outstanding <= 0)
            return outstanding;
        if (!goes_on(p))
            return given_up(err);
    }
}

static int send_acknowledged(struct publisher *p, struct message *m, struct err *err)
{
    struct sink_failure failure;
    bool refused = false;

    m->ticket = ++p->tickets;
    if (queue_message(p, m, err) != 0)
        return -1;
    FAULT_POINT("message-queued");
    if (wait_for_all(p, err) != 0)
        return -1;
    FAULT_POINT("message-acknowledged");
    while (sink_failure(p->sink, &failure)) {
        if (failure.ticket != m->ticket) /* of a page that was given up waiting for */
            continue;
        refused = true;
        err_set(err, ERR_REJECT, 0, "%s", failure.text);
    }
    return refused ? -1 : 0;
}

/* ---- pages ---- */

static void put_headers(const struct page_origin *from, const struct api_answer *answer,
                        struct header_set *ret)
{
    char text[BEIJING_TEXT];
    char instant[RFC3339_TEXT];

    headers_init(ret);
    headers_put(ret, H_PIPELINE, from->pipeline->name);
    headers_put(ret, H_API, from->pipeline->api);
    headers_put(ret, H_BIZ, from->biz);
    headers_put(ret, H_WINDOW_BEGIN, beijing_format(from->slice.begin_s, text));
    headers_put(ret, H_WINDOW_END, beijing_format(from->slice.end_s, text));
    headers_printf(ret, H_PAGE, "%" PRId64, from->page);
    headers_put(ret, H_FETCHED_AT, rfc3339_format(answer->received_ms, instant));
    headers_put(ret, H_RUN, "live");
}

static int send_body(struct publisher *p, const char *topic, const struct page_origin *from,
                     const struct api_answer *answer, const struct buf *body,
                     const struct header_set *headers, struct err *err)
{
    char key[KEY_TEXT];
    char begin[BEIJING_TEXT];
    char end[BEIJING_TEXT];

    snprintf(key, sizeof key, "%s/%s", beijing_format(from->slice.begin_s, begin),
             beijing_format(from->slice.end_s, end));
    struct message m = {
        .topic = topic,
        .key = key,
        .key_len = strlen(key),
        .value = body->data,
        .value_len = body->len,
        .timestamp_ms = answer->received_ms,
        .headers = headers->list,
        .header_count = headers->count,
    };
    return send_acknowledged(p, &m, err);
}

int publish_page(struct publisher *p, const struct page_origin *from, const struct api_answer *answer,
                 const struct envelope *e, struct err *err)
{
    struct header_set headers;

    FAULT_POINT("page-fetched");
    put_headers(from, answer, &headers);
    if (e->page_count >= 0)
        headers_printf(&headers, H_PAGE_COUNT, "%" PRId64, e->page_count);
    int rc = send_body(p, from->raw_topic, from, answer, &answer->body, &headers, err);
    headers_free(&headers);
    return rc;
}

int publish_dead(struct publisher *p, const struct page_origin *from, const struct api_answer *answer,
                 const char *why, struct err *err)
{
    static char nothing[1];
    const struct buf no_body = {.data = nothing};
    struct header_set headers;
    char instant[RFC3339_TEXT];

    put_headers(from, answer, &headers);
    headers_put(&headers, H_ERROR_STAGE, "extractor");
    headers_put(&headers, H_ERROR_CLASS, dead_class_name(DEAD_TOO_LARGE));
    headers_put(&headers, H_ERROR_TEXT, why);
    headers_put(&headers, H_FAILED_AT, rfc3339_format(answer->received_ms, instant));
    int rc = send_body(p, from->dead_topic, from, answer, &answer->body, &headers, err);
    if (rc != 0 && err->kind == ERR_REJECT) {
        err_clear(err);
        headers_printf(&headers, H_ERROR_TEXT, "%s; its %zu bytes are too many for this topic, too", why,
                       answer->body.len);
        rc = send_body(p, from->dead_topic, from, answer, &no_body, &headers, err);
    }
    headers_free(&headers);
    return rc;
}

/* ---- checkpoints ---- */

int publish_checkpoint(struct publisher *p, const char *pipeline, const struct checkpoint *c, struct err *err)
{
    struct buf value;
    char *key = state_key(pipeline);

    buf_init(&value, CHECKPOINT_MAX);
    checkpoint_write(c, &value);
    struct message m = {
        .topic = p->state_topic,
        .key = key,
        .key_len = strlen(key),
        .value = value.data,
        .value_len = value.len,
    };
    int rc = send_acknowledged(p, &m, err);
    buf_free(&value);
    free(key);
    if (rc == 0)
        FAULT_POINT("checkpoint-written");
    return rc;
}
