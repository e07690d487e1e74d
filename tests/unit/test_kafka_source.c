/* The consumer against librdkafka's mock cluster: what becomes of pauses, events and ends when partitions are
 * taken away and come back. The rebalances are the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/faults.h"
#include "common/kafka/consumer_private.h"
#include "common/monitor/health.h"
#include "common/monitor/metrics.h"
#include "common/options/options.h"

enum { RECORDS = 3, WAIT_MS = 20000, QUIET_MS = 300, OF_EACH_KIND = 5 };

static const char topic[] = "t";
static rd_kafka_t *cluster;
static const char *brokers;
static int groups;
static struct kafka_source *joined[2][OF_EACH_KIND]; /* of which the second are bounded */
static int taken[2];

static int start_cluster(void **state)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)state;

    rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", NULL, 0);
    rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
    cluster = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    if (cluster == NULL)
        return -1;
    rd_kafka_mock_cluster_t *mock = rd_kafka_handle_mock_cluster(cluster);
    brokers = rd_kafka_mock_cluster_bootstraps(mock);
    rd_kafka_mock_topic_create(mock, topic, 1, 1);
    static char value[] = "x";
    for (int i = 0; i < RECORDS; i++)
        rd_kafka_producev(cluster, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_VALUE(value, 1), RD_KAFKA_V_END);
    return rd_kafka_flush(cluster, WAIT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : -1;
}

static struct kafka_source *join_group(bool bounded)
{
    static const char *const topics[] = {topic};
    char group[16];
    char *argv[] = {(char *)(uintptr_t) "loader", (char *)(uintptr_t) "--brokers", (char *)(uintptr_t)brokers,
                    NULL};
    char *env[] = {NULL};
    struct faults faults = FAULTS_INIT;
    struct err err = ERR_INIT;
    struct source *source = NULL;

    snprintf(group, sizeof group, "g%d", ++groups); /* none has committed anything */
    struct options *options = options_read(PROGRAM_LOADER, 3, argv, env, &faults);
    assert_int_equal(faults.errors, 0);
    const struct source_config config = {
        .group = group, .topics = topics, .topic_count = 1, .bounded = bounded};
    assert_int_equal(kafka_source_open(options, &config, &source, &err), 0);
    options_free(options);
    faults_free(&faults);
    return (struct kafka_source *)source;
}

static int stop_cluster(void **state)
{
    (void)state;
    rd_kafka_destroy(cluster);
    metrics_forget();
    health_forget();
    return 0;
}

/* The mock's coordinator keeps the first member of each group waiting for 3 s, which cannot be set: so all
 * groups are joined before the first test, and wait together. */
static int start(void **state)
{
    if (start_cluster(state) != 0)
        return -1;
    for (int bounded = 0; bounded < 2; bounded++)
        for (int i = 0; i < OF_EACH_KIND; i++)
            joined[bounded][i] = join_group(bounded != 0);
    return 0;
}

static struct kafka_source *open_source(bool bounded)
{
    return taken[bounded] < OF_EACH_KIND ? joined[bounded][taken[bounded]++] : join_group(bounded);
}

/* The next event within the time; records are given back at once. */
static enum source_event_kind next_event(struct kafka_source *s, int wait_ms)
{
    int64_t deadline = clock_monotonic_ms() + wait_ms;
    struct source_event event = {.kind = SOURCE_NONE};
    struct err err = ERR_INIT;

    while (event.kind == SOURCE_NONE && clock_monotonic_ms() < deadline) {
        assert_int_equal(source_poll(&s->base, 20, &event, &err), 0);
        if (event.kind == SOURCE_RECORD)
            source_release(&s->base, &event.record);
    }
    return event.kind;
}

static void expect_events(struct kafka_source *s, const enum source_event_kind *events, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(next_event(s, WAIT_MS), events[i]);
}
#define EXPECT(s, ...)                                                                                       \
    expect_events(s, (const enum source_event_kind[]){__VA_ARGS__},                                          \
                  sizeof((enum source_event_kind[]){__VA_ARGS__}) / sizeof(enum source_event_kind))

static void rebalance(struct kafka_source *s, rd_kafka_resp_err_t code)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, topic, 0);
    kafka_on_rebalance(s->rk, code, list, s);
    rd_kafka_topic_partition_list_destroy(list);
}

/* librdkafka keeps a partition paused while it is not assigned: what was resumed meanwhile stood still for
 * ever. */
static void check_pause(const char *what)
{
    struct kafka_source *s = open_source(false);

    EXPECT(s, SOURCE_ASSIGNED, SOURCE_RECORD);
    source_pause(&s->base, what);
    rebalance(s, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS);
    EXPECT(s, SOURCE_REVOKED);
    source_resume(&s->base, what);
    rebalance(s, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS);
    EXPECT(s, SOURCE_ASSIGNED, SOURCE_RECORD, SOURCE_RECORD, SOURCE_RECORD);
    source_free(&s->base);
}

static void a_pause_that_ends_without_the_partition_has_ended(void **state)
{
    (void)state;
    check_pause(topic);
    check_pause(NULL);
}

static void a_pause_that_lasts_holds_for_what_comes_back(void **state)
{
    struct kafka_source *s = open_source(false);
    (void)state;

    EXPECT(s, SOURCE_ASSIGNED, SOURCE_RECORD);
    source_pause(&s->base, topic);
    rebalance(s, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS);
    rebalance(s, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS);
    EXPECT(s, SOURCE_REVOKED, SOURCE_ASSIGNED);
    assert_int_equal(next_event(s, QUIET_MS), SOURCE_NONE);
    source_resume(&s->base, topic);
    EXPECT(s, SOURCE_RECORD, SOURCE_RECORD, SOURCE_RECORD);
    source_free(&s->base);
}

/* Given and taken away between two polls: a second extractor would have read the API on the strength of it.
 */
static void what_is_gone_again_was_never_assigned(void **state)
{
    struct kafka_source *s = open_source(true);
    (void)state;

    EXPECT(s, SOURCE_ASSIGNED, SOURCE_RECORD, SOURCE_RECORD, SOURCE_RECORD, SOURCE_END);
    rebalance(s, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS);
    rebalance(s, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS);
    rebalance(s, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS);
    EXPECT(s, SOURCE_REVOKED);
    assert_int_equal(next_event(s, QUIET_MS), SOURCE_NONE);
    source_free(&s->base);
}

/* What was read but not committed comes again, and only behind it is the end. */
static void a_bounded_read_ends_at_the_end_after_a_rebalance_too(void **state)
{
    struct kafka_source *s = open_source(true);
    (void)state;

    EXPECT(s, SOURCE_ASSIGNED, SOURCE_RECORD, SOURCE_RECORD, SOURCE_RECORD);
    rebalance(s, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS);
    rebalance(s, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS);
    EXPECT(s, SOURCE_REVOKED, SOURCE_ASSIGNED, SOURCE_RECORD, SOURCE_RECORD, SOURCE_RECORD, SOURCE_END);
    source_free(&s->base);
}

/* Only the group is served, until so many records wait. */
static void serve_until(struct kafka_source *s, size_t records)
{
    int64_t deadline = clock_monotonic_ms() + WAIT_MS;
    struct err err = ERR_INIT;

    while (s->stash_count < records && clock_monotonic_ms() < deadline)
        assert_int_equal(source_serve(&s->base, 20, &err), 0);
    assert_int_equal(s->stash_count, records);
}

/* Serving goes on while records wait, and they come in their order; not those of a topic that is paused. */
static void records_that_came_while_serving_wait_in_order(void **state)
{
    struct kafka_source *s = open_source(true);
    struct source_event event;
    struct err err = ERR_INIT;
    (void)state;

    EXPECT(s, SOURCE_ASSIGNED);
    serve_until(s, RECORDS);
    source_pause(&s->base, topic);
    assert_int_equal(next_event(s, QUIET_MS), SOURCE_NONE);
    source_resume(&s->base, topic);
    for (int64_t offset = 0; offset < RECORDS; offset++) {
        assert_int_equal(source_poll(&s->base, WAIT_MS, &event, &err), 0);
        assert_int_equal(event.kind, SOURCE_RECORD);
        assert_int_equal(event.record.offset, offset);
        source_release(&s->base, &event.record);
    }
    EXPECT(s, SOURCE_END);
    source_free(&s->base);
}

/* Each of them, also when both became known between two polls. */
static void every_lost_partition_is_told(void **state)
{
    struct kafka_source *s = open_source(false);
    struct source_event event;
    struct err err = ERR_INIT;
    (void)state;

    EXPECT(s, SOURCE_ASSIGNED);
    for (int32_t p = 1; p <= 2; p++) {
        kafka_part(s, topic, p)->news = NEWS_LOST;
        s->news_count++;
    }
    for (int32_t p = 1; p <= 2; p++) {
        assert_int_equal(source_poll(&s->base, 0, &event, &err), 0);
        assert_int_equal(event.kind, SOURCE_LOST);
        assert_int_equal(event.lost.partition, p);
    }
    assert_int_equal(source_poll(&s->base, 0, &event, &err), 0);
    assert_int_not_equal(event.kind, SOURCE_LOST);
    if (event.kind == SOURCE_RECORD)
        source_release(&s->base, &event.record);
    source_free(&s->base);
}

/* A record that waits for its turn behind an event is before the end. */
static void the_end_comes_after_the_last_record(void **state)
{
    struct kafka_source *s = open_source(true);
    (void)state;

    EXPECT(s, SOURCE_ASSIGNED, SOURCE_RECORD, SOURCE_RECORD);
    serve_until(s, 1);
    EXPECT(s, SOURCE_RECORD, SOURCE_END);
    source_free(&s->base);
}

static bool readiness_has(const char *text)
{
    struct buf why;

    buf_init(&why, 65536);
    health_ready(&why);
    bool has = strstr(why.data, text) != NULL;
    buf_free(&why);
    return has;
}

/* librdkafka reports an error of the whole commit only when all partitions failed. One that was refused alone
 * is repeated, and readiness says so. */
static void a_commit_that_one_partition_refuses_is_repeated(void **state)
{
    struct kafka_source *s = open_source(false);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(2);
    (void)state;

    rd_kafka_topic_partition_list_add(list, topic, 0);
    rd_kafka_topic_partition_list_add(list, topic, 1)->err = RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    kafka_part(s, topic, 0)->stored = kafka_part(s, topic, 1)->stored = 1;
    s->committing = true;
    kafka_on_commit(s->rk, RD_KAFKA_RESP_ERR_NO_ERROR, list, s);
    assert_false(s->committing);
    assert_true(s->commit_again);
    assert_true(kafka_part(s, topic, 1)->unsent);
    assert_false(kafka_part(s, topic, 0)->unsent);
    assert_true(readiness_has("commit: "));
    list->elems[1].err = RD_KAFKA_RESP_ERR_NO_ERROR;
    s->commit_again = kafka_part(s, topic, 1)->unsent = false;
    kafka_on_commit(s->rk, RD_KAFKA_RESP_ERR_NO_ERROR, list, s);
    assert_false(s->commit_again);
    assert_false(readiness_has("commit: "));
    rd_kafka_topic_partition_list_destroy(list);
    source_free(&s->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_that_ends_without_the_partition_has_ended),
        cmocka_unit_test(a_pause_that_lasts_holds_for_what_comes_back),
        cmocka_unit_test(what_is_gone_again_was_never_assigned),
        cmocka_unit_test(a_bounded_read_ends_at_the_end_after_a_rebalance_too),
        cmocka_unit_test(the_end_comes_after_the_last_record),
        cmocka_unit_test(records_that_came_while_serving_wait_in_order),
        cmocka_unit_test(every_lost_partition_is_told),
        cmocka_unit_test(a_commit_that_one_partition_refuses_is_repeated),
    };
    return cmocka_run_group_tests(tests, start, stop_cluster);
}
