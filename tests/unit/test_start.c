#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loader/start.h"

#define TARGET "db.t"

enum { NO_MARK = -9 };

struct start_case {
    int64_t committed, low, high;
    bool recreated;
    int64_t mark; /* NO_MARK: there is none */
    const char *target;
    bool emptied;
    struct start then;
};

static const struct start_case cases[] = {
    /* the group and the database agree, or one of them lags */
    {5, 0, 10, false, 5, TARGET, false, {5, 5, false, 5, START_GROUP}},
    {5, 0, 10, false, 8, TARGET, false, {5, 8, false, 8, START_GROUP}},
    {8, 0, 10, false, 5, TARGET, false, {5, 5, false, 8, START_DATABASE}},
    {10, 0, 10, false, 10, TARGET, false, {10, 10, false, 10, START_GROUP}},
    {0, 0, 0, false, 0, TARGET, false, {0, 0, false, 0, START_GROUP}},
    {10, 10, 10, false, 0, TARGET, false, {0, 0, false, 10, START_DATABASE}}, /* lost: the source says so */
    /* one of them does not know the partition */
    {5, 0, 10, false, NO_MARK, "", false, {SOURCE_BEGINNING, -1, false, 5, START_NEW}},
    {-1, 0, 10, false, NO_MARK, "", false, {SOURCE_BEGINNING, -1, false, -1, START_NEW}},
    {-1, 0, 10, false, 7, TARGET, false, {SOURCE_BEGINNING, 7, false, 7, START_NEW}},
    {5, 0, 10, false, NO_MARK, "", true, {SOURCE_BEGINNING, -1, false, 5, START_NEW}},
    /* the mark is beyond the log's end, or the source says it: the topic was made again */
    {3, 0, 10, false, 11, TARGET, false, {SOURCE_BEGINNING, -1, true, -1, START_MADE_AGAIN}},
    {-1, 0, 0, false, 1, TARGET, false, {SOURCE_BEGINNING, -1, true, -1, START_MADE_AGAIN}},
    {-1, 0, 10, true, 7, TARGET, false, {SOURCE_BEGINNING, -1, true, -1, START_MADE_AGAIN}},
    {9, 0, 10, true, 7, TARGET, false, {SOURCE_BEGINNING, -1, true, -1, START_MADE_AGAIN}},
    {9, 0, 10, true, NO_MARK, "", false, {SOURCE_BEGINNING, -1, false, -1, START_MADE_AGAIN}},
    {9, 0, 10, true, 7, "db.old", true, {SOURCE_BEGINNING, -1, true, -1, START_MADE_AGAIN}},
    /* what the mark says is not of this table */
    {5, 0, 10, false, 5, "db.old", false, {SOURCE_BEGINNING, -1, true, 5, START_EMPTY}},
    {5, 0, 10, false, 5, "DB.T", false, {SOURCE_BEGINNING, -1, true, 5, START_EMPTY}},
    {5, 0, 10, false, 5, TARGET, true, {SOURCE_BEGINNING, -1, true, 5, START_EMPTY}},
    {-1, 0, 10, false, 5, TARGET, true, {SOURCE_BEGINNING, -1, true, 5, START_EMPTY}},
};

static void test_decide(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct start_case *c = &cases[i];
        const struct source_start log = {"jst.p.rows", 0, c->committed, c->low, c->high, c->recreated};
        const struct stored_mark mark = {.next_offset = c->mark, .target = (char *)(uintptr_t)c->target};
        struct start s = start_decide(&log, c->mark != NO_MARK ? &mark : NULL, TARGET, c->emptied);
        if (s.offset != c->then.offset || s.written != c->then.written || s.reset != c->then.reset ||
            s.known != c->then.known || s.why != c->then.why)
            fail_msg("case %zu: %lld, written %lld, reset %d, known %lld, why %d", i, (long long)s.offset,
                     (long long)s.written, s.reset, (long long)s.known, (int)s.why);
    }
}

/* Each has its own words. */
static void test_texts(void **state)
{
    (void)state;
    for (int i = START_GROUP; i <= START_MADE_AGAIN; i++)
        for (int j = START_GROUP; j < i; j++)
            assert_string_not_equal(start_reason_text((enum start_reason)i),
                                    start_reason_text((enum start_reason)j));
}

static void without_marks_the_group_decides(void **state)
{
    static const struct {
        int64_t committed, high;
        bool recreated;
        int64_t offset;
        enum start_reason why;
    } groups[] = {
        {5, 10, false, 5, START_GROUP},
        {10, 10, false, 10, START_GROUP},
        {-1, 10, false, SOURCE_BEGINNING, START_NEW},
        {5, 10, true, SOURCE_BEGINNING, START_MADE_AGAIN},
        {11, 10, false, SOURCE_BEGINNING, START_MADE_AGAIN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        const struct source_start log = {"jst.p.rows",       0, groups[i].committed, 0, groups[i].high,
                                         groups[i].recreated};
        struct start s = start_of_group(&log);
        assert_int_equal(s.offset, groups[i].offset);
        assert_int_equal(s.why, groups[i].why);
        assert_int_equal(s.written, -1);
        assert_false(s.reset);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide),
        cmocka_unit_test(without_marks_the_group_decides),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
