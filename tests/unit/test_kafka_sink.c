/* The producer against librdkafka's mock cluster: what the broker does not take waits, and says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/faults.h"
#include "common/kafka/kafka.h"
#include "common/monitor/health.h"
#include "common/monitor/metrics.h"
#include "common/options/options.h"

enum { WAIT_MS = 20000, STEP_MS = 50, LONG_MS = 3500 /* longer than three attempts */ };

static const char topic[] = "t";
static rd_kafka_t *cluster;
static rd_kafka_mock_cluster_t *mock;

static int start_cluster(void **state)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)state;

    rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", NULL, 0);
    rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
    cluster = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    if (cluster == NULL)
        return -1;
    mock = rd_kafka_handle_mock_cluster(cluster);
    return rd_kafka_mock_topic_create(mock, topic, 1, 1) == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : -1;
}

static int stop_cluster(void **state)
{
    (void)state;
    rd_kafka_destroy(cluster);
    metrics_forget();
    health_forget();
    return 0;
}

static struct sink *open_sink(void)
{
    char *argv[] = {(char *)(uintptr_t) "loader",
                    (char *)(uintptr_t) "--brokers",
                    (char *)(uintptr_t)rd_kafka_mock_cluster_bootstraps(mock),
                    (char *)(uintptr_t) "--kafka",
                    (char *)(uintptr_t) "topic.metadata.propagation.max.ms=100",
                    (char *)(uintptr_t) "--kafka",
                    (char *)(uintptr_t) "topic.metadata.refresh.interval.ms=200",
                    NULL};
    char *env[] = {NULL};
    struct faults faults = FAULTS_INIT;
    struct err err = ERR_INIT;
    struct sink *sink = NULL;

    struct options *options = options_read(PROGRAM_LOADER, 7, argv, env, &faults);
    assert_int_equal(faults.errors, 0);
    assert_int_equal(kafka_sink_open(options, 1024 * 1024, &sink, &err), 0);
    options_free(options);
    faults_free(&faults);
    return sink;
}

static bool says_so(void)
{
    struct buf why;

    buf_init(&why, 65536);
    health_ready(&why);
    bool said = strstr(why.data, "publish: ") != NULL;
    buf_free(&why);
    return said;
}

static int send_one(struct sink *sink, struct err *err)
{
    const struct message m = {.topic = topic, .key = "k", .key_len = 1, .value = "v", .value_len = 1};

    err_clear(err);
    return sink_send(sink, &m, err);
}

static void a_topic_that_is_gone_is_waited_for_and_named(void **state)
{
    struct err err = ERR_INIT;
    struct sink *sink = open_sink();
    int64_t deadline = clock_monotonic_ms() + WAIT_MS;
    (void)state;

    rd_kafka_mock_topic_set_error(mock, topic, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    assert_int_equal(send_one(sink, &err), 0);
    while (!says_so() && clock_monotonic_ms() < deadline)
        assert_int_equal(sink_wait(sink, STEP_MS, &err), 1);
    assert_true(says_so());
    /* as long as it lasts, whatever is tried meanwhile */
    for (int64_t until = clock_monotonic_ms() + LONG_MS; clock_monotonic_ms() < until;) {
        sink_wait(sink, STEP_MS, &err);
        assert_true(says_so());
    }
    /* what is sent meanwhile waits with it: messages of other topics go on */
    assert_int_equal(send_one(sink, &err), 0);
    assert_int_equal(sink_wait(sink, 0, &err), 2);
    assert_true(says_so());

    rd_kafka_mock_topic_set_error(mock, topic, RD_KAFKA_RESP_ERR_NO_ERROR);
    while (sink_wait(sink, STEP_MS, &err) > 0 && clock_monotonic_ms() < deadline + WAIT_MS)
        continue;
    assert_int_equal(sink_wait(sink, STEP_MS, &err), 0);
    assert_false(says_so());
    sink_free(sink);
}

/* ---- sizes ---- */

enum { MESSAGES = 5, PRODUCE_REQUEST = 0 };

static size_t acked;
static uint64_t acked_tickets;

static void take_ack(void *arg, uint64_t ticket)
{
    assert_ptr_equal(arg, &acked);
    acked++;
    acked_tickets |= UINT64_C(1) << ticket;
}

static struct sink *open_counting_sink(void)
{
    struct sink *sink = open_sink();

    acked = 0;
    acked_tickets = 0;
    sink->acked = take_ack;
    sink->arg = &acked;
    return sink;
}

static void send_numbered(struct sink *sink)
{
    for (uint64_t ticket = 1; ticket <= MESSAGES; ticket++) {
        const struct message m = {.topic = topic, .value = "v", .value_len = 1, .ticket = ticket};
        assert_int_equal(sink_send(sink, &m, NULL), 0);
    }
}

static void wait_for_all(struct sink *sink)
{
    int64_t deadline = clock_monotonic_ms() + WAIT_MS;
    int left = 1;

    while (left > 0 && clock_monotonic_ms() < deadline)
        left = sink_wait(sink, STEP_MS, NULL);
    assert_int_equal(left, 0);
}

/* The broker judges the size of a batch: what it refuses together it may take one by one. */
static void a_refused_batch_is_sent_again_message_by_message(void **state)
{
    struct sink *sink = open_counting_sink();
    struct sink_failure failure;
    (void)state;

    rd_kafka_mock_push_request_errors(mock, PRODUCE_REQUEST, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    send_numbered(sink);
    wait_for_all(sink);
    assert_false(sink_failure(sink, &failure));
    assert_int_equal(acked, MESSAGES);
    assert_int_equal(acked_tickets, (1 << (MESSAGES + 1)) - 2);
    sink_free(sink);
}

/* Refused alone, too: that one is a failure, and the others are there. */
static void a_message_that_is_refused_alone_is_a_failure(void **state)
{
    struct sink *sink = open_counting_sink();
    struct sink_failure failure;
    (void)state;

    rd_kafka_mock_push_request_errors(mock, PRODUCE_REQUEST, 2, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    send_numbered(sink);
    wait_for_all(sink);
    assert_true(sink_failure(sink, &failure));
    assert_in_range(failure.ticket, 1, MESSAGES);
    assert_false(acked_tickets & UINT64_C(1) << failure.ticket);
    assert_false(sink_failure(sink, &failure));
    assert_int_equal(acked, MESSAGES - 1);
    sink_free(sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topic_that_is_gone_is_waited_for_and_named),
        cmocka_unit_test(a_refused_batch_is_sent_again_message_by_message),
        cmocka_unit_test(a_message_that_is_refused_alone_is_a_failure),
    };
    return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}
