#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/pipeline/cron.h"
#include "extractor/checkpoint.h"
#include "extractor/schedule.h"

static int64_t at(const char *text)
{
    int64_t s = 0;
    assert_int_equal(beijing_parse(text, &s), 0);
    return s;
}

static void reads(void **state)
{
    static const char full[] =
        "{\"v\":1,\"synced_to\":\"2026-08-13 11:05:00\",\"run_at\":\"2026-08-13 11:06:00\"}";
    static const char other[] = " { \"note\":{\"v\":2}, \"synced_to\":\"2026-08-13 11:05:00\", \"v\":1 }";
    struct checkpoint c;
    struct err err = ERR_INIT;
    (void)state;

    assert_int_equal(checkpoint_read(full, strlen(full), &c, &err), 0);
    assert_int_equal(c.synced_to_s, at("2026-08-13 11:05:00"));
    assert_int_equal(c.run_at_s, at("2026-08-13 11:06:00"));
    assert_int_equal(checkpoint_read(other, strlen(other), &c, &err), 0);
    assert_int_equal(c.synced_to_s, at("2026-08-13 11:05:00"));
    assert_int_equal(c.run_at_s, -1);
}

static void refuses(void **state)
{
    static const char *const cases[] = {
        "",
        "{}",
        "[1]",
        "{\"v\":1}",
        "{\"v\":1,\"synced_to\":\"2026-08-13 11:05:00\"",
        "{\"v\":2,\"synced_to\":\"2026-08-13 11:05:00\"}",
        "{\"v\":1,\"synced_to\":\"2026-02-30 11:05:00\"}",
        "{\"v\":1,\"synced_to\":1785312000}",
        "{\"v\":1,\"synced_to\":null}",
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct checkpoint c = {.synced_to_s = 7};
        struct err err = ERR_INIT;
        if (checkpoint_read(cases[i], strlen(cases[i]), &c, &err) != -1 || err.kind != ERR_PAUSE ||
            c.synced_to_s != 7)
            fail_msg("%s: %s", cases[i], err.text);
    }
}

static void writes(void **state)
{
    struct buf out;
    (void)state;

    buf_init(&out, 1024);
    checkpoint_write(&(struct checkpoint){at("2026-08-13 11:05:00"), at("2026-08-13 11:06:00")}, &out);
    assert_string_equal(out.data, "{\"v\":1,\"synced_to\":\"2026-08-13 11:05:00\",\"run_at\":\"2026-08-13 "
                                  "11:06:00\"}");
    buf_reset(&out);
    checkpoint_write(&(struct checkpoint){at("2026-08-13 11:05:00"), -1}, &out);
    assert_string_equal(out.data, "{\"v\":1,\"synced_to\":\"2026-08-13 11:05:00\"}");
    buf_free(&out);
}

static void is_due_at_start(void **state)
{
    static const struct {
        const char *what, *synced_to, *run_at, *now, *due;
    } cases[] = {
        {"no checkpoint", NULL, NULL, "2026-08-13 10:30:00", "2026-08-13 10:30:00"},
        {"an instant has passed", "2026-08-13 08:59:00", "2026-08-13 09:00:00", "2026-08-13 10:30:00",
         "2026-08-13 10:30:00"},
        {"none has", "2026-08-13 09:59:00", "2026-08-13 10:00:00", "2026-08-13 10:30:00",
         "2026-08-13 11:00:00"},
        {"none has, and the run began a little late", "2026-08-13 09:59:03", "2026-08-13 10:00:03",
         "2026-08-13 10:00:03", "2026-08-13 11:00:00"},
        {"a checkpoint without its run", "2026-08-13 09:59:00", NULL, "2026-08-13 10:30:00",
         "2026-08-13 10:30:00"},
        {"a checkpoint in the middle of a run", "2026-08-13 09:10:00", "2026-08-13 09:00:00",
         "2026-08-13 10:00:10", "2026-08-13 10:00:10"},
    };
    struct cron hourly;
    struct err err = ERR_INIT;
    (void)state;

    assert_int_equal(cron_parse("0 * * * *", &hourly, &err), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct checkpoint c = {
            .synced_to_s = cases[i].synced_to != NULL ? at(cases[i].synced_to) : -1,
            .run_at_s = cases[i].run_at != NULL ? at(cases[i].run_at) : -1,
        };
        int64_t due = schedule_first(&hourly, &c, at(cases[i].now));
        char text[BEIJING_TEXT];
        if (due != at(cases[i].due))
            fail_msg("%s: %s", cases[i].what, beijing_format(due, text));
    }
    struct checkpoint fresh = {at("2026-08-13 09:59:00"), at("2026-08-13 10:00:00")};
    assert_int_equal(schedule_first(NULL, &fresh, 77), 77); /* no crontab: at start */
}

static void is_due_after_a_run(void **state)
{
    struct cron hourly;
    struct err err = ERR_INIT;
    (void)state;

    assert_int_equal(cron_parse("0 * * * *", &hourly, &err), 0);
    assert_int_equal(schedule_next(&hourly, at("2026-08-13 10:00:00")), at("2026-08-13 11:00:00"));
    assert_int_equal(schedule_next(&hourly, at("2026-08-13 10:59:59")), at("2026-08-13 11:00:00"));
    assert_true(schedule_next(NULL, 0) == NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(refuses),
        cmocka_unit_test(writes),
        cmocka_unit_test(is_due_at_start),
        cmocka_unit_test(is_due_after_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
