#include "common/kafka/kafka_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/units.h"
#include "common/kafka/property.h"
#include "common/options/options.h"

enum { LEVEL_CRITICAL = 2 /* syslog's */ };

void kafka_conf_must(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    if (rd_kafka_conf_set(conf, name, value, NULL, 0) != RD_KAFKA_CONF_OK)
        abort(); /* a mistake in the code */
}

struct setting {
    rd_kafka_conf_t *conf;
    struct err *err;
};

static int set_property(void *arg, const struct property *property)
{
    const struct setting *s = arg;
    char text[512];

    if (property->name == NULL || property->value == NULL || property_refused(property, text, sizeof text) ||
        rd_kafka_conf_set(s->conf, property->name, property->value, NULL, 0) != RD_KAFKA_CONF_OK)
        return err_set(s->err, ERR_CONFIG, 0, "%s: cannot be used; --check says why", property->place);
    return 0;
}

/* librdkafka's own lines are for debugging: what matters comes through health and errors, once. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    if (level <= LEVEL_CRITICAL)
        log_at(LOG_ERROR, "kafka: %s: %s", facility, text);
    else
        log_debug("kafka: %s: %s", facility, text);
}

static const struct {
    enum kafka_client client;
    const char *name;
    const char *value;
} defaults[] = {
    {KAFKA_CONSUMER, "session.timeout.ms", "10000"},
    {KAFKA_CONSUMER, "heartbeat.interval.ms", "2000"},
    {KAFKA_CONSUMER, "max.poll.interval.ms", "300000"},
    /* memory: one queue for all partitions, and no more than a few answers in flight */
    {KAFKA_CONSUMER, "queued.max.messages.kbytes", "4096"},
    {KAFKA_CONSUMER, "fetch.message.max.bytes", "262144"},
    {KAFKA_CONSUMER, "fetch.max.bytes", "1048576"},
    {KAFKA_CONSUMER, "fetch.wait.max.ms", "200"},
    {KAFKA_CONSUMER, "receive.message.max.bytes", "285212672"}, /* KAFKA_RECEIVE_BYTES */
    {KAFKA_PRODUCER, "queue.buffering.max.kbytes", "32768"},
    {KAFKA_PRODUCER, "linger.ms", "5"},
    {KAFKA_PRODUCER, "compression.type", "lz4"},
};

static const struct {
    enum kafka_client client;
    const char *name;
    const char *value;
} fixed[] = {
    {KAFKA_CONSUMER, "enable.auto.commit", "false"},
    {KAFKA_CONSUMER, "enable.auto.offset.store", "false"},
    {KAFKA_CONSUMER, "auto.offset.reset", "error"},
    {KAFKA_CONSUMER, "enable.partition.eof", "true"},
    {KAFKA_CONSUMER, "partition.assignment.strategy", "range,roundrobin"},
    {KAFKA_CONSUMER, "statistics.interval.ms", "1000"},
    {KAFKA_PRODUCER, "enable.idempotence", "true"},
    {KAFKA_PRODUCER, "acks", "all"},
    {KAFKA_PRODUCER, "message.timeout.ms", "0"},
    {KAFKA_PRODUCER, "partitioner", "murmur2_random"},
};

_Static_assert(KAFKA_RECEIVE_BYTES == 285212672, "the default of receive.message.max.bytes");

/* When the queue of what was fetched ahead is full, librdkafka looks again after a second: before 2.2 always,
 * since then after fetch.queue.backoff.ms. Only where that can be shortened does a small queue not starve a
 * program that empties it in less than a second. */
static void set_small_queue(rd_kafka_conf_t *conf)
{
    if (rd_kafka_conf_set(conf, "fetch.queue.backoff.ms", "10", NULL, 0) == RD_KAFKA_CONF_OK)
        kafka_conf_must(conf, "queued.max.messages.kbytes", "1024");
}

int kafka_conf_new(const struct options *options, enum kafka_client client, rd_kafka_conf_t **ret,
                   struct err *err)
{
    struct setting s = {.conf = rd_kafka_conf_new(), .err = err};

    rd_kafka_conf_set_log_cb(s.conf, on_log);
    kafka_conf_must(s.conf, "reconnect.backoff.ms", "100");
    kafka_conf_must(s.conf, "reconnect.backoff.max.ms", "2000");
    kafka_conf_must(s.conf, "socket.keepalive.enable", "true");
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
        if (defaults[i].client == client)
            kafka_conf_must(s.conf, defaults[i].name, defaults[i].value);
    if (client == KAFKA_CONSUMER)
        set_small_queue(s.conf);
    if (rd_kafka_conf_set(s.conf, "bootstrap.servers", options_text(options, "brokers"), NULL, 0) !=
        RD_KAFKA_CONF_OK) {
        err_set(err, ERR_CONFIG, 0, "--brokers: not a list of host:port");
        goto fail;
    }
    if (properties_take(options, set_property, &s) != 0)
        goto fail;
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (fixed[i].client == client)
            kafka_conf_must(s.conf, fixed[i].name, fixed[i].value);
    *ret = s.conf;
    return 0;
fail:
    rd_kafka_conf_destroy(s.conf);
    return -1;
}

int64_t kafka_conf_number(const rd_kafka_conf_t *conf, const char *name)
{
    char text[32];
    size_t size = sizeof text;
    int64_t n;

    if (rd_kafka_conf_get(conf, name, text, &size) != RD_KAFKA_CONF_OK || parse_int64(text, &n) != 0)
        abort(); /* a mistake in the code */
    return n;
}

/* A message that is larger than the producer's whole queue would wait for room for ever. */
static void make_room_for_largest(rd_kafka_conf_t *conf)
{
    int64_t needed = kafka_conf_number(conf, "message.max.bytes") / 1024 + 1;
    char text[32];

    if (kafka_conf_number(conf, "queue.buffering.max.kbytes") >= needed)
        return;
    snprintf(text, sizeof text, "%" PRId64, needed);
    kafka_conf_must(conf, "queue.buffering.max.kbytes", text);
}

int kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **ret, struct err *err)
{
    char text[512];

    if (type == RD_KAFKA_PRODUCER)
        make_room_for_largest(conf);
    rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof text);

    if (rk == NULL) {
        rd_kafka_conf_destroy(conf);
        return err_set(err, ERR_CONFIG, 0, "Kafka client: %s", text);
    }
    *ret = rk;
    return 0;
}
