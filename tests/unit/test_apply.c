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

static void test_all_new(void **state)
{
    (void)state;
    add_document(world.in, 0, 2, 5, 2, "b");
    add_document(world.in, 0, 1, 5, 1, "a");
    add_document(world.in, 0, 3, 5, 0, "none");
    assert_applied();
    assert_rows("1-1|1|a|1\n2-1|2|b|1\n2-2|2|b|2\n");
    assert_result(3, 0, 3, 0, 0);
    assert_head("1", 5, 1000, 1);
    assert_head("3", 5, 1000, 0);
    assert_string_equal(fake_data_head(&world.db->committed, "p", "2")->source, "jst.p.raw/0/7");
    assert_int_equal(world.db->commits, 1);
    assert_int_equal(world.db->loads, 1);
    assert_int_equal(world.db->steps[STEP_DELETE], 0);
    assert_int_equal(world.db->steps[STEP_MARKS], 0); /* nobody has given any */
}

/* LOAD DATA always replaces: it stands in for REPLACE only, where the server takes it. */
static void test_form(void **state)
{
    again(state, &(struct twin_spec){.sql = "INSERT INTO t(id,io_id,note,qty) VALUES"});
    add_document(world.in, 0, 1, 5, 1, "a");
    assert_applied();
    assert_int_equal(world.db->loads, 0);
    again(state, &(struct twin_spec){0});
    world.db->refuses_load = true;
    add_document(world.in, 0, 1, 5, 1, "a");
    assert_applied();
    assert_int_equal(world.db->loads, 0);
    assert_rows("1-1|1|a|1\n");
}

/* A column that an INSERT leaves out of its updates keeps what the table has; a new row gets all of them. */
static void columns_left_out_keep_what_is_there(void **state)
{
    again(state,
          &(struct twin_spec){
              .sql = "INSERT INTO t(id,io_id,note,qty) VALUES ON DUPLICATE KEY UPDATE qty = VALUES(qty)"});
    put_row("1-1", "1", "old");
    put_row("1-9", "1", "old");
    add_document(world.in, 0, 1, 5, 2, "new");
    assert_applied();
    assert_rows("1-1|1|old|1\n1-2|1|new|2\n");
    assert_result(1, 0, 2, 1, 0);
    new_batch();
    add_rows(world.in,
             &(struct rows_spec){.document = "1",
                                 .version = "6",
                                 .value = "{\"id\":\"1-1\",\"io_id\":1,\"note\":\"newest\",\"qty\":7}\n"});
    assert_applied();
    assert_rows("1-1|1|old|7\n");
}

static void test_empty_batch(void **state)
{
    (void)state;
    add_rows(world.in, &(struct rows_spec){.document = "1", .version = "no", .value = ""});
    assert_applied();
    assert_int_equal(world.db->steps[STEP_BEGIN], 0);
    assert_result(0, 0, 0, 0, 0);
}

/* Who loses: a lower version, or the same one published earlier; the same message again repairs. */
static void test_losers(void **state)
{
    static const struct {
        int version;
        int64_t published;
        bool wins;
    } cases[] = {
        {4, 9999, false}, {5, 1999, false}, {5, 2000, true}, {5, 2001, true}, {6, 1, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char version[8];
        again(state, &(struct twin_spec){0});
        put_head("1", 5, 2000);
        put_row("1-1", "1", "old");
        put_row("1-2", "1", "old");
        snprintf(version, sizeof version, "%d", cases[i].version);
        add_rows(world.in,
                 &(struct rows_spec){.document = "1",
                                     .version = version,
                                     .published_ms = cases[i].published,
                                     .value = "{\"id\":\"1-1\",\"io_id\":1,\"note\":\"new\",\"qty\":1}\n"});
        add_document(world.in, 0, 2, 1, 1, "other");
        assert_applied();
        assert_rows(cases[i].wins ? "1-1|1|new|1\n2-1|2|other|1\n"
                                  : "1-1|1|old|1\n1-2|1|old|1\n2-1|2|other|1\n");
        if (cases[i].wins) {
            assert_result(2, 0, 2, 1, 0);
            assert_head("1", (uint64_t)cases[i].version, cases[i].published, 1);
        } else {
            assert_result(1, 1, 1, 0, 0);
            assert_head("1", 5, 2000, 0);
            assert_int_equal(world.batch->documents[0].state, DOCUMENT_STALE);
        }
    }
}

/* Stored rows that the document no longer has go, be its head new or not; nobody else's. */
static void test_pruning(void **state)
{
    (void)state;
    put_row("1-1", "1", "x");
    put_row("1-9", "1", "x");
    put_row("1-", "1", "x");
    put_row("2-9", "2", "x");
    put_row("12-1", "12", "x");
    add_document(world.in, 0, 1, 5, 2, "a");
    add_document(world.in, 0, 2, 5, 0, "a");
    assert_applied();
    assert_rows("1-1|1|a|1\n1-2|1|a|2\n12-1|12|x|1\n");
    assert_result(2, 0, 2, 3, 0);
    assert_int_equal(world.db->steps[STEP_DELETE], 1);
}

/* Keys of several columns: "a" + "bc" is not "ab" + "c". */
static void test_key_of_two_columns(void **state)
{
    again(state, &(struct twin_spec){.options = ",\"version\":\"ts\",\"key\":[\"note\",\"id\"]"});
    put_row("c", "1", "ab");
    put_row("x\\'y", "1", "q'\\");
    add_rows(world.in,
             &(struct rows_spec){.document = "1",
                                 .version = "5",
                                 .value = "{\"id\":\"bc\",\"io_id\":1,\"note\":\"a\",\"qty\":1}\n"});
    assert_applied();
    assert_rows("bc|1|a|1\n");
    assert_result(1, 0, 1, 2, 0);
}

/* Two lines of one key would become one row in silence. The transformer does not write such documents any
 * more; an older one did. */
static void test_key_twice(void **state)
{
    (void)state;
    add_rows(world.in,
             &(struct rows_spec){.document = "1",
                                 .version = "5",
                                 .value = "{\"id\":\"1-1\",\"io_id\":1,\"note\":\"a\",\"qty\":1}\n"
                                          "{\"id\":\"1-1\",\"io_id\":1,\"note\":\"b\",\"qty\":2}\n"});
    assert_applied();
    assert_rows("1-1|1|a|1\n");
    assert_result(1, 0, 1, 0, 1);
    assert_non_null(strstr(world.batch->rows[1].why, "row 1"));
}

/* A row of another document under the same key is not written over, whatever the form. */
static void test_key_of_another_document(void **state)
{
    static const struct {
        const char *sql;
        bool refuses_load;
    } cases[] = {{TWIN_SQL, false}, {TWIN_SQL, true}, {"INSERT INTO t(id,io_id,note,qty) VALUES", false}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        again(state, &(struct twin_spec){.sql = cases[i].sql});
        world.db->refuses_load = cases[i].refuses_load;
        put_row("1-1", "7", "theirs");
        put_row("1-2", "1", "mine");
        add_document(world.in, 0, 1, 5, 2, "new");
        assert_refused(ERR_PAUSE, 0, "other documents");
        assert_rows("1-1|7|theirs|1\n1-2|1|mine|1\n");
        assert_int_equal(world.db->committed.head_count, 0);
    }
}

/* A key that is NULL would never be found again: a new row at every repetition. */
static void test_key_null(void **state)
{
    again(state, &(struct twin_spec){.options = ",\"version\":\"ts\",\"key\":[\"id\",\"qty\"]"});
    for (int i = 0; i < 2; i++) {
        new_batch();
        add_rows(world.in,
                 &(struct rows_spec){.document = "1",
                                     .version = "5",
                                     .value = "{\"id\":\"1\",\"io_id\":1,\"note\":\"a\",\"qty\":1}\n"
                                              "{\"id\":\"1\",\"io_id\":1,\"note\":\"b\",\"qty\":null}\n"
                                              "{\"id\":\"1\",\"io_id\":1,\"note\":\"c\",\"qty\":\"\"}\n"
                                              "{\"id\":null,\"io_id\":1,\"note\":\"d\",\"qty\":2}\n"
                                              "{\"id\":\"\",\"io_id\":1,\"note\":\"e\",\"qty\":2}\n"});
        assert_applied();
        assert_rows("1|1|a|1\n|1|e|2\n");
        assert_result(1, 0, 2, 0, 3);
        assert_int_equal(world.batch->rows[1].code, 1048);
        assert_non_null(strstr(world.batch->rows[3].why, "id"));
    }
}

/* Rows that could not be found again by their document's id are refused: what is not an integer as MySQL
 * writes it, in an integer column; another text than the id. */
static void test_id_of_another_type(void **state)
{
    static const struct {
        const char *id, *cell;
        bool fits;
    } cases[] = {
        {"7", "7", true},
        {"7", "\"7\"", true},
        {"-7", "-7", true},
        {"07", "\"07\"", false},
        {"7x", "\"7x\"", false},
        {"1e2", "100", false},
        {"7", "8", false},
        {"7", "null", false},
        {"-0", "-0", false},
        {"0", "0", true},
        {"7 ", "\"7 \"", false},
        {"-", "\"-\"", false},
        {"9223372036854775808", "9223372036854775808", true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char value[200];
        again(state, &(struct twin_spec){0});
        put_row("7-9", "7", "mine");
        snprintf(value, sizeof value, "{\"id\":\"k\",\"io_id\":%s,\"note\":\"a\",\"qty\":1}\n",
                 cases[i].cell);
        add_rows(world.in, &(struct rows_spec){.document = cases[i].id, .version = "5", .value = value});
        assert_applied();
        if (world.batch->rows[0].rejected != !cases[i].fits)
            fail_msg("%s and %s", cases[i].id, cases[i].cell);
        if (!cases[i].fits)
            assert_int_equal(world.batch->rows[0].code, 0);
        if (strcmp(cases[i].id, "7") != 0) /* never another document's row */
            assert_true(world.db->committed.row_count == (cases[i].fits ? 2 : 1));
    }
}

/* ------------------------------------------------------------------ ids of several fields */

static void add_pair(const char *document, const char *version, const char *value)
{
    add_rows(world.in, &(struct rows_spec){.document = document, .version = version, .value = value});
}

/* Its stored rows are those with all of its fields; the last field may have a '/'. */
static void a_document_of_two_fields_replaces_just_its_rows(void **state)
{
    again(state, &(struct twin_spec){.document = "[\"io_id\",\"note\"]"});
    put_row("1-a-9", "1", "a");
    put_row("1-b-1", "1", "b");
    put_row("2-a-1", "2", "a");
    put_row("1-a/b-9", "1", "a/b");
    add_pair("1/a", "5", "{\"id\":\"1-a-1\",\"io_id\":1,\"note\":\"a\",\"qty\":1}\n");
    add_pair("1/a/b", "5", "{\"id\":\"1-a/b-1\",\"io_id\":1,\"note\":\"a/b\",\"qty\":1}\n");
    add_pair("2/a", "5", "");
    assert_applied();
    assert_rows("1-a-1|1|a|1\n1-a/b-1|1|a/b|1\n1-b-1|1|b|1\n");
    assert_result(3, 0, 2, 3, 0);
    assert_head("1/a/b", 5, 1000, 1);
}

/* A row that its document's id would not find again is refused. */
static void the_fields_of_an_id_are_told_apart(void **state)
{
    static const struct {
        const char *document, *cells;
        bool fits;
    } cases[] = {
        {"a/1", "\"note\":\"a\",\"io_id\":1", true},        {"a/1", "\"note\":\"a\",\"io_id\":2", false},
        {"a/1", "\"note\":\"a\",\"io_id\":null", false},    {"a/1", "\"note\":\"a/1\",\"io_id\":1", false},
        {"a/b/1", "\"note\":\"a/b\",\"io_id\":1", false},   {"a/1/2", "\"note\":\"a\",\"io_id\":1", false},
        {"a/01", "\"note\":\"a\",\"io_id\":\"01\"", false}, {"a/", "\"note\":\"a\",\"io_id\":\"\"", false},
        {"a", "\"note\":\"a\",\"io_id\":1", false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char value[200];
        again(state, &(struct twin_spec){.document = "[\"note\",\"io_id\"]"});
        snprintf(value, sizeof value, "{\"id\":\"k\",%s,\"qty\":1}\n", cases[i].cells);
        add_pair(cases[i].document, "5", value);
        assert_applied();
        if (world.batch->rows[0].rejected == cases[i].fits)
            fail_msg("%s and %s", cases[i].document, cases[i].cells);
    }
}

/* ------------------------------------------------------------------ row by row */

static void open_row_by_row(void **state, const char *sql)
{
    again(state, &(struct twin_spec){.sql = sql, .options = ",\"version\":\"ts\",\"write\":\"replace\""});
}

/* No heads, nothing deleted, nobody's row: what came last stands there, be its version older or not. */
static void row_by_row_the_last_one_stays(void **state)
{
    for (int refuses = 0; refuses < 2; refuses++) {
        open_row_by_row(state, NULL);
        world.db->refuses_load = refuses == 1;
        put_row("1-9", "1", "gone");
        put_row("2-1", "7", "theirs");
        add_document(world.in, 0, 1, 5, 2, "newer");
        add_document(world.in, 0, 2, 5, 1, "a");
        add_document(world.in, 0, 1, 4, 1, "older");
        assert_applied();
        assert_rows("1-1|1|older|1\n1-2|1|newer|2\n1-9|1|gone|1\n2-1|2|a|1\n");
        assert_result(3, 0, 4, 0, 0);
        assert_int_equal(world.db->committed.head_count, 0);
        assert_int_equal(world.db->steps[STEP_HEADS] + world.db->steps[STEP_KEYS], 0);
    }
}

/* A document's own id need not stand in a column; a key may come twice. */
static void row_by_row_documents_are_not_looked_at(void **state)
{
    open_row_by_row(state,
                    "INSERT INTO t(id,io_id,note,qty) VALUES ON DUPLICATE KEY UPDATE note = VALUES(note)");
    add_rows(world.in, &(struct rows_spec){.document = "x/7",
                                           .version = "",
                                           .value = "{\"id\":\"k\",\"io_id\":1,\"note\":\"a\",\"qty\":1}\n"
                                                    "{\"id\":\"k\",\"io_id\":2,\"note\":\"b\",\"qty\":2}\n"
                                                    "{\"id\":null,\"io_id\":3,\"note\":\"c\",\"qty\":3}\n"});
    assert_applied();
    assert_rows("k|1|b|1\n");
    assert_result(1, 0, 2, 0, 1);
    assert_int_equal(world.batch->rows[2].code, 1048);
}

static int refuse_bad(const struct fake_row *row)
{
    return row->cells[2] != NULL && strcmp(row->cells[2], "bad") == 0 ? 1366 : 0;
}

/* A row that the table does not take leaves what is there. */
static void row_by_row_a_bad_row_is_left_out(void **state)
{
    open_row_by_row(state, NULL);
    world.db->row_fault = refuse_bad;
    put_row("1-1", "1", "old");
    add_document(world.in, 0, 1, 5, 1, "bad");
    add_document(world.in, 0, 2, 5, 1, "good");
    assert_applied();
    assert_rows("1-1|1|old|1\n2-1|2|good|1\n");
    assert_result(2, 0, 1, 0, 1);
}

/* ------------------------------------------------------------------ values */

static void test_values(void **state)
{
    (void)state;
    add_rows(world.in, &(struct rows_spec){
                           .document = "1",
                           .version = "5",
                           .value = "{\"id\":\"1-1\",\"io_id\":1,\"note\":\"\",\"qty\":\"\"}\n"
                                    "{\"id\":\"1-2\",\"io_id\":1,\"note\":null,\"qty\":null}\n"
                                    "{\"qty\":1.50,\"note\":\"\\u0027\\\\ \\n \xF0\x9F\x98\x80\",\"id\":\"1-"
                                    "3\",\"io_id\":1,\"more\":7}\n"
                                    "{\"id\":\"1-4\",\"io_id\":1}\n"});
    assert_applied();
    assert_rows("1-1|1||~\n1-2|1|~|~\n1-3|1|'\\ \n \xF0\x9F\x98\x80|1.50\n1-4|1|~|~\n");
}

/* ------------------------------------------------------------------ convergence */

/* The same numbers everywhere. */
static unsigned random_state;
static int next_random(void)
{
    random_state = random_state * 1103515245U + 12345U;
    return (int)(random_state >> 16 & 0x7FFF);
}

static void add_some(int versions, int documents)
{
    for (int n = next_random() % 8; n >= 0; n--) {
        int v = next_random() % versions;
        int d = next_random() % documents;
        char note[16];
        snprintf(note, sizeof note, "v%d", v);
        add_document(world.in, 0, d, v, (v * 7 + d) % 4, note);
    }
}

static void fail_somewhere(void)
{
    static const int codes[] = {1213, 2013, 1205};

    memset(world.db->faults, 0, sizeof world.db->faults); /* one that has met no call */
    if (next_random() % 3 == 0)
        fake_database_fail(world.db, &(struct fake_fault){
                                         .step = STEP_BEGIN + next_random() % (STEP_COMMIT - STEP_BEGIN + 1),
                                         .times = 1,
                                         .code = codes[next_random() % 3],
                                         .done = next_random() % 2 == 0});
}

/* Whatever the order, repetition and failures: the newest version of each document, and just its rows. */
static void test_converges(void **state)
{
    enum { DOCUMENTS = 6, VERSIONS = 5, ROUNDS = 60 };

    for (unsigned seed = 1; seed <= 40; seed++) {
        again(state,
              &(struct twin_spec){.limit = 1 + (int)(seed % 5),
                                  .sql = seed % 2 == 0 ? "INSERT INTO t(id,io_id,note,qty) VALUES" : NULL});
        random_state = seed;
        for (int i = 0; i < ROUNDS; i++) {
            new_batch();
            add_some(VERSIONS, DOCUMENTS);
            for (int d = 0; d < DOCUMENTS && i == ROUNDS - 1; d++)
                add_document(world.in, 0, d, VERSIONS - 1, ((VERSIONS - 1) * 7 + d) % 4, "v4");
            fail_somewhere();
            while (apply() != 0) {
                assert_int_equal(world.err.kind, ERR_RETRY);
                assert_int_equal(store_connect(world.store, NULL), 0);
            }
        }
        struct buf expected;
        buf_init(&expected, 65536);
        for (int d = 0; d < DOCUMENTS; d++)
            for (int n = 1; n <= ((VERSIONS - 1) * 7 + d) % 4; n++)
                buf_printf(&expected, "%d-%d|%d|v4|%d\n", d, n, d, n);
        assert_rows(expected.data);
        buf_free(&expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_all_new),
        CASE(test_form),
        CASE(columns_left_out_keep_what_is_there),
        CASE(test_empty_batch),
        CASE(test_losers),
        CASE(test_pruning),
        CASE(test_key_of_two_columns),
        CASE(test_key_twice),
        CASE(test_key_of_another_document),
        CASE(test_key_null),
        CASE(test_id_of_another_type),
        CASE(a_document_of_two_fields_replaces_just_its_rows),
        CASE(the_fields_of_an_id_are_told_apart),
        CASE(row_by_row_the_last_one_stays),
        CASE(row_by_row_documents_are_not_looked_at),
        CASE(row_by_row_a_bad_row_is_left_out),
        CASE(test_values),
        CASE(test_converges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
