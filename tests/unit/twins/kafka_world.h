/* The consumer against librdkafka's mock cluster, which has one topic of one partition with three records.
 * The rebalances are the test's own. */
#ifndef JST_TESTS_KAFKA_WORLD_H
#define JST_TESTS_KAFKA_WORLD_H

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

enum { RECORDS = 3, WAIT_MS = 20000, QUIET_MS = 300 };

static const char topic[] = "t";
static rd_kafka_t *cluster;
static const char *brokers;
static int groups;

static inline int start_cluster(void **state)
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

/* property: one of librdkafka, as --kafka takes it; NULL: none. */
static inline struct kafka_source *join_group_with(bool bounded, bool ask_start, const char *property)
{
    static const char *const topics[] = {topic};
    char group[16];
    const char *argv[] = {"loader", "--brokers", brokers, property != NULL ? "--kafka" : NULL,
                          property, NULL};
    char *env[] = {NULL};
    struct faults faults = FAULTS_INIT;
    struct err err = ERR_INIT;
    struct source *source = NULL;

    snprintf(group, sizeof group, "g%d", ++groups); /* none has committed anything */
    struct options *options =
        options_read(PROGRAM_LOADER, property != NULL ? 5 : 3, (char **)(uintptr_t)argv, env, &faults);
    assert_int_equal(faults.errors, 0);
    const struct source_config config = {
        .group = group, .topics = topics, .topic_count = 1, .bounded = bounded, .ask_start = ask_start};
    assert_int_equal(kafka_source_open(options, &config, &source, &err), 0);
    options_free(options);
    faults_free(&faults);
    return (struct kafka_source *)source;
}

static inline struct kafka_source *join_group(bool bounded, bool ask_start)
{
    return join_group_with(bounded, ask_start, NULL);
}

static inline int stop_cluster(void **state)
{
    (void)state;
    rd_kafka_destroy(cluster);
    metrics_forget();
    health_forget();
    return 0;
}

/* The next event within the time; records are given back at once. */
static inline enum source_event_kind next_event(struct kafka_source *s, int wait_ms)
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

static inline void expect_events(struct kafka_source *s, const enum source_event_kind *events, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(next_event(s, WAIT_MS), events[i]);
}
#define EXPECT(s, ...)                                                                                       \
    expect_events(s, (const enum source_event_kind[]){__VA_ARGS__},                                          \
                  sizeof((enum source_event_kind[]){__VA_ARGS__}) / sizeof(enum source_event_kind))

static inline void rebalance(struct kafka_source *s, rd_kafka_resp_err_t code)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, topic, 0);
    kafka_on_rebalance(s->rk, code, list, s);
    rd_kafka_topic_partition_list_destroy(list);
}

/* Only the group is served, until so many records wait. */
static inline void serve_until(struct kafka_source *s, size_t records)
{
    int64_t deadline = clock_monotonic_ms() + WAIT_MS;
    struct err err = ERR_INIT;

    while (s->stash_count < records && clock_monotonic_ms() < deadline)
        assert_int_equal(source_serve(&s->base, 20, &err), 0);
    assert_int_equal(s->stash_count, records);
}

/* The next event, which must be of that kind. */
static inline struct source_event poll_for(struct kafka_source *s, enum source_event_kind kind)
{
    int64_t deadline = clock_monotonic_ms() + WAIT_MS;
    struct source_event event = {.kind = SOURCE_NONE};
    struct err err = ERR_INIT;

    while (event.kind == SOURCE_NONE && clock_monotonic_ms() < deadline)
        assert_int_equal(source_poll(&s->base, 20, &event, &err), 0);
    assert_int_equal(event.kind, kind);
    return event;
}

static inline void expect_offsets(struct kafka_source *s, int64_t first, int64_t last)
{
    for (int64_t offset = first; offset <= last; offset++) {
        struct source_event event = poll_for(s, SOURCE_RECORD);
        assert_int_equal(event.record.offset, offset);
        source_release(&s->base, &event.record);
    }
}

static inline bool readiness_has(const char *text)
{
    struct buf why;

    buf_init(&why, 65536);
    health_ready(&why);
    bool has = strstr(why.data, text) != NULL;
    buf_free(&why);
    return has;
}

#endif
