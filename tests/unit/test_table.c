#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/mysql/shape.h"
#include "tests/unit/twins/fake_db.h"
#include "tests/unit/twins/twin_pipeline.h"

static void test_kinds(void **state)
{
    static const struct {
        const char *type;
        enum column_kind kind;
    } cases[] = {
        {"varchar", COLUMN_TEXT},   {"char", COLUMN_TEXT},         {"text", COLUMN_TEXT},
        {"tinytext", COLUMN_TEXT},  {"mediumtext", COLUMN_TEXT},   {"longtext", COLUMN_TEXT},
        {"VARBINARY", COLUMN_TEXT}, {"blob", COLUMN_TEXT},         {"int", COLUMN_INTEGER},
        {"bigint", COLUMN_INTEGER}, {"TINYINT", COLUMN_INTEGER},   {"smallint", COLUMN_INTEGER},
        {"decimal", COLUMN_OTHER},  {"mediumint", COLUMN_INTEGER}, {"double", COLUMN_OTHER},
        {"datetime", COLUMN_OTHER}, {"date", COLUMN_OTHER},        {"json", COLUMN_OTHER},
        {"enum", COLUMN_OTHER},     {"bit", COLUMN_OTHER},         {"", COLUMN_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (table_column_kind(cases[i].type) != cases[i].kind)
            fail_msg("%s", cases[i].type);
}

static void test_collations(void **state)
{
    static const struct {
        const char *name;
        bool exact;
    } cases[] = {
        {"utf8mb4_0900_bin", true},
        {"utf8mb4_nopad_bin", true},
        {"binary", true},
        {"utf8mb3_nopad_bin", true},
        {"utf8mb4_bin", false}, /* ignores trailing spaces */
        {"utf8mb4_0900_ai_ci", false},
        {"utf8mb4_0900_as_cs", false},
        {"utf8mb4_general_ci", false},
        {"utf8mb4_uca1400_ai_ci", false},
        {"utf8mb4_general_nopad_ci", false},
        {"ascii_bin", false},
        {"", false},
        {"_bin", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (table_collation_is_exact(cases[i].name) != cases[i].exact)
            fail_msg("%s", cases[i].name);
}

/* ------------------------------------------------------------------ table_load */

static struct pipeline *p;
static struct fake_db *db;
static struct table *table;
static struct err err;
static struct buf sql;

static void open_world(const struct twin_spec *spec)
{
    p = twin_pipeline(spec);
    db = fake_db_new(p);
    buf_init(&sql, 65536);
    db->log = &sql;
    table = NULL;
    assert_int_equal(db_connect(&db->base, NULL), 0);
}

static int set_up(void **state)
{
    (void)state;
    open_world(&(struct twin_spec){0});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    table_free(table);
    db_free(&db->base);
    pipeline_free(p);
    buf_free(&sql);
    return 0;
}

static int load(bool create)
{
    err_clear(&err);
    buf_reset(&sql);
    table_free(table);
    table = NULL;
    int rc = table_load(&db->base, p, create, &table, &err);
    assert_string_equal(db->trouble, "");
    return rc;
}

static void assert_paused(int code, const char *text)
{
    assert_int_equal(load(false), -1);
    assert_null(table);
    assert_int_equal(err.kind, ERR_PAUSE);
    assert_int_equal(err.code, code);
    if (strstr(err.text, text) == NULL)
        fail_msg("%s is not in: %s", text, err.text);
}

static const struct fake_column good_columns[] = {
    {"more", "int", NULL}, /* columns that nobody fills are nobody's business */
    {"ID", "varchar", "utf8mb4_general_ci"},
    {"qty", "decimal", NULL},
    {"note", "text", "utf8mb4_general_ci"},
    {"io_id", "bigint", NULL},
};
static const struct fake_index good_indexes[] = {
    {"PRIMARY", "0", "id", NULL, ""},
    {"by_io", "1", "io_id", NULL, "YES"},
    {"by_io", "1", "note", "10", "YES"},
};

static void use(const struct fake_column *columns, size_t column_count, const struct fake_index *indexes,
                size_t index_count)
{
    db->columns = columns;
    db->column_count = column_count;
    db->indexes = indexes;
    db->index_count = index_count;
}
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static void test_good(void **state)
{
    (void)state;
    use(good_columns, COUNT(good_columns), good_indexes, COUNT(good_indexes));
    assert_int_equal(load(false), 0);
    static const enum column_kind kinds[] = {COLUMN_TEXT, COLUMN_INTEGER, COLUMN_TEXT, COLUMN_OTHER};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(table->kinds[i], kinds[i]);
    assert_string_equal(table->document_index, "by_io");
    assert_ptr_equal(table->pipeline, p);
    assert_string_equal(
        sql.data,
        "SELECT `pipeline`,`document`,`version`,`published`,`rows`,`updated_at` FROM `jst_heads` LIMIT 0\n"
        "SELECT COLUMN_NAME, DATA_TYPE, COLLATION_NAME FROM information_schema.COLUMNS WHERE "
        "TABLE_SCHEMA=DATABASE() AND TABLE_NAME='t'\n"
        "SELECT INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS WHERE "
        "TABLE_SCHEMA=DATABASE() AND TABLE_NAME='t' AND INDEX_TYPE='BTREE' ORDER BY INDEX_NAME, "
        "SEQ_IN_INDEX\n");
    assert_int_equal(load(true), 0);
    assert_int_equal(strncmp(sql.data, "CREATE TABLE IF NOT EXISTS `jst_heads`", 38), 0);
    assert_non_null(strstr(sql.data, "CREATE TABLE IF NOT EXISTS `t`"));
}

static void test_other_database(void **state)
{
    tear_down(state);
    open_world(&(struct twin_spec){.sql = "REPLACE INTO bi.t(id,io_id,note,qty) VALUES"});
    assert_int_equal(load(false), 0);
    assert_non_null(strstr(sql.data, "COLUMNS WHERE TABLE_SCHEMA='bi' AND TABLE_NAME='t'\n"));
}

static void test_missing(void **state)
{
    (void)state;
    fake_db_fail(db, "SELECT `pipeline`", 0, 1, 1146, "Table 'x.jst_heads' doesn't exist");
    assert_paused(1146, "jst_heads");
    assert_non_null(strstr(err.text, "jstctl ddl p"));
    use(good_columns, 0, good_indexes, COUNT(good_indexes));
    assert_paused(1146, "`jstctl ddl p`");
    use(good_columns, 4, good_indexes, COUNT(good_indexes));
    assert_paused(1054, "no column io_id");
}

/* The key is a primary or unique key over just the key's columns, whole. */
static void test_keys(void **state)
{
    static const struct {
        struct fake_index indexes[3];
        size_t count;
        bool fine;
    } cases[] = {
        {{{0}}, 0, false},
        {{{"by_io", "1", "io_id", NULL, ""}}, 1, false},
        {{{"by_io", "1", "io_id", NULL, ""}, {"k", "1", "id", NULL, ""}}, 2, false}, /* not unique */
        {{{"by_io", "1", "io_id", NULL, ""}, {"k", "0", "id", "20", ""}}, 2, false}, /* of a prefix */
        {{{"by_io", "1", "io_id", NULL, ""}, {"k", "0", "id", NULL, ""}, {"k", "0", "io_id", NULL, ""}},
         3,
         false},
        {{{"by_io", "1", "io_id", NULL, ""}, {"k", "0", NULL, NULL, ""}}, 2, false}, /* of an expression */
        {{{"by_io", "1", NULL, NULL, ""}, {"k", "0", "id", NULL, ""}, {"z", "1", "io_id", NULL, ""}},
         3,
         true},
        {{{"by_io", "1", "io_id", NULL, ""}, {"k", "0", "Id", NULL, ""}}, 2, true},
        {{{"PRIMARY", "0", "more", NULL, ""}, {"by_io", "1", "io_id", NULL, ""}, {"k", "0", "id", NULL, ""}},
         3,
         true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        use(good_columns, COUNT(good_columns), cases[i].indexes, cases[i].count);
        if (cases[i].fine)
            assert_int_equal(load(false), 0);
        else
            assert_paused(0, "ALTER TABLE `t` ADD PRIMARY KEY (`id`)");
    }
}

static void test_key_of_two(void **state)
{
    static const struct fake_index indexes[] = {{"PRIMARY", "0", "note", NULL, ""},
                                                {"PRIMARY", "0", "id", NULL, ""},
                                                {"by_io", "1", "io_id", NULL, ""}};

    tear_down(state);
    open_world(&(struct twin_spec){.options = ",\"key\":[\"id\",\"note\"]"});
    use(good_columns, COUNT(good_columns), indexes, 3);
    assert_int_equal(load(false), 0); /* the order does not matter */
    use(good_columns, COUNT(good_columns), indexes + 1, 2);
    assert_paused(0, "ADD PRIMARY KEY (`id`,`note`)");
}

static void test_document_index(void **state)
{
    static const struct {
        struct fake_index indexes[3];
        size_t count;
        const char *found;
    } cases[] = {
        {{{"PRIMARY", "0", "id", NULL, ""}}, 1, NULL},
        {{{"PRIMARY", "0", "id", NULL, ""}, {"x", "1", "io_id", "4", ""}}, 2, NULL},
        {{{"PRIMARY", "0", "id", NULL, ""}, {"x", "1", "note", NULL, ""}, {"x", "1", "io_id", NULL, ""}},
         3,
         NULL},
        {{{"PRIMARY", "0", "id", NULL, ""}, {"x", "1", "IO_ID", NULL, ""}, {"y", "1", "io_id", NULL, ""}},
         3,
         "x"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        use(good_columns, COUNT(good_columns), cases[i].indexes, cases[i].count);
        if (cases[i].found == NULL) {
            assert_paused(0, "ALTER TABLE `t` ADD INDEX `jst_document` (`io_id`)");
            continue;
        }
        assert_int_equal(load(false), 0);
        assert_string_equal(table->document_index, cases[i].found);
    }
}

/* The document's column: an integer, or text that compares byte by byte without padding. */
static void test_document_column(void **state)
{
    static const struct {
        const char *type, *collation;
        bool fine;
    } cases[] = {
        {"int", NULL, true},
        {"bigint", NULL, true},
        {"varbinary", NULL, true},
        {"varchar", "utf8mb4_0900_bin", true},
        {"varchar", "utf8mb4_nopad_bin", true},
        {"varchar", "utf8mb4_bin", false},
        {"varchar", "utf8mb4_general_ci", false},
        {"binary", NULL, false}, /* pads with zeros */
        {"decimal", NULL, false},
        {"double", NULL, false},
        {"datetime", NULL, false},
    };

    (void)state;
    for (int mariadb = 0; mariadb < 2; mariadb++)
        for (size_t i = 0; i < COUNT(cases); i++) {
            struct fake_column columns[COUNT(good_columns)];
            memcpy(columns, good_columns, sizeof columns);
            columns[4] = (struct fake_column){"io_id", cases[i].type, cases[i].collation};
            use(columns, COUNT(columns), good_indexes, COUNT(good_indexes));
            db->mariadb = mariadb;
            if (cases[i].fine) {
                assert_int_equal(load(false), 0);
                continue;
            }
            assert_paused(
                0, mariadb ? "ALTER TABLE `t` MODIFY `io_id` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE "
                             "utf8mb4_nopad_bin"
                           : "COLLATE utf8mb4_0900_bin");
        }
}

static void test_database_errors(void **state)
{
    static const char *const prefixes[] = {"CREATE TABLE IF NOT EXISTS `jst_heads`",
                                           "CREATE TABLE IF NOT EXISTS `t`", "SELECT `pipeline`",
                                           "SELECT COLUMN_NAME", "SELECT INDEX_NAME"};
    static const struct {
        int code;
        enum err_kind kind;
    } errors[] = {{2013, ERR_RETRY}, {1142, ERR_PAUSE}, {1205, ERR_RETRY}};

    (void)state;
    for (size_t i = 0; i < COUNT(prefixes); i++)
        for (size_t j = 0; j < COUNT(errors); j++) {
            fake_db_fail(db, prefixes[i], 0, 1, errors[j].code, "no");
            assert_int_equal(load(true), -1);
            assert_int_equal(err.kind, errors[j].kind);
            assert_int_equal(err.code, errors[j].code);
            assert_int_equal(db_connect(&db->base, NULL), 0);
        }
    assert_int_equal(load(true), 0);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_collations),
        CASE(test_good),
        CASE(test_other_database),
        CASE(test_missing),
        CASE(test_keys),
        CASE(test_key_of_two),
        CASE(test_document_index),
        CASE(test_document_column),
        CASE(test_database_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
