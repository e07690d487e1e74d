#include "tests/unit/twins/load_world.h"

/* ------------------------------------------------------------------ */

static void test_bounded(void **state)
{
    struct err err;

    (void)state;
    world.in->bounded = world.load.bounded = true;
    add_document(world.in, 0, 1, 5, 2, "a");
    add_document(world.in, 1, 2, 5, 1, "b");
    add_document(world.in, 0, 1, 6, 1, "c");
    assert_int_equal(run(&err), 0);
    assert_int_equal(err.kind, ERR_NONE);
    assert_rows("1-1|1|c|1\n2-1|2|b|1\n");
    assert_int_equal(memory_source_committed(world.in, "jst.p.rows", 0), 2);
    assert_int_equal(memory_source_committed(world.in, "jst.p.rows", 1), 1);
    assert_int_equal(world.dead->count, 0);
}

static void test_nothing_to_do(void **state)
{
    struct err err;

    (void)state;
    world.in->bounded = world.load.bounded = true;
    assert_int_equal(run(&err), 0);
    assert_int_equal(world.db->steps[STEP_LOOK], PIPELINES); /* a broken table shows at once */
    assert_int_equal(world.db->steps[STEP_BEGIN], 0);
}

/* Many small batches of several partitions; each offset goes with its batch. */
static void test_many_batches(void **state)
{
    struct err err;

    (void)state;
    for (int i = 0; i < 200; i++)
        add_document(world.in, i % 3, i, 1, i % 4, "x");
    world.goal = 200;
    assert_int_equal(run(&err), 0);
    assert_int_equal(memory_source_done(world.in), 200);
    assert_in_range(world.db->commits, 20, 200);
    assert_int_equal(world.db->committed.row_count, 50 * (0 + 1 + 2 + 3));
    assert_int_equal(world.db->committed.head_count, 200);
}

static void fail_twice(enum fake_step step, int code)
{
    fake_database_fail(world.db, &(struct fake_fault){.step = step, .times = 2, .code = code});
}

/* A lost connection: the whole batch again, on a new one, and its offset only then. */
static void test_lost_connection(void **state)
{
    static const enum fake_step steps[] = {STEP_CONNECT, STEP_LOOK,  STEP_READ_MARKS, STEP_BEGIN,
                                           STEP_HEADS,   STEP_WRITE, STEP_MARKS,      STEP_COMMIT};

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        again(state);
        add_document(world.in, 0, 1, 5, 2, "a");
        fail_twice(steps[i], 2013);
        world.goal = 1;
        assert_ran();
        assert_rows("1-1|1|a|1\n1-2|1|a|2\n");
        assert_in_range(world.db->steps[STEP_CONNECT], 3, 8);
        assert_int_equal(world.db->commits, 1);
    }
}

/* While the database is away the loop neither spins nor forgets. */
static void test_outage_does_not_spin(void **state)
{
    (void)state;
    add_document(world.in, 0, 1, 5, 1, "a");
    add_document(world.in, 0, 2, 5, 1, "b");
    fail_twice(STEP_BEGIN, 2013);
    world.load.limits.rows = 1;
    world.load.limits.bytes = 65536;
    world.goal = 2;
    assert_ran();
    assert_rows("1-1|1|a|1\n2-1|2|b|1\n");
    if (world.in->polls_at_once > 20)
        fail_msg("%zu polls without a wait", world.in->polls_at_once);
}

static void add_late(struct fake_database *db, enum fake_step step, const char *table)
{
    (void)db, (void)table;
    if (step != STEP_BEGIN || world.met++ > 0)
        return;
    add_document(world.in, 0, 2, 5, 1, "b"); /* one more, that has to wait its turn */
    await_polls(20);
}

static void test_outage_with_a_batch_that_fills(void **state)
{
    (void)state;
    add_document(world.in, 0, 1, 5, 1, "a");
    world.db->on_step = add_late;
    fail_twice(STEP_BEGIN, 2013);
    world.goal = 2;
    assert_ran();
    if (world.in->polls_at_once > 20)
        fail_msg("%zu polls without a wait", world.in->polls_at_once);
}

static int reject_bad(const struct fake_row *row)
{
    return row->cells[2] != NULL && strcmp(row->cells[2], "bad") == 0 ? 1366 : 0;
}

static void rebalance_once(struct fake_database *db, enum fake_step step, const char *table)
{
    (void)db, (void)table;
    if (step != STEP_BEGIN || world.met++ > 0)
        return;
    world.in->rebalance = true;
    await_polls(40);
}

/* The partitions are taken and given back while a batch is being written: its offsets are not stored, and
 * what came since is neither lost nor skipped, whether the batch succeeds or fails. */
static void test_revoked_while_writing(void **state)
{
    for (int failing = 0; failing < 2; failing++) {
        again(state);
        for (int i = 1; i <= 4; i++)
            add_document(world.in, 0, i, 5, 1, i == 2 ? "bad" : "a");
        world.db->row_fault = reject_bad;
        world.load.limits.rows = 2;
        world.load.store_count = 2; /* one writer's: the first batch is the one that waits */
        world.db->on_step = rebalance_once;
        if (failing)
            fake_database_fail(world.db, &(struct fake_fault){.step = STEP_COMMIT, .times = 1, .code = 2013});
        world.goal = 4;
        assert_ran();
        assert_rows("1-1|1|a|1\n3-1|3|a|1\n4-1|4|a|1\n");
        assert_int_equal(world.dead->count, 1); /* by whom the offset is stored */
        assert_true(world.in->given > 4);
    }
}

/* A pipeline whose table is missing waits; another one goes on. */
static void add_to_q(int document)
{
    char id[8];
    char value[80];

    snprintf(id, sizeof id, "%d", document);
    snprintf(value, sizeof value, "{\"id\":\"%d-1\",\"io_id\":%d,\"note\":\"q\",\"qty\":1}\n", document,
             document);
    add_rows(world.in, &(struct rows_spec){.pipeline = "q", .document = id, .version = "1", .value = value});
}

static void test_schema_pause(void **state)
{
    (void)state;
    for (int i = 1; i <= 40; i++) {
        add_document(world.in, 0, i, 5, 1, "a");
        add_to_q(i);
    }
    fake_database_fail(world.db,
                       &(struct fake_fault){.step = STEP_WRITE, .table = "u", .times = -1, .code = 1146});
    world.goal = 40;
    assert_ran();
    assert_int_equal(memory_source_committed(world.in, "jst.p.rows", 0), 40);
    assert_int_equal(memory_source_committed(world.in, "jst.q.rows", 0), -1);
    assert_not_ready("pipeline q (schema)");
    assert_not_ready("1146");
}

static void test_dead_letters(void **state)
{
    (void)state;
    put_witness();
    world.db->row_fault = reject_bad;
    world.db->numbered = true;
    add_document(world.in, 0, 1, 5, 1, "a");
    add_rows(world.in,
             &(struct rows_spec){.document = "2",
                                 .version = "5",
                                 .value = "{\"id\":\"2-1\",\"io_id\":2,\"note\":\"b\",\"qty\":1}\n"
                                          "{\"id\":\"2-2\",\"io_id\":2,\"note\":\"bad\",\"qty\":2}\n"});
    add_rows(world.in, &(struct rows_spec){.document = "3", .version = "x", .value = "{}\n"});
    add_rows(world.in, &(struct rows_spec){.document = "4", .version = "5", .value = "{\"a\":\n"});
    add_rows(world.in, &(struct rows_spec){.document = "5", .version = "5", .value = "", .rows = "1"});
    world.dead->hold = 2;
    world.goal = 5;
    assert_ran();
    assert_rows("1-1|1|a|1\n2-1|2|b|1\n99-1|99|w|1\n");
    assert_int_equal(memory_sink_count(world.dead, "jst.p.dead"), 4);
    const struct memory_message *row = memory_sink_nth(world.dead, "jst.p.dead", 0);
    assert_string_equal(row->value, "{\"id\":\"2-2\",\"io_id\":2,\"note\":\"bad\",\"qty\":2}");
    assert_string_equal(row->key, "2");
    static const char *const headers[][2] = {
        {H_PIPELINE, "p"},
        {H_DOCUMENT, "2"},
        {H_SOURCE, "jst.p.raw/0/7"},
        {H_ERROR_SOURCE, "jst.p.rows/0/1"},
        {H_ERROR_ROW, "2/2"},
        {H_ERROR_STAGE, "loader"},
        {H_ERROR_CLASS, "data"},
        {H_ERROR_CODE, "1366"},
        {H_FAILED_AT, "2026-08-13T03:05:01.000Z"},
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        assert_string_equal(memory_header(row, headers[i][0]), headers[i][1]);
    for (size_t n = 1; n < 4; n++) {
        const struct memory_message *m = memory_sink_nth(world.dead, "jst.p.dead", n);
        assert_string_equal(memory_header(m, H_ERROR_CLASS), "parse");
        assert_null(memory_header(m, H_ERROR_ROW));
        assert_null(memory_header(m, H_ERROR_CODE));
        assert_non_null(m->key); /* the document's id, where it can be read */
        assert_int_equal(m->key[0], '2' + (char)n);
    }
}

/* Dead letters that their topic does not take go without their values, of a row and of a message alike. */
static void test_dead_letters_too_large_for_their_topic(void **state)
{
    (void)state;
    put_witness();
    world.db->row_fault = reject_bad;
    world.db->numbered = true;
    world.dead->refuse_topic = "jst.p.dead"; /* every letter with a value */
    add_rows(world.in,
             &(struct rows_spec){.document = "2",
                                 .version = "5",
                                 .value = "{\"id\":\"2-2\",\"io_id\":2,\"note\":\"bad\",\"qty\":2}\n"});
    add_rows(world.in, &(struct rows_spec){.document = "4", .version = "5", .value = "{\"a\":\n"});
    world.goal = 2;
    assert_ran();
    assert_int_equal(memory_sink_count(world.dead, "jst.p.dead"), 2);
    for (size_t n = 0; n < 2; n++) {
        const struct memory_message *m = memory_sink_nth(world.dead, "jst.p.dead", n);
        assert_null(m->value);
        assert_non_null(strstr(memory_header(m, H_ERROR_TEXT), "bytes are more than topic jst.p.dead takes"));
    }
    assert_int_equal(memory_source_done(world.in), 2);
}

/* A row at fault of a document that has lost meanwhile is nobody's business. */
static void raise_after_judging(struct fake_database *db, enum fake_step step, const char *table)
{
    const struct stamp newer = {.kind = STAMP_INTEGER, .version = 99};

    (void)table;
    world.met += step == STEP_ROLLBACK;
    if (step == STEP_BEGIN && world.met == 2)
        fake_database_put_head(db, "p", "1", &newer);
}

static void test_dead_letter_of_a_loser(void **state)
{
    (void)state;
    put_witness();
    world.db->row_fault = reject_bad;
    world.db->on_step = raise_after_judging;
    add_document(world.in, 0, 1, 5, 1, "bad");
    world.goal = 1;
    assert_ran();
    assert_int_equal(world.dead->count, 0);
}

/* How many records were read when the database came back. */
static void note_given(struct fake_database *db, enum fake_step step, const char *table)
{
    (void)table;
    if (db->commits == 0 && step == STEP_BEGIN)
        world.met = world.in->given;
}

/* However long the database is away, no more is read than a batch for each writer, the next one, and what
 * comes with a pause; then all. */
static void test_outage_is_bounded(void **state)
{
    (void)state;
    for (int i = 0; i < 500; i++)
        add_document(world.in, i % 3, i, 5, 1, "a");
    fail_twice(STEP_BEGIN, 2013);
    world.db->on_step = note_given;
    world.goal = 500;
    assert_ran();
    assert_in_range(world.met, 1, 35); /* batches of 10 at most, two writers */
    assert_int_equal(world.db->committed.row_count, 500);
    assert_string_equal(world.in->paused, "");
}

static int fault_unknown(const struct fake_row *row)
{
    return strcmp(row->cells[2], "odd") == 0 ? 9999 : 0;
}

/* An error that is in no table: repeated for a minute, then taken for the row's, live and bounded. */
static void test_unknown_error(void **state)
{
    for (int bounded = 0; bounded < 2; bounded++) {
        again(state);
        world.in->bounded = world.load.bounded = bounded == 1;
        world.db->row_fault = fault_unknown;
        add_document(world.in, 0, 1, 5, 1, "a");
        add_document(world.in, 0, 2, 5, 1, "odd");
        world.goal = 2;
        assert_ran();
        assert_took(60 * 1000);
        assert_rows("1-1|1|a|1\n");
        assert_int_equal(world.dead->count, 1);
        assert_string_equal(memory_header(&world.dead->list[0], H_ERROR_CODE), "9999");
    }
}

static void test_bounded_gives_up(void **state)
{
    struct err err;

    (void)state;
    world.in->bounded = world.load.bounded = true;
    add_document(world.in, 0, 1, 5, 1, "a");
    fake_database_fail(world.db, &(struct fake_fault){.step = STEP_CONNECT, .times = -1, .code = 2003});
    assert_int_equal(run(&err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_took(60 * 1000);
    assert_int_equal(memory_source_done(world.in), 0);
}

/* Errors that have nothing to do with a row, where no row is written: never a busy loop, never a dead letter.
 */
static void test_row_error_of_the_heads(void **state)
{
    (void)state;
    add_document(world.in, 0, 1, 5, 1, "a");
    fake_database_fail(world.db, &(struct fake_fault){.step = STEP_HEADS, .times = -1, .code = 1406});
    world.idle_goal = 12;
    assert_ran();
    assert_int_equal(world.dead->count, 0);
    assert_int_equal(memory_source_done(world.in), 0);
    assert_in_range(world.db->steps[STEP_HEADS], 1, 3);
    assert_not_ready("jst_heads");
}

static void stop_now(struct fake_database *db, enum fake_step step, const char *table)
{
    (void)db, (void)table;
    world.stop = world.stop || step == STEP_HEADS;
}

/* The batch in hand is finished, with its offsets; what fills is left. */
static void test_stop(void **state)
{
    (void)state;
    for (int i = 1; i <= 5; i++)
        add_document(world.in, 0, i, 5, 1, "a");
    world.load.limits.rows = world.load.enough_rows = 2;
    world.load.store_count = 2; /* one writer */
    world.db->on_step = stop_now;
    assert_ran();
    assert_rows("1-1|1|a|1\n2-1|2|a|1\n");
    assert_int_equal(memory_source_committed(world.in, "jst.p.rows", 0), 2);
}

static void pass_time(int timeout_ms)
{
    (void)timeout_ms;
    world.passed += 100;
}

static int64_t stop_with_the_second(void)
{
    world.stop = world.dead->count > 0;
    return now_ms();
}

/* The queue is full and nothing is acknowledged: asked to stop, the loader leaves the batch to the next one.
 */
static void test_stop_while_dead_letters_wait(void **state)
{
    (void)state;
    add_rows(world.in, &(struct rows_spec){.document = "3", .version = "x", .value = "{}\n"});
    add_rows(world.in, &(struct rows_spec){.document = "4", .version = "x", .value = "{}\n"});
    world.dead->queue_max = 1;
    world.dead->hold = -1;
    world.dead->on_wait = pass_time;
    world.load.now_ms = stop_with_the_second; /* is asked for each dead letter */
    assert_ran();
    assert_int_equal(world.dead->count, 1);
    assert_int_equal(world.offsets_stored, 0);
}

/* The letter of one batch is not acknowledged when the program is asked to stop: later batches wait for it,
 * so that the pipeline holds little, and do not take the offset past it. */
static void test_stop_before_the_next_batch(void **state)
{
    (void)state;
    world.load.limits.rows = 1;
    add_rows(world.in, &(struct rows_spec){.document = "3", .version = "x", .value = "{}\n"});
    add_document(world.in, 0, 4, 5, 1, "a");
    add_document(world.in, 0, 5, 5, 1, "a");
    world.dead->hold = -1;
    world.dead->on_wait = pass_time;
    world.idle_goal = 20;
    assert_ran();
    assert_int_equal(world.dead->count, 1);
    assert_int_equal(world.offsets_stored, 0);
}

/* A bounded run waits a minute for the acknowledgement of its dead letters. */
static void test_bounded_gives_up_on_dead_letters(void **state)
{
    struct err err;

    (void)state;
    world.in->bounded = world.load.bounded = true;
    world.dead->on_wait = pass_time;
    world.dead->hold = -1;
    add_rows(world.in, &(struct rows_spec){.document = "3", .version = "x", .value = "{}\n"});
    assert_int_equal(run(&err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_took(60 * 1000);
    assert_int_equal(world.offsets_stored, 0);
}

static void test_fatal(void **state)
{
    struct err err;

    (void)state;
    world.in->poll_fails = true;
    assert_int_equal(run(&err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
}

static void test_lost(void **state)
{
    (void)state;
    memory_source_lose(world.in, "jst.q.rows", 1);
    world.idle_goal = 1;
    assert_ran();
    assert_not_ready("jst.q.rows/1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(test_bounded),
                                       CASE(test_nothing_to_do),
                                       CASE(test_many_batches),
                                       CASE(test_lost_connection),
                                       CASE(test_outage_does_not_spin),
                                       CASE(test_outage_with_a_batch_that_fills),
                                       CASE(test_revoked_while_writing),
                                       CASE(test_schema_pause),
                                       CASE(test_dead_letters),
                                       CASE(test_dead_letters_too_large_for_their_topic),
                                       CASE(test_dead_letter_of_a_loser),
                                       CASE(test_outage_is_bounded),
                                       CASE(test_unknown_error),
                                       CASE(test_bounded_gives_up),
                                       CASE(test_row_error_of_the_heads),
                                       CASE(test_stop),
                                       CASE(test_stop_while_dead_letters_wait),
                                       CASE(test_stop_before_the_next_batch),
                                       CASE(test_bounded_gives_up_on_dead_letters),
                                       CASE(test_fatal),
                                       CASE(test_lost)};
    log_setup("test_load", LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
