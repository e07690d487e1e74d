#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/monitor/health.h"
#include "common/monitor/metrics.h"
#include "common/wire/routes.h"
#include "extractor/extract.h"
#include "tests/unit/extractor_twins.h"

/* ---- a state topic that says what a script tells ---- */

struct happening {
    enum source_event_kind event;
    int partitions; /* of SOURCE_ASSIGNED */
    const char *key, *value;
};

struct twin_source {
    struct source base;
    const struct happening *script;
    size_t count, at;
    int idle_polls,
        idle_most;    /* polls after the script; after the most of them the program is asked to stop */
    bool time_passes; /* while it waits */
};

static bool stop;

static int source_twin_poll(struct source *source, int timeout_ms, struct source_event *ret, struct err *err)
{
    struct twin_source *t = (struct twin_source *)source;

    (void)err;
    ret->kind = SOURCE_NONE;
    if (t->at == t->count) {
        if (t->time_passes)
            twin_pass(timeout_ms);
        stop = stop || ++t->idle_polls > t->idle_most;
        return 0;
    }
    const struct happening *h = &t->script[t->at++];
    *ret = (struct source_event){
        .kind = h->event,
        .partitions = h->partitions,
        .record = {.key = h->key,
                   .key_len = h->key != NULL ? strlen(h->key) : 0,
                   .has_key = h->key != NULL,
                   .value = h->value,
                   .value_len = h->value != NULL ? strlen(h->value) : 0,
                   .has_value = h->value != NULL},
    };
    return 0;
}

static void source_twin_release(struct source *source, struct record *record)
{
    (void)source, (void)record;
}

static int64_t contact(const struct source *source)
{
    (void)source;
    return 0;
}

static bool stopping(void)
{
    return stop;
}

/* ---- an API of one empty page, which refuses one path ---- */

struct refusing {
    const char *path, *body;
};

static int answer(struct twin_api *api, const char *path, const struct form *form, struct api_answer *ret,
                  struct err *err)
{
    const struct refusing *r = api->arg;

    (void)form, (void)err;
    if (r->path != NULL && strcmp(path, r->path) == 0)
        buf_add_text(&ret->body, r->body);
    else
        buf_add_text(&ret->body, "{\"code\":0,\"data\":{\"data_count\":1,\"page_count\":1,\"has_next\":false,"
                                 "\"datas\":[{\"io_id\":1}]}}");
    return 0;
}

/* ---- the whole ---- */

struct world {
    struct refusing refusing;
    struct twin_api api;
    struct twin_sink sink;
    struct twin_source source;
    struct client client;
    struct pipeline *pipelines[2];
    struct pipelines list;
    struct route routes[2];
    struct routes route_list;
    struct extract extract;
    struct err err;
};

#define READ_NOTHING                                                                                         \
    {SOURCE_ASSIGNED, 1, NULL, NULL},                                                                        \
    {                                                                                                        \
        SOURCE_END, 0, NULL, NULL                                                                            \
    }

static void open_world(struct world *w, const struct happening *script, size_t count)
{
    static const struct account account = {"app", "secret"};
    static const struct source_ops ops = {.poll = source_twin_poll, .release = source_twin_release};
    static char raw[] = "raw";
    static char dead[] = "dead";

    stop = false;
    *w = (struct world){.source = {.base = {.ops = &ops}, .script = script, .count = count, .idle_most = 50}};
    twin_api_init(&w->api, answer, &w->refusing);
    twin_sink_init(&w->sink);
    twin_clock_use();
    client_init(&w->client, &w->api.base, &account, twin_random, &(struct rate){0, 0}, "G", NULL);
    for (size_t i = 0; i < 2; i++) {
        w->pipelines[i] = twin_pipeline(WINDOW_REQUEST, "");
        free(w->pipelines[i]->name);
        free(w->pipelines[i]->api);
        w->pipelines[i]->name = mem_strdup(i == 0 ? "one" : "two");
        w->pipelines[i]->api = mem_strdup(i == 0 ? "/open/one" : "/open/two");
        w->routes[i] = (struct route){.pipeline = w->pipelines[i], .raw = raw, .dead = dead};
    }
    w->list = (struct pipelines){.list = w->pipelines, .count = 2};
    w->route_list = (struct routes){.list = w->routes, .count = 2};
    w->extract = (struct extract){.state_source = &w->source.base,
                                  .client = &w->client,
                                  .publisher = {.sink = &w->sink.base, .state_topic = "state"},
                                  .routes = &w->route_list,
                                  .pipelines = &w->list,
                                  .since_s = twin_wall_ms / 1000 - 3600,
                                  .until_s = -1,
                                  .stopping = stopping,
                                  .contact_ms = contact};
}
#define OPEN(w, script) open_world(w, script, sizeof(script) / sizeof *(script))

static void close_world(struct world *w)
{
    client_free(&w->client);
    sink_free(&w->sink.base);
    for (size_t i = 0; i < 2; i++)
        pipeline_free(w->pipelines[i]);
    metrics_forget();
    health_forget();
}

static size_t written(const struct world *w, const char *key)
{
    size_t count = 0;

    for (size_t i = 0; i < w->sink.count; i++)
        count += strcmp(w->sink.list[i].key, key) == 0;
    return count;
}

static bool not_ready_because(const char *text)
{
    struct buf why;

    buf_init(&why, 10000);
    bool ready = health_ready(&why);
    bool named = strstr(why.data, text) != NULL;
    buf_free(&why);
    return !ready && named;
}

static void once_reads_every_pipeline(void **state)
{
    static const struct happening script[] = {READ_NOTHING};
    struct world w;
    (void)state;

    OPEN(&w, script);
    w.extract.once = true;
    assert_int_equal(extract_run(&w.extract, &w.err), 0);
    assert_false(stop);
    assert_int_equal(written(&w, "one/live"), 1);
    assert_int_equal(written(&w, "two/live"), 1);
    assert_int_equal(w.api.requests, 2);
    close_world(&w);
}

static void a_standby_asks_for_nothing(void **state)
{
    static const struct happening script[] = {{SOURCE_ASSIGNED, 0, NULL, NULL}, {SOURCE_END, 0, NULL, NULL}};
    struct world w;
    (void)state;

    OPEN(&w, script);
    assert_int_equal(extract_run(&w.extract, &w.err), 0);
    assert_int_equal(w.api.requests, 0);
    assert_true(metric_value(metrics_leader()) < 0.5);
    close_world(&w);
}

static void nothing_is_asked_before_the_state_is_read(void **state)
{
    static const struct happening script[] = {{SOURCE_ASSIGNED, 1, NULL, NULL}};
    struct world w;
    (void)state;

    OPEN(&w, script);
    assert_int_equal(extract_run(&w.extract, &w.err), 0);
    assert_int_equal(w.api.requests, 0);
    close_world(&w);
}

/* A run that is to end does not stand by for ever. */
static void once_gives_up_standing_by(void **state)
{
    static const struct happening script[] = {{SOURCE_ASSIGNED, 0, NULL, NULL}};
    struct world w;
    (void)state;

    OPEN(&w, script);
    w.source.idle_most = 100000000;
    w.source.time_passes = true;
    w.extract.once = true;
    w.extract.once_patience_ms = 60000;
    int64_t since_ms = twin_monotonic_ms;
    assert_int_equal(extract_run(&w.extract, &w.err), -1);
    assert_int_equal(w.err.kind, ERR_RETRY);
    assert_in_range(twin_monotonic_ms - since_ms, 60000, 61000);
    assert_int_equal(w.api.requests, 0);
    close_world(&w);
}

static int64_t contact_lost(const struct source *source)
{
    (void)source;
    return 3600 * 1000;
}

/* The broker goes away behind the first page. */
static void once_gives_up_without_a_broker(void **state)
{
    static const struct happening script[] = {READ_NOTHING};
    struct world w;
    (void)state;

    OPEN(&w, script);
    w.source.idle_most = 100000000;
    w.sink.mute_topic = "raw";
    w.extract.once = true;
    w.extract.once_patience_ms = 60000;
    int64_t since_ms = twin_monotonic_ms;
    w.extract.contact_ms = contact_lost;
    assert_int_equal(extract_run(&w.extract, &w.err), -1);
    assert_int_equal(w.err.kind, ERR_RETRY);
    assert_in_range(twin_monotonic_ms - since_ms, 65000, 66000); /* 5 s may be a short absence */
    assert_int_equal(written(&w, "one/live"), 0);
    close_world(&w);
}

/* The one before may have sent a request just now. */
static void a_new_leader_keeps_the_distance(void **state)
{
    static const struct happening script[] = {READ_NOTHING};
    struct world w;
    (void)state;

    OPEN(&w, script);
    limiter_init(&w.client.limiter, &(struct rate){5, 100}, twin_monotonic_ms - 60000);
    assert_int_equal(client_wait_ms(&w.client), 0);
    assert_int_equal(extract_run(&w.extract, &w.err), 0);
    assert_int_equal(w.api.requests, 0);
    assert_int_equal(client_wait_ms(&w.client), 620);
    close_world(&w);
}

static void who_lost_the_partition_stops(void **state)
{
    static const struct happening script[] = {READ_NOTHING, {SOURCE_REVOKED, 0, NULL, NULL}};
    struct world w;
    (void)state;

    OPEN(&w, script);
    assert_int_equal(extract_run(&w.extract, &w.err), 0);
    assert_int_equal(w.api.requests, 0);
    assert_true(metric_value(metrics_leader()) < 0.5);
    close_world(&w);
}

static void a_missing_permission_pauses_its_pipeline_only(void **state)
{
    static const struct happening script[] = {READ_NOTHING};
    struct world w;
    (void)state;

    OPEN(&w, script);
    w.refusing = (struct refusing){"/open/one", "{\"code\":190,\"msg\":\"无API权限\"}"};
    assert_int_equal(extract_run(&w.extract, &w.err), 0);
    assert_int_equal(w.api.requests, 2); /* one each, and none again within ten minutes */
    assert_int_equal(written(&w, "two/live"), 1);
    assert_int_equal(written(&w, "one/live"), 0);
    assert_true(not_ready_because("pipeline one"));
    assert_true(metric_value(metrics_of("one").paused[PAUSE_PERMISSION]) > 0.5);
    assert_true(metric_value(metrics_of("two").paused[PAUSE_PERMISSION]) < 0.5);
    close_world(&w);

    OPEN(&w, script);
    w.extract.once = true;
    w.refusing = (struct refusing){"/open/one", "{\"code\":190,\"msg\":\"无API权限\"}"};
    assert_int_equal(extract_run(&w.extract, &w.err), -1);
    assert_int_equal(w.err.kind, ERR_RETRY);
    assert_int_equal(written(&w, "two/live"), 1);
    close_world(&w);
}

static void refused_credentials_pause_everything(void **state)
{
    static const struct happening script[] = {READ_NOTHING};
    struct world w;
    (void)state;

    OPEN(&w, script);
    w.refusing = (struct refusing){"/open/one", "{\"code\":10,\"msg\":\"无效签名\"}"};
    assert_int_equal(extract_run(&w.extract, &w.err), 0);
    assert_int_equal(w.api.requests, 1);
    assert_true(not_ready_because("account"));
    assert_true(metric_value(metrics_of("two").paused[PAUSE_CREDENTIALS]) > 0.5);
    close_world(&w);
}

/* A checkpoint of a later program is refused; when it is rewritten the pipeline goes on at once. */
static void a_refused_checkpoint_can_be_mended(void **state)
{
    static const struct happening script[] = {
        {SOURCE_ASSIGNED, 1, NULL, NULL},
        {SOURCE_RECORD, 0, "one/live", "{\"v\":2}"},
        {SOURCE_END, 0, NULL, NULL},
        {SOURCE_NONE, 0, NULL, NULL},
        {SOURCE_NONE, 0, NULL, NULL},
        {SOURCE_NONE, 0, NULL, NULL},
        {SOURCE_NONE, 0, NULL, NULL},
        {SOURCE_RECORD, 0, "one/live", "{\"v\":1,\"synced_to\":\"2026-07-29 10:00:00\"}"},
    };
    struct world w;
    (void)state;

    OPEN(&w, script);
    assert_int_equal(extract_run(&w.extract, &w.err), 0);
    assert_int_equal(written(&w, "two/live"), 1);
    assert_int_equal(written(&w, "one/live"), 1);
    assert_true(metric_value(metrics_of("one").paused[PAUSE_STATE]) < 0.5);
    close_world(&w);

    open_world(&w, script, 4);
    assert_int_equal(extract_run(&w.extract, &w.err), 0);
    assert_int_equal(written(&w, "one/live"), 0);
    assert_true(metric_value(metrics_of("one").paused[PAUSE_STATE]) > 0.5);
    close_world(&w);
}

static void a_broken_producer_ends_the_program(void **state)
{
    static const struct happening script[] = {READ_NOTHING};
    struct world w;
    (void)state;

    OPEN(&w, script);
    w.sink.broken = true;
    assert_int_equal(extract_run(&w.extract, &w.err), -1);
    assert_int_equal(w.err.kind, ERR_FATAL);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once_reads_every_pipeline),
        cmocka_unit_test(a_standby_asks_for_nothing),
        cmocka_unit_test(nothing_is_asked_before_the_state_is_read),
        cmocka_unit_test(once_gives_up_standing_by),
        cmocka_unit_test(once_gives_up_without_a_broker),
        cmocka_unit_test(a_new_leader_keeps_the_distance),
        cmocka_unit_test(who_lost_the_partition_stops),
        cmocka_unit_test(a_missing_permission_pauses_its_pipeline_only),
        cmocka_unit_test(refused_credentials_pause_everything),
        cmocka_unit_test(a_refused_checkpoint_can_be_mended),
        cmocka_unit_test(a_broken_producer_ends_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
