/* In-memory twins of the extractor's ports: an API, a sink; and a small pipeline. */
#ifndef TESTS_EXTRACTOR_TWINS_H
#define TESTS_EXTRACTOR_TWINS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/faults.h"
#include "common/base/mem.h"
#include "common/http/api.h"
#include "common/http/form.h"
#include "common/pipeline/pipeline.h"
#include "common/wire/ports.h"
#include "extractor/api/client.h"
#include "tests/unit/twins/clock.h"

/* ---- a pipeline ---- */

/* source and options: further members of these objects, each with a comma before it. */
static inline struct pipeline *twin_pipeline(const char *request, const char *options)
{
    struct faults faults = FAULTS_INIT;
    char *text = mem_printf(
        "{\"name\":\"purchasein\",\"source\":{\"api\":\"/open/purchasein/query\",\"id\":\"io_id\","
        "\"method\":\"POST\",\"effect\":\"QUERY\",\"request\":[%s]},"
        "\"target\":{\"api\":\"batchexecute\",\"request\":[{\"field\":\"id\",\"label\":\"\",\"type\":"
        "\"string\",\"value\":\"{io_id}\"}],\"otherRequest\":[{\"field\":\"main_sql\",\"value\":"
        "\"REPLACE INTO t (id) VALUES\"}]},"
        "\"error_handling\":{\"retry_count\":3,\"retry_interval\":\"5m\"},"
        "\"options\":{\"version\":\"ts\"%s}}",
        request, options);
    struct pipeline *p = pipeline_parse("twin.json", text, strlen(text), &faults);
    if (p == NULL)
        faults_print(&faults, stderr);
    faults_free(&faults);
    free(text);
    return p;
}

#define WINDOW_REQUEST                                                                                       \
    "{\"field\":\"page_index\",\"type\":\"string\",\"value\":\"1\"},"                                        \
    "{\"field\":\"page_size\",\"type\":\"string\",\"value\":\"50\"},"                                        \
    "{\"field\":\"modified_begin\",\"type\":\"string\",\"value\":\"{{LAST_SYNC_TIME|datetime}}\"},"          \
    "{\"field\":\"modified_end\",\"type\":\"string\",\"value\":\"{{CURRENT_TIME|datetime}}\"}"

/* ---- chance ---- */

static inline uint64_t twin_random(void)
{
    return 4711;
}

/* ---- an API ---- */

struct twin_api;
/* Fill the answer's status and body, or fail. */
typedef int twin_handler(struct twin_api *api, const char *path, const struct form *form,
                         struct api_answer *ret, struct err *err);

struct twin_api {
    struct api base;
    twin_handler *handler;
    void *arg;
    int requests;
    char path[64];  /* of the last request */
    char token[64]; /* its access_token */
    char biz[1024];
    char sign[64];
    int64_t date_ms; /* -1: no Date header */
};

static inline int twin_post(struct api *api, const char *path, const struct form *form,
                            struct api_answer *ret, struct err *err)
{
    struct twin_api *t = (struct twin_api *)api;
    const char *token = form_get(form, "access_token");
    const char *biz = form_get(form, "biz");

    t->requests++;
    snprintf(t->path, sizeof t->path, "%s", path);
    snprintf(t->token, sizeof t->token, "%s", token != NULL ? token : "");
    snprintf(t->biz, sizeof t->biz, "%s", biz != NULL ? biz : "");
    snprintf(t->sign, sizeof t->sign, "%s", form_get(form, "sign"));
    buf_reset(&ret->body);
    ret->status = 200;
    ret->date_ms = t->date_ms;
    ret->received_ms = twin_wall_ms;
    ret->retry_after_ms = -1;
    ret->seconds = 0.1;
    return t->handler(t, path, form, ret, err);
}

static inline void twin_api_free(struct api *api)
{
    (void)api;
}

static inline void twin_api_init(struct twin_api *t, twin_handler *handler, void *arg)
{
    static const struct api_ops ops = {.post = twin_post, .free = twin_api_free};

    *t = (struct twin_api){.base = {.ops = &ops}, .handler = handler, .arg = arg, .date_ms = -1};
}

/* ---- a sink ---- */

struct twin_message {
    char topic[64], key[128], page[16], error_class[32];
    char *value;
    size_t len;
    int64_t timestamp_ms;
};

struct twin_sink {
    struct sink base;
    struct twin_message *list;
    size_t count, cap;
    size_t refuse_above; /* larger values for this topic fail when delivered; 0: none do */
    const char *refuse_topic;
    int full_for;           /* so many sends find the queue full */
    int unanswered_for;     /* so many waits do not bring the acknowledgement */
    const char *mute_topic; /* what goes there is never acknowledged */
    bool broken;
    struct sink_failure failure;
    bool failed;
};

static inline const char *twin_header(const struct message *m, const char *name)
{
    for (size_t i = 0; i < m->header_count; i++)
        if (strcmp(m->headers[i].name, name) == 0)
            return m->headers[i].value;
    return "";
}

static inline int twin_send(struct sink *sink, const struct message *m, struct err *err)
{
    struct twin_sink *t = (struct twin_sink *)sink;

    if (t->broken)
        return err_set(err, ERR_FATAL, 0, "fenced");
    if (t->full_for > 0) {
        t->full_for--;
        return err_set(err, ERR_RETRY, 0, "queue full");
    }
    if (t->refuse_above > 0 && m->value_len > t->refuse_above &&
        (t->refuse_topic == NULL || strcmp(t->refuse_topic, m->topic) == 0)) {
        t->failed = true;
        t->failure = (struct sink_failure){.ticket = m->ticket, .text = "too large"};
        return 0;
    }
    t->list = mem_grow(t->list, &t->cap, t->count, sizeof *t->list);
    struct twin_message *x = &t->list[t->count++];
    *x = (struct twin_message){
        .value = mem_strndup(m->value, m->value_len), .len = m->value_len, .timestamp_ms = m->timestamp_ms};
    snprintf(x->topic, sizeof x->topic, "%s", m->topic);
    snprintf(x->key, sizeof x->key, "%.*s", (int)m->key_len, m->key);
    snprintf(x->page, sizeof x->page, "%s", twin_header(m, "jst-page"));
    snprintf(x->error_class, sizeof x->error_class, "%s", twin_header(m, "jst-error-class"));
    return 0;
}

static inline int twin_wait(struct sink *sink, int timeout_ms, struct err *err)
{
    struct twin_sink *t = (struct twin_sink *)sink;

    if (t->broken)
        return err_set(err, ERR_FATAL, 0, "fenced");
    bool mute =
        t->mute_topic != NULL && t->count > 0 && strcmp(t->list[t->count - 1].topic, t->mute_topic) == 0;
    if (!mute && t->unanswered_for == 0)
        return 0;
    if (t->unanswered_for > 0)
        t->unanswered_for--;
    twin_pass(timeout_ms);
    return 1;
}

static inline bool twin_failure(struct sink *sink, struct sink_failure *ret)
{
    struct twin_sink *t = (struct twin_sink *)sink;

    if (!t->failed)
        return false;
    t->failed = false;
    *ret = t->failure;
    return true;
}

static inline void twin_sink_free(struct sink *sink)
{
    struct twin_sink *t = (struct twin_sink *)sink;

    for (size_t i = 0; i < t->count; i++)
        free(t->list[i].value);
    free(t->list);
}

static inline void twin_sink_init(struct twin_sink *t)
{
    static const struct sink_ops ops = {
        .send = twin_send, .wait = twin_wait, .failure = twin_failure, .free = twin_sink_free};

    *t = (struct twin_sink){.base = {.ops = &ops}};
}

#endif
