#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/faults.h"
#include "common/base/mem.h"
#include "common/pipeline/pipeline.h"

#define A64 "a234567890123456789012345678901234567890123456789012345678901234"

/* A pipeline of two columns, io_id and b, with this main_sql. */
static struct pipeline *parse(const char *sql, struct faults *faults)
{
    char *text = mem_printf(
        "{\"name\": \"p\", \"source\": {\"api\": \"/open/purchasein/query\", \"id\": \"io_id\","
        "\"request\": {\"modified_begin\": \"{{LAST_SYNC_TIME|datetime}}\","
        "\"modified_end\": \"{{CURRENT_TIME|datetime}}\"}},"
        "\"target\": {\"request\": {\"io_id\": \"{io_id}\", \"b\": \"{b}\"}, \"main_sql\": \"%s\"},"
        "\"schedule\": {\"crontab\": \"@hourly\"}}",
        sql);
    struct pipeline *p = pipeline_parse("p", text, strlen(text), faults);
    free(text);
    return p;
}

/* What an INSERT does with a row that is there: the columns that it updates, in the table's order. */
static void an_insert_updates_the_columns_that_it_names(void **state)
{
    static const char *const both[] = {
        "INSERT INTO t(io_id, b) VALUES",
        "INSERT INTO t(io_id, b) VALUES ON DUPLICATE KEY UPDATE io_id = VALUES(io_id), b = VALUES(b)",
        "INSERT INTO t(io_id, b) VALUES on duplicate\\nkey  update `b`=values( `b` ),IO_ID=Values(io_id) ; ",
        "INSERT INTO t(io_id, b) VALUES AS new ON DUPLICATE KEY UPDATE b = new.b, io_id = NEW.`io_id`",
        /* the document's column is written in any case, and is the key, too */
        "INSERT INTO t(io_id, b) VALUES ON DUPLICATE KEY UPDATE b = VALUES(b), b = VALUES(B)",
    };

    (void)state;
    for (size_t i = 0; i < sizeof both / sizeof both[0]; i++) {
        struct faults faults = FAULTS_INIT;
        struct pipeline *p = parse(both[i], &faults);
        if (faults.count > 0)
            fail_msg("%s: %s", both[i], faults.list[0].text);
        assert_true(p->insert);
        assert_int_equal(p->updated_count, 2);
        assert_int_equal(p->updated[0], 0);
        assert_int_equal(p->updated[1], 1);
        pipeline_free(p);
    }
}

/* A column that is left out keeps what came first: check says so, unless it is of the key. */
static void columns_may_be_left_out_of_an_update(void **state)
{
    struct faults faults = FAULTS_INIT;
    struct pipeline *p =
        parse("INSERT INTO t(io_id, b) VALUES ON DUPLICATE KEY UPDATE b = VALUES(b)", &faults);

    (void)state;
    assert_int_equal(faults.count, 0); /* io_id is the key */
    assert_int_equal(p->updated_count, 2);
    pipeline_free(p);

    p = parse("INSERT INTO t(io_id, b) VALUES ON DUPLICATE KEY UPDATE io_id = VALUES(io_id)", &faults);
    assert_int_equal(p->updated_count, 1);
    assert_int_equal(p->updated[0], 0);
    assert_int_equal(faults.count, 1);
    assert_int_equal(faults.list[0].level, FAULT_WARNING);
    assert_non_null(strstr(faults.list[0].text, "ON DUPLICATE KEY UPDATE leaves out b: a row keeps there"));
    faults_free(&faults);
    pipeline_free(p);
}

static void a_replace_updates_nothing(void **state)
{
    struct faults faults = FAULTS_INIT;
    struct pipeline *p = parse("REPLACE INTO t(io_id, b) VALUES", &faults);

    (void)state;
    assert_int_equal(p->updated_count, 0);
    pipeline_free(p);
}

static void test_accepted(void **state)
{
    static const struct {
        const char *sql, *table;
        bool insert;
    } cases[] = {
        {"REPLACE INTO t(io_id, b) VALUES", "t", false},
        {"INSERT INTO t (io_id,b) VALUES", "t", true},
        {"  replace\\ninto\\tt\\r\\n( io_id , b )values ;  ", "t", false},
        {"INSERT t(io_id, b) VALUE", "t", true},
        {"REPLACE INTO `t`(`io_id`, `b`) VALUES", "t", false},
        {"REPLACE INTO erp.t(io_id, b) VALUES", "erp.t", false},
        {"REPLACE INTO `erp` . `t_$1` (io_id, b) VALUES", "erp.t_$1", false},
        {"REPLACE INTO 2026_t(IO_ID, B) VALUES", "2026_t", false},
        {"REPLACE INTO " A64 "(io_id, b) VALUES", A64, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct faults faults = FAULTS_INIT;
        struct pipeline *p = parse(cases[i].sql, &faults);
        if (faults.count > 0)
            fail_msg("%s: %s", cases[i].sql, faults.list[0].text);
        assert_string_equal(p->table, cases[i].table);
        assert_int_equal(p->insert, cases[i].insert);
        pipeline_free(p);
    }
}

#define TABLE_NAME "the table's name is"
#define INSERT     "INSERT INTO t(io_id, b) VALUES ON DUPLICATE KEY UPDATE "
#define OWN_VALUE  "only the row's own value may be assigned"

static const struct {
    const char *sql, *fault;
} refused[] = {
    {"", "a text is expected, and not an empty one"},
    {"SELECT 1", "character 1: \"REPLACE INTO table"},
    {"REPLACED INTO t(io_id, b) VALUES", "character 1: \"REPLACE INTO table"},
    {"INSERT IGNORE INTO t(io_id, b) VALUES", "a modifier such as IGNORE"},
    {"REPLACE DELAYED INTO t(io_id, b) VALUES", "a modifier such as IGNORE"},
    {"REPLACE INTO (io_id, b) VALUES", "character 14: " TABLE_NAME},
    {"REPLACE INTO `t(io_id, b) VALUES", TABLE_NAME},
    {"REPLACE INTO `t t`(io_id, b) VALUES", TABLE_NAME},
    {"REPLACE INTO 表(io_id, b) VALUES", TABLE_NAME},
    {"REPLACE INTO a.b.c(io_id, b) VALUES", "the list of columns is missing"},
    {"REPLACE INTO a-b(io_id, b) VALUES", "character 15: the list of columns is missing"},
    {"REPLACE INTO x" A64 "(io_id, b) VALUES", TABLE_NAME},
    {"REPLACE INTO `d d`.t(io_id, b) VALUES", TABLE_NAME},
    {"REPLACE INTO d.(io_id, b) VALUES", TABLE_NAME},
    {"REPLACE INTO t VALUES", "the list of columns is missing"},
    {"REPLACE INTO t() VALUES", "a column's name is expected after"},
    {"REPLACE INTO t(io_id,) VALUES", "a column's name is expected after"},
    {"REPLACE INTO t(io_id b) VALUES", "',' or ')' is expected"},
    {"REPLACE INTO t(io_id, b VALUES", "',' or ')' is expected"},
    {"REPLACE INTO t(io_id, b)", "character 25: \"REPLACE INTO table"},
    {"REPLACE INTO t(io_id, b) SELECT", "\"REPLACE INTO table"},
    {"REPLACE INTO t(io_id, b) VALUESX", "\"REPLACE INTO table"},
    {"REPLACE INTO t(io_id, b) VALUES (?, ?)", "nothing is expected behind VALUES"},
    {"REPLACE INTO t(io_id, b) VALUES; DROP TABLE t", "nothing is expected behind VALUES"},
    {"INSERT INTO t(io_id, b) VALUES (?, ?) ON DUPLICATE KEY UPDATE b = VALUES(b)",
     "nothing is expected behind"},
    {"REPLACE INTO t(io_id, b) VALUES ON DUPLICATE KEY UPDATE b = VALUES(b)",
     "REPLACE INTO takes no ON DUPLICATE"},
    {INSERT "b = b", OWN_VALUE},
    {INSERT "b = VALUES(io_id)", OWN_VALUE},
    {INSERT "b = VALUES(b) + 1", OWN_VALUE},
    {INSERT "b = b + VALUES(b)", OWN_VALUE},
    {INSERT "b = IFNULL(VALUES(b), b)", OWN_VALUE},
    {INSERT "b = NOW()", OWN_VALUE},
    {INSERT "b = 1", OWN_VALUE},
    {INSERT "b = 'x'", OWN_VALUE},
    {INSERT "b = new.b", OWN_VALUE},
    {INSERT "b = VALUES(b", OWN_VALUE},
    {INSERT "b = VALUES(b)) DROP TABLE t", OWN_VALUE},
    {INSERT "b = VALUES(b) -- c", OWN_VALUE},
    {INSERT "b = VALUES(b) /* c */", OWN_VALUE},
    {"INSERT INTO t(io_id, b) VALUES AS new ON DUPLICATE KEY UPDATE b = old.b", OWN_VALUE},
    {INSERT "b = VALUES(b); DROP TABLE t", "nothing is expected behind VALUES"},
    {INSERT "b = VALUES(b),", "a column and '=' are expected here"},
    {INSERT "", "a column and '=' are expected here"},
    {INSERT "t.b = VALUES(b)", "a column and '=' are expected here"},
    {"INSERT INTO t(io_id, b) VALUES ON DUPLICATE UPDATE b = VALUES(b)", "is expected"},
    {"INSERT INTO t(io_id, b) VALUES ONE DUPLICATE KEY UPDATE b = VALUES(b)", "nothing is expected behind"},
    {INSERT "c = VALUES(c)", "ON DUPLICATE KEY UPDATE names c, which is not one of the columns"},
    {"REPLACE INTO t(b, io_id) VALUES", "column 1 is b here and io_id in target.request"},
    {"REPLACE INTO t(io_id, c) VALUES", "column 2 is c here and b in target.request"},
    {"REPLACE INTO t(io_id) VALUES", "1 columns here and 2 in target.request: b is missing here"},
    {"REPLACE INTO t(io_id, b, c) VALUES", "3 columns here and 2 in target.request: c is missing there"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct faults faults = FAULTS_INIT;
        assert_null(parse(refused[i].sql, &faults));
        if (faults.count != 1 || strstr(faults.list[0].text, refused[i].fault) == NULL)
            fail_msg("%s: %zu faults, first: %s", refused[i].sql, faults.count, faults.list[0].text);
        assert_non_null(strstr(faults.list[0].place, ": target.main_sql"));
        faults_free(&faults);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(an_insert_updates_the_columns_that_it_names),
        cmocka_unit_test(columns_may_be_left_out_of_an_update),
        cmocka_unit_test(a_replace_updates_nothing),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
