/* When the broker threads are woken, and that waking changes no credentials. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <librdkafka/rdkafka.h>

#include "common/kafka/wake.h"

enum { KIB = 1024, QUEUE_KIB = 64, QUEUE_MESSAGES = 1000, MESSAGE = 1024, BEFORE_BACKOFF = 0x020200ff };

static rd_kafka_conf_t *conf_of(const char *const properties[][2])
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set(conf, "queued.max.messages.kbytes", "64", NULL, 0);
    for (size_t i = 0; properties != NULL && properties[i][0] != NULL; i++)
        assert_int_equal(rd_kafka_conf_set(conf, properties[i][0], properties[i][1], NULL, 0),
                         RD_KAFKA_CONF_OK);
    return conf;
}

static void only_librdkafka_before_2_2_needs_it(void **state)
{
    rd_kafka_conf_t *conf = conf_of(NULL);
    struct wake w;
    (void)state;

    wake_init(&w, conf);
    assert_int_equal(w.needed, rd_kafka_version() < BEFORE_BACKOFF);
    assert_int_equal(w.limit_bytes, QUEUE_KIB * KIB);
    assert_int_equal(w.limit_messages, 100000); /* librdkafka's default */
    wake_free(&w);
    rd_kafka_conf_destroy(conf);
}

/* Kerberos has a user's name and no password: it is not touched. */
static void credentials_that_are_no_pair_are_left_alone(void **state)
{
    rd_kafka_conf_t *conf = conf_of(
        (const char *const[][2]){{"security.protocol", "SASL_PLAINTEXT"}, {"sasl.username", "joe"}, {0}});
    struct wake w;
    (void)state;

    wake_init(&w, conf);
    assert_false(w.needed);
    wake_free(&w);
    rd_kafka_conf_destroy(conf);
}

static void waking_keeps_the_credentials(void **state)
{
    static const char *const pairs[][2] = {{"sasl.username", "joe"}, {"sasl.password", "a=b c"}, {0}};
    rd_kafka_conf_t *conf = conf_of(pairs);
    struct wake w;
    (void)state;

    rd_kafka_conf_set(conf, "group.id", "g", NULL, 0);
    wake_init(&w, conf);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    assert_non_null(rk);
    wake_up(&w, rk);
    for (size_t i = 0; pairs[i][0] != NULL; i++) {
        char value[64];
        size_t size = sizeof value;
        assert_int_equal(rd_kafka_conf_get(rd_kafka_conf(rk), pairs[i][0], value, &size), RD_KAFKA_CONF_OK);
        assert_string_equal(value, pairs[i][1]);
    }
    rd_kafka_destroy(rk);
    wake_free(&w);
}

/* Takes a message at that time, with so many behind it. */
static bool took(struct wake *w, int64_t now_ms, size_t queued)
{
    return wake_looks(w, now_ms, MESSAGE) && wake_is_due(w, queued);
}

static void a_consumer_that_keeps_up_never_wakes(void **state)
{
    struct wake w = {.needed = true, .limit_bytes = QUEUE_KIB * KIB, .limit_messages = QUEUE_MESSAGES};
    (void)state;

    for (int64_t now_ms = 1000; now_ms < 3000; now_ms++)
        assert_false(took(&w, now_ms, QUEUE_KIB / 2 - 1));
    wake_emptied(&w);
    for (int64_t now_ms = 3000; now_ms < 5000; now_ms++) {
        assert_false(took(&w, now_ms, 1));
        if (now_ms % (QUEUE_KIB / 4) == 0)
            assert_false(wake_emptied(&w));
    }
}

/* All of a full queue is taken between two looks. */
static void a_queue_that_was_emptied_at_once_is_woken_for(void **state)
{
    struct wake w = {.needed = true, .limit_bytes = QUEUE_KIB * KIB, .limit_messages = QUEUE_MESSAGES};
    (void)state;

    assert_false(took(&w, 1000, 1));
    for (size_t left = QUEUE_KIB; left > 0; left--)
        assert_false(took(&w, 1001, left));
    assert_true(wake_may_be_needed(&w));
    assert_true(wake_emptied(&w));
    assert_false(wake_emptied(&w));
}

static void a_full_queue_is_woken_for_until_it_is_empty(void **state)
{
    struct wake w = {.needed = true, .limit_bytes = QUEUE_KIB * KIB, .limit_messages = QUEUE_MESSAGES};
    size_t wakes = 0;
    (void)state;

    for (int64_t now_ms = 1000; now_ms < 1100; now_ms++)
        for (size_t i = 0; i < 10; i++) /* several a millisecond */
            wakes += took(&w, now_ms, QUEUE_KIB - (size_t)(now_ms - 1000) / 2);
    assert_int_equal(wakes, 100 / WAKE_EVERY_MS);
    assert_true(wake_emptied(&w));
    assert_false(wake_emptied(&w));
    assert_false(took(&w, 2000, 1));
}

/* Fetching sleeps on a number of messages, too, which small ones reach first. */
static void a_queue_of_small_messages_is_full_by_their_number(void **state)
{
    struct wake w = {.needed = true, .limit_bytes = QUEUE_KIB * KIB, .limit_messages = QUEUE_MESSAGES};
    (void)state;

    assert_true(wake_looks(&w, 1000, 10));
    assert_false(wake_is_due(&w, QUEUE_MESSAGES / 2 - 1));
    assert_true(wake_is_due(&w, QUEUE_MESSAGES / 2));
    assert_true(wake_emptied(&w));
}

/* Messages of very different sizes: the mean follows them. */
static void the_estimate_follows_the_messages(void **state)
{
    struct wake w = {.needed = true, .limit_bytes = QUEUE_KIB * KIB, .limit_messages = QUEUE_MESSAGES};
    (void)state;

    assert_false(wake_looks(&w, 1, 100) && wake_is_due(&w, 40));
    for (int64_t now_ms = 100; now_ms < 200; now_ms++)
        wake_looks(&w, now_ms, (size_t)2 * KIB);
    assert_true(wake_is_due(&w, 40));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_librdkafka_before_2_2_needs_it),
        cmocka_unit_test(credentials_that_are_no_pair_are_left_alone),
        cmocka_unit_test(waking_keeps_the_credentials),
        cmocka_unit_test(a_consumer_that_keeps_up_never_wakes),
        cmocka_unit_test(a_queue_that_was_emptied_at_once_is_woken_for),
        cmocka_unit_test(a_full_queue_is_woken_for_until_it_is_empty),
        cmocka_unit_test(a_queue_of_small_messages_is_full_by_their_number),
        cmocka_unit_test(the_estimate_follows_the_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
