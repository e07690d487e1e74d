/* The world of the transformer's tests: one pipeline between a memory source and a memory sink. */
#ifndef JST_TESTS_TRANSFORM_WORLD_H
#define JST_TESTS_TRANSFORM_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/monitor/health.h"
#include "common/monitor/metrics.h"
#include "common/wire/message.h"
#include "common/wire/topics_file.h"
#include "tests/unit/twins/memory_sink.h"
#include "tests/unit/twins/memory_source.h"
#include "tests/unit/twins/twin_pipeline.h"
#include "transformer/transform.h"

enum { PATIENCE_MS = 20000 };

static struct world {
    struct memory_source *in;
    struct memory_sink *out;
    struct pipeline *list[1];
    struct pipelines pipelines;
    struct topics topics;
    struct routes routes;
    struct transform transform;
    bool stop;
    int64_t give_up_ms;
    int64_t goal;         /* committed records to stop at */
    size_t idle_goal;     /* idle polls to stop at; 0: none */
    size_t rebalance_at;  /* records given when the partitions are taken and given back; 0: never */
    size_t stop_at_waits; /* waits of the sink; 0: none */
    size_t stores;
    char broken[128];
} world;

static inline bool stopping(void)
{
    if (world.stop_at_waits > 0 && world.out->waits >= world.stop_at_waits)
        world.stop = true;
    return world.stop;
}

static inline int64_t now_ms(void)
{
    return 1786590301000;
}

static inline void on_poll(void *arg)
{
    (void)arg;
    if (clock_monotonic_ms() > world.give_up_ms) {
        snprintf(world.broken, sizeof world.broken, "the time ran out");
        world.stop = true;
    }
    if (memory_source_done(world.in) >= world.goal)
        world.stop = true;
    if (world.idle_goal > 0 && world.in->idle_polls >= world.idle_goal)
        world.stop = true;
    if (world.rebalance_at > 0 && world.in->given >= world.rebalance_at) {
        world.rebalance_at = 0;
        world.in->rebalance = true;
    }
}

/* Was the message made of this partition's records up to that offset? */
static inline bool made_of(const struct memory_message *m, const char *topic, int32_t partition,
                           int64_t offset)
{
    char prefix[64];
    const char *source = memory_header(m, H_ERROR_SOURCE);

    if (source == NULL)
        source = memory_header(m, H_SOURCE);
    int len = snprintf(prefix, sizeof prefix, "%s/%d/", topic, partition);
    return strncmp(source, prefix, (size_t)len) == 0 && strtoll(source + len, NULL, 10) <= offset;
}

/* The promise: an offset is stored when everything that was made of it, and of what is before it, is there.
 * What was refused is not: its replacement, a later message, is. */
static inline void on_store(void *arg, const char *topic, int32_t partition, int64_t offset)
{
    (void)arg;
    world.stores++;
    for (size_t i = 0; i < world.out->count; i++) {
        const struct memory_message *m = &world.out->list[i];
        if (!m->acked && !m->refused && !m->given_up && made_of(m, topic, partition, offset))
            snprintf(world.broken, sizeof world.broken, "offset %lld is stored before its messages are there",
                     (long long)offset);
    }
}

static inline int set_up(void **state)
{
    struct faults faults = FAULTS_INIT;

    (void)state;
    memset(&world, 0, sizeof world);
    topics_read("topics.conf", 1, &world.topics, &faults);
    assert_int_equal(faults.errors, 0);
    world.list[0] = twin_pipeline(&(struct twin_spec){.options = ",\"version\":\"ts\",\"list\":\"datas\""});
    world.pipelines = (struct pipelines){.list = world.list, .count = 1};
    routes_init(&world.routes, &world.pipelines, &world.topics);
    world.in = memory_source_new(false);
    world.out = memory_sink_new();
    world.in->on_poll = on_poll;
    world.in->on_store = on_store;
    world.goal = INT64_MAX;
    world.give_up_ms = clock_monotonic_ms() + PATIENCE_MS;
    world.transform = (struct transform){
        .in = &world.in->base,
        .out = &world.out->base,
        .routes = &world.routes,
        .rows_max_bytes = 16384,
        .stopping = stopping,
        .now_ms = now_ms,
    };
    transform_metrics_init(&world.routes);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    source_free(&world.in->base);
    sink_free(&world.out->base);
    routes_free(&world.routes);
    topics_free(&world.topics);
    pipeline_free(world.list[0]);
    health_forget();
    metrics_forget();
    return 0;
}

static inline void again(void **state)
{
    tear_down(state);
    set_up(state);
}

static inline int64_t add_raw(int partition, const char *value, size_t skip_headers)
{
    static const struct header headers[] = {
        HEADER(H_PIPELINE, "p"),
        HEADER(H_API, "/open/purchasein/query"),
        HEADER(H_BIZ, "{}"),
        HEADER(H_WINDOW_BEGIN, "2026-08-13 00:00:00"),
        HEADER(H_WINDOW_END, "2026-08-13 01:00:00"),
        HEADER(H_PAGE, "1"),
        HEADER(H_PAGE_COUNT, "1"),
        HEADER(H_FETCHED_AT, "2026-08-13T03:05:00.000Z"),
        HEADER(H_RUN, "live"),
    };

    return memory_source_add(world.in, "jst.p.raw", partition, 1786590300123, "2026-08-13 00:00:00/…", value,
                             value != NULL ? strlen(value) : 0, headers + skip_headers,
                             sizeof headers / sizeof headers[0] - skip_headers);
}

/* A page of these documents, in one string, separated by commas. */
static inline int64_t add_page(int partition, const char *documents)
{
    char *text = mem_printf("{\"code\":0,\"data\":{\"datas\":[%s],\"has_next\":false}}", documents);
    int64_t offset = add_raw(partition, text, 0);

    free(text);
    return offset;
}

static inline void add_document(int partition, int id)
{
    char *text =
        mem_printf("{\"io_id\":%d,\"ts\":7,\"note\":\"n\",\"items\":[{\"ioi_id\":1,\"qty\":2}]}", id);

    add_page(partition, text);
    free(text);
}

static inline int run(struct err *err)
{
    err_clear(err);
    int rc = transform_run(&world.transform, err);
    assert_string_equal(world.broken, "");
    assert_int_equal(world.in->out, 0);
    return rc;
}

static inline void assert_ran(void)
{
    struct err err;

    if (run(&err) != 0 && !(world.stop && err.kind == ERR_RETRY)) /* stopping, it may give up */
        fail_msg("%s", err.text);
}

static inline void assert_dead(size_t n, const char *key, const char *class, const char *value)
{
    const struct memory_message *m = memory_sink_nth(world.out, "jst.p.dead", n);

    assert_non_null(m);
    if (key != NULL)
        assert_string_equal(m->key, key);
    else
        assert_null(m->key);
    assert_string_equal(memory_header(m, H_ERROR_CLASS), class);
    assert_string_equal(memory_header(m, H_ERROR_STAGE), "transformer");
    if (value != NULL)
        assert_string_equal(m->value, value);
}

static inline double metric(const char *line_start)
{
    struct buf text;
    double value = -1;

    buf_init(&text, 1024 * 1024);
    metrics_render(&text);
    const char *at = strstr(text.data, line_start);
    if (at != NULL)
        value = strtod(at + strlen(line_start), NULL);
    buf_free(&text);
    return value;
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
