#include "tests/unit/twins/clock.h"
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
    assert_int_equal(world.db->queries, 0);
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
    assert_true(world.db->commits >= 20);
    assert_int_equal(world.db->committed.row_count, 50 * (0 + 1 + 2 + 3));
    assert_int_equal(world.db->committed.head_count, 200);
}

/* A lost connection: the whole batch again, on a new one, and its offset only then. */
static void test_lost_connection(void **state)
{
    static const char *const prefixes[] = {"START TRANSACTION", "INSERT INTO `jst_heads`", "REPLACE INTO",
                                           "COMMIT"};

    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        struct err err;
        add_document(world.in, 0, 1, 5, 2, "a");
        fake_db_fail(world.db, prefixes[i], 0, 2, 2013, "Lost connection to server during query");
        world.goal = 1;
        assert_int_equal(run(&err), 0);
        assert_int_equal(err.kind, ERR_NONE);
        assert_rows("1-1|1|a|1\n1-2|1|a|2\n");
        assert_int_equal(world.db->connects, 3);
        assert_int_equal(world.db->commits, 1);
        tear_down(state);
        set_up(state);
    }
}

/* While the database is away the loop neither spins nor forgets. */
static void test_outage_does_not_spin(void **state)
{
    struct err err;

    (void)state;
    add_document(world.in, 0, 1, 5, 1, "a");
    add_document(world.in, 0, 2, 5, 1, "b");
    fake_db_fail(world.db, "START TRANSACTION", 0, 2, 2013, "gone");
    world.load.limits.rows = 1;
    world.load.limits.bytes = 65536;
    world.goal = 2;
    assert_int_equal(run(&err), 0);
    assert_rows("1-1|1|a|1\n2-1|2|b|1\n");
    if (world.in->polls_at_once > 20)
        fail_msg("%zu polls without a wait", world.in->polls_at_once);
}

static void add_late(struct fake_db *f, const char *sql)
{
    (void)f;
    if (strncmp(sql, "START", 5) == 0 && world.query_count++ == 0) {
        add_document(world.in, 0, 2, 5, 1, "b"); /* one more, that has to wait its turn */
        nanosleep(&(struct timespec){.tv_nsec = 60000000}, NULL);
    }
}

static void test_outage_with_a_batch_that_fills(void **state)
{
    struct err err;

    (void)state;
    add_document(world.in, 0, 1, 5, 1, "a");
    world.db->on_query = add_late;
    fake_db_fail(world.db, "START TRANSACTION", 0, 2, 2013, "gone");
    world.goal = 2;
    assert_int_equal(run(&err), 0);
    if (world.in->polls_at_once > 20)
        fail_msg("%zu polls without a wait", world.in->polls_at_once);
}

static int reject_bad(const struct fake_db *f, const struct fake_row *row)
{
    (void)f;
    return row->cells[2] != NULL && strcmp(row->cells[2], "bad") == 0 ? 1366 : 0;
}

static void rebalance_once(struct fake_db *f, const char *sql)
{
    (void)f;
    if (strncmp(sql, "START", 5) == 0 && world.query_count++ == 0) {
        world.in->rebalance = true;
        nanosleep(&(struct timespec){.tv_nsec = 150000000}, NULL);
    }
}

/* The partitions are taken and given back while a batch is being written: its offsets are not stored, and
 * what came since is neither lost nor skipped, whether the batch succeeds or fails. */
static void test_revoked_while_writing(void **state)
{
    for (int failing = 0; failing < 2; failing++) {
        struct err err;
        for (int i = 1; i <= 4; i++)
            add_document(world.in, 0, i, 5, 1, i == 2 ? "bad" : "a");
        world.db->row_fault = reject_bad;
        world.load.limits.rows = 2;
        world.db->on_query = rebalance_once;
        if (failing)
            fake_db_fail(world.db, "COMMIT", 0, 1, 2013, "gone");
        world.goal = 4;
        assert_int_equal(run(&err), 0);
        assert_rows("1-1|1|a|1\n3-1|3|a|1\n4-1|4|a|1\n");
        assert_int_equal(world.dead->count, 1); /* by whom the offset is stored */
        assert_true(world.in->given > 4);
        tear_down(state);
        set_up(state);
    }
}

/* A pipeline whose table is missing waits; another one goes on. */
static void test_schema_pause(void **state)
{
    struct err err;
    struct buf ready;
    int64_t since = clock_monotonic_ms();

    (void)state;
    for (int i = 1; i <= 40; i++) {
        char id[8];
        char value[80];
        add_document(world.in, 0, i, 5, 1, "a");
        snprintf(id, sizeof id, "%d", i);
        snprintf(value, sizeof value, "{\"id\":\"%d-1\",\"io_id\":%d,\"note\":\"q\",\"qty\":1}\n", i, i);
        add_rows(world.in,
                 &(struct rows_spec){.pipeline = "q", .document = id, .version = "1", .value = value});
    }
    fake_db_fail(world.db, "REPLACE INTO `u`", 0, -1, 1146, "Table 'x.u' doesn't exist");
    world.goal = 40;
    assert_int_equal(run(&err), 0);
    assert_true(clock_monotonic_ms() - since < 5000);
    assert_int_equal(memory_source_committed(world.in, "jst.p.rows", 0), 40);
    assert_int_equal(memory_source_committed(world.in, "jst.q.rows", 0), -1);
    buf_init(&ready, 4096);
    assert_false(health_ready(&ready));
    assert_non_null(strstr(ready.data, "table u does not exist"));
    buf_free(&ready);
}

static void test_dead_letters(void **state)
{
    struct err err;

    (void)state;
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
    assert_int_equal(run(&err), 0);
    assert_rows("1-1|1|a|1\n2-1|2|b|1\n");
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

/* An error that is in no table: repeated, then taken for the row's, live and bounded. */
/* How many records were read when the database came back. */
static void note_given(struct fake_db *f, const char *sql)
{
    if (f->commits == 0 && strncmp(sql, "START", 5) == 0)
        world.query_count = world.in->given;
}

/* A row at fault of a document that has lost meanwhile is nobody's business. */
static void raise_between(struct fake_db *f, const char *sql)
{
    if (strncmp(sql, "ROLLBACK", 8) == 0)
        world.query_count = 1;
    if (strncmp(sql, "START", 5) == 0 && world.query_count == 1 && fake_db_head(f, "1") == NULL)
        fake_db_put_head(f, "1", 99, 1);
}
/* Dead letters that their topic does not take go without their values, of a row and of a message alike. */
static void test_dead_letters_too_large_for_their_topic(void **state)
{
    struct err err;

    (void)state;
    world.db->row_fault = reject_bad;
    world.db->numbered = true;
    world.dead->refuse_topic = "jst.p.dead"; /* every letter with a value */
    add_rows(world.in,
             &(struct rows_spec){.document = "2",
                                 .version = "5",
                                 .value = "{\"id\":\"2-2\",\"io_id\":2,\"note\":\"bad\",\"qty\":2}\n"});
    add_rows(world.in, &(struct rows_spec){.document = "4", .version = "5", .value = "{\"a\":\n"});
    world.goal = 2;
    assert_int_equal(run(&err), 0);
    assert_int_equal(memory_sink_count(world.dead, "jst.p.dead"), 2);
    for (size_t n = 0; n < 2; n++) {
        const struct memory_message *m = memory_sink_nth(world.dead, "jst.p.dead", n);
        assert_null(m->value);
        assert_non_null(strstr(memory_header(m, H_ERROR_TEXT), "bytes are more than topic jst.p.dead takes"));
    }
    assert_int_equal(memory_source_done(world.in), 2);
}

static void test_dead_letter_of_a_loser(void **state)
{
    struct err err;

    (void)state;
    world.db->row_fault = reject_bad;
    world.db->on_query = raise_between;
    add_document(world.in, 0, 1, 5, 1, "bad");
    world.goal = 1;
    assert_int_equal(run(&err), 0);
    assert_int_equal(world.dead->count, 0);
}

/* However long the database is away, no more is read than two batches and what comes with a pause; then all.
 */
static void test_outage_is_bounded(void **state)
{
    struct err err;

    (void)state;
    for (int i = 0; i < 500; i++)
        add_document(world.in, i % 3, i, 5, 1, "a");
    fake_db_fail(world.db, "START TRANSACTION", 0, 2, 2013, "gone");
    world.db->on_query = note_given;
    world.goal = 500;
    assert_int_equal(run(&err), 0);
    assert_in_range(world.query_count, 10, 25); /* batches of 10 */
    assert_int_equal(world.db->committed.row_count, 500);
    assert_string_equal(world.in->paused, "");
}

static int fault_unknown(const struct fake_db *f, const struct fake_row *row)
{
    (void)f;
    return strcmp(row->cells[2], "odd") == 0 ? 9999 : 0;
}

static void test_unknown_error(void **state)
{
    struct err err;

    (void)state;
    for (int bounded = 0; bounded < 2; bounded++) {
        world.in->bounded = world.load.bounded = bounded == 1;
        world.list[0]->retry_count = 1;
        world.db->row_fault = fault_unknown;
        add_document(world.in, 0, 1, 5, 1, "a");
        add_document(world.in, 0, 2, 5, 1, "odd");
        world.goal = 2;
        if (run(&err) != 0)
            fail_msg("bounded %d: %s", bounded, err.text);
        assert_rows("1-1|1|a|1\n");
        assert_int_equal(world.dead->count, 1);
        assert_string_equal(memory_header(&world.dead->list[0], H_ERROR_CODE), "9999");
        tear_down(state);
        set_up(state);
    }
}

static void test_bounded_gives_up(void **state)
{
    struct err err;

    (void)state;
    world.in->bounded = world.load.bounded = true;
    world.list[0]->retry_count = 1;
    add_document(world.in, 0, 1, 5, 1, "a");
    world.db->connect_fails = true;
    assert_int_equal(run(&err), -1);
    assert_int_equal(err.kind, ERR_RETRY);
    assert_int_equal(memory_source_done(world.in), 0);
}

/* Errors that have nothing to do with a row, where no row is written: never a busy loop, never a dead letter.
 */
static void test_row_error_of_the_heads(void **state)
{
    struct err err;

    (void)state;
    add_document(world.in, 0, 1, 5, 1, "a");
    fake_db_fail(world.db, "INSERT INTO `jst_heads`", 0, -1, 1406,
                 "Data too long for column 'document' at row 1");
    world.idle_goal = 12;
    assert_int_equal(run(&err), 0);
    assert_int_equal(world.dead->count, 0);
    assert_int_equal(memory_source_done(world.in), 0);
    assert_true(world.db->queries < 28);
    struct buf ready;
    buf_init(&ready, 4096);
    assert_false(health_ready(&ready));
    assert_non_null(strstr(ready.data, "jst_heads"));
    buf_free(&ready);
}

static void stop_now(struct fake_db *f, const char *sql)
{
    (void)f;
    if (strncmp(sql, "START", 5) == 0) {
        world.stop = true;
        nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
    }
}

/* The batch in hand is finished, with its offsets; what fills is left. */
static void test_stop(void **state)
{
    struct err err;

    (void)state;
    for (int i = 1; i <= 5; i++)
        add_document(world.in, 0, i, 5, 1, "a");
    world.load.limits.rows = 2;
    world.db->on_query = stop_now;
    assert_int_equal(run(&err), 0);
    assert_rows("1-1|1|a|1\n2-1|2|a|1\n");
    assert_int_equal(memory_source_committed(world.in, "jst.p.rows", 0), 2);
}

static int64_t stop_at_the_second(void)
{
    world.stop = world.dead->count > 0;
    return now_ms();
}

/* The queue is full and nothing is acknowledged: asked to stop, the loader leaves the batch to the next one.
 */
static void test_stop_while_dead_letters_wait(void **state)
{
    struct err err;

    (void)state;
    add_rows(world.in, &(struct rows_spec){.document = "3", .version = "x", .value = "{}\n"});
    add_rows(world.in, &(struct rows_spec){.document = "4", .version = "x", .value = "{}\n"});
    world.dead->queue_max = 1;
    world.dead->hold = -1;
    world.load.now_ms = stop_at_the_second; /* is asked for each dead letter */
    assert_int_equal(run(&err), -1);
    assert_int_equal(err.kind, ERR_RETRY); /* while stopping: no failure of the process */
    assert_int_equal(world.dead->count, 1);
    assert_int_equal(world.stores, 0);
}

static int64_t stop_with_the_first(void)
{
    world.stop = true;
    return 0;
}

/* The letter of one batch is not acknowledged when the program is asked to stop: the next batch, which waits
 * already, may not be written and take the offset past it. */
static void test_stop_before_the_next_batch(void **state)
{
    struct err err;

    (void)state;
    world.load.limits.rows = 1;
    add_rows(world.in, &(struct rows_spec){.document = "3", .version = "x", .value = "{}\n"});
    add_document(world.in, 0, 4, 5, 1, "a");
    add_document(world.in, 0, 5, 5, 1, "a");
    world.dead->hold = -1;
    world.load.now_ms = stop_with_the_first;
    assert_int_equal(run(&err), -1);
    assert_int_equal(err.kind, ERR_RETRY);
    assert_int_equal(world.dead->count, 1);
    assert_int_equal(world.stores, 0);
    assert_int_equal(world.db->committed.row_count, 0);
}

static void pass_time(int timeout_ms)
{
    twin_pass(timeout_ms > 0 ? timeout_ms : 1);
}

/* A bounded run waits a minute for the acknowledgement of its dead letters. */
static void test_bounded_gives_up_on_dead_letters(void **state)
{
    struct err err;

    (void)state;
    twin_clock_use();
    int64_t since = twin_monotonic_ms;
    world.give_up_ms = INT64_MAX;
    world.in->bounded = world.load.bounded = true;
    world.dead->on_wait = pass_time;
    world.dead->hold = 3000; /* five minutes */
    add_rows(world.in, &(struct rows_spec){.document = "3", .version = "x", .value = "{}\n"});
    int rc = run(&err);
    clock_use(NULL);
    assert_int_equal(rc, -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_in_range(twin_monotonic_ms - since, 60 * 1000, 70 * 1000);
    assert_int_equal(world.stores, 0);
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
    struct err err;
    struct buf ready;

    (void)state;
    memory_source_lose(world.in, "jst.q.rows", 1);
    world.idle_goal = 1;
    assert_int_equal(run(&err), 0);
    buf_init(&ready, 4096);
    assert_false(health_ready(&ready));
    assert_non_null(strstr(ready.data, "jst.q.rows/1"));
    buf_free(&ready);
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
