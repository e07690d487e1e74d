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

#include "tests/unit/twins/kafka_world.h"

enum { OF_EACH_KIND = 6 };

static struct kafka_source *joined[2][OF_EACH_KIND]; /* of which the second are bounded */
static int taken[2];

/* The mock's coordinator keeps the first member of each group waiting for 3 s, which cannot be set: so all
 * groups are joined before the first test, and wait together. */
static int start(void **state)
{
    if (start_cluster(state) != 0)
        return -1;
    for (int bounded = 0; bounded < 2; bounded++)
        for (int i = 0; i < OF_EACH_KIND; i++)
            joined[bounded][i] = join_group(bounded != 0, false);
    return 0;
}

static struct kafka_source *open_source(bool bounded)
{
    return taken[bounded] < OF_EACH_KIND ? joined[bounded][taken[bounded]++] : join_group(bounded, false);
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

/* A coordinator that does not answer holds up the program for the time that is set, not for a minute. */
static void giving_partitions_back_waits_for_the_commit_only_so_long(void **state)
{
    struct kafka_source *s = open_source(false);
    rd_kafka_mock_cluster_t *mock = rd_kafka_handle_mock_cluster(cluster);
    (void)state;

    EXPECT(s, SOURCE_ASSIGNED, SOURCE_RECORD);
    s->revoke_commit_ms = QUIET_MS;
    rd_kafka_mock_broker_set_rtt(mock, 1, WAIT_MS);
    source_store(&s->base, topic, 0, 0);
    int64_t began_ms = clock_monotonic_ms();
    rebalance(s, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS);
    int64_t took_ms = clock_monotonic_ms() - began_ms;
    rd_kafka_mock_broker_set_rtt(mock, 1, 0);
    assert_in_range(took_ms, QUIET_MS, WAIT_MS - 1);
    EXPECT(s, SOURCE_REVOKED);
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
        cmocka_unit_test(giving_partitions_back_waits_for_the_commit_only_so_long),
    };
    return cmocka_run_group_tests(tests, start, stop_cluster);
}
