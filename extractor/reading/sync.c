#include "extractor/reading/sync.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/pipeline/pipeline.h"
#include "common/wire/dead.h"
#include "common/wire/envelope.h"
#include "common/wire/routes.h"
#include "extractor/api/client.h"
#include "extractor/api/query.h"
#include "extractor/publish.h"
#include "extractor/reading/seen.h"

enum { BIZ_MAX = 256 * 1024, SECOND_MS = 1000, KEPT_BYTES = 4 * 1024 * 1024 };

void sync_init(struct sync *r, const struct route *route)
{
    const struct pipeline *p = route->pipeline;

    *r = (struct sync){
        .route = route,
        .metrics = metrics_of(p->name),
        .rules = window_rules(p->overlap_ms, p->lag_ms, p->max_window_ms),
    };
    buf_init(&r->biz, BIZ_MAX);
}

void sync_free(struct sync *r)
{
    sync_abandon(r);
    buf_free(&r->biz);
}

/* ---- plan and slices ---- */

static void ask_page(struct sync *r)
{
    split_start(&r->split, r->walk.page, r->route->pipeline->page_size);
    r->page = (struct walk_answer){.page_count = -1, .data_count = -1, .has_next = -1};
}

static void read_slice(struct sync *r, int64_t begin_s)
{
    r->slice = window_slice(&r->rules, &r->plan, begin_s);
    walk_free(&r->walk);
    walk_init(&r->walk);
    ask_page(r);
}

bool sync_begin(struct sync *r, const struct sync_world *w, const struct checkpoint *checkpoint)
{
    sync_abandon(r);
    if (!window_plan(&r->rules, checkpoint->synced_to_s, w->since_s, w->until_s, client_now_s(w->client),
                     &r->plan))
        return false;
    r->active = true;
    r->began_s = clock_now_ms() / SECOND_MS;
    r->checkpoint = *checkpoint;
    r->pages = r->documents = 0;
    r->walks_given_up = 0;
    backoff_reset(&r->backoff);
    read_slice(r, r->plan.begin_s);
    return true;
}

void sync_abandon(struct sync *r)
{
    r->active = false;
    walk_free(&r->walk);
}

static enum sync_result end_sync(struct sync *r)
{
    sync_abandon(r);
    return SYNC_DONE;
}

/* The slice is in Kafka: now, and not before, the checkpoint moves. */
static enum sync_result end_slice(struct sync *r, const struct sync_world *w, struct err *err)
{
    bool last = r->slice.end_s >= r->plan.end_s;
    struct checkpoint next = r->checkpoint;

    if (r->slice.end_s > next.synced_to_s) { /* an overlap may be longer than a slice */
        next.synced_to_s = r->slice.end_s;
        next.run_at_s = last ? r->began_s : next.run_at_s;
        if (publish_checkpoint(w->publisher, r->route->pipeline->name, &next, err) != 0)
            return SYNC_FAILED;
        r->checkpoint = next;
        metric_set(r->metrics.synced_to, (double)next.synced_to_s);
    }
    r->walks_given_up = 0;
    if (last)
        return end_sync(r);
    read_slice(r, r->slice.end_s);
    return SYNC_GOES_ON;
}

/* The API's clock may be behind ours: then the slice would end in its future, and is planned anew. True when
 * the answer in hand is not to be used. */
static bool plan_was_too_late(struct sync *r, const struct client *c, bool *ret_nothing_left)
{
    int64_t end_s = c->answer.date_ms / SECOND_MS - r->rules.lag_s;

    if (c->answer.date_ms < 0 || r->slice.end_s <= end_s)
        return false;
    r->plan.end_s = end_s;
    *ret_nothing_left = end_s < r->slice.begin_s || end_s <= r->checkpoint.synced_to_s;
    if (!*ret_nothing_left)
        read_slice(r, r->slice.begin_s);
    return true;
}

/* ---- pages ---- */

static enum sync_result end_page(struct sync *r, const struct sync_world *w, int64_t *ret_wait_ms,
                                 struct err *err)
{
    if (split_next(&r->split))
        return SYNC_GOES_ON;
    walk_take(&r->walk, &r->page);
    switch (r->walk.state) {
    case WALK_ASKS:
        ask_page(r);
        return SYNC_GOES_ON;
    case WALK_DONE:
        return end_slice(r, w, err);
    case WALK_GIVES_UP:
        break;
    }
    r->walks_given_up++;
    *ret_wait_ms = r->route->pipeline->retry_interval_ms;
    err_set(err, ERR_RETRY, 0,
            "the API counts %" PRId64 " documents, but %d readings of all pages gave no more than %zu",
            r->walk.total, r->walk.pass, r->walk.seen.count);
    read_slice(r, r->slice.begin_s);
    return SYNC_FAILED;
}

static void note_counts(struct sync *r, const struct envelope *e)
{
    bool whole = r->split.depth == 1;

    r->page.documents += e->documents;
    r->page.data_count = e->data_count;
    if (r->page.has_next < 0) /* the parts come from the highest down: the first of them knows */
        r->page.has_next = e->has_next;
    if (whole)
        r->page.page_count = e->page_count;
    else if (e->data_count >= 0)
        r->page.page_count = (e->data_count + r->split.levels[0].size - 1) / r->split.levels[0].size;
}

static struct page_origin page_origin_of(const struct sync *r)
{
    return (struct page_origin){
        .pipeline = r->route->pipeline,
        .raw_topic = r->route->raw,
        .dead_topic = r->route->dead,
        .biz = r->biz.data,
        .slice = r->slice,
        .page = split_now(&r->split)->page,
    };
}

/* Kafka, or the memory, does not take the page: ask for its positions in smaller ones; a page of one document
 * becomes a dead letter. e NULL: the answer could not even be received. */
static enum sync_result too_large(struct sync *r, const struct sync_world *w, const struct envelope *e,
                                  int64_t *ret_wait_ms, struct err *err)
{
    struct page_origin from = page_origin_of(r);
    char why[ERR_TEXT_MAX + 64];

    if (split_shrink(&r->split, e != NULL && e->has_next == 1 ? (int64_t)e->documents : 0)) {
        err_clear(err);
        return SYNC_GOES_ON;
    }
    snprintf(why, sizeof why, "page %" PRId64 " of page size 1: %s", from.page, err->text);
    err_clear(err);
    if (e == NULL)
        buf_reset(&w->client->answer.body);
    if (publish_dead(w->publisher, &from, &w->client->answer, why, err) != 0)
        return SYNC_FAILED;
    err_set(&r->notice, ERR_REJECT, 0, "dead letter: %s: %s", dead_class_name(DEAD_TOO_LARGE), why);
    dead_count(r->route->pipeline->name, "extractor", DEAD_TOO_LARGE);
    if (e != NULL) {
        page_see(r->route->pipeline, e, &r->walk);
        note_counts(r, e);
    } else {
        walk_see(&r->walk, hash_bytes(0, &from.page, sizeof from.page));
        r->page.documents++;
    }
    return end_page(r, w, ret_wait_ms, err);
}

static enum sync_result take_answer(struct sync *r, const struct sync_world *w, const struct envelope *e,
                                    int64_t *ret_wait_ms, struct err *err)
{
    bool nothing_left = false;

    backoff_reset(&r->backoff);
    if (plan_was_too_late(r, w->client, &nothing_left))
        return nothing_left ? end_sync(r) : SYNC_GOES_ON;
    if (e->documents > 0) {
        struct page_origin from = page_origin_of(r);
        if (publish_page(w->publisher, &from, &w->client->answer, e, err) != 0)
            return err->kind == ERR_REJECT ? too_large(r, w, e, ret_wait_ms, err) : SYNC_FAILED;
        r->pages++;
        r->documents += e->documents;
        metric_add(r->metrics.pages, 1);
        metric_add(r->metrics.documents, (double)e->documents);
    }
    page_see(r->route->pipeline, e, &r->walk);
    note_counts(r, e);
    return end_page(r, w, ret_wait_ms, err);
}

/* ---- one step ---- */

static int write_biz(struct sync *r, const struct client *c, struct err *err)
{
    const struct split_level *ask = split_now(&r->split);
    struct biz biz = {
        .window = r->slice,
        .page = ask->page,
        .page_size = ask->size,
        .now_s = client_now_s(c),
    };

    buf_reset(&r->biz);
    return biz_write(r->route->pipeline, &biz, &r->biz, err);
}

enum sync_result sync_step(struct sync *r, const struct sync_world *w, struct reply *ret,
                           int64_t *ret_wait_ms, struct err *err)
{
    const struct pipeline *p = r->route->pipeline;
    struct client *c = w->client;
    enum sync_result result = SYNC_FAILED;

    *ret_wait_ms = 0;
    *ret = (struct reply){0};
    if (write_biz(r, c, err) != 0)
        return SYNC_FAILED;
    enum call_result call = client_query(c, p->api, r->biz.data, p->list, ret, err);
    if (ret->asked) {
        metric_add(r->metrics.requests[ret->verdict.class], 1);
        metric_observe(metrics_request_seconds(), c->answer.seconds);
    }
    switch (call) {
    case CALL_AGAIN:
        return SYNC_GOES_ON;
    case CALL_ANSWERED:
        result = take_answer(r, w, &ret->envelope, ret_wait_ms, err);
        break;
    case CALL_FAILED:
        *ret_wait_ms = ret->verdict.wait_ms;
        if (err->kind == ERR_REJECT)
            result = too_large(r, w, NULL, ret_wait_ms, err);
        break;
    }
    if (c->answer.body.cap > KEPT_BYTES)
        buf_free(&c->answer.body);
    return result;
}

bool sync_notice(struct sync *r, struct err *ret)
{
    if (r->notice.kind == ERR_NONE)
        return false;
    *ret = r->notice;
    err_clear(&r->notice);
    return true;
}

bool sync_exhausted(const struct sync *r, int64_t now_ms)
{
    const struct pipeline *p = r->route->pipeline;
    int64_t rounds = p->retry_count > 0 ? p->retry_count : 1;

    return r->walks_given_up >= rounds ||
           backoff_exhausted(&r->backoff, p->retry_count, p->retry_interval_ms, now_ms);
}
