/* From where partitions are read: asked, sought, and made again. */
#include "tests/unit/twins/kafka_world.h"

enum { ASKING = 10, PLAIN = 2 };

static struct kafka_source *asking[ASKING];
static struct kafka_source *plain[PLAIN];
static int asking_taken, plain_taken;

/* All groups are joined before the first test: each waits for 3 s. The last of those that ask is bounded. */
static int start(void **state)
{
    if (start_cluster(state) != 0)
        return -1;
    for (int i = 0; i < ASKING; i++)
        asking[i] = join_group(i == ASKING - 1, true);
    for (int i = 0; i < PLAIN; i++)
        plain[i] = join_group(false, false);
    return 0;
}

/* A source that has been asked about its partition. */
static struct kafka_source *open_asked(void)
{
    struct kafka_source *s = asking[asking_taken++];

    EXPECT(s, SOURCE_ASSIGNED);
    struct source_event event = poll_for(s, SOURCE_START);
    assert_string_equal(event.start.topic, topic);
    assert_int_equal(event.start.partition, 0);
    assert_int_equal(event.start.committed, -1);
    assert_int_equal(event.start.low, 0);
    assert_int_equal(event.start.high, RECORDS);
    assert_false(event.start.recreated);
    return s;
}

static void seek(struct kafka_source *s, int64_t offset)
{
    source_seek(&s->base, topic, 0, offset);
}

static void a_partition_is_silent_until_it_is_told_where_to_begin(void **state)
{
    struct kafka_source *s = open_asked();
    (void)state;

    assert_int_equal(next_event(s, QUIET_MS), SOURCE_NONE);
    seek(s, 1);
    expect_offsets(s, 1, 2);
    source_free(&s->base);
}

static bool was_ready;

static void note_ready(void)
{
    was_ready = true;
}

/* Else a program that has not read anything yet would count as ready. */
static void ready_is_who_knows_where_to_begin(void **state)
{
    struct kafka_source *s = open_asked();
    (void)state;

    assert_true(readiness_has("assignment: it is not known yet"));
    seek(s, SOURCE_BEGINNING);
    assert_false(readiness_has("assignment: "));
    rebalance(s, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS);
    assert_true(readiness_has("assignment: no partitions"));
    health_when_ready(note_ready);
    rebalance(s, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS);
    assert_true(readiness_has("assignment: it is not known yet"));
    assert_false(was_ready); /* not for a moment either */
    health_when_ready(NULL);
    source_free(&s->base);
}

static void a_partition_goes_back_at_any_time(void **state)
{
    struct kafka_source *s = open_asked();
    (void)state;

    seek(s, SOURCE_BEGINNING);
    expect_offsets(s, 0, 2);
    seek(s, 1);
    expect_offsets(s, 1, 1);
    seek(s, 0);
    expect_offsets(s, 0, 2);
    assert_int_equal(next_event(s, QUIET_MS), SOURCE_NONE);
    source_free(&s->base);
}

/* Nothing that was fetched before the seek comes after it. */
static void what_was_fetched_before_a_seek_is_dropped(void **state)
{
    struct kafka_source *s = open_asked();
    (void)state;

    seek(s, 0);
    serve_until(s, RECORDS);
    seek(s, 2);
    expect_offsets(s, 2, 2);
    assert_int_equal(next_event(s, QUIET_MS), SOURCE_NONE);
    source_free(&s->base);
}

static void a_pause_holds_over_a_seek(void **state)
{
    struct kafka_source *s = open_asked();
    (void)state;

    source_pause(&s->base, topic);
    seek(s, 1);
    assert_int_equal(next_event(s, QUIET_MS), SOURCE_NONE);
    source_resume(&s->base, topic);
    expect_offsets(s, 1, 1);
    source_pause(&s->base, NULL);
    seek(s, 0);
    assert_int_equal(next_event(s, QUIET_MS), SOURCE_NONE);
    source_resume(&s->base, NULL);
    expect_offsets(s, 0, 2);
    source_free(&s->base);
}

/* Serve until the group's offset is that. */
static void wait_committed(struct kafka_source *s, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int64_t deadline = clock_monotonic_ms() + WAIT_MS;
    struct err err = ERR_INIT;
    rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_add(list, topic, 0);

    do {
        assert_int_equal(source_serve(&s->base, 20, &err), 0);
        assert_int_equal(rd_kafka_committed(s->rk, list, WAIT_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
    } while (at->offset != offset && clock_monotonic_ms() < deadline);
    assert_int_equal(at->offset, offset);
    rd_kafka_topic_partition_list_destroy(list);
}

static void the_group_follows_a_partition_that_goes_back(void **state)
{
    struct kafka_source *s = open_asked();
    (void)state;

    seek(s, 0);
    expect_offsets(s, 0, 2);
    source_store(&s->base, topic, 0, 2);
    wait_committed(s, 3);
    seek(s, 0);
    expect_offsets(s, 0, 0);
    source_store(&s->base, topic, 0, 0);
    wait_committed(s, 1);
    source_free(&s->base);
}

/* It was read before the seek, perhaps in a log that is gone. */
static void an_offset_that_was_not_handed_out_since_is_not_stored(void **state)
{
    struct kafka_source *s = open_asked();
    (void)state;

    seek(s, 0);
    expect_offsets(s, 0, 2);
    seek(s, 0);
    source_store(&s->base, topic, 0, 2);
    assert_int_equal(kafka_part(s, topic, 0)->stored, -1);
    expect_offsets(s, 0, 0);
    source_store(&s->base, topic, 0, 2);
    assert_int_equal(kafka_part(s, topic, 0)->stored, -1);
    source_store(&s->base, topic, 0, 0);
    assert_int_equal(kafka_part(s, topic, 0)->stored, 1);
    source_free(&s->base);
}

static void an_offset_behind_the_log_asks_again(void **state)
{
    struct kafka_source *s = open_asked();
    (void)state;

    seek(s, 100);
    struct source_event event = poll_for(s, SOURCE_START);
    assert_true(event.start.recreated);
    assert_int_equal(event.start.high, RECORDS);
    assert_int_equal(next_event(s, QUIET_MS), SOURCE_NONE);
    seek(s, SOURCE_BEGINNING);
    expect_offsets(s, 0, 2);
    source_free(&s->base);
}

static void every_assignment_asks_again(void **state)
{
    struct kafka_source *s = open_asked();
    (void)state;

    seek(s, 2);
    expect_offsets(s, 2, 2);
    rebalance(s, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS);
    seek(s, 0);
    EXPECT(s, SOURCE_REVOKED);
    rebalance(s, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS);
    seek(s, 0);
    EXPECT(s, SOURCE_ASSIGNED, SOURCE_START);
    assert_int_equal(next_event(s, QUIET_MS), SOURCE_NONE);
    source_free(&s->base);
}

static void the_end_comes_again_after_going_back(void **state)
{
    struct kafka_source *s = open_asked();
    (void)state;

    assert_true(s->config.bounded);
    seek(s, 0);
    expect_offsets(s, 0, 2);
    EXPECT(s, SOURCE_END);
    seek(s, 2);
    expect_offsets(s, 2, 2);
    EXPECT(s, SOURCE_END);
    seek(s, RECORDS);
    assert_int_equal(next_event(s, QUIET_MS), SOURCE_NONE);
    seek(s, 1);
    expect_offsets(s, 1, 2);
    EXPECT(s, SOURCE_END);
    source_free(&s->base);
}

/* Its group is further than the log: this is another log. */
static void a_topic_that_was_made_again_is_read_from_its_start(void **state)
{
    struct kafka_source *s = plain[plain_taken++];
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    (void)state;

    EXPECT(s, SOURCE_ASSIGNED, SOURCE_RECORD, SOURCE_RECORD, SOURCE_RECORD);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = 100;
    assert_int_equal(rd_kafka_commit(s->rk, list, 0), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    rebalance(s, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS);
    rebalance(s, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS);
    EXPECT(s, SOURCE_REVOKED, SOURCE_ASSIGNED);
    struct source_event event = poll_for(s, SOURCE_RECREATED);
    assert_int_equal(event.start.committed, 100);
    assert_int_equal(event.start.high, RECORDS);
    expect_offsets(s, 0, 2);
    source_free(&s->base);
}

static void wait_without(struct kafka_source *s, const char *reason)
{
    int64_t deadline = clock_monotonic_ms() + WAIT_MS;
    struct source_event event;
    struct err err = ERR_INIT;

    while (readiness_has(reason) && clock_monotonic_ms() < deadline)
        assert_int_equal(source_poll(&s->base, 20, &event, &err), 0);
    assert_false(readiness_has(reason));
}

/* An idle topic gives nothing by which one could see that it can be read again. */
static void trouble_with_an_idle_topic_ends(void **state)
{
    struct kafka_source *s = plain[plain_taken++];
    (void)state;

    EXPECT(s, SOURCE_ASSIGNED, SOURCE_RECORD, SOURCE_RECORD, SOURCE_RECORD);
    assert_int_equal(next_event(s, QUIET_MS), SOURCE_NONE);
    kafka_trouble_begins(s, kafka_topic(s, topic), RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "no right");
    assert_true(readiness_has("topic t: no right"));
    wait_without(s, "topic t: no right");
    rebalance(s, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS);
    EXPECT(s, SOURCE_REVOKED);
    kafka_trouble_begins(s, kafka_topic(s, topic), RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "?");
    assert_true(readiness_has("topic t: the topic does not exist"));
    s->trouble_tried_ms = 0;
    wait_without(s, "topic t: the topic does not exist");
    source_free(&s->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partition_is_silent_until_it_is_told_where_to_begin),
        cmocka_unit_test(ready_is_who_knows_where_to_begin),
        cmocka_unit_test(a_partition_goes_back_at_any_time),
        cmocka_unit_test(what_was_fetched_before_a_seek_is_dropped),
        cmocka_unit_test(a_pause_holds_over_a_seek),
        cmocka_unit_test(the_group_follows_a_partition_that_goes_back),
        cmocka_unit_test(an_offset_that_was_not_handed_out_since_is_not_stored),
        cmocka_unit_test(an_offset_behind_the_log_asks_again),
        cmocka_unit_test(every_assignment_asks_again),
        cmocka_unit_test(the_end_comes_again_after_going_back),
        cmocka_unit_test(a_topic_that_was_made_again_is_read_from_its_start),
        cmocka_unit_test(trouble_with_an_idle_topic_ends),
    };
    return cmocka_run_group_tests(tests, start, stop_cluster);
}
