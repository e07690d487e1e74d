/* A partition begins although pauses come and go at that very moment, and a program ends although a rebalance
 * does.
 *
 * librdkafka gives each order to a partition a number and drops one that arrives behind a higher number. Its
 * own thread takes the number of "begin", and says so in its log, before it sends that order. There the test
 * holds it, until the program has given an order of its own, or for a while. */
#include <dlfcn.h>
#include <pthread.h>
#include <time.h>

#include "tests/unit/twins/kafka_world.h"

enum { SOURCES = 5, ORDER_MS = 300, SEND_MS = 50, RTT_MS = 200 };

static struct kafka_source *joined[SOURCES];
static int taken;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool rebalancing;   /* the first source is to be told of its partition */
    bool watched;       /* the next beginning is held */
    bool beginning;     /* it has its number */
    bool ordered;       /* the program's order has a number, too */
    bool answered;      /* the program's call has returned */
    bool ending, ended; /* the first source is to end; its group has */
} held = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void set_flag(bool *flag)
{
    pthread_mutex_lock(&held.lock);
    *flag = true;
    pthread_cond_broadcast(&held.changed);
    pthread_mutex_unlock(&held.lock);
}

/* Until it is set, or for so long; held.lock is held. */
static void wait_for(const bool *flag, int limit_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += limit_ms % 1000 * 1000000L;
    until.tv_sec += limit_ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (!*flag && pthread_cond_timedwait(&held.changed, &held.lock, &until) == 0)
        continue;
}

/* In librdkafka's thread. The order is sent right after its number was taken, which nothing tells. */
static void hold_beginning(void)
{
    pthread_mutex_lock(&held.lock);
    if (held.watched) {
        held.watched = false;
        held.beginning = true;
        pthread_cond_broadcast(&held.changed);
        wait_for(&held.ordered, ORDER_MS);
        if (held.ordered)
            wait_for(&held.answered, SEND_MS);
    }
    pthread_mutex_unlock(&held.lock);
}

/* In librdkafka's thread, before it tells that the partition has stopped: the program is ahead. */
static void hold_stop(void)
{
    pthread_mutex_lock(&held.lock);
    if (held.watched)
        wait_for(&held.ordered, SEND_MS);
    pthread_mutex_unlock(&held.lock);
}

/* In the program's thread, before its order has a number. */
static void hold_order(void)
{
    pthread_mutex_lock(&held.lock);
    if (held.watched)
        wait_for(&held.beginning, ORDER_MS + RTT_MS);
    pthread_mutex_unlock(&held.lock);
}

/* In librdkafka's thread, before it throws away what waits for an answer. */
static void hold_end(void)
{
    pthread_mutex_lock(&held.lock);
    if (held.ending) {
        held.ended = true;
        pthread_cond_broadcast(&held.changed);
        wait_for(&held.answered, SEND_MS);
    }
    pthread_mutex_unlock(&held.lock);
}

/* In place of librdkafka's: while the end is watched, the question comes when the group has ended. */
rd_kafka_resp_err_t rd_kafka_assign(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t (*assign)(rd_kafka_t *, const rd_kafka_topic_partition_list_t *);

    *(void **)&assign = dlsym(RTLD_NEXT, "rd_kafka_assign");
    pthread_mutex_lock(&held.lock);
    if (held.ending)
        wait_for(&held.ended, ORDER_MS);
    pthread_mutex_unlock(&held.lock);
    return assign(rk, list);
}

static void take_line(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    bool switches = strcmp(facility, "PAUSE") == 0 || strcmp(facility, "RESUME") == 0;
    (void)level;

    if (joined[0] != NULL && rk == joined[0]->rk && strstr(text, "delegating assign") != NULL)
        set_flag(&held.rebalancing);
    if (strstr(text, "Stopping fetch") != NULL)
        hold_stop();
    else if (strstr(text, "-> term") != NULL)
        hold_end();
    else if (strstr(text, "Start consuming") != NULL)
        hold_beginning();
    else if (switches && strstr(text, "Application") != NULL)
        hold_order();
    else if (switches && strstr(text, "thrd:app") != NULL)
        set_flag(&held.ordered);
}

static int start(void **state)
{
    if (start_cluster(state) != 0)
        return -1;
    for (int i = 0; i < SOURCES; i++) {
        joined[i] = join_group_with(false, true, "debug=topic,cgrp");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* the only one that sets it later */
        rd_kafka_set_logger(joined[i]->rk, take_line);
#pragma GCC diagnostic pop
    }
    return 0;
}

/* A source that reads its partition and has had the first record. */
static struct kafka_source *open_reading(void)
{
    struct kafka_source *s = joined[taken++];

    EXPECT(s, SOURCE_ASSIGNED, SOURCE_START);
    source_seek(&s->base, topic, 0, 0);
    expect_offsets(s, 0, 0);
    return s;
}

static void hold_next_beginning(void)
{
    pthread_mutex_lock(&held.lock);
    held.watched = true;
    held.beginning = held.ordered = held.answered = false;
    pthread_mutex_unlock(&held.lock);
}

static void poll_once(struct kafka_source *s)
{
    struct source_event event;
    struct err err = ERR_INIT;

    assert_int_equal(source_poll(&s->base, 0, &event, &err), 0);
    assert_int_equal(event.kind, SOURCE_NONE);
}

static void a_seek_begins(void **state)
{
    struct kafka_source *s = open_reading();
    (void)state;

    hold_next_beginning();
    source_seek(&s->base, topic, 0, 1);
    poll_once(s);
    set_flag(&held.answered);
    assert_true(held.beginning);
    expect_offsets(s, 1, 2);
    source_free(&s->base);
}

static void a_seek_under_a_pause_begins_after_it(void **state)
{
    struct kafka_source *s = open_reading();
    (void)state;

    source_pause(&s->base, topic);
    hold_next_beginning();
    source_seek(&s->base, topic, 0, 1);
    poll_once(s);
    set_flag(&held.answered);
    assert_int_equal(next_event(s, QUIET_MS), SOURCE_NONE);
    assert_int_equal(s->stash_count, 0);
    source_resume(&s->base, topic);
    expect_offsets(s, 1, 2);
    source_free(&s->base);
}

/* Serve until a commit is under way, whose answer takes its time. */
static void begin_commit(struct kafka_source *s)
{
    int64_t deadline = clock_monotonic_ms() + WAIT_MS;
    struct err err = ERR_INIT;

    rd_kafka_mock_broker_set_rtt(rd_kafka_handle_mock_cluster(cluster), 1, RTT_MS);
    source_store(&s->base, topic, 0, 0);
    while (!s->committing && clock_monotonic_ms() < deadline)
        assert_int_equal(source_serve(&s->base, 0, &err), 0);
    assert_true(s->committing);
}

/* librdkafka begins nothing while a commit is under way. */
static void a_pause_while_a_commit_is_under_way_holds_and_ends(void **state)
{
    struct kafka_source *s = open_reading();
    (void)state;

    begin_commit(s);
    hold_next_beginning();
    source_seek(&s->base, topic, 0, 1);
    poll_once(s);
    source_pause(&s->base, topic);
    set_flag(&held.answered);
    assert_int_equal(next_event(s, QUIET_MS + RTT_MS), SOURCE_NONE);
    rd_kafka_mock_broker_set_rtt(rd_kafka_handle_mock_cluster(cluster), 1, 0);
    source_resume(&s->base, topic);
    expect_offsets(s, 1, 2);
    source_free(&s->base);
}

static void a_pause_that_ends_while_a_commit_is_under_way_has_ended(void **state)
{
    struct kafka_source *s = open_reading();
    (void)state;

    source_pause(&s->base, topic);
    begin_commit(s);
    hold_next_beginning();
    source_seek(&s->base, topic, 0, 1);
    poll_once(s);
    source_resume(&s->base, topic);
    set_flag(&held.answered);
    rd_kafka_mock_broker_set_rtt(rd_kafka_handle_mock_cluster(cluster), 1, 0);
    expect_offsets(s, 1, 2);
    source_free(&s->base);
}

/* The rebalance waits to be told. In its callback the program asks for an answer that is thrown away when the
 * group has ended. */
static void a_rebalance_does_not_hold_up_the_end(void **state)
{
    struct kafka_source *s = joined[taken++];
    (void)state;

    pthread_mutex_lock(&held.lock);
    wait_for(&held.rebalancing, WAIT_MS);
    assert_true(held.rebalancing);
    held.ending = true;
    held.answered = false;
    pthread_mutex_unlock(&held.lock);
    source_free(&s->base);
    assert_true(held.ended);
    held.ending = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rebalance_does_not_hold_up_the_end),
        cmocka_unit_test(a_seek_begins),
        cmocka_unit_test(a_seek_under_a_pause_begins_after_it),
        cmocka_unit_test(a_pause_while_a_commit_is_under_way_holds_and_ends),
        cmocka_unit_test(a_pause_that_ends_while_a_commit_is_under_way_has_ended),
    };
    return cmocka_run_group_tests(tests, start, stop_cluster);
}
