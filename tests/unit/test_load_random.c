/* Random histories, two writers, and faults at any step: the table equals the oracle. */
#include "tests/unit/twins/load_history.h"

enum { SEEDS = 100, MESSAGES = 60, FAULTS = 6 };

static void add_faults(void)
{
    static const int codes[] = {1213, 1205, 2013, 1114, 9999};

    for (int i = 0; i < FAULTS; i++) {
        enum fake_step step = (enum fake_step)next_random(STEP_COUNT);
        int code = codes[next_random(5)];
        fake_database_fail(world.db, &(struct fake_fault){.step = step,
                                                          .skip = next_random(20),
                                                          .times = 1 + next_random(2),
                                                          .code = code,
                                                          .done = next_random(2) == 0});
    }
}

static void rebalance_at_random(void *arg)
{
    on_poll(arg);
    if (next_random(64) == 0)
        world.in->rebalance = true;
}

static void run_seed(unsigned seed)
{
    open_history(seed);
    for (int i = 0; i < MESSAGES; i++) {
        int document = next_random(DOCUMENTS);
        add_message(document, next_random(VERSIONS));
    }
    add_faults();
    world.in->bounded = world.load.bounded = true;
    world.in->on_store = check_store;
    world.in->on_poll = seed % 4 == 0 ? rebalance_at_random : on_poll;
    world.dead->hold = (int)(seed % 5);
    world.load.limits.rows = world.load.enough_rows = 1 + seed % 7;
    assert_ran();
    assert_history();
    assert_marks_arrived();
    assert_int_equal(memory_source_done(world.in), MESSAGES);
}

static void every_history_ends_at_the_oracle(void **state)
{
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        again(state);
        run_seed(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(every_history_ends_at_the_oracle)};

    log_setup("test_load_random", LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
