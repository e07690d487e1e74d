/* Several pipelines: one that waits holds up no other. */
#include "tests/unit/twins/load_world.h"

enum { MANY = 200 };

static void add_to_q(int document)
{
    char id[8];
    char value[80];

    snprintf(id, sizeof id, "%d", document);
    snprintf(value, sizeof value, "{\"id\":\"%d-1\",\"io_id\":%d,\"note\":\"q\",\"qty\":1}\n", document,
             document);
    add_rows(world.in, &(struct rows_spec){.pipeline = "q", .document = id, .version = "1", .value = value});
}

static void add_to_both(const char *note)
{
    for (int i = 1; i <= MANY; i++) {
        add_document(world.in, 0, i, 5, 1, note);
        add_to_q(i);
    }
}

static size_t count_rows(const char *table)
{
    size_t n = 0;

    for (size_t i = 0; i < world.db->committed.row_count; i++)
        n += strcmp(world.db->committed.rows[i].table, table) == 0;
    return n;
}

static void stop_when_q_is_done(void *arg)
{
    on_poll(arg);
    world.stop = world.stop || memory_source_committed(world.in, "jst.q.rows", 0) == MANY;
}

static int64_t committed_of_p(void)
{
    return memory_source_committed(world.in, "jst.p.rows", 0);
}

/* LOCK TABLES on one table: each try of its pipeline ends with a lock wait. The third shows. */
static void test_one_is_locked(void **state)
{
    (void)state;
    add_to_both("a");
    fake_database_fail(world.db,
                       &(struct fake_fault){.step = STEP_WRITE, .table = "t", .times = -1, .code = 1205});
    world.in->on_poll = stop_when_q_is_done;
    assert_ran();
    assert_int_equal(count_rows("u"), MANY);
    assert_int_equal(count_rows("t"), 0);
    assert_int_equal(committed_of_p(), -1);
}

static void stop_when_p_shows(void *arg)
{
    struct buf ready;

    on_poll(arg);
    buf_init(&ready, 4096);
    if (!health_ready(&ready) && strstr(ready.data, "pipeline p (database)") != NULL)
        world.stop = true;
    buf_free(&ready);
}

static void test_locks_show(void **state)
{
    (void)state;
    add_document(world.in, 0, 1, 5, 1, "a");
    fake_database_fail(world.db,
                       &(struct fake_fault){.step = STEP_WRITE, .table = "t", .times = -1, .code = 1205});
    world.in->on_poll = stop_when_p_shows;
    assert_ran();
    assert_in_range(world.db->steps[STEP_WRITE], 3, 4);
}

/* When the lock is gone the reasons go, too. */
static void test_lock_ends(void **state)
{
    struct buf ready;

    (void)state;
    add_to_both("a");
    fake_database_fail(world.db,
                       &(struct fake_fault){.step = STEP_WRITE, .table = "t", .times = 5, .code = 1205});
    world.goal = 2 * MANY;
    assert_ran();
    assert_int_equal(count_rows("t"), MANY);
    buf_init(&ready, 4096);
    assert_true(health_ready(&ready));
    buf_free(&ready);
}

static int reject_every_third(const struct fake_row *row)
{
    return strcmp(row->table, "t") == 0 && strcmp(row->cells[2], "a") == 0 &&
                   strtol(row->cells[1], NULL, 10) % 30 == 0
               ? 1366
               : 0;
}

/* The dead topic of one pipeline takes nothing: its offsets wait, its memory is bounded, the others go on. */
static void test_one_has_no_dead_topic(void **state)
{
    (void)state;
    put_witness();
    world.db->row_fault = reject_every_third;
    world.dead->silent_topic = "jst.p.dead";
    add_to_both("a");
    world.in->on_poll = stop_when_q_is_done;
    world.dead->on_wait = NULL;
    assert_ran();
    assert_int_equal(count_rows("u"), MANY);
    assert_in_range(committed_of_p(), 0, 29); /* up to the first letter's batch */
    assert_true(count_rows("t") < MANY);      /* eight batches that are not done */
}

/* One pipeline waits for a person: it keeps a batch at most, and reads the rest again afterwards. */
static void test_one_waits_for_a_person(void **state)
{
    (void)state;
    add_to_both("a");
    fake_database_fail(
        world.db,
        &(struct fake_fault){.step = STEP_WRITE, .table = "t", .times = 2, .code = 1364, .kind = ERR_PAUSE});
    world.goal = 2 * MANY;
    assert_ran();
    assert_int_equal(count_rows("t"), MANY);
    assert_int_equal(count_rows("u"), MANY);
    assert_took(60 * 1000); /* a minute after each; two may fail at once */
    assert_string_equal(world.in->paused, "");
}

/* The given-up pipeline of a bounded run does not keep the others from their end. */
static void test_bounded_gives_one_up(void **state)
{
    struct err err;

    (void)state;
    add_to_both("a");
    world.in->bounded = world.load.bounded = true;
    fake_database_fail(world.db,
                       &(struct fake_fault){.step = STEP_LOOK, .table = "t", .times = -1, .code = 1146});
    assert_int_equal(run(&err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_non_null(strstr(err.text, "p: given up"));
    assert_int_equal(count_rows("u"), MANY);
    assert_int_equal(committed_of_p(), -1);
}

/* ------------------------------------------------------------------ a call that does not come back */

static void hang_at_commit(struct fake_database *db, enum fake_step step, const char *table)
{
    (void)table;
    if (step == STEP_COMMIT) {
        db->hang = true;
        world.stop = true;
    }
}

/* Asked to stop, the loader cuts the connection of a transaction that hangs, and ends. */
static void test_stop_while_it_hangs(void **state)
{
    (void)state;
    add_document(world.in, 0, 1, 5, 1, "a");
    world.db->on_step = hang_at_commit;
    world.passes_when_stopped = 100;
    assert_ran();
    assert_int_equal(count_rows("t"), 0);
    assert_int_equal(world.offsets_stored, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_one_is_locked),
        CASE(test_locks_show),
        CASE(test_lock_ends),
        CASE(test_one_has_no_dead_topic),
        CASE(test_one_waits_for_a_person),
        CASE(test_bounded_gives_one_up),
        CASE(test_stop_while_it_hangs),
    };
    log_setup("test_load_flows", LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
