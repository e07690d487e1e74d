#include "tests/unit/twins/load_world.h"

static void rebalance_at_once(struct fake_database *db, enum fake_step step, const char *table)
{
    (void)db, (void)table;
    if (step == STEP_BEGIN && world.met++ == 0)
        world.in->rebalance = true;
}

/* Everything had been read when the partitions were taken and given back: the end is a new one. */
static void test_bounded_and_revoked(void **state)
{
    struct err err;

    (void)state;
    world.in->bounded = world.load.bounded = true;
    add_document(world.in, 0, 1, 5, 1, "a");
    world.db->on_step = rebalance_at_once;
    fake_database_fail(world.db, &(struct fake_fault){.step = STEP_BEGIN, .times = 1, .code = 2013});
    assert_int_equal(run(&err), 0);
    assert_rows("1-1|1|a|1\n");
    assert_int_equal(memory_source_done(world.in), 1);
}

static void rebalance_when_waiting(void *arg)
{
    struct buf ready;

    on_poll(arg);
    buf_init(&ready, 4096);
    if (!health_ready(&ready) && strstr(ready.data, "pipeline p (database)") != NULL && world.met++ == 0)
        world.in->rebalance = true;
    buf_free(&ready);
}

/* What the pipeline waited for is another loader's to say when its partitions are gone. */
static void test_revoked_while_waiting(void **state)
{
    struct err err;
    struct buf metrics;

    (void)state;
    add_document(world.in, 0, 1, 5, 1, "a");
    world.in->on_poll = rebalance_when_waiting;
    fake_database_fail(world.db, &(struct fake_fault){.step = STEP_BEGIN, .times = 1, .code = 1290});
    world.in->gone_after_rebalance = true;
    world.idle_goal = 50; /* five seconds, before any look of an idle loader */
    assert_int_equal(run(&err), 0);
    assert_int_equal(world.met, 1);
    buf_init(&metrics, 65536);
    metrics_render(&metrics);
    assert_null(strstr(metrics.data, "reason=\"database\"} 1"));
    buf_free(&metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_bounded_and_revoked),
        CASE(test_revoked_while_waiting),
    };
    log_setup("test_load_rebalance", LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
