/* The world of the loader's tests: two pipelines between a memory source and a twin of the database. */
#ifndef JST_TESTS_LOAD_WORLD_H
#define JST_TESTS_LOAD_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/monitor/health.h"
#include "common/monitor/metrics.h"
#include "common/wire/topics_file.h"
#include "loader/load.h"
#include "tests/unit/twins/fake_db.h"
#include "tests/unit/twins/memory_sink.h"
#include "tests/unit/twins/memory_source.h"
#include "tests/unit/twins/rows_message.h"
#include "tests/unit/twins/twin_pipeline.h"

enum { PATIENCE_MS = 20000 };

static struct world {
    struct memory_source *in;
    struct memory_sink *dead;
    struct fake_db *db;
    struct pipeline *list[2];
    struct pipelines pipelines;
    struct topics topics;
    struct routes routes;
    struct load load;
    bool stop;
    int64_t give_up_ms;
    int64_t goal;       /* committed records to stop at; -1: none */
    size_t idle_goal;   /* idle polls to stop at; 0: none */
    size_t stores;      /* offsets stored */
    char broken[128];   /* an invariant that did not hold */
    size_t query_count; /* of the hook at hand */
} world;

static inline bool stopping(void)
{
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
    if (world.goal >= 0 && memory_source_done(world.in) >= world.goal)
        world.stop = true;
    if (world.idle_goal > 0 && world.in->idle_polls >= world.idle_goal)
        world.stop = true;
}

/* An offset is stored only when nothing that it stands for is under way. */
static inline void on_store(void *arg, const char *topic, int32_t partition, int64_t offset)
{
    (void)arg, (void)topic, (void)partition, (void)offset;
    world.stores++;
    if (world.db->in_transaction)
        snprintf(world.broken, sizeof world.broken, "an offset is stored inside a transaction");
    if (memory_sink_outstanding(world.dead) > 0)
        snprintf(world.broken, sizeof world.broken, "an offset is stored before its dead letters are there");
}

static inline int set_up(void **state)
{
    struct faults faults = FAULTS_INIT;

    (void)state;
    memset(&world, 0, sizeof world);
    topics_read("topics.conf", 1, &world.topics, &faults);
    assert_int_equal(faults.errors, 0);
    world.list[0] = twin_pipeline(&(struct twin_spec){0});
    world.list[1] =
        twin_pipeline(&(struct twin_spec){.name = "q", .sql = "REPLACE INTO u(id,io_id,note,qty) VALUES"});
    world.pipelines = (struct pipelines){.list = world.list, .count = 2};
    routes_init(&world.routes, &world.pipelines, &world.topics);
    world.in = memory_source_new(false);
    world.dead = memory_sink_new();
    world.db = fake_db_new(world.list[0]);
    world.in->on_poll = on_poll;
    world.in->on_store = on_store;
    world.goal = -1;
    world.give_up_ms = clock_monotonic_ms() + PATIENCE_MS;
    world.load = (struct load){
        .in = &world.in->base,
        .dead = &world.dead->base,
        .db = &world.db->base,
        .routes = &world.routes,
        .limits = {.rows = 10, .bytes = 1024 * 1024},
        .batch_wait_ms = 20,
        .stopping = stopping,
        .now_ms = now_ms,
    };
    load_metrics_init(&world.routes);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    size_t out = world.in->out;
    source_free(&world.in->base);
    sink_free(&world.dead->base);
    db_free(&world.db->base);
    routes_free(&world.routes);
    topics_free(&world.topics);
    pipeline_free(world.list[0]);
    pipeline_free(world.list[1]);
    health_forget();
    metrics_forget();
    return out == 0 ? 0 : -1;
}

static inline int run(struct err *err)
{
    err_clear(err);
    int rc = load_run(&world.load, err);
    assert_string_equal(world.broken, "");
    assert_string_equal(world.db->trouble, "");
    assert_int_equal(world.in->out, 0); /* every record was given back */
    return rc;
}

static inline void assert_rows(const char *expected)
{
    struct buf rows;

    buf_init(&rows, 1024 * 1024);
    fake_db_dump(world.db, &rows);
    assert_string_equal(rows.data, expected);
    buf_free(&rows);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
