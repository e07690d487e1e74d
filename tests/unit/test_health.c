#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/monitor/health.h"
#include "common/monitor/metrics.h"
#include "tests/unit/capture.h"
#include "tests/unit/twins/clock.h"

#define AT "1970-01-01T00:00:00.000Z "

static struct capture capture;
static struct buf out;

static int forget(void **state)
{
    (void)state;
    health_forget();
    metrics_forget();
    buf_free(&out);
    return 0;
}

static void assert_ready(bool ready, const char *text)
{
    buf_init(&out, 1 << 20);
    assert_int_equal(health_ready(&out), ready);
    assert_string_equal(out.data, text);
    buf_free(&out);
}

/* What is logged and what the gauge shows. */
static void dependency(const char *name, bool up, const char *why, const char *log)
{
    char line[128];

    capture_begin(&capture);
    health_dependency(name, up, why);
    assert_string_equal(capture_end(&capture), log);
    buf_init(&out, 1 << 20);
    metrics_render(&out);
    snprintf(line, sizeof line, "\njst_up_dependency{name=\"%s\"} %d\n", name, up);
    assert_non_null(strstr(out.data, line));
    buf_free(&out);
}

static void a_dependency_is_logged_when_it_changes(void **state)
{
    (void)state;

    log_setup("loader", LOG_INFO, false);
    dependency("kafka", false, "no route", AT "WARN  loader: kafka: down: no route\n");
    assert_ready(false, "kafka: no route\n");
    dependency("kafka", false, "refused", "");
    assert_ready(false, "kafka: refused\n");
    dependency("mysql", false, NULL, AT "WARN  loader: mysql: down: does not answer\n");
    assert_ready(false, "kafka: refused\nmysql: does not answer\n");
    dependency("kafka", true, "ignored", AT "INFO  loader: kafka: up\n");
    dependency("kafka", true, NULL, "");
    assert_ready(false, "mysql: does not answer\n");
    dependency("mysql", true, NULL, AT "INFO  loader: mysql: up\n");
    assert_ready(true, "ready\n");
    dependency("kafka", false, "gone", AT "WARN  loader: kafka: down: gone\n");
}

static void reasons_come_and_go(void **state)
{
    (void)state;

    assert_ready(true, "ready\n");
    health_reason("a", NULL);
    health_reason("a", "one");
    health_reason("b", "two");
    health_reason("c", "three");
    assert_ready(false, "a: one\nb: two\nc: three\n");
    health_reason("a", "four");
    health_reason("b", NULL);
    assert_ready(false, "a: four\nc: three\n");
    health_reason("c", NULL);
    health_reason("c", NULL);
    health_reason("a", NULL);
    assert_ready(true, "ready\n");
}

static void reasons_are_bounded(void **state)
{
    char key[200];
    char why[2000];
    (void)state;

    memset(why, 'w', sizeof why - 1);
    why[sizeof why - 1] = '\0';
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "%02d%0150d", i, 0);
        health_reason(key, why);
        health_reason(key, why); /* a key that was cut is still found */
    }
    buf_init(&out, 1 << 20);
    assert_false(health_ready(&out));
    int lines = 0;
    for (const char *p = out.data; *p != '\0'; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 64);
    buf_free(&out);
    for (int i = 0; i < 64; i++) {
        snprintf(key, sizeof key, "%02d%0150d", i, 0);
        health_reason(key, NULL);
    }
    assert_ready(true, "ready\n");
}

static void the_loop_must_turn(void **state)
{
    static const struct {
        int64_t later_ms;
        bool alive;
        const char *text;
    } cases[] = {
        {0, true, "alive: the main loop turned 0.0 s ago\n"},
        {1250, true, "alive: the main loop turned 1.2 s ago\n"},
        {30000, true, "alive: the main loop turned 30.0 s ago\n"},
        {30001, false, "stuck: the main loop turned 30.0 s ago\n"},
        {3600000, false, "stuck: the main loop turned 3600.0 s ago\n"},
    };
    (void)state;

    buf_init(&out, 1024);
    assert_false(health_alive(&out));
    assert_string_equal(out.data, "the main loop has not turned yet\n");
    health_turn();
    int64_t start = twin_monotonic_ms;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_reset(&out);
        twin_monotonic_ms = start + cases[i].later_ms;
        assert_int_equal(health_alive(&out), cases[i].alive);
        assert_string_equal(out.data, cases[i].text);
    }
    health_turn();
    assert_true(health_alive(&out));
    buf_free(&out);
}

int main(void)
{
    twin_wall_ms = 0;
    twin_clock_use();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_dependency_is_logged_when_it_changes, forget),
        cmocka_unit_test_teardown(reasons_come_and_go, forget),
        cmocka_unit_test_teardown(reasons_are_bounded, forget),
        cmocka_unit_test_teardown(the_loop_must_turn, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
