#include "tests/unit/twins/table_world.h"

static void test_kinds(void **state)
{
    static const struct {
        const char *type;
        enum column_kind kind;
    } cases[] = {
        {"varchar", COLUMN_TEXT},       {"char", COLUMN_TEXT},         {"text", COLUMN_TEXT},
        {"tinytext", COLUMN_TEXT},      {"mediumtext", COLUMN_TEXT},   {"longtext", COLUMN_TEXT},
        {"VARBINARY", COLUMN_TEXT},     {"blob", COLUMN_TEXT},         {"int", COLUMN_INTEGER},
        {"bigint", COLUMN_INTEGER},     {"TINYINT", COLUMN_INTEGER},   {"smallint", COLUMN_INTEGER},
        {"decimal", COLUMN_DECIMAL},    {"mediumint", COLUMN_INTEGER}, {"double", COLUMN_DOUBLE},
        {"datetime", COLUMN_DATETIME},  {"date", COLUMN_DATE},         {"json", COLUMN_OTHER},
        {"enum", COLUMN_OTHER},         {"bit", COLUMN_OTHER},         {"", COLUMN_OTHER},
        {"timestamp", COLUMN_DATETIME}, {"time", COLUMN_TIME},         {"float", COLUMN_FLOAT},
        {"year", COLUMN_OTHER},
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

/* ------------------------------------------------------------------ what is there */

static void a_good_table_is_described(void **state)
{
    (void)state;
    column(QTY)->scale = "2";
    column(NOTE)->type = "text";
    column(NOTE)->length = "65535";
    twin.has_rows = true;
    assert_fine();
    assert_string_equal(table->name, "here.t");
    assert_int_equal(table->columns[ID].kind, COLUMN_TEXT);
    assert_int_equal(table->columns[ID].form, TEXT_VARCHAR);
    assert_int_equal(table->columns[ID].length, 64);
    assert_false(table->columns[ID].nullable);
    assert_int_equal(table->columns[IO_ID].kind, COLUMN_INTEGER);
    assert_true(table->columns[IO_ID].nullable);
    assert_int_equal(table->columns[NOTE].form, TEXT_LONG);
    assert_int_equal(table->columns[NOTE].length, 65535);
    assert_int_equal(table->columns[QTY].kind, COLUMN_DECIMAL);
    assert_int_equal(table->columns[QTY].scale, 2);
    assert_string_equal(table->document_index, "jst_document");
    assert_ptr_equal(table->pipeline, p);
    assert_false(table->created);
    assert_false(table->empty);
    assert_null(strstr(sql.data, "CREATE"));
    twin.has_rows = false;
    assert_fine();
    assert_true(table->empty);
}

static void what_is_missing_is_created(void **state)
{
    (void)state;
    for (int i = 0; i < TABLES; i++)
        twin.tables[i].name = NULL;
    assert_paused(1146, "table jst_heads does not exist");
    assert_says("`jstctl ddl p`");
    assert_int_equal(load(true), 0);
    assert_true(table->created);
    assert_true(table->empty);
    for (int i = 0; i < TABLES; i++)
        assert_non_null(twin.tables[i].name);
    twin.tables[TARGET].name = NULL;
    assert_paused(1146, "table t does not exist");
    twin.raced = true; /* another loader makes it meanwhile */
    assert_int_equal(load(true), 0);
    assert_false(table->created);
    twin.tables[OFFSETS].name = NULL;
    assert_paused(1146, "table jst_offsets does not exist");
}

static void a_key_too_wide_for_the_server_is_explained(void **state)
{
    (void)state;
    twin.tables[TARGET].name = NULL;
    twin.prefix = "CREATE TABLE IF NOT EXISTS `t`";
    twin.code = 1071;
    assert_int_equal(load(true), -1);
    assert_int_equal(err.kind, ERR_PAUSE);
    assert_int_equal(err.code, 1071);
    assert_says("innodb_page_size");
}

static void tables_of_another_database_are_found(void **state)
{
    (void)state;
    begin_again(&(struct twin_spec){.sql = "REPLACE INTO bi.t(id,io_id,note,qty) VALUES"});
    assert_fine();
    assert_non_null(strstr(sql.data, "TABLES WHERE TABLE_SCHEMA='bi' AND TABLE_NAME='t'\n"));
    assert_non_null(strstr(sql.data, "SELECT 1 FROM `bi`.`t` LIMIT 1\n"));
    twin.tables[TARGET].engine = "MyISAM";
    assert_paused(0, "mend it with: ALTER TABLE `bi`.`t` ENGINE=InnoDB");
    twin.tables[TARGET].type = "VIEW";
    assert_paused(0, "RENAME TABLE `bi`.`t` TO `bi`.`t_view`");
}

static void other_things_than_tables_are_refused(void **state)
{
    (void)state;
    twin.tables[TARGET].type = "SYSTEM VERSIONED";
    assert_fine();
    twin.tables[TARGET].type = "SEQUENCE";
    assert_paused(0, "not a table but a SEQUENCE");
    twin.tables[OFFSETS].type = "VIEW";
    assert_paused(0, "jst_offsets is not a table but a VIEW");
}

/* ------------------------------------------------------------------ jst_heads and jst_offsets */

/* A table of an older loader. */
static void forget_columns(void)
{
    struct schema_column *c = twin.rooms[HEADS].columns;

    c[2].name = "x"; /* kind */
    c[4].name = "y"; /* received */
    c[7].name = "z"; /* source */
}

static void heads_of_an_older_loader_are_completed(void **state)
{
    (void)state;
    forget_columns();
    assert_paused(1054,
                  "table jst_heads: no column kind; no column received; no column source; mend it with: "
                  "ALTER TABLE `jst_heads` ADD COLUMN `kind` TINYINT UNSIGNED NULL");
    assert_int_equal(load(true), 0);
    assert_non_null(strstr(sql.data, "ALTER TABLE `jst_heads` ADD COLUMN `kind` TINYINT UNSIGNED NULL"));
    forget_columns();
    twin.prefix = "ALTER TABLE";
    twin.code = 1060; /* another loader was faster, says the server each time */
    assert_int_equal(load(true), -1);
    assert_int_equal(err.code, 1054);
    twin.code = 1142;
    assert_int_equal(load(true), -1);
    assert_int_equal(err.code, 1142);
}

static void our_tables_are_exact(void **state)
{
    static const struct {
        int table, column;
        const char *collation, *clause; /* NULL: fine */
    } cases[] = {
        {HEADS, 0, "utf8mb4_general_ci", "`jst_heads` MODIFY `pipeline` VARCHAR(63) CHARACTER SET ascii"},
        {HEADS, 0, "utf8mb4_bin", NULL},
        {HEADS, 1, "utf8mb4_bin", "`jst_heads` MODIFY `document` VARCHAR(255) " CHARACTERS " NOT NULL"},
        {OFFSETS, 1, "utf8mb4_general_ci", "`jst_offsets` MODIFY `topic` VARCHAR(249)"},
        {OFFSETS, 3, "utf8mb4_general_ci", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct schema_column *c = &twin.rooms[cases[i].table].columns[cases[i].column];
        const char *before = c->collation;
        c->collation = cases[i].collation;
        if (cases[i].clause == NULL)
            assert_fine();
        else
            assert_paused(0, cases[i].clause);
        c->collation = before;
    }
    twin.tables[HEADS].engine = "MyISAM";
    assert_paused(0, "ALTER TABLE `jst_heads` ENGINE=InnoDB");
    assert_int_equal(load(true), -1); /* more than a missing column is a person's to change */
    twin.tables[HEADS].engine = NULL;
    twin.tables[OFFSETS].index_count = 2;
    assert_paused(
        0, "ALTER TABLE `jst_offsets` DROP PRIMARY KEY, ADD PRIMARY KEY (`pipeline`,`topic`,`partition`)");
    twin.tables[OFFSETS].index_count = 0;
    assert_paused(0, "ALTER TABLE `jst_offsets` ADD PRIMARY KEY (");
}

static void errors_of_the_server_are_passed_on(void **state)
{
    static const char *const prefixes[] = {"CREATE TABLE IF NOT EXISTS `t`",
                                           "SELECT TABLE_SCHEMA",
                                           "SELECT COLUMN_NAME",
                                           "SELECT INDEX_NAME",
                                           "SELECT 1 FROM",
                                           "SELECT TABLE_NAME, CONSTRAINT"};
    static const struct {
        int code;
        enum err_kind kind;
    } errors[] = {{2013, ERR_RETRY}, {1142, ERR_PAUSE}, {1205, ERR_RETRY}};

    (void)state;
    twin.tables[TARGET].name = NULL;
    for (size_t i = 0; i < COUNT(prefixes); i++)
        for (size_t j = 0; j < COUNT(errors); j++) {
            twin.prefix = prefixes[i];
            twin.code = errors[j].code;
            assert_int_equal(load(true), -1);
            assert_int_equal(err.kind, errors[j].kind);
            assert_int_equal(err.code, errors[j].code);
        }
    twin.prefix = NULL;
    assert_int_equal(load(true), 0);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_kinds),
        CASE(test_collations),
        CASE(a_good_table_is_described),
        CASE(what_is_missing_is_created),
        CASE(a_key_too_wide_for_the_server_is_explained),
        CASE(tables_of_another_database_are_found),
        CASE(other_things_than_tables_are_refused),
        CASE(heads_of_an_older_loader_are_completed),
        CASE(our_tables_are_exact),
        CASE(errors_of_the_server_are_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
