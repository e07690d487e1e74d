#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "loader/replay_report.h"

static void a_line_comes_every_ten_seconds(void **state)
{
    struct replay_report r = {.began_ms = 500, .told_ms = 500};
    (void)state;

    assert_false(replay_report_due(&r, 10499));
    assert_true(replay_report_due(&r, 10500));
    assert_false(replay_report_due(&r, 20499));
    assert_true(replay_report_due(&r, 25000));
    assert_false(replay_report_due(&r, 34999));
}

static void progress_is_a_share(void **state)
{
    struct replay_report r = {.rows = 3400};
    struct buf out;
    (void)state;

    buf_init(&out, 1024);
    replay_report_progress(&r, 12345, 27000, &out);
    assert_string_equal(out.data, "45 % of 27000 messages are read, 3400 rows written");
    buf_reset(&out);
    replay_report_progress(&r, 0, 0, &out);
    assert_string_equal(out.data, "100 % of 0 messages are read, 3400 rows written");
    buf_free(&out);
}

static void the_summary_has_all_figures(void **state)
{
    struct replay_report r = {.began_ms = 1000, .written = 12, .stale = 7, .rows = 40, .letters = 1};
    struct buf out;
    (void)state;

    buf_init(&out, 1024);
    replay_report_summary(&r, 20, 20, 13450, &out);
    assert_string_equal(out.data,
                        "all of 20 messages are read: 12 documents (40 rows) written, 7 older than what "
                        "the table has, 1 dead letter, in 12.4 s");
    buf_reset(&out);
    replay_report_summary(&r, 3, 20, 1000, &out);
    assert_string_equal(out.data,
                        "3 of 20 messages are read: 12 documents (40 rows) written, 7 older than what "
                        "the table has, 1 dead letter, in 0.0 s");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_comes_every_ten_seconds),
        cmocka_unit_test(progress_is_a_share),
        cmocka_unit_test(the_summary_has_all_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
