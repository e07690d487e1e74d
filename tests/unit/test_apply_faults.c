#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "tests/unit/twins/apply_world.h"

static int reject_bad(const struct fake_row *row)
{
    return row->cells[2] != NULL && strncmp(row->cells[2], "bad", 3) == 0 ? 1366 : 0;
}

static int reject_unknown(const struct fake_row *row)
{
    return reject_bad(row) != 0 ? 9999 : 0;
}

static void fail_once(enum fake_step step, int code)
{
    fake_database_fail(world.db, &(struct fake_fault){.step = step, .times = 1, .code = code});
}

/* Twenty rows of ten documents; those of `bad` are at fault. */
static void add_rows_with(const char *bad)
{
    for (int d = 1; d <= 10; d++) {
        char value[300];
        char id[8];
        char a[8];
        char b[8];
        snprintf(id, sizeof id, "%d", d);
        snprintf(a, sizeof a, " %d ", d * 2 - 1);
        snprintf(b, sizeof b, " %d ", d * 2);
        snprintf(value, sizeof value,
                 "{\"id\":\"%d-1\",\"io_id\":%d,\"note\":\"%s\",\"qty\":1}\n"
                 "{\"id\":\"%d-2\",\"io_id\":%d,\"note\":\"%s\",\"qty\":1}\n",
                 d, d, strstr(bad, a) != NULL ? "bad" : "a", d, d, strstr(bad, b) != NULL ? "bad" : "a");
        add_rows(world.in, &(struct rows_spec){.document = id, .version = "5", .value = value});
    }
}

/* Found by the error's row number, by halving, and with a number that is not to be trusted (a trigger's). */
static void test_bad_rows(void **state)
{
    static const struct {
        const char *bad;
        size_t count;
    } cases[] = {{" 1 ", 1},
                 {" 20 ", 1},
                 {" 7 ", 1},
                 {" 3 4 ", 2},
                 {" 1 20 ", 2},
                 {" 5 6 7 8 9 ", 5},
                 {" 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 ", 20},
                 {"", 0}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int way = 0; way < 6; way++) {
            again(state, &(struct twin_spec){.limit = way % 2 == 0 ? 1000 : 7});
            world.db->row_fault = reject_bad;
            world.db->numbered = way / 2 > 0;
            world.db->wrong_number = way / 2 == 2 ? 1 : 0;
            add_rows_with(cases[i].bad);
            put_row("99-1", "99", "a"); /* a witness, for when none of the batch passes */
            assert_applied();
            assert_result(10, 0, 20 - cases[i].count, 0, cases[i].count);
            assert_int_equal(world.db->committed.row_count, 21 - cases[i].count);
            for (size_t r = 0; r < world.batch->row_count; r++) {
                const struct row *row = &world.batch->rows[r];
                char number[24];
                /* the documents are sorted as text: a row's place in the batch is that of its message */
                snprintf(number, sizeof number, " %zu ", r + 1);
                assert_int_equal(row->rejected, strstr(cases[i].bad, number) != NULL);
                assert_int_equal(row->code, row->rejected ? 1366 : 0);
            }
            assert_int_equal(world.db->commits, 1);
            assert_int_equal(world.db->rollbacks, cases[i].count > 0 ? 2 : 0);
            if (cases[i].count == 1 && way == 2) /* by its number: at once */
                assert_in_range(world.db->steps[STEP_WRITE], 4, 7);
        }
}

/* An error that does not come again is not blamed on a row. */
static void test_error_that_passes(void **state)
{
    (void)state;
    add_rows(world.in,
             &(struct rows_spec){.document = "1",
                                 .version = "5",
                                 .value = "{\"id\":\"1-1\",\"io_id\":1,\"note\":\"a\",\"qty\":1}\n"
                                          "{\"id\":\"1-2\",\"io_id\":1,\"note\":\"b\",\"qty\":2}\n"});
    fail_once(STEP_WRITE, 1366);
    assert_applied();
    assert_rows("1-1|1|a|1\n1-2|1|b|2\n");
    assert_result(1, 0, 2, 0, 0);
}

/* A rejected row's stored self goes: the table never shows a stale value. */
static void test_bad_row_was_stored(void **state)
{
    (void)state;
    world.db->row_fault = reject_bad;
    put_row("1-1", "1", "old");
    put_row("1-2", "1", "old");
    add_rows(world.in,
             &(struct rows_spec){.document = "1",
                                 .version = "5",
                                 .value = "{\"id\":\"1-1\",\"io_id\":1,\"note\":\"a\",\"qty\":1}\n"
                                          "{\"id\":\"1-2\",\"io_id\":1,\"note\":\"bad\",\"qty\":1}\n"});
    assert_applied();
    assert_rows("1-1|1|a|1\n");
    assert_result(1, 0, 1, 1, 1);
    assert_head("1", 5, 1000, 1);
}

/* A bad row of a document that loses meanwhile is nobody's business. */
static void raise_after_judging(struct fake_database *db, enum fake_step step, const char *table)
{
    (void)table;
    if (step == STEP_BEGIN && db->rollbacks == 2)
        put_head("1", 99, 1);
}

static void test_bad_row_of_a_loser(void **state)
{
    (void)state;
    world.db->row_fault = reject_bad;
    world.db->on_step = raise_after_judging;
    add_document(world.in, 0, 1, 5, 1, "bad");
    add_document(world.in, 0, 2, 5, 1, "a");
    assert_applied();
    assert_rows("2-1|2|a|1\n");
    assert_result(1, 1, 1, 0, 0);
}

static void test_unknown_error(void **state)
{
    (void)state;
    world.db->row_fault = reject_unknown;
    add_rows_with(" 4 ");
    assert_refused(ERR_RETRY, 9999, "");
    assert_int_equal(world.db->committed.row_count, 0);
    assert_int_equal(world.db->committed.head_count, 0);
    world.rules.unknown_as_row = true;
    assert_applied();
    assert_result(10, 0, 19, 0, 1);
    assert_int_equal(world.batch->rows[3].code, 9999);
}

/* A document that is there already, in a newer version, with a row that goes. */
static void add_update(void)
{
    put_row("1-9", "1", "old");
    put_head("1", 1, 1);
    add_document(world.in, 0, 1, 5, 2, "a");
}

static const enum fake_step steps_without_rows[] = {STEP_BEGIN, STEP_HEADS,      STEP_KEYS,  STEP_DELETE,
                                                    STEP_MARKS, STEP_READ_MARKS, STEP_COMMIT};
enum { STEPS_WITHOUT_ROWS = sizeof steps_without_rows / sizeof steps_without_rows[0] };

static void give_mark(void *arg, struct mark_list *ret)
{
    ret->list = mem_zalloc(1, sizeof *ret->list);
    ret->list[0] = *(const struct mark *)arg;
    ret->count = 1;
}

static struct mark own_mark = {.topic = "jst.p.rows", .partition = 0, .next_offset = 1, .written = -1};

static void with_mark(void)
{
    world.rules.marks = give_mark;
    world.rules.arg = &own_mark;
}

/* An unknown error of a statement that writes no row is not blamed on a row. */
static void test_unknown_error_elsewhere(void **state)
{
    for (size_t i = 0; i < STEPS_WITHOUT_ROWS; i++) {
        again(state, &(struct twin_spec){0});
        with_mark();
        add_update();
        fail_once(steps_without_rows[i], 9999);
        world.rules.unknown_as_row = true;
        assert_refused(ERR_RETRY, 9999, "");
        assert_rows("1-9|1|old|1\n");
        assert_false(world.batch->rows[0].rejected);
        assert_applied();
        assert_rows("1-1|1|a|1\n1-2|1|a|2\n");
    }
}

/* An error about data where no row is written is not retried for ever, but waits for a person. */
static void test_data_error_elsewhere(void **state)
{
    static const struct {
        enum fake_step step;
        const char *text;
    } cases[] = {{STEP_HEADS, "jst_heads"}, {STEP_KEYS, "stored rows"}, {STEP_DELETE, "stored rows"}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        again(state, &(struct twin_spec){0});
        add_update();
        fail_once(cases[i].step, 1406);
        world.rules.unknown_as_row = true;
        assert_refused(ERR_PAUSE, 1406, cases[i].text);
        assert_rows("1-9|1|old|1\n");
    }
}

/* ------------------------------------------------------------------ the transaction that fails */

static void test_failures(void **state)
{
    static const enum fake_step steps[] = {STEP_BEGIN, STEP_HEADS, STEP_KEYS,  STEP_DELETE,
                                           STEP_WRITE, STEP_MARKS, STEP_COMMIT};
    static const struct {
        int code;
        enum err_kind kind;
        bool lost;
    } errors[] = {{1213, ERR_RETRY, false}, {1205, ERR_RETRY, false}, {2013, ERR_RETRY, true},
                  {1290, ERR_RETRY, false}, {1114, ERR_RETRY, false}, {1146, ERR_PAUSE, false}};

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        for (size_t j = 0; j < sizeof errors / sizeof errors[0]; j++) {
            again(state, &(struct twin_spec){0});
            with_mark();
            add_update();
            fail_once(steps[i], errors[j].code);
            world.rules.unknown_as_row = (i + j) % 2 == 0; /* no matter what unknown errors are taken for */
            assert_refused(errors[j].kind, errors[j].code, "");
            assert_false(world.batch->rows[0].rejected);
            assert_rows("1-9|1|old|1\n");
            assert_int_equal(world.db->committed.head_count, 1);
            assert_int_equal(world.db->committed.mark_count, 0);
            assert_int_equal(world.batch->wanted, 1);
            assert_int_equal(world.db->rollbacks, !errors[j].lost);
            assert_int_equal(store_connect(world.store, NULL), 0);
            assert_applied();
            assert_rows("1-1|1|a|1\n1-2|1|a|2\n");
        }
}

static void test_rollback_fails(void **state)
{
    (void)state;
    add_document(world.in, 0, 1, 5, 2, "a");
    fail_once(STEP_WRITE, 1205);
    fail_once(STEP_ROLLBACK, 1105);
    assert_refused(ERR_RETRY, 1205, "");
    assert_int_equal(world.db->disconnects, 1);
}

/* COMMIT happened, and its answer was lost: the next try writes the same once more. */
static void test_commit_without_answer(void **state)
{
    (void)state;
    add_update();
    fake_database_fail(world.db,
                       &(struct fake_fault){.step = STEP_COMMIT, .times = 1, .code = 2013, .done = true});
    assert_refused(ERR_RETRY, 2013, "");
    assert_rows("1-1|1|a|1\n1-2|1|a|2\n");
    assert_int_equal(store_connect(world.store, NULL), 0);
    assert_applied();
    assert_rows("1-1|1|a|1\n1-2|1|a|2\n");
    assert_result(1, 0, 2, 0, 0);
}

/* ------------------------------------------------------------------ LOAD DATA */

/* Whatever LOAD DATA says of a row, multi-row text decides. */
static void test_load_refuses_a_good_row(void **state)
{
    (void)state;
    add_rows_with("");
    fail_once(STEP_WRITE, 1265);
    assert_applied();
    assert_result(10, 0, 20, 0, 0);
    assert_int_equal(world.db->loads, 1);
    assert_int_equal(world.db->commits, 1);
}

static void refuse_load(struct fake_database *db, enum fake_step step, const char *table)
{
    (void)table;
    if (step == STEP_ROLLBACK)
        db->refuses_load = true;
}

/* The server takes no LOAD DATA after all: the batch is repeated as text. */
static void test_load_is_refused(void **state)
{
    (void)state;
    add_rows_with("");
    world.db->on_step = refuse_load;
    fake_database_fail(world.db,
                       &(struct fake_fault){.step = STEP_WRITE, .times = 1, .code = 3948, .kind = ERR_RETRY});
    assert_refused(ERR_RETRY, 3948, "");
    assert_applied();
    assert_result(10, 0, 20, 0, 0);
    assert_int_equal(world.db->loads, 1);
}

/* ------------------------------------------------------------------ row or table? */

static int reject_all(const struct fake_row *row)
{
    (void)row;
    return 1366;
}

/* A neighbour that passes proves that the fault is the row's; no witness is asked. */
static void test_proof_by_neighbour(void **state)
{
    (void)state;
    world.db->row_fault = reject_bad;
    put_row("99-1", "99", "bad"); /* a witness that would be refused */
    add_rows_with(" 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 ");
    assert_applied();
    assert_result(10, 0, 1, 0, 19);
    assert_int_equal(world.db->steps[STEP_WITNESS], 0);
}

/* Alone, with a table that takes what it holds: the row is at fault, and the witness leaves no trace. */
static void test_witness_is_taken(void **state)
{
    (void)state;
    world.db->row_fault = reject_bad;
    put_row("9-1", "9", "fine");
    add_document(world.in, 0, 1, 5, 1, "bad");
    assert_applied();
    assert_rows("9-1|9|fine|1\n");
    assert_result(1, 0, 0, 0, 1);
    assert_int_equal(world.db->steps[STEP_WITNESS], 1);
    assert_int_equal(world.db->steps[STEP_BACK], 1);
    assert_head("1", 5, 1000, 0);
}

/* No row that the table holds is taken either, or it holds none: nothing is deleted, nothing rejected. */
static void test_table_is_at_fault(void **state)
{
    for (int empty = 0; empty < 2; empty++) {
        again(state, &(struct twin_spec){0});
        world.db->row_fault = reject_all;
        if (empty == 0)
            put_row("1-1", "1", "old");
        put_head("1", 1, 1);
        add_document(world.in, 0, 1, 5, 2, "a");
        assert_refused(ERR_PAUSE, 1366, "table t takes no row");
        assert_rows(empty == 0 ? "1-1|1|old|1\n" : "");
        assert_head("1", 1, 1, 0);
        for (size_t i = 0; i < 2; i++)
            assert_false(world.batch->rows[i].rejected);
        world.db->row_fault = NULL; /* mended */
        assert_applied();
        assert_rows("1-1|1|a|1\n1-2|1|a|2\n");
    }
}

/* The witness that the transaction itself has deleted is none: nothing proves anything. */
static void test_no_witness_is_left(void **state)
{
    (void)state;
    world.db->row_fault = reject_bad;
    put_row("1-9", "1", "old");
    add_document(world.in, 0, 1, 5, 1, "bad");
    assert_refused(ERR_PAUSE, 1366, "no row that it holds");
    assert_rows("1-9|1|old|1\n");
}

/* After twenty rows that failed alone, and none that passed, no more are tried. */
static void test_gives_up_without_proof(void **state)
{
    (void)state;
    world.db->row_fault = reject_all;
    for (int d = 1; d <= 200; d++)
        add_document(world.in, 0, d, 5, 1, "a");
    assert_refused(ERR_PAUSE, 1366, "20");
    assert_in_range(world.db->steps[STEP_WRITE], 20, 60);
    for (size_t i = 0; i < world.batch->row_count; i++)
        assert_false(world.batch->rows[i].rejected);
}

/* What becomes of more than twenty bad rows when a witness is taken: none of them is lost. */
static void test_many_bad_rows_and_a_witness(void **state)
{
    (void)state;
    world.db->row_fault = reject_bad;
    put_row("999-1", "999", "fine");
    for (int d = 1; d <= 50; d++)
        add_document(world.in, 0, d, 5, 1, d == 50 ? "a" : "bad");
    assert_applied();
    assert_rows("50-1|50|a|1\n999-1|999|fine|1\n");
    assert_result(50, 0, 1, 0, 49);
}

/* The table has changed since it was looked at: that says more than its rows. */
static void test_table_is_looked_at_anew(void **state)
{
    (void)state;
    world.db->row_fault = reject_bad;
    add_document(world.in, 0, 1, 5, 1, "bad");
    fail_once(STEP_LOOK, 1054);
    world.db->faults[0].skip = 0;
    assert_refused(ERR_PAUSE, 1054, "");
    assert_false(world.batch->rows[0].rejected);
}

/* Ten documents, half of them with a bad row: before the COMMIT it shows that the fault is elsewhere. */
static void test_flood(void **state)
{
    struct flood history = {0};

    (void)state;
    flood_add(&history, 0, 46);
    world.rules.flood = &history;
    world.db->row_fault = reject_bad;
    add_rows_with(" 1 3 5 7 9 ");
    assert_refused(ERR_PAUSE, APPLY_FLOOD, "10");
    assert_rows("");
    /* one bad document fewer in the window is not a flood yet */
    history = (struct flood){0};
    flood_add(&history, 0, 44);
    assert_applied();
    assert_int_equal(world.result.rejected, 5);
    /* and when the table is mended, the same batch goes in whole */
    batch_forget_rejections(world.batch);
    world.db->row_fault = NULL;
    assert_applied();
    assert_int_equal(world.result.rejected, 0);
}

/* ------------------------------------------------------------------ marks */

static void put_mark(int64_t next_offset, const char *target)
{
    fake_data_put_mark(&world.db->committed, &(struct fake_mark){.pipeline = world.p->name,
                                                                 .topic = (char *)(uintptr_t)own_mark.topic,
                                                                 .target = (char *)(uintptr_t)target,
                                                                 .next_offset = next_offset});
}

static void assert_mark(int64_t next_offset)
{
    const struct fake_mark *m = fake_data_mark(&world.db->committed, "p", "jst.p.rows", 0);

    assert_non_null(m);
    assert_int_equal(m->next_offset, next_offset);
    assert_string_equal(m->target, "db.t");
}

static void test_marks(void **state)
{
    static const struct {
        int64_t stored; /* -1: none */
        const char *target;
        int64_t written;
        bool reset;
        int64_t then; /* -1: the database was set back */
    } cases[] = {
        {-1, "", -1, false, 10},      {5, "db.t", 5, false, 10},  {5, "db.t", -1, false, 10},
        {7, "db.t", 5, false, 10},    {12, "db.t", 5, false, 12}, /* a successor is further: never lowered */
        {12, "db.old", -1, true, 10},                             /* of another table */
        {12, "db.t", -1, true, 10},                               /* of a topic that was made again */
        {4, "db.t", 5, false, -1},    {-1, "", 5, false, -1},     /* what was committed is gone */
        {-1, "", 0, false, 10},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        again(state, &(struct twin_spec){0});
        with_mark();
        own_mark.next_offset = 10;
        own_mark.written = cases[i].written;
        own_mark.reset = cases[i].reset;
        if (cases[i].stored >= 0)
            put_mark(cases[i].stored, cases[i].target);
        add_document(world.in, 0, 1, 5, 1, "a");
        if (cases[i].then >= 0) {
            assert_applied();
            assert_mark(cases[i].then);
            continue;
        }
        assert_refused(ERR_RETRY, APPLY_SET_BACK, "set back");
        assert_rows("");
        assert_int_equal(world.db->committed.head_count, 0);
    }
    own_mark = (struct mark){.topic = "jst.p.rows", .next_offset = 1, .written = -1};
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_bad_rows),
        CASE(test_error_that_passes),
        CASE(test_bad_row_was_stored),
        CASE(test_bad_row_of_a_loser),
        CASE(test_unknown_error),
        CASE(test_unknown_error_elsewhere),
        CASE(test_data_error_elsewhere),
        CASE(test_failures),
        CASE(test_rollback_fails),
        CASE(test_commit_without_answer),
        CASE(test_load_refuses_a_good_row),
        CASE(test_load_is_refused),
        CASE(test_proof_by_neighbour),
        CASE(test_witness_is_taken),
        CASE(test_table_is_at_fault),
        CASE(test_no_witness_is_left),
        CASE(test_gives_up_without_proof),
        CASE(test_many_bad_rows_and_a_witness),
        CASE(test_table_is_looked_at_anew),
        CASE(test_flood),
        CASE(test_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
