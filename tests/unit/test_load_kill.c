/* kill -9 between any two steps of the loader: a second process goes on where the database and the group say,
 * and the table equals the oracle. A step is a poll of the source, a look at the broker's acknowledgements,
 * or a call of the database, on any thread. */
#include "tests/unit/twins/load_history.h"

enum { MESSAGES = 14, STEPS_MAX = 2000 };

static _Atomic size_t steps;
static size_t killed_at;

static void count_step(void)
{
    if (++steps != killed_at)
        return;
    world.db->dead = true;
    world.in->poll_fails = true;
    world.dead->fatal = true;
}

static void step_at_poll(void *arg)
{
    on_poll(arg);
    count_step();
}

static void step_at_wait(int timeout_ms)
{
    (void)timeout_ms;
    count_step();
}

static void step_at_call(struct fake_database *db, enum fake_step step, const char *table)
{
    (void)db, (void)step, (void)table;
    count_step();
}

/* Everything but the database and what Kafka has committed is gone. */
static void start_again(void)
{
    for (size_t i = 0; i < STORES; i++) {
        store_free(world.stores[i]);
        world.stores[i] = fake_store_new(world.db);
    }
    history.before = world.dead;
    world.dead = memory_sink_new();
    world.load.dead = &world.dead->base;
    world.db->dead = false;
    world.db->on_step = NULL;
    world.in->on_poll = on_poll;
    memory_source_kill(world.in);
}

/* Returns whether the kill came before the end. */
static bool run_twice(size_t at)
{
    struct err err = ERR_INIT;

    open_history((unsigned)at);
    for (int i = 0; i < MESSAGES; i++)
        add_message(i % DOCUMENTS, next_random(VERSIONS));
    steps = 0;
    killed_at = at;
    world.in->bounded = world.load.bounded = true;
    world.in->on_poll = step_at_poll;
    world.in->on_store = check_store;
    world.dead->on_wait = step_at_wait;
    world.dead->hold = 3;
    world.db->on_step = step_at_call;
    world.load.limits.rows = world.load.enough_rows = 3;
    if (load_run(&world.load, &err) == 0) {
        assert_history();
        return false;
    }
    assert_string_equal(world.broken, "");
    assert_marks_hold();
    start_again();
    assert_ran();
    assert_history();
    assert_marks_arrived();
    assert_int_equal(memory_source_done(world.in), MESSAGES);
    sink_free(&history.before->base);
    return true;
}

static void a_kill_between_any_two_steps_loses_nothing(void **state)
{
    size_t kills = 0;

    while (kills < STEPS_MAX && run_twice(kills + 1)) {
        kills++;
        again(state);
    }
    assert_in_range(kills, MESSAGES * 3, STEPS_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(a_kill_between_any_two_steps_loses_nothing)};

    log_setup("test_load_kill", LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
