#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mysql/result.h"

static int add(struct db_result *r, const char *a, const char *b)
{
    const char *const cells[] = {a, b};
    const unsigned long lengths[] = {a != NULL ? strlen(a) : 0, b != NULL ? strlen(b) : 0};

    r->columns = 2;
    return db_result_add(r, cells, lengths);
}

static void cells_are_copied(void **state)
{
    struct db_result r = {0};
    char text[] = "abc";

    (void)state;
    assert_int_equal(add(&r, text, NULL), 0);
    memset(text, 'x', 3);
    assert_int_equal(add(&r, "", "d"), 0);
    assert_int_equal(r.count, 2);
    assert_string_equal(r.rows[0][0], "abc");
    assert_null(r.rows[0][1]);
    assert_string_equal(r.rows[1][0], "");
    assert_string_equal(r.rows[1][1], "d");
    db_result_free(&r);
    assert_int_equal(r.count, 0);
    assert_null(r.rows);
    db_result_free(&r);
    db_result_free(NULL);
}

/* A cell may hold a NUL: its text ends there, and the next cell is whole. */
static void bytes_are_counted_not_searched(void **state)
{
    struct db_result r = {.columns = 2};
    const char *const cells[] = {"a\0b", "c"};
    const unsigned long lengths[] = {3, 1};

    (void)state;
    assert_int_equal(db_result_add(&r, cells, lengths), 0);
    assert_memory_equal(r.rows[0][0], "a\0b", 4);
    assert_string_equal(r.rows[0][1], "c");
    db_result_free(&r);
}

/* Over many chunks, and rows larger than a chunk; rows may be put in another order. */
static void many_rows_of_all_sizes(void **state)
{
    enum { ROWS = 20000, LONG = 300000 };
    struct db_result r = {0};
    char number[32];
    char *text = malloc(LONG + 1);

    (void)state;
    memset(text, 'y', LONG);
    text[LONG] = '\0';
    for (int i = 0; i < ROWS; i++) {
        snprintf(number, sizeof number, "%d", i);
        assert_int_equal(add(&r, number, i % 5000 == 7 ? text : text + LONG - i % 300), 0);
    }
    char **first = r.rows[0];
    r.rows[0] = r.rows[1];
    r.rows[1] = first;
    assert_string_equal(r.rows[0][0], "1");
    for (int i = 2; i < ROWS; i++) {
        snprintf(number, sizeof number, "%d", i);
        assert_string_equal(r.rows[i][0], number);
        assert_int_equal(strlen(r.rows[i][1]), i % 5000 == 7 ? LONG : i % 300);
        assert_int_equal((uintptr_t)r.rows[i] % sizeof(char *), 0);
    }
    free(text);
    db_result_free(&r);
}

/* What passes the limit is refused and changes nothing: one cell, or many small ones with their pointers. */
static void the_limit_counts_everything(void **state)
{
    struct db_result r = {.columns = 1};
    const char *const cells[] = {"x"};
    const unsigned long endless[] = {DB_RESULT_MAX_BYTES};
    const unsigned long absurd[] = {~0UL};
    const unsigned long one[] = {1};
    size_t rows = 0;

    (void)state;
    assert_int_equal(db_result_add(&r, cells, endless), -1);
    assert_int_equal(db_result_add(&r, cells, absurd), -1);
    assert_int_equal(r.count, 0);
    while (db_result_add(&r, cells, one) == 0)
        rows++;
    assert_int_equal(r.count, rows);
    assert_true(rows > 1000000 && rows < DB_RESULT_MAX_BYTES / (2 * sizeof(char *)));
    assert_string_equal(r.rows[rows - 1][0], "x");
    db_result_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_copied),
        cmocka_unit_test(bytes_are_counted_not_searched),
        cmocka_unit_test(many_rows_of_all_sizes),
        cmocka_unit_test(the_limit_counts_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
