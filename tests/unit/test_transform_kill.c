/* kill -9 between any two steps of the transformer: a second process goes on where the offsets say, and
 * nothing is missing. A step is a poll of the source or a look at the broker's acknowledgements; in between
 * the program only computes and queues. */
#include "tests/unit/twins/transform_world.h"

enum { DOCUMENTS = 24, PARTITIONS = 3, SILENT = 12, STEPS_MAX = 1000, ID_TEXT = 16 };

static size_t steps, killed_at;

static void step(void)
{
    if (++steps != killed_at)
        return;
    world.in->poll_fails = true;
    world.out->fatal = true;
}

static void step_at_poll(void *arg)
{
    on_poll(arg);
    step();
}

static void step_at_wait(int timeout_ms)
{
    (void)timeout_ms;
    step();
}

static bool is_there(const struct memory_sink *out, int id)
{
    char key[ID_TEXT];

    snprintf(key, sizeof key, "%d", id);
    for (size_t i = 0; i < out->count; i++)
        if (out->list[i].acked && strcmp(out->list[i].key, key) == 0)
            return true;
    return false;
}

/* Returns whether the kill came before the end. */
static bool run_twice(size_t at, size_t ack_most)
{
    struct err err = ERR_INIT;

    steps = 0;
    killed_at = at;
    world.in->bounded = true;
    world.in->on_poll = step_at_poll;
    world.out->on_wait = step_at_wait;
    world.out->ack_most = ack_most;
    world.out->hold = SILENT; /* so that pages are in flight, and the last ones land first */
    for (int i = 0; i < DOCUMENTS; i++)
        add_document(i % PARTITIONS, i);
    if (run(&err) == 0)
        return false;

    struct memory_sink *before = world.out;
    world.out = memory_sink_new(); /* what was not acknowledged died with the process */
    world.transform.out = &world.out->base;
    world.in->on_poll = on_poll;
    memory_source_kill(world.in);
    assert_ran();
    assert_int_equal(memory_source_done(world.in), DOCUMENTS);
    for (int i = 0; i < DOCUMENTS; i++)
        if (!is_there(before, i) && !is_there(world.out, i))
            fail_msg("killed at step %zu, acknowledging %zu at once: document %d is missing", at, ack_most,
                     i);
    sink_free(&before->base);
    return true;
}

static void a_kill_between_any_two_steps_loses_nothing(void **state)
{
    for (size_t ack_most = 0; ack_most <= 3; ack_most++) {
        size_t kills = 0;
        while (kills < STEPS_MAX && run_twice(kills + 1, ack_most)) {
            kills++;
            again(state);
        }
        assert_in_range(kills, DOCUMENTS, STEPS_MAX - 1);
        again(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_kill_between_any_two_steps_loses_nothing),
    };
    log_setup("test_transform_kill", LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
