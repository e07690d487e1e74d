#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/mysql/errors.h"

static void test_classes(void **state)
{
    static const struct {
        enum db_class class;
        enum err_kind kind;
        const char *name;
        int codes[48]; /* 0-ended */
    } cases[] = {
        {DB_CONNECTION,
         ERR_RETRY,
         "connection",
         {2002, 2003, 2006, 2013, 1053, 1927, 1158, 4031, 3024, 1969, 1184, 2026, 2027, 3032, 1835, 0}},
        {DB_LOCK, ERR_RETRY, "lock", {1205, 1213, 1412, 1180, 3058, 3572, 1020, 0}},
        {DB_CAPACITY,
         ERR_RETRY,
         "capacity",
         {1040, 1114, 1153, 1203, 1226, 1021, 1026, 2020, 1197, 3019,
          /* LOAD DATA LOCAL is refused: the batch goes by another form */
          1148, 2068, 3948, 4166, 0}},
        {DB_READONLY, ERR_RETRY, "readonly", {1290, 1836, 1223, 1792, 1036, 3100, 0}},
        {DB_ROW, ERR_REJECT, "row", {1048, 1263, 1264, 1265, 1292, 1366, 1406, 1411, 1525, 3140, 1062, 1690,
                                     3819, 4025, 1300, 3150, 3157, 1644, 1452, 1216, 3988, 1977, 0}},
        {DB_SCHEMA,
         ERR_PAUSE,
         "schema",
         /* not only the table and the rights: whatever a person has to mend, and no row is at fault for */
         {1045, 1049, 1054, 1142, 1143, 1146, 1136, 1044, 1227, 1370, 1410, 1698, 1820, 1862, 3118,
          4151, 1364, 1526, 1665, 1064, 1071, 1193, 1231, 1253, 1267, 1273, 1286, 1305, 1449, 1451,
          1217, 1016, 1033, 1034, 1035, 1194, 1195, 1812, 1814, 1932, 2059, 2061, 5010, 0}},
        {DB_UNKNOWN, ERR_RETRY, "unknown", {1, 9999, 1030, 1105, 1296, -1, 65536, 0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (const int *code = cases[i].codes; *code != 0; code++)
            if (db_error_class(*code) != cases[i].class)
                fail_msg("%d is of class %s", *code, db_class_name(db_error_class(*code)));
        assert_int_equal(db_class_kind(cases[i].class), cases[i].kind);
        assert_string_equal(db_class_name(cases[i].class), cases[i].name);
    }
    assert_int_equal(db_error_class(0), DB_UNKNOWN);
}

/* Each number once, with the server's symbol. */
static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < db_error_count; i++) {
        assert_true(db_errors[i].code > 1000);
        assert_true(strlen(db_errors[i].name) > 3);
        for (size_t j = 0; j < i; j++)
            if (db_errors[i].code == db_errors[j].code)
                fail_msg("%d is there twice", db_errors[i].code);
    }
}

/* Without the server's words, which quote values; cut to what there is room for. */
static void test_brief(void **state)
{
    char out[DB_BRIEF_MAX];

    (void)state;
    assert_string_equal(db_error_brief(1406, out, sizeof out), "ER_DATA_TOO_LONG (1406)");
    assert_string_equal(db_error_brief(1030, out, sizeof out), "ER_GET_ERRNO (1030)");
    assert_string_equal(db_error_brief(9999, out, sizeof out), "MySQL error 9999");
    assert_string_equal(db_error_brief(1406, out, 8), "ER_DATA");
    for (size_t i = 0; i < db_error_count; i++)
        assert_non_null(strchr(db_error_brief(db_errors[i].code, out, sizeof out), ')'));
}

/* The number stands at the end of MySQL's text, before what connection.c adds; values may quote the same
 * words.
 */
static void test_rows(void **state)
{
    static const struct {
        const char *text;
        size_t row;
    } cases[] = {
        {"Data too long for column 'id' at row 2", 2},
        {"Data too long for column 'id' at row 2 (MySQL error 1406)", 2},
        {"Incorrect integer value: 'x at row 9' for column 'a' at row 1000 (MySQL error 1366)", 1000},
        {"Incorrect integer value: 'x' for column `db`.`t`.`a` at row 7 (MySQL error 1366)", 7},
        {"Out of range value for column 'a' at row 1", 1},
        {"Column 'id' cannot be null", 0},
        {"Duplicate entry 'x at row 3' for key 'PRIMARY'", 0},
        {"Duplicate entry 'x at row 3' for key 'PRIMARY' (MySQL error 1062)", 0},
        {"Duplicate entry 'x at row 3 (MySQL error 1)' for key 'PRIMARY' (MySQL error 1062)", 0},
        {"Check constraint ' at row 4 ' is violated. (MySQL error 3819)", 0},
        {"Data too long for column ' at row 5' at row 6", 6},
        {"at row 2", 0},
        {" at row ", 0},
        {" at row x", 0},
        {" at row 0", 0},
        {" at row 2x", 0},
        {" at row 99999999999999999999999999", 0},
        {"", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (db_error_row(cases[i].text) != cases[i].row)
            fail_msg("%s: %zu", cases[i].text, db_error_row(cases[i].text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_brief),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
