#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/wire/flood.h"

/* What has come, what would come, and whether that is a flood at 5 %. */
static const struct {
    size_t good, bad;
    size_t more_good, more_bad;
    bool flood;
} cases[] = {
    {0, 0, 0, 0, false},      {0, 0, 0, 49, false},    /* never below 50 */
    {0, 0, 0, 50, true},      {0, 0, 950, 50, false},  /* 5 % is not more than 5 % */
    {0, 0, 949, 51, true},    {1000, 0, 0, 50, false}, /* the window moves: 950 good, 50 bad */
    {1000, 0, 0, 51, true},   {0, 49, 0, 1, true},
    {0, 49, 1000, 1, false},  /* the old bad ones have left the window */
    {5000, 0, 0, 1000, true}, /* more than a window at once */
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct flood f = {0};
        flood_add(&f, cases[i].good, cases[i].bad);
        bool flood = flood_exceeds(&f, cases[i].more_good, cases[i].more_bad, 500);
        if (flood != cases[i].flood)
            fail_msg("case %zu", i);
    }
}

static void test_a_question_changes_nothing(void **state)
{
    struct flood f = {0};

    (void)state;
    assert_true(flood_exceeds(&f, 0, 100, 500));
    assert_true(flood_exceeds(&f, 0, 50, 500));
    assert_false(flood_exceeds(&f, 0, 49, 500));
}

static void test_limits(void **state)
{
    struct flood f = {0};

    (void)state;
    assert_true(flood_exceeds(&f, 900, 50, 0));      /* 0 %: 50 suffice */
    assert_false(flood_exceeds(&f, 0, 1000, 10000)); /* 100 %: never */
}

/* ------------------------------------------------------------------ a run of bad documents */

static uint64_t document(int id)
{
    char text[16];

    snprintf(text, sizeof text, "%d", id);
    return flood_document(text, strlen(text), "1");
}

static void twenty_different_documents_in_a_row_are_a_flood(void **state)
{
    struct flood f = {0};

    (void)state;
    for (int id = 1; id < FLOOD_RUN; id++)
        flood_add_bad(&f, document(id));
    assert_int_equal(flood_run(&f), FLOOD_RUN - 1);
    assert_false(flood_reached(&f, 500));
    flood_add_bad(&f, document(FLOOD_RUN));
    assert_int_equal(flood_run(&f), FLOOD_RUN);
    assert_true(flood_reached(&f, 500));
    assert_true(flood_reached(&f, 9999));
    assert_false(flood_reached(&f, FLOOD_NEVER)); /* whoever asks for 100 % wants no pause */
}

static void a_good_document_ends_the_run(void **state)
{
    struct flood f = {0};

    (void)state;
    for (int id = 1; id < FLOOD_RUN; id++)
        flood_add_bad(&f, document(id));
    flood_add(&f, 1, 0);
    assert_int_equal(flood_run(&f), 0);
    for (int id = 101; id < 100 + FLOOD_RUN; id++)
        flood_add_bad(&f, document(id));
    assert_false(flood_reached(&f, 500));
    flood_add_bad(&f, document(500));
    assert_true(flood_reached(&f, 500));
}

/* A pipeline reads its last minutes again and again: at night its one bad document is all there is. */
static void a_document_that_comes_again_counts_once(void **state)
{
    struct flood f = {0};

    (void)state;
    for (int i = 0; i < 2000; i++)
        flood_add_bad(&f, document(1 + i % (FLOOD_RUN - 1)));
    assert_int_equal(flood_run(&f), FLOOD_RUN - 1);
    assert_int_equal(f.bad_count, FLOOD_RUN - 1);
    assert_false(flood_reached(&f, 0));
}

static void a_new_version_is_another_document(void **state)
{
    (void)state;
    assert_true(flood_document("1", 1, "2") != flood_document("1", 1, "3"));
    assert_true(flood_document("12", 2, "") != flood_document("1", 1, "2"));
    assert_true(flood_document("1", 1, "2") == flood_document("12", 1, "2"));
}

static void named_documents_count_in_the_share(void **state)
{
    struct flood f = {0};

    (void)state;
    for (int id = 0; id < 51; id++) {
        flood_add(&f, 18, 0);
        flood_add_bad(&f, document(id));
    }
    assert_int_equal(f.count, 51 * 19);
    assert_true(flood_reached(&f, 500)); /* 5.3 % */
    assert_false(flood_reached(&f, 600));
    flood_add(&f, FLOOD_WINDOW, 0);
    assert_int_equal(f.bad_count, 0);
    flood_add_bad(&f, document(0)); /* its letter has left the window */
    assert_int_equal(f.bad_count, 1);
}

/* Of these is not known whether they are different ones. */
static void unnamed_documents_are_no_run(void **state)
{
    struct flood f = {0};

    (void)state;
    flood_add(&f, 0, 49);
    assert_int_equal(flood_run(&f), 0);
    assert_false(flood_reached(&f, 500));
    flood_add(&f, 0, 1);
    assert_true(flood_reached(&f, 500));
}

/* ------------------------------------------------------------------ the first one, for people */

static void the_first_document_is_named(void **state)
{
    static const struct {
        const char *document, *column, *value, *reason, *text;
    } firsts[] = {
        {"100", "qty", "2..0", "not a number", "document 100, column qty, value \"2..0\": not a number"},
        {NULL, NULL, NULL, "broken", "document without a readable id: broken"},
        {"1", "a", "", "empty", "document 1, column a, value \"\": empty"},
        {"1\n2", NULL, "a\tb\x1B[31m", NULL, "document 1\\n2, value \"a\\tb\\u001b[31m\""},
        {"1", NULL, "1234567890123456789012345678901234567890", NULL,
         "document 1, value \"1234567890123456789012345678901234567890\""},
        {"1", NULL, "供应商供应商供应商供应商供应商供应商供应商供应商供应商供应商供应商供应商供应商供12",
         NULL,
         "document 1, value "
         "\"供应商供应商供应商供应商供应商供应商供应商供应商供应商供应商供应商供应商供应商供…\""},
        {"1", NULL, "a\xE4\xBE", NULL, "document 1, value \"a\\xe4\\xbe\""},
    };
    struct flood_first first = {0};

    (void)state;
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
        const char *value = firsts[i].value;
        flood_first_set(&first, firsts[i].document, firsts[i].column, value,
                        value != NULL ? strlen(value) : 0, firsts[i].reason);
        char *text = flood_first_text(&first);
        assert_string_equal(text, firsts[i].text);
        free(text);
    }
    flood_first_free(&first);
    assert_null(first.value);
    flood_first_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_a_question_changes_nothing),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(twenty_different_documents_in_a_row_are_a_flood),
        cmocka_unit_test(a_good_document_ends_the_run),
        cmocka_unit_test(a_document_that_comes_again_counts_once),
        cmocka_unit_test(a_new_version_is_another_document),
        cmocka_unit_test(named_documents_count_in_the_share),
        cmocka_unit_test(unnamed_documents_are_no_run),
        cmocka_unit_test(the_first_document_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
