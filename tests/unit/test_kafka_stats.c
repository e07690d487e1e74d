#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/kafka/kafka_private.h"
#include "common/monitor/metrics.h"

static const char *pipeline_of(void *arg, const char *topic)
{
    (void)arg;
    return strcmp(topic, "jst.p.rows") == 0 ? "p" : NULL;
}

static const char *no_pipeline(void *arg, const char *topic)
{
    (void)arg, (void)topic;
    return NULL;
}

static int64_t start_of(void *arg, const char *topic, int32_t partition)
{
    (void)topic;
    return ((const int64_t *)arg)[partition];
}

/* The text of /metrics after these statistics; starts: the committed offsets of partitions 0 to 3. */
static const char *lags(const char *partitions, const int64_t *starts)
{
    static char text[4096];
    char json[2048];
    struct buf out;
    struct kafka_stats stats;
    const struct kafka_stats_help help = {
        .pipeline = pipeline_of, .start = start_of, .arg = (void *)(uintptr_t)starts};

    snprintf(json, sizeof json,
             "{\"brokers\":{\"a\":{\"state\":\"UP\",\"rxidle\":7}},\"topics\":{\"jst.p.rows\":{"
             "\"partitions\":{%s}},"
             "\"other\":{\"partitions\":{\"0\":{\"partition\":0,\"fetch_state\":\"active\",\"ls_offset\":9,"
             "\"lo_offset\":0,\"committed_offset\":1}}}}}",
             partitions);
    kafka_stats_forget_lags();
    kafka_stats_read(json, strlen(json), &help, &stats);
    assert_int_equal(stats.brokers_up, 1);
    assert_int_equal(stats.idle_us, 7);
    buf_init(&out, 1024);
    metrics_render(&out);
    snprintf(text, sizeof text, "%s", out.data);
    buf_free(&out);
    return text;
}

#define SERIES(partition) "jst_consumer_lag{pipeline=\"p\",topic=\"jst.p.rows\",partition=\"" partition "\"} "

static void test_counted_from_the_last_commit(void **state)
{
    const int64_t starts[] = {70, 40, -1, -1};
    const char *text =
        lags("\"0\":{\"partition\":0,\"fetch_state\":\"active\",\"lo_offset\":0,\"ls_offset\":100,"
             "\"committed_offset\":70},"
             "\"1\":{\"partition\":1,\"fetch_state\":\"active\",\"lo_offset\":0,\"ls_offset\":100,"
             "\"committed_offset\":7}",
             starts);

    (void)state;
    assert_non_null(strstr(text, SERIES("0") "30\n"));
    /* committed long ago by this process; another one came further, and then it was assigned here again */
    assert_non_null(strstr(text, SERIES("1") "60\n"));
    assert_null(strstr(text, "other"));
}

/* librdkafka keeps the highest. */
static void test_counted_from_a_lower_commit(void **state)
{
    const int64_t starts[] = {20, -1, -1, -1};
    const char *text =
        lags("\"0\":{\"partition\":0,\"fetch_state\":\"active\",\"ls_offset\":100,\"committed_offset\":90}",
             starts);

    (void)state;
    assert_non_null(strstr(text, SERIES("0") "80\n"));
}

static void note_missing(void *arg, const char *topic, int32_t partition)
{
    int32_t *missing = arg;

    if (strcmp(topic, "jst.p.rows") == 0)
        *missing = *missing * 10 + partition;
}

/* Read by this process, and not in the broker's metadata. */
static void test_missing_partitions(void **state)
{
    static const char json[] =
        "{\"brokers\":{\"a\":{\"state\":\"UP\",\"rxidle\":7,\"req\":{\"Fetch\":9,\"Metadata\":3}},"
        "\"b\":{\"state\":\"INIT\",\"req\":{\"Metadata\":2}}},\"topics\":{\"jst.p.rows\":{\"partitions\":{"
        "\"1\":{\"partition\":1,\"desired\":true,\"unknown\":false},"
        "\"2\":{\"partition\":2,\"desired\":true,\"unknown\":true},"
        "\"3\":{\"partition\":3,\"desired\":false,\"unknown\":true},"
        "\"4\":{\"partition\":4,\"desired\":true,\"unknown\":true}}}}}";
    int32_t missing = 0;
    struct kafka_stats stats;
    const struct kafka_stats_help help = {.pipeline = no_pipeline, .missing = note_missing, .arg = &missing};
    (void)state;

    kafka_stats_read(json, strlen(json), &help, &stats);
    assert_int_equal(missing, 24);
    assert_int_equal(stats.metadata_requests, 5);
    assert_int_equal(stats.brokers_up, 1);
}

static void test_shown_before_the_first_commit(void **state)
{
    const int64_t starts[] = {40, -1, -1, -1};
    const char *text =
        lags("\"0\":{\"partition\":0,\"fetch_state\":\"active\",\"lo_offset\":0,\"ls_offset\":100,"
             "\"committed_offset\":-1001},"
             "\"1\":{\"partition\":1,\"fetch_state\":\"active\",\"lo_offset\":5,\"ls_offset\":100,"
             "\"committed_offset\":-1001},"
             "\"2\":{\"partition\":2,\"fetch_state\":\"active\",\"lo_offset\":0,\"ls_offset\":0,"
             "\"committed_offset\":-1001}",
             starts);

    (void)state;
    assert_non_null(strstr(text, SERIES("0") "60\n"));
    assert_non_null(strstr(text, SERIES("1") "95\n"));
    assert_non_null(strstr(text, SERIES("2") "0\n"));
}

static void test_not_shown(void **state)
{
    const int64_t starts[] = {-1, -1, 0, -1};
    const char *text =
        lags("\"0\":{\"partition\":0,\"fetch_state\":\"none\",\"lo_offset\":0,\"ls_offset\":100,"
             "\"committed_offset\":1},"
             "\"1\":{\"partition\":1,\"fetch_state\":\"active\",\"lo_offset\":-1001,"
             "\"ls_offset\":-1001,\"committed_offset\":-1001},"
             "\"-1\":{\"partition\":-1,\"fetch_state\":\"active\",\"ls_offset\":5,\"lo_offset\":0}",
             starts);

    (void)state;
    assert_null(strstr(text, "jst_consumer_lag{"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counted_from_the_last_commit),
        cmocka_unit_test(test_shown_before_the_first_commit),
        cmocka_unit_test(test_not_shown),
        cmocka_unit_test(test_counted_from_a_lower_commit),
        cmocka_unit_test(test_missing_partitions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
