/* The world of the loader's tests: two pipelines between a memory source and a twin of the database. Its
 * clock is the real one, and each poll that waits passes its time without waiting. */
#ifndef JST_TESTS_LOAD_WORLD_H
#define JST_TESTS_LOAD_WORLD_H

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
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
#include "tests/unit/twins/fake_store.h"
#include "tests/unit/twins/memory_sink.h"
#include "tests/unit/twins/memory_source.h"
#include "tests/unit/twins/rows_message.h"
#include "tests/unit/twins/twin_pipeline.h"

enum { PATIENCE_MS = 60000, PIPELINES = 2, STORES = 3 /* two writers' and the slow one's */ };

static struct world {
    struct memory_source *in;
    struct memory_sink *dead;
    struct fake_database *db;
    struct store *stores[STORES];
    struct pipeline *list[PIPELINES];
    struct pipelines pipelines;
    struct topics topics;
    struct routes routes;
    struct load load;
    _Atomic bool stop;
    int64_t began_ms, give_up_ms; /* real */
    _Atomic int64_t passed;       /* ms that nobody waited for */
    int64_t passes_when_stopped;  /* ms with each look at the clock */
    _Atomic size_t polls;
    int64_t goal;     /* committed records to stop at; -1: none */
    size_t idle_goal; /* idle polls to stop at; 0: none */
    size_t offsets_stored;
    char broken[128];   /* an invariant that did not hold */
    _Atomic size_t met; /* of the hook at hand */
} world;

static inline int64_t real_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline int64_t world_monotonic(void)
{
    if (world.stop)
        world.passed += world.passes_when_stopped;
    return real_ms() + world.passed;
}

/* The loader has seen so much time pass. How much more it was says how fast this machine is. */
static inline void assert_took(int64_t at_least_ms)
{
    assert_true(real_ms() - world.began_ms + world.passed >= at_least_ms);
}

static inline bool stopping(void)
{
    return world.stop;
}

static inline int64_t now_ms(void)
{
    return 1786590301000;
}

static inline void note_broken(const char *what)
{
    if (world.broken[0] == '\0')
        snprintf(world.broken, sizeof world.broken, "%s", what);
    world.stop = true;
}

static inline void on_poll(void *arg)
{
    (void)arg;
    world.polls++;
    if (world.in->idle_polls > 0)
        world.passed += world.in->last_timeout_ms;
    if (real_ms() > world.give_up_ms)
        note_broken("the time ran out");
    if (world.goal >= 0 && memory_source_done(world.in) >= world.goal)
        world.stop = true;
    if (world.idle_goal > 0 && world.in->idle_polls >= world.idle_goal)
        world.stop = true;
}

/* On a writing thread: wait until the loop has gone on so far. */
static inline void await_polls(size_t count)
{
    size_t until = world.polls + count;

    while (world.polls < until && !world.stop && real_ms() <= world.give_up_ms)
        sched_yield();
}

static inline void on_store(void *arg, const char *topic, int32_t partition, int64_t offset)
{
    (void)arg, (void)topic, (void)partition, (void)offset;
    world.offsets_stored++;
}

static inline void open_stores(void)
{
    world.db = fake_database_new();
    for (size_t i = 0; i < STORES; i++)
        world.stores[i] = fake_store_new(world.db);
}

static inline void close_stores(void)
{
    for (size_t i = 0; i < STORES; i++)
        store_free(world.stores[i]);
    fake_database_free(world.db);
}

static inline int set_up(void **state)
{
    static const struct clock clock = {.now_ms = now_ms, .monotonic_ms = world_monotonic};
    struct faults faults = FAULTS_INIT;

    (void)state;
    memset(&world, 0, sizeof world);
    clock_use(&clock);
    topics_read("topics.conf", 1, &world.topics, &faults);
    assert_int_equal(faults.errors, 0);
    world.list[0] = twin_pipeline(&(struct twin_spec){0});
    world.list[1] =
        twin_pipeline(&(struct twin_spec){.name = "q", .sql = "REPLACE INTO u(id,io_id,note,qty) VALUES"});
    world.pipelines = (struct pipelines){.list = world.list, .count = PIPELINES};
    routes_init(&world.routes, &world.pipelines, &world.topics);
    world.in = memory_source_new(false);
    world.dead = memory_sink_new();
    open_stores();
    world.in->ask_start = true;
    world.in->on_poll = on_poll;
    world.in->on_store = on_store;
    world.goal = -1;
    world.began_ms = real_ms();
    world.give_up_ms = world.began_ms + PATIENCE_MS;
    world.load = (struct load){
        .in = &world.in->base,
        .dead = &world.dead->base,
        .stores = world.stores,
        .store_count = STORES,
        .routes = &world.routes,
        .limits = {.rows = 10, .bytes = 1024 * 1024},
        .enough_rows = 10,
        .buffer_bytes = 64 * 1024 * 1024,
        .batch_wait_ms = 20,
        .flood_limit = 500,
        .person_retry_ms = 60000,
        .patience_ms = 60000,
        .idle_look_ms = 15000,
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
    close_stores();
    routes_free(&world.routes);
    topics_free(&world.topics);
    for (size_t i = 0; i < PIPELINES; i++)
        pipeline_free(world.list[i]);
    health_forget();
    metrics_forget();
    clock_use(NULL);
    return out == 0 ? 0 : -1;
}

static inline void again(void **state)
{
    tear_down(state);
    set_up(state);
}

static inline int run(struct err *err)
{
    err_clear(err);
    int rc = load_run(&world.load, err);
    assert_string_equal(world.broken, "");
    assert_string_equal(world.db->trouble, "");
    assert_int_equal(world.in->out, 0); /* every record was given back */
    assert_int_equal(world.db->open, 0);
    return rc;
}

static inline void assert_ran(void)
{
    struct err err;

    if (run(&err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(err.kind, ERR_NONE);
}

static inline void assert_table(const char *table, const char *expected)
{
    struct buf rows;

    buf_init(&rows, 1024 * 1024);
    fake_data_dump(&world.db->committed, table, 4, &rows);
    assert_string_equal(rows.data, expected);
    buf_free(&rows);
}

static inline void assert_rows(const char *expected)
{
    assert_table("t", expected);
}

static inline void put_witness(void)
{
    fake_database_put_row(world.db, world.list[0], (const char *const[]){"99-1", "99", "w", "1"});
}

/* Is there a reason with this text why the loader is not ready? "": any. */
static inline void assert_not_ready(const char *why)
{
    struct buf ready;

    buf_init(&ready, 4096);
    assert_false(health_ready(&ready));
    if (strstr(ready.data, why) == NULL)
        fail_msg("%s", ready.data);
    buf_free(&ready);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
