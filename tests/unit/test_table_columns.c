#include "tests/unit/twins/table_world.h"

/* ------------------------------------------------------------------ columns */

static void all_missing_columns_stand_in_one_statement(void **state)
{
    (void)state;
    column(NOTE)->name = "other";
    column(QTY)->name = "another";
    assert_paused(1054, "table t: no column note, qty; mend it with: ALTER TABLE `t` ADD COLUMN `note` TEXT "
                        "CHARACTER SET utf8mb4 NULL, ADD COLUMN `qty` DECIMAL(24,6) NULL");
}

struct column_case {
    int index;
    struct schema_column column;
    const char *says, *clause; /* NULL: it is fine */
};

static void check_columns(const struct column_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct column_case *c = &cases[i];
        struct schema_column before = *column(c->index);
        *column(c->index) = c->column;
        column(c->index)->name = before.name;
        if (c->says == NULL) {
            assert_fine();
        } else {
            assert_paused(0, c->says);
            assert_says(c->clause);
        }
        *column(c->index) = before;
    }
}

/* The document's column: an integer, or text that compares byte by byte without padding. */
static void documents_are_told_apart(void **state)
{
    static const struct column_case cases[] = {
        {IO_ID, {.type = "int"}, NULL, NULL},
        {IO_ID, {.type = "varbinary"}, NULL, NULL},
        {IO_ID, {.type = "varchar", .collation = "utf8mb4_0900_bin"}, NULL, NULL},
        {IO_ID, {.type = "varchar", .collation = "utf8mb4_nopad_bin"}, NULL, NULL},
        {IO_ID,
         {.type = "varchar", .collation = "utf8mb4_bin", .length = "40", .comment = "it's"},
         "holds the document's id and does not compare byte by byte (varchar utf8mb4_bin)",
         "ALTER TABLE `t` MODIFY `io_id` VARCHAR(40) " CHARACTERS " NULL COMMENT 'it\\'s'"},
        {IO_ID,
         {.type = "varchar", .collation = "utf8mb4_general_ci", .nullable = "NO", .fallback = "x"},
         "byte by byte",
         "MODIFY `io_id` VARCHAR(64) " CHARACTERS " NOT NULL DEFAULT 'x'"},
        {IO_ID, {.type = "char", .collation = EXACT}, "loses the spaces", "`io_id` VARCHAR(64)"},
        {IO_ID, {.type = "binary"}, "cannot be indexed whole", "MODIFY `io_id` VARCHAR(255) " CHARACTERS},
        {IO_ID, {.type = "text", .collation = EXACT}, "cannot be indexed", "`io_id` VARCHAR(255)"},
        {IO_ID, {.type = "decimal"}, "other characters", "MODIFY `io_id` BIGINT NULL"},
        {IO_ID, {.type = "double"}, "does not tell all texts apart", "MODIFY `io_id` BIGINT NULL"},
        {IO_ID, {.type = "datetime"}, "other characters", "MODIFY `io_id` BIGINT NULL"},
        {IO_ID,
         {.type = "int", .full_type = "int(8) unsigned zerofill"},
         "other digits",
         "MODIFY `io_id` int(8) unsigned NULL"},
        {IO_ID,
         {.type = "varchar", .collation = EXACT, .length = "1000"},
         "too wide for an index",
         "MODIFY `io_id` VARCHAR(255)"},
    };

    (void)state;
    check_columns(cases, COUNT(cases));
}

static void keys_are_told_apart(void **state)
{
    static const struct column_case cases[] = {
        {ID, {.type = "bigint", .nullable = "NO"}, NULL, NULL},
        {ID, {.type = "date", .nullable = "NO"}, NULL, NULL},
        {ID, {.type = "decimal", .nullable = "NO"}, NULL, NULL},
        {ID,
         {.type = "varchar", .collation = "utf8mb4_0900_ai_ci", .nullable = "NO"},
         "column id belongs to the key and does not compare byte by byte",
         "MODIFY `id` VARCHAR(64) " CHARACTERS " NOT NULL"},
        {ID,
         {.type = "varchar", .collation = EXACT, .nullable = "YES"},
         "belongs to the key and may be NULL",
         "MODIFY `id` VARCHAR(64) " CHARACTERS " NOT NULL"},
        {ID,
         {.type = "varchar", .collation = "latin1_swedish_ci", .length = "1000"},
         "latin1",
         "MODIFY `id` VARCHAR(255) " CHARACTERS " NOT NULL"},
        {ID, {.type = "float"}, "tell all texts apart", "MODIFY `id` VARCHAR(255) " CHARACTERS " NOT NULL"},
        {ID, {.type = "enum", .collation = EXACT}, "tell all texts apart", "MODIFY `id` VARCHAR(255)"},
        {ID, {.type = "year"}, "tell all texts apart", "MODIFY `id` VARCHAR(255)"},
        {ID, {.type = "char", .collation = EXACT}, "loses the spaces", "MODIFY `id` VARCHAR(64)"},
    };

    (void)state;
    check_columns(cases, COUNT(cases));
}

static void values_are_kept(void **state)
{
    static const struct column_case cases[] = {
        {NOTE, {.type = "varchar", .collation = "utf8mb4_general_ci"}, NULL, NULL},
        {NOTE, {.type = "blob"}, NULL, NULL},
        {NOTE, {.type = "int", .full_type = "int zerofill"}, NULL, NULL},
        {NOTE, {.type = "enum", .collation = "latin1_swedish_ci"}, NULL, NULL},
        {NOTE,
         {.type = "varchar", .full_type = "varchar(64)", .collation = "latin1_swedish_ci", .fallback = "a'b"},
         "column note takes latin1 only, not utf8mb4",
         "MODIFY `note` varchar(64) CHARACTER SET utf8mb4 NULL DEFAULT 'a\\'b'"},
        {NOTE,
         {.type = "text", .collation = "utf8mb3_bin"},
         "utf8mb3",
         "`note` text CHARACTER SET utf8mb4 NULL"},
        {NOTE,
         {.type = "varchar", .collation = "ascii_bin", .length = "20000"},
         "ascii",
         "MODIFY `note` MEDIUMTEXT CHARACTER SET utf8mb4 NULL"},
        {NOTE,
         {.type = "varchar", .collation = "latin1_bin", .fallback = "uuid()", .extra = "DEFAULT_GENERATED"},
         "latin1",
         "CHARACTER SET utf8mb4 NULL"},
        {NOTE, {.type = "bit", .full_type = "bit(8)"}, "is BIT", "MODIFY `note` BIGINT UNSIGNED NULL"},
        {QTY,
         {.type = "int", .nullable = "NO", .extra = "auto_increment"},
         "numbers itself",
         "MODIFY `qty` int NOT NULL"},
        {NOTE,
         {.type = "varchar", .collation = EXACT, .extra = "VIRTUAL GENERATED", .expression = "1"},
         "column note is generated",
         "DROP COLUMN `note`, ADD COLUMN `note` TEXT CHARACTER SET utf8mb4 NULL"},
    };

    (void)state;
    check_columns(cases, COUNT(cases));
    assert_null(strstr(err.text, "uuid"));
}

/* TIMESTAMP NOT NULL, which MariaDB fills with the present time. */
static void null_is_not_taken_for_now(void **state)
{
    (void)state;
    *column(NOTE) = (struct schema_column){.name = "note", .type = "timestamp", .nullable = "NO"};
    assert_fine();
    twin.mariadb = true;
    assert_paused(0,
                  "column note takes NULL for the present time; mend it with: ALTER TABLE `t` MODIFY `note` "
                  "timestamp NULL");
    column(NOTE)->nullable = "YES";
    assert_fine();
}

static void members_and_json_are_known(void **state)
{
    (void)state;
    *column(NOTE) = (struct schema_column){.name = "note", .type = "enum", .full_type = "enum('a','b')"};
    assert_fine();
    assert_true(table->columns[NOTE].positions);
    column(NOTE)->full_type = "enum('a','2')";
    assert_fine();
    assert_false(table->columns[NOTE].positions);
    *column(NOTE) = (struct schema_column){.name = "note", .type = "longtext", .collation = "utf8mb4_bin"};
    twin.json = "note";
    assert_fine();
    assert_int_equal(table->columns[NOTE].kind, COLUMN_TEXT);
    twin.mariadb = true;
    assert_fine();
    assert_int_equal(table->columns[NOTE].kind, COLUMN_OTHER);
}

static void mariadb_writes_defaults_as_sql(void **state)
{
    static const struct column_case cases[] = {
        {NOTE,
         {.type = "varchar", .collation = "latin1_bin", .fallback = "'a'"},
         "latin1",
         "varchar CHARACTER SET utf8mb4 NULL DEFAULT 'a'"},
        {IO_ID, {.type = "varchar", .collation = "utf8mb4_bin"}, "byte", "COLLATE utf8mb4_nopad_bin NULL"},
    };

    (void)state;
    twin.mariadb = true;
    check_columns(cases, COUNT(cases));
    struct schema_column *c = add_column("more", "int");
    c->nullable = "NO";
    c->fallback = "NULL";
    assert_paused(0, "column more is NOT NULL");
}

static void columns_of_others_must_be_left_out_easily(void **state)
{
    (void)state;
    struct schema_column *c = add_column("more", "int");
    assert_fine();
    c->nullable = "NO";
    assert_paused(0, "column more is NOT NULL without a default, and the pipeline does not fill it; mend it "
                     "with: ALTER TABLE `t` MODIFY `more` int NULL");
    c->type = "varchar";
    c->full_type = "varchar(9)";
    c->collation = "latin1_bin";
    assert_paused(0, "MODIFY `more` varchar(9) CHARACTER SET latin1 COLLATE latin1_bin NULL");
    c->fallback = "";
    assert_fine();
    c->fallback = NULL;
    c->expression = "1";
    assert_fine();
    c->expression = NULL;
    c->extra = "auto_increment";
    assert_fine();
}

static void several_faults_are_mended_at_once(void **state)
{
    (void)state;
    twin.tables[TARGET].engine = "Aria";
    column(QTY)->name = "other";
    column(NOTE)->collation = "latin1_bin";
    add_index("so", "0", "note");
    assert_paused(1054, "ALTER TABLE `t` ENGINE=InnoDB, ADD COLUMN `qty` DECIMAL(24,6) NULL, MODIFY `note` "
                        "varchar CHARACTER SET utf8mb4 NULL, DROP INDEX `so`, ADD INDEX `so` (`note`)");
}

/* The statement is whole, whatever the number of faults. */
static void a_long_statement_is_not_cut(void **state)
{
    static char names[SCHEMA_COLUMNS_MAX][64];

    (void)state;
    for (int i = 0; i < 50; i++) {
        snprintf(names[i], sizeof names[i], "a_rather_long_name_of_a_column_%d", i);
        add_column(names[i], "int")->nullable = "NO";
    }
    assert_paused(
        0, "more faults; mend it with: ALTER TABLE `t` MODIFY `a_rather_long_name_of_a_column_0` int NULL");
    assert_string_equal(err.text + strlen(err.text) - 9, " int NULL");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(all_missing_columns_stand_in_one_statement),
        CASE(documents_are_told_apart),
        CASE(keys_are_told_apart),
        CASE(values_are_kept),
        CASE(null_is_not_taken_for_now),
        CASE(members_and_json_are_known),
        CASE(mariadb_writes_defaults_as_sql),
        CASE(columns_of_others_must_be_left_out_easily),
        CASE(several_faults_are_mended_at_once),
        CASE(a_long_statement_is_not_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
