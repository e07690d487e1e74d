#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/monitor/metrics.h"
#include "common/wire/routes.h"
#include "extractor/publish.h"
#include "extractor/reading/sync.h"
#include "tests/unit/extractor_twins.h"

/* A server of documents io_id 1..count, all inside every window. */
struct shop {
    int count;
    int bytes;          /* of padding a document */
    int fat;            /* this one has 100 times as much; 0: none */
    int fail_at;        /* request number that fails; 0: none */
    const char *refuse; /* an answer instead of any page; NULL: none */
    int claims;         /* documents more than there are, in data_count */
};

static int64_t number_in(const char *biz, const char *name)
{
    const char *at = strstr(biz, name);

    assert_non_null(at);
    return strtoll(at + strlen(name), NULL, 10);
}

static int serve(struct twin_api *api, const char *path, const struct form *form, struct api_answer *ret,
                 struct err *err)
{
    const struct shop *s = api->arg;

    (void)path, (void)form;
    if (s->fail_at == api->requests)
        return err_set(err, ERR_RETRY, 7, "no connection");
    if (s->refuse != NULL) {
        buf_add_text(&ret->body, s->refuse);
        return 0;
    }
    int64_t page = number_in(api->biz, "\"page_index\":");
    int64_t size = number_in(api->biz, "\"page_size\":");
    buf_printf(&ret->body,
               "{\"code\":0,\"data\":{\"page_index\":%d,\"data_count\":%d,\"page_count\":%d,\"has_next\":%s,"
               "\"datas\":[",
               (int)page, s->count + s->claims, (int)((s->count + size - 1) / size),
               page * size < s->count ? "true" : "false");
    for (int64_t i = (page - 1) * size + 1; i <= page * size && i <= s->count; i++)
        buf_printf(&ret->body, "%s{\"io_id\":%d,\"x\":\"%*s\"}", i > (page - 1) * size + 1 ? "," : "", (int)i,
                   i == s->fat ? s->bytes * 100 : s->bytes, "");
    buf_add_text(&ret->body, "]}}");
    return 0;
}

struct world {
    struct shop shop;
    struct twin_api api;
    struct twin_sink sink;
    struct client client;
    struct publisher publisher;
    struct sync_world world;
    struct pipeline *pipeline;
    struct route route;
    struct sync sync;
    struct reply reply;
    struct err err;
    int64_t wait_ms;
};

static const struct checkpoint none = {-1, -1};

static void open_world(struct world *w, int count, const char *options)
{
    static const struct account account = {"app", "secret"};
    static char raw[] = "raw";
    static char dead[] = "dead";

    *w = (struct world){.shop = {.count = count, .bytes = 10}};
    twin_api_init(&w->api, serve, &w->shop);
    twin_sink_init(&w->sink);
    twin_clock_use();
    client_init(&w->client, &w->api.base, &account, twin_random, &(struct rate){0, 0}, "G", NULL);
    w->publisher = (struct publisher){.sink = &w->sink.base, .state_topic = "state"};
    w->world = (struct sync_world){.client = &w->client,
                                   .publisher = &w->publisher,
                                   .since_s = twin_wall_ms / 1000 - 86400,
                                   .until_s = -1};
    w->pipeline = twin_pipeline(WINDOW_REQUEST, options);
    assert_non_null(w->pipeline);
    w->pipeline->page_size = 10;
    w->route = (struct route){.pipeline = w->pipeline, .raw = raw, .dead = dead};
    sync_init(&w->sync, &w->route);
}

static void close_world(struct world *w)
{
    sync_free(&w->sync);
    client_free(&w->client);
    sink_free(&w->sink.base);
    pipeline_free(w->pipeline);
    metrics_forget();
}

static enum sync_result run_on(struct world *w)
{
    enum sync_result result = SYNC_GOES_ON;

    for (int i = 0; i < 1000 && result == SYNC_GOES_ON; i++) {
        err_clear(&w->err);
        result = sync_step(&w->sync, &w->world, &w->reply, &w->wait_ms, &w->err);
    }
    return result;
}

static size_t count_topic(const struct world *w, const char *topic)
{
    size_t count = 0;

    for (size_t i = 0; i < w->sink.count; i++)
        count += strcmp(w->sink.list[i].topic, topic) == 0;
    return count;
}

static const char *last_value(const struct world *w)
{
    return w->sink.list[w->sink.count - 1].value;
}

static void pages_then_the_checkpoint(void **state)
{
    struct world w;
    char text[BEIJING_TEXT];
    char pages[64] = "";
    (void)state;

    open_world(&w, 35, "");
    assert_true(sync_begin(&w.sync, &w.world, &none));
    assert_int_equal(run_on(&w), SYNC_DONE);
    assert_int_equal(count_topic(&w, "raw"), 5);
    assert_int_equal(count_topic(&w, "state"), 1);
    for (size_t i = 0; i < 5; i++) {
        pages[i] = w.sink.list[i].page[0];
        assert_int_equal(w.sink.list[i].timestamp_ms, twin_wall_ms);
    }
    assert_string_equal(pages, "14321");
    char *expected = mem_printf("{\"v\":1,\"synced_to\":\"%s\",\"run_at\":",
                                beijing_format(twin_wall_ms / 1000 - 60, text));
    assert_memory_equal(last_value(&w), expected, strlen(expected));
    free(expected);
    assert_string_equal(w.sink.list[w.sink.count - 1].key, "purchasein/live");
    assert_true(metric_value(w.sync.metrics.pages) > 4.5 && metric_value(w.sync.metrics.pages) < 5.5);
    assert_false(w.sync.active);
    assert_int_equal(w.sync.checkpoint.synced_to_s, twin_wall_ms / 1000 - 60);
    close_world(&w);
}

static void empty_pages_are_not_published(void **state)
{
    struct world w;
    (void)state;

    open_world(&w, 0, "");
    assert_true(sync_begin(&w.sync, &w.world, &none));
    assert_int_equal(run_on(&w), SYNC_DONE);
    assert_int_equal(w.sink.count, 1); /* the checkpoint */
    close_world(&w);
}

static void a_slice_is_checkpointed_before_the_next(void **state)
{
    struct world w;
    char before[BEIJING_TEXT] = "";
    int states = 0;
    (void)state;

    open_world(&w, 5, ",\"max_window\":\"6h\"");
    assert_true(sync_begin(&w.sync, &w.world, &none));
    assert_int_equal(run_on(&w), SYNC_DONE);
    for (size_t i = 0; i < w.sink.count; i++) { /* raw, state, raw, state … */
        assert_string_equal(w.sink.list[i].topic, i % 2 == 0 ? "raw" : "state");
        if (i % 2 == 0)
            continue;
        const char *synced_to = strstr(w.sink.list[i].value, "synced_to\":\"") + 12;
        assert_memory_equal(synced_to, w.sink.list[i - 1].key + BEIJING_TEXT, BEIJING_TEXT - 1);
        assert_true(strncmp(synced_to, before, BEIJING_TEXT - 1) > 0);
        memcpy(before, synced_to, BEIJING_TEXT - 1);
        states++;
        /* only the last slice says that the run is complete */
        assert_int_equal(strstr(w.sink.list[i].value, "run_at") != NULL, i + 1 == w.sink.count);
    }
    assert_int_equal(states, 4);
    close_world(&w);
}

static void a_checkpoint_never_goes_back(void **state)
{
    struct world w;
    struct checkpoint c = {twin_wall_ms / 1000 - 3600, -1};
    (void)state;

    open_world(&w, 5, ",\"max_window\":\"6h\",\"overlap\":\"10h\"");
    assert_true(sync_begin(&w.sync, &w.world, &c));
    assert_int_equal(run_on(&w), SYNC_DONE);
    assert_int_equal(count_topic(&w, "raw"), 2);
    assert_int_equal(count_topic(&w, "state"), 1); /* the first slice ended before the checkpoint */
    close_world(&w);
}

static void a_failed_request_is_repeated_where_it_was(void **state)
{
    struct world w;
    (void)state;

    open_world(&w, 35, "");
    w.shop.fail_at = 3; /* page 3 */
    assert_true(sync_begin(&w.sync, &w.world, &none));
    assert_int_equal(run_on(&w), SYNC_FAILED);
    assert_int_equal(w.err.kind, ERR_RETRY);
    assert_int_equal(count_topic(&w, "raw"), 2);
    assert_int_equal(count_topic(&w, "state"), 0);
    backoff_fail(&w.sync.backoff, twin_monotonic_ms, 0, 0);
    assert_int_equal(run_on(&w), SYNC_DONE);
    assert_int_equal(w.sync.backoff.failures, 0);
    assert_int_equal(count_topic(&w, "raw"), 5);
    assert_int_equal(w.api.requests, 6);
    close_world(&w);
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

/* Without Kafka's acknowledgement nothing moves. */
static void no_acknowledgement_no_checkpoint(void **state)
{
    struct world w;
    (void)state;

    open_world(&w, 5, "");
    w.sink.unanswered_for = 1000000;
    w.publisher.keep_waiting = never;
    assert_true(sync_begin(&w.sync, &w.world, &none));
    assert_int_equal(run_on(&w), SYNC_FAILED);
    assert_int_equal(w.err.kind, ERR_RETRY);
    assert_int_equal(count_topic(&w, "state"), 0);
    assert_true(metric_value(w.sync.metrics.pages) < 0.5);
    close_world(&w);
}

/* A slice whose checkpoint Kafka did not acknowledge is not done. */
static void an_unacknowledged_checkpoint_does_not_count(void **state)
{
    struct world w;
    (void)state;

    open_world(&w, 5, "");
    w.sink.mute_topic = "state";
    w.publisher.keep_waiting = never;
    assert_true(sync_begin(&w.sync, &w.world, &none));
    assert_int_equal(run_on(&w), SYNC_FAILED);
    assert_int_equal(w.sync.checkpoint.synced_to_s, -1);
    assert_true(metric_value(w.sync.metrics.synced_to) < 0.5);
    close_world(&w);
}

static void a_slow_or_full_kafka_is_waited_for(void **state)
{
    struct world w;
    (void)state;

    open_world(&w, 15, "");
    w.sink.full_for = 3;
    w.sink.unanswered_for = 5;
    assert_true(sync_begin(&w.sync, &w.world, &none));
    assert_int_equal(run_on(&w), SYNC_DONE);
    assert_int_equal(count_topic(&w, "raw"), 3);
    close_world(&w);
}

static void a_broken_producer_is_fatal(void **state)
{
    struct world w;
    (void)state;

    open_world(&w, 5, "");
    w.sink.broken = true;
    assert_true(sync_begin(&w.sync, &w.world, &none));
    assert_int_equal(run_on(&w), SYNC_FAILED);
    assert_int_equal(w.err.kind, ERR_FATAL);
    close_world(&w);
}

static void too_large_pages_are_halved(void **state)
{
    struct world w;
    struct err notice = ERR_INIT;
    bool seen[36] = {false};
    (void)state;

    open_world(&w, 35, "");
    w.shop.bytes = 100;
    w.shop.fat = 17;
    w.sink.refuse_above = 700;
    w.sink.refuse_topic = "raw";
    assert_true(sync_begin(&w.sync, &w.world, &none));
    assert_int_equal(run_on(&w), SYNC_DONE);
    assert_int_equal(count_topic(&w, "dead"), 1);
    for (size_t i = 0; i < w.sink.count; i++) {
        const struct twin_message *m = &w.sink.list[i];
        for (const char *at = m->value; (at = strstr(at, "\"io_id\":")) != NULL; at++)
            seen[strtol(at + 8, NULL, 10)] = true;
        if (strcmp(m->topic, "dead") == 0) {
            assert_string_equal(m->page, "17");
            assert_string_equal(m->error_class, "too-large");
        } else {
            assert_true(m->len <= 700);
        }
    }
    for (int i = 1; i <= 35; i++)
        assert_true(seen[i]);
    assert_true(sync_notice(&w.sync, &notice));
    assert_string_equal(notice.text, "dead letter: too-large: page 17 of page size 1: too large");
    assert_false(sync_notice(&w.sync, &notice));
    close_world(&w);
}

static void a_dead_letter_that_is_too_large_goes_without_its_body(void **state)
{
    struct world w;
    (void)state;

    open_world(&w, 1, "");
    w.shop.bytes = 1000;
    w.sink.refuse_above = 700;
    assert_true(sync_begin(&w.sync, &w.world, &none));
    assert_int_equal(run_on(&w), SYNC_DONE);
    assert_int_equal(count_topic(&w, "dead"), 1);
    assert_int_equal(w.sink.list[0].len, 0);
    close_world(&w);
}

static void a_count_that_is_never_reached(void **state)
{
    struct world w;
    (void)state;

    open_world(&w, 5, "");
    w.shop.claims = 1;
    assert_true(sync_begin(&w.sync, &w.world, &none));
    for (int round = 0; round < 3; round++) {
        assert_false(sync_exhausted(&w.sync, twin_monotonic_ms));
        assert_int_equal(run_on(&w), SYNC_FAILED);
        assert_int_equal(w.err.kind, ERR_RETRY);
        assert_int_equal(w.wait_ms, 300000);
    }
    assert_true(sync_exhausted(&w.sync, twin_monotonic_ms));
    assert_int_equal(w.api.requests, 3 * WALK_PASSES_MAX);
    assert_int_equal(count_topic(&w, "state"), 0);
    close_world(&w);
}

/* An answer in which the documents cannot be found is none without documents. */
static void an_answer_without_its_list_fails(void **state)
{
    static const struct {
        const char *answer;
        enum sync_result result;
    } cases[] = {
        {"{\"code\":0,\"data\":{\"has_next\":true,\"orders\":[{\"io_id\":1}]}}", SYNC_FAILED},
        {"{\"code\":0,\"data\":{\"has_next\":false,\"orders\":[]}}", SYNC_FAILED},
        {"{\"code\":0,\"data\":{}}", SYNC_FAILED},
        {"{\"code\":0}", SYNC_FAILED},
        {"{\"code\":0,\"data\":{\"datas\":null}}", SYNC_DONE},
        {"{\"code\":0,\"data\":{\"data_count\":0}}", SYNC_DONE},
        {"{\"code\":0,\"data\":null}", SYNC_DONE},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        open_world(&w, 5, ",\"list\":\"datas\"");
        w.shop.refuse = cases[i].answer;
        assert_true(sync_begin(&w.sync, &w.world, &none));
        if (run_on(&w) != cases[i].result)
            fail_msg("%s: %s", cases[i].answer, w.err.text);
        assert_int_equal(count_topic(&w, "state"), cases[i].result == SYNC_DONE);
        assert_int_equal(w.err.kind, cases[i].result == SYNC_DONE ? ERR_NONE : ERR_RETRY);
        close_world(&w);
    }
}

/* Without the option list, several arrays: the run fails and says so; a pause without a reason would be
 * silent. */
static void several_lists_fail(void **state)
{
    struct world w;
    (void)state;

    open_world(&w, 5, "");
    w.shop.refuse = "{\"code\":0,\"data\":{\"a\":[1],\"b\":[]}}";
    assert_true(sync_begin(&w.sync, &w.world, &none));
    assert_int_equal(run_on(&w), SYNC_FAILED);
    assert_true(w.err.kind == ERR_RETRY || w.reply.verdict.reason != PAUSE_NONE);
    close_world(&w);
}

static void a_refusal_pauses(void **state)
{
    struct world w;
    (void)state;

    open_world(&w, 5, "");
    w.shop.refuse = "{\"code\":190,\"msg\":\"无API权限\"}";
    assert_true(sync_begin(&w.sync, &w.world, &none));
    assert_int_equal(run_on(&w), SYNC_FAILED);
    assert_int_equal(w.err.kind, ERR_PAUSE);
    close_world(&w);
}

/* The API's clock is an hour behind: the window ends by it, and what was asked before it was known is not
 * used. */
static void the_api_s_clock_ends_the_window(void **state)
{
    struct world w;
    char text[BEIJING_TEXT];
    (void)state;

    open_world(&w, 5, "");
    w.api.date_ms = twin_wall_ms - 3600 * 1000;
    assert_true(sync_begin(&w.sync, &w.world, &none));
    assert_int_equal(run_on(&w), SYNC_DONE);
    assert_int_equal(w.api.requests, 2);
    assert_int_equal(count_topic(&w, "raw"), 1);
    assert_non_null(strstr(last_value(&w), beijing_format(twin_wall_ms / 1000 - 3660, text)));
    /* nothing is left before the API's now: done, without a checkpoint that would go back */
    struct checkpoint c = {twin_wall_ms / 1000 - 3000, -1};
    assert_false(sync_begin(&w.sync, &w.world, &c));
    close_world(&w);
}

static void nothing_to_read(void **state)
{
    struct world w;
    struct checkpoint c = {twin_wall_ms / 1000, -1};
    (void)state;

    open_world(&w, 5, "");
    assert_false(sync_begin(&w.sync, &w.world, &c));
    assert_false(w.sync.active);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_then_the_checkpoint),
        cmocka_unit_test(empty_pages_are_not_published),
        cmocka_unit_test(a_slice_is_checkpointed_before_the_next),
        cmocka_unit_test(a_checkpoint_never_goes_back),
        cmocka_unit_test(a_failed_request_is_repeated_where_it_was),
        cmocka_unit_test(no_acknowledgement_no_checkpoint),
        cmocka_unit_test(an_unacknowledged_checkpoint_does_not_count),
        cmocka_unit_test(a_slow_or_full_kafka_is_waited_for),
        cmocka_unit_test(a_broken_producer_is_fatal),
        cmocka_unit_test(too_large_pages_are_halved),
        cmocka_unit_test(a_dead_letter_that_is_too_large_goes_without_its_body),
        cmocka_unit_test(a_count_that_is_never_reached),
        cmocka_unit_test(an_answer_without_its_list_fails),
        cmocka_unit_test(several_lists_fail),
        cmocka_unit_test(a_refusal_pauses),
        cmocka_unit_test(the_api_s_clock_ends_the_window),
        cmocka_unit_test(nothing_to_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
