/* Row by row: the table holds what came last, by the group's offsets alone. */
#include "tests/unit/twins/load_world.h"

enum { ROUNDS = 8, DOCUMENTS = 5, MANY = 40 };

static void write_row_by_row(void)
{
    routes_free(&world.routes);
    pipeline_free(world.list[0]);
    world.list[0] =
        twin_pipeline(&(struct twin_spec){.options = ",\"version\":\"ts\",\"write\":\"replace\""});
    routes_init(&world.routes, &world.pipelines, &world.topics);
    load_metrics_init(&world.routes);
    world.in->bounded = world.load.bounded = true;
    world.load.limits.rows = world.load.enough_rows = 2;
}

/* Two writers, small batches, and every document many times, its version now higher and now lower. */
static void what_came_last_stays(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        char expected[DOCUMENTS * 16] = "";
        again(state);
        write_row_by_row();
        for (int i = 0; i < MANY; i++) {
            char note[8];
            snprintf(note, sizeof note, "n%d", i);
            add_document(world.in, 0, i % DOCUMENTS, (i * 7 + round) % 11, 1, note);
        }
        fake_database_fail(world.db,
                           &(struct fake_fault){.step = STEP_WRITE + round % 2 * (STEP_COMMIT - STEP_WRITE),
                                                .skip = round * 2,
                                                .times = 1,
                                                .code = round % 3 == 0 ? 2013 : 1213,
                                                .done = round % 4 > 1});
        assert_ran();
        for (int d = 0; d < DOCUMENTS; d++)
            snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%d-1|%d|n%d|1\n", d, d,
                     MANY - DOCUMENTS + d);
        assert_rows(expected);
        assert_int_equal(world.db->committed.head_count + world.db->committed.mark_count, 0);
        assert_int_equal(memory_source_done(world.in), MANY);
    }
}

static void it_goes_on_where_the_group_is(void **state)
{
    (void)state;
    write_row_by_row();
    add_document(world.in, 0, 1, 5, 1, "first");
    assert_ran();
    assert_int_equal(memory_source_committed(world.in, "jst.p.rows", 0), 1);
    memory_source_kill(world.in);
    fake_data_empty_table(&world.db->committed, "t");
    add_document(world.in, 0, 2, 5, 1, "second");
    assert_ran();
    assert_rows("2-1|2|second|1\n");
}

/* It keeps no marks, so there are none to delete. */
static void what_to_do_about_lost_messages_is_the_groups_offset(void **state)
{
    struct buf ready;
    (void)state;

    write_row_by_row();
    world.in->bounded = world.load.bounded = false;
    memory_source_lose(world.in, "jst.p.rows", 0);
    world.idle_goal = 1;
    assert_ran();
    buf_init(&ready, 4096);
    health_ready(&ready);
    assert_non_null(strstr(ready.data, "jst.p.rows/0"));
    assert_null(strstr(ready.data, "jst_offsets"));
    buf_free(&ready);
}

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(what_came_last_stays), CASE(it_goes_on_where_the_group_is),
                                       CASE(what_to_do_about_lost_messages_is_the_groups_offset)};

    log_setup("test_load_replace", LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
