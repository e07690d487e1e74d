/* Nobody has anything to ask of the database: whether it is there is known all the same. */
#include "tests/unit/twins/load_world.h"

enum { POLLS_A_SECOND = 10, IDLE_LOOK_S = 15 };

/* Both pipelines wait for a person, who is asked again after a minute. */
static void pause_both(void)
{
    fake_database_fail(world.db, &(struct fake_fault){.step = STEP_LOOK, .times = -1, .code = 1146});
}

static void assert_mysql_is(int up)
{
    struct buf metrics;

    buf_init(&metrics, 65536);
    metrics_render(&metrics);
    if (strstr(metrics.data,
               up ? "jst_up_dependency{name=\"mysql\"} 1" : "jst_up_dependency{name=\"mysql\"} 0") == NULL)
        fail_msg("%s", metrics.data);
    buf_free(&metrics);
}

static void a_database_that_is_gone_shows_while_all_wait_for_a_person(void **state)
{
    (void)state;
    pause_both();
    fake_database_fail(world.db,
                       &(struct fake_fault){.step = STEP_ASK, .skip = 1, .times = -1, .code = 2002});
    world.idle_goal = (IDLE_LOOK_S + 1) * POLLS_A_SECOND;
    assert_ran();
    assert_not_ready("mysql: ");
    assert_not_ready("pipeline p (schema)");
    assert_mysql_is(0);
}

static void it_shows_soon_when_it_is_back(void **state)
{
    (void)state;
    pause_both();
    fake_database_fail(world.db, &(struct fake_fault){.step = STEP_ASK, .skip = 1, .times = 3, .code = 2002});
    world.idle_goal = (IDLE_LOOK_S + 6) * POLLS_A_SECOND;
    assert_ran();
    assert_mysql_is(1);
    assert_in_range(world.db->steps[STEP_ASK], 5, 6);
}

/* The database need not be asked while it answers others. */
static void looks_of_idle_pipelines_suffice(void **state)
{
    (void)state;
    world.idle_goal = 2 * IDLE_LOOK_S * POLLS_A_SECOND;
    assert_ran();
    assert_mysql_is(1);
    assert_in_range(world.db->steps[STEP_ASK], 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_database_that_is_gone_shows_while_all_wait_for_a_person),
        CASE(it_shows_soon_when_it_is_back),
        CASE(looks_of_idle_pipelines_suffice),
    };
    log_setup("test_load_silence", LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
