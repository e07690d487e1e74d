#include "common/kafka/kafka_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/options/options.h"

enum { PLACE_MAX = 512, LEVEL_CRITICAL = 2 /* syslog's */ };

/* Takes one property, with the place where it was found. Returns -1 to stop. */
typedef int property_taker(void *arg, const char *place, const char *name, const char *value);

/* What the promises rest on: not to be set by the user. */
static const struct {
    const char *name;
    const char *instead;
} reserved[] = {
    {"bootstrap.servers", "use --brokers"},
    {"metadata.broker.list", "use --brokers"},
    {"group.id", "use --group"},
    {"enable.auto.commit", "offsets are committed after the work is durable"},
    {"enable.auto.offset.store", "offsets are committed after the work is durable"},
    {"auto.offset.reset", "messages that were deleted unread must not be skipped"},
    {"enable.partition.eof", "it is set as needed"},
    {"partition.assignment.strategy", "it is range,roundrobin"},
    {"enable.idempotence", "it is always on"},
    {"acks", "it is always all"},
    {"request.required.acks", "it is always all"},
    {"message.timeout.ms", "messages wait for the broker as long as it takes"},
    {"delivery.timeout.ms", "messages wait for the broker as long as it takes"},
    {"partitioner", "it is murmur2_random"},
};

static char *trim(char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
        text[--len] = '\0';
    return text;
}

/* name=value, in place. */
static int take_property(char *text, const char *place, property_taker *take, void *arg)
{
    char *equals = strchr(text, '=');

    if (equals == NULL)
        return take(arg, place, trim(text), NULL);
    *equals = '\0';
    return take(arg, place, trim(text), trim(equals + 1));
}

static int take_file(const char *file, property_taker *take, void *arg)
{
    FILE *in = fopen(file, "r");
    if (in == NULL)
        return take(arg, file, NULL, strerror(errno));

    char *line = NULL;
    size_t cap = 0;
    int number = 0;
    int rc = 0;
    while (rc == 0 && getline(&line, &cap, in) >= 0) {
        char place[PLACE_MAX];
        char *text = trim(line);
        snprintf(place, sizeof place, "%s:%d", file, ++number);
        if (*text != '\0' && *text != '#')
            rc = take_property(text, place, take, arg);
    }
    int wrong = ferror(in) ? errno : 0; /* a directory, say */
    free(line);
    fclose(in);
    return wrong != 0 ? take(arg, file, NULL, strerror(wrong)) : rc;
}

static int take_all(const struct options *options, property_taker *take, void *arg)
{
    const char *file = options_text(options, "kafka-config");
    const char *const *list;
    size_t count = options_list(options, "kafka", &list);

    if (file != NULL && take_file(file, take, arg) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        char *copy = mem_strdup(list[i]);
        int rc = take_property(copy, "--kafka", take, arg);
        free(copy);
        if (rc != 0)
            return -1;
    }
    return 0;
}

static const char *reserved_for(const char *name)
{
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (strcmp(reserved[i].name, name) == 0)
            return reserved[i].instead;
    return NULL;
}

struct checking {
    rd_kafka_conf_t *conf;
    struct faults *faults;
};

/* What librdkafka does not list: other names of properties, which people know better. */
static const char *const aliases[] = {"linger.ms",     "compression.type", "retries",
                                      "max.in.flight", "sasl.mechanism",   "max.partition.fetch.bytes"};
enum { ALIASES = sizeof aliases / sizeof aliases[0] };

/* librdkafka's own list of names is what a misspelt one is compared with. */
static const char *nearest_property(rd_kafka_conf_t *conf, const char *name, char *out, size_t size)
{
    size_t count = 0;
    const char **dump = rd_kafka_conf_dump(conf, &count);
    const char **names = mem_zalloc(count / 2 + ALIASES, sizeof *names);

    for (size_t i = 0; i + 1 < count; i += 2)
        names[i / 2] = dump[i];
    memcpy(names + count / 2, aliases, sizeof aliases);
    const char *nearest = nearest_name(name, names, count / 2 + ALIASES);
    snprintf(out, size, "%s", nearest != NULL ? nearest : "");
    free(names);
    rd_kafka_conf_dump_free(dump, count);
    return *out != '\0' ? out : NULL;
}

static int check_property(void *arg, const char *place, const char *name, const char *value)
{
    const struct checking *c = arg;
    char text[512];
    char nearest[128];

    if (name == NULL) {
        fault_add(c->faults, FAULT_ERROR, place, "cannot be read: %s", value);
        return 0;
    }
    if (value == NULL) {
        fault_add(c->faults, FAULT_ERROR, place, "\"%s\" is not of the form name=value", name);
        return 0;
    }
    const char *instead = reserved_for(name);
    if (instead != NULL) {
        fault_add(c->faults, FAULT_ERROR, place, "%s cannot be set here: %s", name, instead);
        return 0;
    }
    switch (rd_kafka_conf_set(c->conf, name, value, text, sizeof text)) {
    case RD_KAFKA_CONF_OK:
        break;
    case RD_KAFKA_CONF_UNKNOWN:
        if (nearest_property(c->conf, name, nearest, sizeof nearest) != NULL)
            fault_add(c->faults, FAULT_ERROR, place, "unknown property %s; did you mean %s?", name, nearest);
        else
            fault_add(c->faults, FAULT_ERROR, place, "unknown property %s", name);
        break;
    case RD_KAFKA_CONF_INVALID:
        /* librdkafka's text may repeat the value, which may be a password: only the name is shown */
        fault_add(c->faults, FAULT_ERROR, place, "%s does not take this value", name);
        break;
    }
    return 0;
}

void kafka_check(const struct options *options, struct faults *faults)
{
    struct checking c = {.conf = rd_kafka_conf_new(), .faults = faults};

    take_all(options, check_property, &c);
    rd_kafka_conf_destroy(c.conf);
}

void kafka_conf_must(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[512];

    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
        log_error("librdkafka refuses %s=%s: %s", name, value, text);
        abort();
    }
}

struct setting {
    rd_kafka_conf_t *conf;
    struct err *err;
};

static int set_property(void *arg, const char *place, const char *name, const char *value)
{
    const struct setting *s = arg;
    char text[512];

    if (name == NULL || value == NULL || reserved_for(name) != NULL ||
        rd_kafka_conf_set(s->conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK)
        return err_set(s->err, ERR_CONFIG, 0, "%s: %s is no usable property of librdkafka", place,
                       name != NULL ? name : "the file");
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
    {KAFKA_CONSUMER, "queued.max.messages.kbytes", "8192"},
    {KAFKA_CONSUMER, "fetch.message.max.bytes", "262144"},
    {KAFKA_CONSUMER, "fetch.max.bytes", "2097152"},
    {KAFKA_CONSUMER, "fetch.wait.max.ms", "200"},
    {KAFKA_CONSUMER, "receive.message.max.bytes", "33554432"},
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
    if (take_all(options, set_property, &s) != 0)
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

int kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **ret, struct err *err)
{
    char text[512];
    rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof text);

    if (rk == NULL) {
        rd_kafka_conf_destroy(conf);
        return err_set(err, ERR_CONFIG, 0, "Kafka client: %s", text);
    }
    *ret = rk;
    return 0;
}
