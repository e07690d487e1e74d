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
    assert_string_equal(
        world.log.data,
        "START TRANSACTION\n"
        "INSERT INTO `jst_heads` (`pipeline`,`document`,`version`,`published`,`rows`,`updated_at`) VALUES "
        "('p','1',5,1000,1,NOW(3)),('p','2',5,1000,2,NOW(3)),('p','3',5,1000,0,NOW(3))"
        " ON DUPLICATE KEY UPDATE"
        " `rows`=IF(VALUES(`version`)>`version` OR (VALUES(`version`)=`version` AND "
        "VALUES(`published`)>=`published`),VALUES(`rows`),`rows`),"
        " `updated_at`=IF(VALUES(`version`)>`version` OR (VALUES(`version`)=`version` AND "
        "VALUES(`published`)>=`published`),VALUES(`updated_at`),`updated_at`),"
        " `published`=IF(VALUES(`version`)>`version` OR (VALUES(`version`)=`version` AND "
        "VALUES(`published`)>=`published`),VALUES(`published`),`published`),"
        " `version`=GREATEST(`version`,VALUES(`version`))\n"
        /* no head to lose against: none is read */
        "SELECT `id` FROM `t` FORCE INDEX (`jst_document`) WHERE `io_id` IN (1,2,3)\n"
        "REPLACE INTO `t`(`id`,`io_id`,`note`,`qty`) VALUES "
        "('1-1','1','a','1'),('2-1','2','b','1'),('2-2','2','b','2')\n"
        "COMMIT\n");
}

static void test_insert_form(void **state)
{
    again(state, &(struct twin_spec){.sql = "INSERT INTO db.t(id,io_id,note,qty) VALUES"});
    add_document(world.in, 0, 1, 5, 1, "a");
    assert_applied();
    assert_non_null(strstr(world.log.data,
                           "INSERT INTO `db`.`t`(`id`,`io_id`,`note`,`qty`) VALUES ('1-1','1','a','1') ON "
                           "DUPLICATE KEY UPDATE `id`=VALUES(`id`),`io_id`=VALUES(`io_id`),`note`=VALUES("
                           "`note`),`qty`=VALUES(`qty`)\n"));
}

static void test_empty_batch(void **state)
{
    (void)state;
    add_rows(world.in, &(struct rows_spec){.document = "1", .version = "no", .value = ""});
    assert_applied();
    assert_int_equal(world.db->queries, 12); /* those of table_load() */
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
        fake_db_put_head(world.db, "1", 5, 2000);
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
            assert_head("1", (uint64_t)cases[i].version, (uint64_t)cases[i].published, 1);
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
    assert_non_null(strstr(world.log.data, "DELETE FROM `t` WHERE (`id`) IN (('1-"));
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
    assert_non_null(strstr(world.log.data, "SELECT `note`,`id` FROM `t` FORCE INDEX"));
    assert_non_null(strstr(world.log.data, "WHERE (`note`,`id`) IN (("));
}

/* The last of two lines with one key stays, as REPLACE has it. */
static void test_key_twice(void **state)
{
    (void)state;
    add_rows(world.in,
             &(struct rows_spec){.document = "1",
                                 .version = "5",
                                 .value = "{\"id\":\"1-1\",\"io_id\":1,\"note\":\"a\",\"qty\":1}\n"
                                          "{\"id\":\"1-1\",\"io_id\":1,\"note\":\"b\",\"qty\":2}\n"});
    assert_applied();
    assert_rows("1-1|1|b|2\n");
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

/* ------------------------------------------------------------------ limits */

static size_t count_statements(const char *prefix)
{
    size_t n = 0;

    for (const char *at = world.log.data; (at = strstr(at, prefix)) != NULL; at++)
        n += at == world.log.data || at[-1] == '\n';
    return n;
}

static void test_rows_a_statement(void **state)
{
    again(state, &(struct twin_spec){.limit = 3});
    add_document(world.in, 0, 1, 5, 10, "a");
    add_document(world.in, 0, 2, 5, 1, "a");
    assert_applied();
    assert_int_equal(world.db->committed.row_count, 11);
    assert_int_equal(count_statements("REPLACE"), 4);
    assert_int_equal(count_statements("COMMIT"), 1);
    assert_result(2, 0, 11, 0, 0);
}

/* No statement is larger than the server takes, whatever it is about. */
static void test_statement_bytes(void **state)
{
    (void)state;
    world.db->max_statement = 4096;
    for (int d = 1; d <= 300; d++) {
        char id[8];
        snprintf(id, sizeof id, "%d", d);
        for (int n = 0; n < 3; n++) {
            char key[250];
            snprintf(key, sizeof key, "%d-old-%d-%0200d", d, n, 0);
            put_row(key, id, "x");
        }
        add_document(world.in, 0, d, 5, 2, "0123456789'0123456789'0123456789'0123456789'0123456789");
    }
    assert_applied();
    assert_true(world.db->longest <= 4096);
    assert_int_equal(world.db->committed.row_count, 600);
    assert_int_equal(world.db->committed.head_count, 300);
    assert_result(300, 0, 600, 900, 0);
}

/* A row that is too large by itself: it alone is rejected. One that just fits is not. */
static void test_row_too_large(void **state)
{
    static const size_t lengths[] = {3000, 3900, 5000};

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        again(state, &(struct twin_spec){0});
        world.db->max_statement = 4096;
        char *note = mem_zalloc(lengths[i] + 1, 1);
        memset(note, 'x', lengths[i]);
        add_document(world.in, 0, 1, 5, 2, "a");
        add_document(world.in, 0, 2, 5, 1, note);
        add_document(world.in, 0, 3, 5, 2, "a");
        free(note);
        assert_applied();
        bool fits = lengths[i] < 4000;
        assert_result(3, 0, fits ? 5 : 4, 0, fits ? 0 : 1);
        assert_int_equal(world.db->committed.row_count, fits ? 5 : 4);
        if (!fits)
            assert_int_equal(world.batch->rows[2].code, 1153);
    }
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

/* Whatever the order, repetition and failures: the newest version of each document, and just its rows. */
static void test_converges(void **state)
{
    enum { DOCUMENTS = 6, VERSIONS = 5, ROUNDS = 60 };

    for (unsigned seed = 1; seed <= 40; seed++) {
        again(state, &(struct twin_spec){.limit = 1 + (int)(seed % 5)});
        random_state = seed;
        for (int i = 0; i < ROUNDS; i++) {
            new_batch();
            for (int n = next_random() % 8; n >= 0; n--) {
                int v = i < ROUNDS - 1 ? next_random() % VERSIONS : VERSIONS - 1;
                int d = next_random() % DOCUMENTS;
                char note[16];
                snprintf(note, sizeof note, "v%d", v);
                add_document(world.in, 0, d, v, (v * 7 + d) % 4, note);
            }
            for (int d = 0; d < DOCUMENTS && i == ROUNDS - 1; d++)
                add_document(world.in, 0, d, VERSIONS - 1, ((VERSIONS - 1) * 7 + d) % 4, "v4");
            static const char *const where[] = {"INSERT", "SELECT `id`", "DELETE", "REPLACE", "COMMIT"};
            static const int codes[] = {1213, 2013, 1205};
            if (next_random() % 3 == 0)
                fake_db_fail(world.db, where[next_random() % 5], 0, 1, codes[next_random() % 3], "failed");
            while (apply(false) != 0) {
                assert_int_equal(world.err.kind, ERR_RETRY);
                assert_int_equal(db_connect(&world.db->base, NULL), 0);
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
        CASE(test_all_new),          CASE(test_insert_form),     CASE(test_empty_batch),
        CASE(test_losers),           CASE(test_pruning),         CASE(test_key_of_two_columns),
        CASE(test_key_twice),        CASE(test_key_null),        CASE(test_id_of_another_type),
        CASE(test_rows_a_statement), CASE(test_statement_bytes), CASE(test_row_too_large),
        CASE(test_values),           CASE(test_converges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
