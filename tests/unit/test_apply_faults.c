#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/twins/apply_world.h"

static int reject_bad(const struct fake_db *f, const struct fake_row *row)
{
    (void)f;
    return row->cells[2] != NULL && strncmp(row->cells[2], "bad", 3) == 0 ? 1366 : 0;
}

static int reject_unknown(const struct fake_db *f, const struct fake_row *row)
{
    return reject_bad(f, row) != 0 ? 9999 : 0;
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
            assert_applied();
            assert_result(10, 0, 20 - cases[i].count, 0, cases[i].count);
            assert_int_equal(world.db->committed.row_count, 20 - cases[i].count);
            for (size_t r = 0; r < world.batch->row_count; r++) {
                const struct row *row = &world.batch->rows[r];
                char number[24];
                /* the documents are sorted as text: a row's place in the batch is that of its message */
                snprintf(number, sizeof number, " %zu ", r + 1);
                assert_int_equal(row->rejected, strstr(cases[i].bad, number) != NULL);
                assert_int_equal(row->code, row->rejected ? 1366 : 0);
            }
            assert_int_equal(world.db->commits, 1);
            if (cases[i].count > 0)
                assert_int_equal(world.db->rollbacks, 1);
            if (cases[i].count == 1 && way == 2)
                assert_true(world.db->queries <= 12 + 16); /* by its number: at once */
        }
}

/* An error that does not come again is no row's; the order of the lines is kept. */
static void test_error_that_passes(void **state)
{
    (void)state;
    add_rows(world.in,
             &(struct rows_spec){.document = "1",
                                 .version = "5",
                                 .value = "{\"id\":\"1-1\",\"io_id\":1,\"note\":\"a\",\"qty\":1}\n"
                                          "{\"id\":\"1-1\",\"io_id\":1,\"note\":\"b\",\"qty\":2}\n"});
    fake_db_fail(world.db, "REPLACE", 0, 1, 1366, "Incorrect value at row 2");
    assert_applied();
    assert_rows("1-1|1|b|2\n");
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

/* A bad row of a document that loses is nobody's business. */
static void raise_between(struct fake_db *f, const char *sql)
{
    if (strncmp(sql, "ROLLBACK", 8) == 0 && fake_db_head(f, "1") == NULL)
        f->arg = f;
    if (strncmp(sql, "START", 5) == 0 && f->arg != NULL && fake_db_head(f, "1") == NULL)
        fake_db_put_head(f, "1", 99, 1);
}

static void test_bad_row_of_a_loser(void **state)
{
    (void)state;
    world.db->row_fault = reject_bad;
    world.db->on_query = raise_between;
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
    assert_int_equal(apply(false), -1);
    assert_int_equal(world.err.kind, ERR_RETRY);
    assert_int_equal(world.err.code, 9999);
    assert_int_equal(world.db->committed.row_count, 0);
    assert_int_equal(world.db->committed.head_count, 0);
    assert_int_equal(apply(true), 0);
    assert_result(10, 0, 19, 0, 1);
    assert_int_equal(world.batch->rows[3].code, 9999);
}

/* An unknown error of a statement that writes no row is none of a row. */
static void test_unknown_error_elsewhere(void **state)
{
    static const char *const prefixes[] = {
        "START", "INSERT INTO `jst_heads`", "SELECT `document`", "SELECT `id`", "DELETE", "COMMIT"};

    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        again(state, &(struct twin_spec){0});
        put_row("1-9", "1", "old");
        fake_db_put_head(world.db, "1", 1, 1); /* so that the heads are read */
        add_document(world.in, 0, 1, 5, 1, "a");
        fake_db_fail(world.db, prefixes[i], 0, 1, 9999, "odd at row 1");
        assert_int_equal(apply(true), -1);
        assert_int_equal(world.err.kind, ERR_RETRY);
        assert_rows("1-9|1|old|1\n");
        assert_false(world.batch->rows[0].rejected);
        assert_applied();
        assert_rows("1-1|1|a|1\n");
    }
}

/* An error about data where no row is written is not retried for ever, but waits for a person. */
static void test_data_error_elsewhere(void **state)
{
    static const struct {
        const char *prefix, *text;
    } cases[] = {{"INSERT INTO `jst_heads`", "jst_heads"},
                 {"SELECT `document`", "jst_heads"},
                 {"SELECT `id`", "stored rows"},
                 {"DELETE", "stored rows"}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        again(state, &(struct twin_spec){0});
        put_row("1-9", "1", "old");
        fake_db_put_head(world.db, "1", 1, 1); /* so that the heads are read */
        add_document(world.in, 0, 1, 5, 1, "a");
        fake_db_fail(world.db, cases[i].prefix, 0, 1, 1406, "Data too long for column 'document' at row 1");
        assert_int_equal(apply(true), -1);
        assert_int_equal(world.err.kind, ERR_PAUSE);
        assert_non_null(strstr(world.err.text, cases[i].text));
        assert_non_null(strstr(world.err.text, "Data too long"));
        assert_rows("1-9|1|old|1\n");
    }
}

/* ------------------------------------------------------------------ the transaction that fails */

static void test_failures(void **state)
{
    static const char *const prefixes[] = {
        "START", "INSERT INTO `jst_heads`", "SELECT `document`", "SELECT `id`", "DELETE", "REPLACE",
        "COMMIT"};
    static const struct {
        int code;
        enum err_kind kind;
        bool lost;
    } errors[] = {{1213, ERR_RETRY, false}, {1205, ERR_RETRY, false}, {2013, ERR_RETRY, true},
                  {1290, ERR_RETRY, false}, {1114, ERR_RETRY, false}, {1146, ERR_PAUSE, false}};

    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        for (size_t j = 0; j < sizeof errors / sizeof errors[0]; j++) {
            again(state, &(struct twin_spec){0});
            put_row("1-9", "1", "old");
            fake_db_put_head(world.db, "1", 1, 1); /* so that the heads are read */
            add_document(world.in, 0, 1, 5, 2, "a");
            fake_db_fail(world.db, prefixes[i], 0, 1, errors[j].code, "failed at row 1");
            assert_int_equal(apply((i + j) % 2 == 0), -1); /* no matter what unknown errors are taken for */
            assert_false(world.batch->rows[0].rejected);
            assert_int_equal(world.err.kind, errors[j].kind);
            assert_int_equal(world.err.code, errors[j].code);
            assert_rows("1-9|1|old|1\n");
            assert_int_equal(world.db->committed.head_count, 1);
            assert_int_equal(world.db->connected, !errors[j].lost);
            assert_int_equal(world.batch->wanted, 1);
            assert_int_equal(db_connect(&world.db->base, NULL), 0);
            assert_applied();
            assert_rows("1-1|1|a|1\n1-2|1|a|2\n");
        }
}

static void test_rollback_fails(void **state)
{
    (void)state;
    add_document(world.in, 0, 1, 5, 2, "a");
    fake_db_fail(world.db, "REPLACE", 0, 1, 1205, "Lock wait timeout exceeded");
    fake_db_fail(world.db, "ROLLBACK", 0, 1, 1105, "odd");
    assert_int_equal(apply(false), -1);
    assert_int_equal(world.err.code, 1205);
    assert_int_equal(world.db->disconnects, 1);
    assert_false(world.db->connected);
}

/* A head that is not found again means that two documents share one. */
static void drop_head(struct fake_db *f, const char *sql)
{
    if (strncmp(sql, "SELECT `document`", 17) == 0 && f->now.head_count == 2) {
        struct fake_head *h = &f->now.heads[--f->now.head_count];
        free(h->document);
        free(h->pipeline);
    }
}

static void test_heads_that_are_one(void **state)
{
    (void)state;
    world.db->on_query = drop_head;
    fake_db_put_head(world.db, "1", 1, 1);
    add_document(world.in, 0, 1, 5, 1, "a");
    add_document(world.in, 0, 2, 5, 1, "a");
    assert_int_equal(apply(false), -1);
    assert_int_equal(world.err.kind, ERR_PAUSE);
    assert_non_null(strstr(world.err.text, "byte by byte"));
    assert_rows("");
}

/* Ten documents, half of them with a bad row: before the COMMIT it shows that the fault is elsewhere. */
static void test_flood(void **state)
{
    struct flood history = {0};

    (void)state;
    flood_add(&history, 0, 46);
    world.flood = &history;
    world.db->row_fault = reject_bad;
    add_rows_with(" 1 3 5 7 9 ");
    assert_int_equal(apply(false), -1);
    assert_int_equal(world.err.kind, ERR_PAUSE);
    assert_int_equal(world.err.code, APPLY_FLOOD);
    assert_rows("");
    /* one bad document fewer in the window is no flood yet */
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
        CASE(test_flood),
        CASE(test_failures),
        CASE(test_rollback_fails),
        CASE(test_heads_that_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
