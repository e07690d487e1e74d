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
    {"INSERT INTO t(io_id, b) VALUES ON DUPLICATE KEY UPDATE b = b",
     "ON DUPLICATE KEY UPDATE is not supported"},
    {"INSERT INTO t(io_id, b) VALUES (?, ?) on duplicate key update b = b", "ON DUPLICATE KEY UPDATE is not"},
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
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
