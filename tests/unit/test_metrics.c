#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <pthread.h>

#include "common/base/buf.h"
#include "common/monitor/metrics.h"

static const struct metric_family plain = {
    .name = "jst_test_total", .type = METRIC_COUNTER, .help = "A \\ and a\nnew line \"quoted\""};
static const struct metric_family labelled = {
    .name = "jst_test_gauge", .type = METRIC_GAUGE, .help = "Two labels", .labels = {"pipeline", "result"}};
static const double bounds[] = {0.005, 0.5, 10};
static const struct metric_family histogram = {.name = "jst_test_seconds",
                                               .type = METRIC_HISTOGRAM,
                                               .help = "Times",
                                               .labels = {"api"},
                                               .buckets = bounds,
                                               .bucket_count = 3};
static const struct metric_family bare_histogram = {.name = "jst_bare_seconds",
                                                    .type = METRIC_HISTOGRAM,
                                                    .help = "Times",
                                                    .buckets = bounds,
                                                    .bucket_count = 1};

static int forget(void **state)
{
    (void)state;
    metrics_forget();
    return 0;
}

static void assert_rendered(const char *expected)
{
    struct buf out;

    buf_init(&out, 65536);
    metrics_render(&out);
    assert_string_equal(out.data, expected);
    buf_free(&out);
}

static void counters_and_gauges(void **state)
{
    (void)state;

    struct metric *m = metric_get(&plain, NULL);
    assert_rendered("# HELP jst_test_total A \\\\ and a\\nnew line \"quoted\"\n"
                    "# TYPE jst_test_total counter\n"
                    "jst_test_total 0\n");
    metric_add(m, 1);
    metric_add(m, 2.5);
    assert_true(metric_value(m) - 3.5 == 0);

    metric_set(metric_get(&labelled, "purchasein", "ok", NULL), -4);
    metric_add(metric_get(&labelled, "a\"b\\c\nd", "采", NULL), 2);
    assert_rendered("# HELP jst_test_total A \\\\ and a\\nnew line \"quoted\"\n"
                    "# TYPE jst_test_total counter\n"
                    "jst_test_total 3.5\n"
                    "# HELP jst_test_gauge Two labels\n"
                    "# TYPE jst_test_gauge gauge\n"
                    "jst_test_gauge{pipeline=\"purchasein\",result=\"ok\"} -4\n"
                    "jst_test_gauge{pipeline=\"a\\\"b\\\\c\\nd\",result=\"采\"} 2\n");
}

static void one_series_for_the_same_values(void **state)
{
    char copy[] = "a";
    (void)state;

    struct metric *a = metric_get(&labelled, copy, "x", NULL);
    assert_ptr_equal(metric_get(&labelled, "a", "x", NULL), a);
    assert_ptr_not_equal(metric_get(&labelled, "x", "a", NULL), a);
    copy[0] = 'b';
    assert_ptr_not_equal(metric_get(&labelled, copy, "x", NULL), a);
    assert_ptr_equal(metric_get(&labelled, "a", "x", NULL), a);
}

/* Two files that define one family share it. */
static void one_family_for_the_same_name(void **state)
{
    static const struct metric_family twin = {.name = "jst_test_gauge",
                                              .type = METRIC_GAUGE,
                                              .help = "Two labels",
                                              .labels = {"pipeline", "result"}};
    (void)state;

    assert_ptr_equal(metric_get(&twin, "a", "x", NULL), metric_get(&labelled, "a", "x", NULL));
}

static void numbers(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.5, "-0.5"},
        {1786590300.123, "1786590300.123"},
        {999999999999999, "999999999999999"},
        {1e15, "1e+15"},
        {0.62, "0.62"},
        {1e-9, "1e-09"},
        {INFINITY, "+Inf"},
        {-INFINITY, "-Inf"},
        {(double)NAN, "NaN"},
        {1e300, "1e+300"},
    };
    char expected[256];
    (void)state;

    struct metric *m = metric_get(&labelled, "p", "r", NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        metric_set(m, cases[i].value);
        snprintf(expected, sizeof expected,
                 "# HELP jst_test_gauge Two labels\n# TYPE jst_test_gauge gauge\n"
                 "jst_test_gauge{pipeline=\"p\",result=\"r\"} %s\n",
                 cases[i].text);
        assert_rendered(expected);
    }
}

static void histograms(void **state)
{
    (void)state;

    struct metric *m = metric_get(&histogram, "q", NULL);
    metric_observe(m, 0.005); /* a bound is inside its bucket */
    metric_observe(m, 0.25);
    metric_observe(m, 0.25);
    metric_observe(m, 11);
    metric_observe(metric_get(&bare_histogram, NULL), 0.001);
    assert_rendered("# HELP jst_test_seconds Times\n"
                    "# TYPE jst_test_seconds histogram\n"
                    "jst_test_seconds_bucket{api=\"q\",le=\"0.005\"} 1\n"
                    "jst_test_seconds_bucket{api=\"q\",le=\"0.5\"} 3\n"
                    "jst_test_seconds_bucket{api=\"q\",le=\"10\"} 3\n"
                    "jst_test_seconds_bucket{api=\"q\",le=\"+Inf\"} 4\n"
                    "jst_test_seconds_sum{api=\"q\"} 11.505\n"
                    "jst_test_seconds_count{api=\"q\"} 4\n"
                    "# HELP jst_bare_seconds Times\n"
                    "# TYPE jst_bare_seconds histogram\n"
                    "jst_bare_seconds_bucket{le=\"0.005\"} 1\n"
                    "jst_bare_seconds_bucket{le=\"+Inf\"} 1\n"
                    "jst_bare_seconds_sum 0.001\n"
                    "jst_bare_seconds_count 1\n");
}

static void hidden_series(void **state)
{
    (void)state;

    struct metric *a = metric_get(&labelled, "a", "x", NULL);
    metric_get(&labelled, "b", "x", NULL);
    metric_set(a, 5);
    metric_hide_all(&labelled);
    metric_set(a, 6);
    assert_rendered("# HELP jst_test_gauge Two labels\n# TYPE jst_test_gauge gauge\n");
    assert_ptr_equal(metric_get(&labelled, "a", "x", NULL), a);
    assert_rendered("# HELP jst_test_gauge Two labels\n# TYPE jst_test_gauge gauge\n"
                    "jst_test_gauge{pipeline=\"a\",result=\"x\"} 6\n");
}

static void *work(void *context)
{
    char name[2] = {(char)('a' + *(const int *)context), '\0'};

    for (int i = 0; i < 10000; i++) {
        metric_add(metric_get(&plain, NULL), 1);
        metric_observe(metric_get(&histogram, name, NULL), 0.25);
    }
    return NULL;
}

static void threads_lose_nothing(void **state)
{
    static int ids[] = {0, 0, 1, 1};
    struct buf out;
    pthread_t threads[4];
    (void)state;

    buf_init(&out, 65536);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &ids[i]), 0);
    for (int i = 0; i < 100; i++) {
        buf_reset(&out);
        metrics_render(&out);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    buf_reset(&out);
    metrics_render(&out);
    assert_non_null(strstr(out.data, "\njst_test_total 40000\n"));
    assert_non_null(strstr(out.data, "jst_test_seconds_sum{api=\"a\"} 5000\n"));
    assert_non_null(strstr(out.data, "jst_test_seconds_count{api=\"b\"} 20000\n"));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(counters_and_gauges, forget),
        cmocka_unit_test_teardown(one_series_for_the_same_values, forget),
        cmocka_unit_test_teardown(one_family_for_the_same_name, forget),
        cmocka_unit_test_teardown(numbers, forget),
        cmocka_unit_test_teardown(histograms, forget),
        cmocka_unit_test_teardown(hidden_series, forget),
        cmocka_unit_test_teardown(threads_lose_nothing, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
