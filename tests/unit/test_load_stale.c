/* Documents that are older than what the table has, and what readiness says of them. */
#include "tests/unit/twins/load_world.h"

#define TOPIC "jst.p.rows"

enum { MANY = 1100, LAST_OF_ALL = 2 * MANY - 1 };

static void stop_behind_the_last(void *arg, const char *topic, int32_t partition, int64_t offset)
{
    (void)arg, (void)topic, (void)partition;
    world.stop = world.stop || offset == LAST_OF_ALL;
}

/* Every document in a version, then in an older one; the group has had `committed` of them. */
static void add_older_ones(int64_t committed)
{
    for (int version = 2; version > 0; version--)
        for (int d = 1; d <= MANY; d++)
            add_document(world.in, 0, d, version, 1, "a");
    memory_source_commit(world.in, TOPIC, 0, committed);
    world.load.limits.rows = world.load.enough_rows = MANY / 10;
}

static void read_older_ones(int64_t committed)
{
    add_older_ones(committed);
    world.in->on_store = stop_behind_the_last;
    assert_ran();
}

static void assert_no_reason(void)
{
    struct buf ready;

    buf_init(&ready, 4096);
    health_ready(&ready);
    assert_null(strstr(ready.data, "stale"));
    buf_free(&ready);
}

static void older_documents_are_a_reason(void **state)
{
    (void)state;
    read_older_ones(-1);
    assert_not_ready("pipeline p (stale)");
}

/* As after an upgrade: the database has no marks, and the log is read from its start. */
static void older_documents_that_are_read_again_are_none(void **state)
{
    (void)state;
    read_older_ones(2 * MANY);
    assert_no_reason();
}

/* Most of them lose to the next version, of which the table knows nothing yet. */
static void versions_that_come_together_are_none(void **state)
{
    enum { VERSIONS = 4 };
    (void)state;

    for (int d = 1; d <= LAST_OF_ALL / VERSIONS; d++)
        for (int version = 1; version <= VERSIONS; version++)
            add_document(world.in, 0, d, version, 1, "a");
    world.goal = LAST_OF_ALL / VERSIONS * VERSIONS;
    world.load.limits.rows = world.load.enough_rows = MANY / 10;
    assert_ran();
    assert_no_reason();
}

/* Once all is read, time passes, and the table is looked at. */
static void let_time_pass(void *arg)
{
    bool all_read = memory_source_committed(world.in, TOPIC, 0) > LAST_OF_ALL;

    on_poll(arg);
    if (world.met == 0 && all_read) {
        assert_not_ready("pipeline p (stale)");
        world.passed += (int64_t)11 * 60 * 1000;
        world.met = world.db->steps[STEP_LOOK];
    }
    world.stop = world.stop || (world.met > 0 && world.db->steps[STEP_LOOK] > world.met + 1);
}

/* A shop with few documents is not unready for days. */
static void the_reason_ends_when_no_older_ones_come(void **state)
{
    (void)state;
    world.in->on_poll = let_time_pass;
    add_older_ones(-1);
    assert_ran();
    assert_no_reason();
}

/* The next process that has its partitions sees for itself. */
static void the_reason_goes_with_the_partitions(void **state)
{
    (void)state;
    read_older_ones(-1);
    assert_not_ready("pipeline p (stale)");
    world.stop = false;
    world.in->gone_after_rebalance = world.in->rebalance = true;
    world.idle_goal = 3;
    assert_ran();
    assert_no_reason();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(older_documents_are_a_reason),         CASE(older_documents_that_are_read_again_are_none),
        CASE(versions_that_come_together_are_none), CASE(the_reason_ends_when_no_older_ones_come),
        CASE(the_reason_goes_with_the_partitions),
    };
    log_setup("test_load_stale", LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
