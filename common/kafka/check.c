/* What can be said of the Kafka configuration without a broker. */
#include "common/kafka/kafka_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/kafka/property.h"
#include "common/options/options.h"

enum { TEXT_MAX = 512 };

/* ---- one property at a time ---- */

struct checking {
    rd_kafka_conf_t *conf;
    struct faults *faults;
};

/* What librdkafka does not list: properties that have no default, and other names, which people know better.
 */
static const char *const unlisted[] = {
    "sasl.username",
    "sasl.password",
    "ssl.ca.location",
    "ssl.ca.pem",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.key.password",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "client.rack",
    "linger.ms",
    "compression.type",
    "retries",
    "max.in.flight",
    "sasl.mechanism",
    "max.partition.fetch.bytes",
};
enum { UNLISTED = sizeof unlisted / sizeof unlisted[0] };

/* librdkafka's own list of names is what a misspelt one is compared with. */
static const char *nearest_property(rd_kafka_conf_t *conf, const char *name, char *out, size_t size)
{
    size_t count = 0;
    const char **dump = rd_kafka_conf_dump(conf, &count);
    const char **names = mem_zalloc(count / 2 + UNLISTED, sizeof *names);

    for (size_t i = 0; i + 1 < count; i += 2)
        names[i / 2] = dump[i];
    memcpy(names + count / 2, unlisted, sizeof unlisted);
    const char *nearest = nearest_name(name, names, count / 2 + UNLISTED);
    snprintf(out, size, "%s", nearest != NULL ? nearest : "");
    free(names);
    rd_kafka_conf_dump_free(dump, count);
    return *out != '\0' ? out : NULL;
}

/* The name itself is not shown: it may be a piece of a password that stands on a line of its own. */
static void refuse_unknown(const struct checking *c, const struct property *property)
{
    char text[TEXT_MAX];

    if (nearest_property(c->conf, property->name, text, sizeof text) != NULL)
        fault_add(c->faults, FAULT_ERROR, property->place, "unknown property; did you mean %s?", text);
    else
        fault_add(c->faults, FAULT_ERROR, property->place, "unknown property");
}

/* A line without '=': its first word is shown if it is a property's name, and nothing else of it. */
static void refuse_shapeless(const struct checking *c, const struct property *property)
{
    char *word = mem_strndup(property->name, strcspn(property->name, " \t:"));

    if (rd_kafka_conf_set(c->conf, word, NULL, NULL, 0) != RD_KAFKA_CONF_UNKNOWN) /* NULL: its default */
        fault_add(c->faults, FAULT_ERROR, property->place, "%s is not of the form name=value", word);
    else
        fault_add(c->faults, FAULT_ERROR, property->place, "the line is not of the form name=value");
    explicit_bzero(word, strlen(word));
    free(word);
}

/* librdkafka says of a missing file only "system lib". */
static void check_file(const struct checking *c, const struct property *property)
{
    static const char *const files[] = {"ssl.ca.location", "ssl.certificate.location", "ssl.key.location",
                                        "ssl.keystore.location", "ssl.crl.location"};

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (strcmp(property->name, files[i]) == 0 && strcmp(property->value, "probe") != 0 &&
            access(property->value, R_OK) != 0)
            fault_add(c->faults, FAULT_ERROR, property->place, "the file of %s cannot be read: %m", files[i]);
}

static int check_property(void *arg, const struct property *property)
{
    const struct checking *c = arg;
    char text[TEXT_MAX];

    if (property->name == NULL) {
        fault_add(c->faults, FAULT_ERROR, property->place, "%s", property->value);
        return 0;
    }
    if (property->value == NULL) {
        refuse_shapeless(c, property);
        return 0;
    }
    if (property_refused(property, text, sizeof text)) {
        fault_add(c->faults, FAULT_ERROR, property->place, "%s", text);
        return 0;
    }
    rd_kafka_conf_res_t result = rd_kafka_conf_set(c->conf, property->name, property->value, NULL, 0);
    if (result == RD_KAFKA_CONF_OK) {
        check_file(c, property);
        return 0;
    }
    /* librdkafka's text may repeat the value, which may be a password: only the name is shown */
    if (property_of_java(property->name, text, sizeof text))
        fault_add(c->faults, FAULT_ERROR, property->place, "%s", text);
    else if (result == RD_KAFKA_CONF_UNKNOWN)
        refuse_unknown(c, property);
    else
        fault_add(c->faults, FAULT_ERROR, property->place, "%s does not take this value", property->name);
    return 0;
}

/* ---- the clients that they would make ---- */

static void ignore_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk, (void)level, (void)facility, (void)text;
}

static const char *config_place(const struct options *options)
{
    const char *file = options_text(options, "kafka-config");

    return file != NULL ? file : "--kafka";
}

/* What is checked of one configuration. */
struct client_check {
    const struct options *options;
    const struct topics *topics;
    struct faults *faults;
};

/* A message that is larger than the limit would never be received, and those behind it neither. */
static void check_receiving(const struct client_check *c, const rd_kafka_conf_t *conf)
{
    size_t largest = 0;

    for (int role = 0; role < TOPIC_ROLES; role++) {
        size_t bytes = topic_max_bytes(c->topics, (enum topic_role)role);
        largest = bytes > largest ? bytes : largest;
    }
    if (kafka_conf_number(conf, "receive.message.max.bytes") < (int64_t)largest + KAFKA_ANSWER_BYTES)
        fault_add(
            c->faults, FAULT_ERROR, config_place(c->options),
            "receive.message.max.bytes is too small: topics.conf lets a message have %zu bytes, so %zu is "
            "the least",
            largest, largest + KAFKA_ANSWER_BYTES);
}

/* Make the client as the start will, but without brokers: what librdkafka looks at only now (properties that
 * exclude each other, files of TLS, SASL without a user) shows here, and nobody is connected to. */
static bool check_client(const struct client_check *c, enum kafka_client client)
{
    rd_kafka_type_t type = client == KAFKA_CONSUMER ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER;
    struct err err = ERR_INIT;
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;

    if (kafka_conf_new(c->options, client, &conf, &err) != 0)
        goto fail;
    if (client == KAFKA_CONSUMER)
        check_receiving(c, conf);
    kafka_conf_must(conf, "bootstrap.servers", NULL);
    rd_kafka_conf_set_log_cb(conf, ignore_log);
    if (kafka_client_new(type, conf, &rk, &err) != 0)
        goto fail;
    rd_kafka_destroy(rk);
    return true;
fail:
    fault_add(c->faults, FAULT_ERROR, config_place(c->options), "%s", err.text);
    return false;
}

void kafka_check(const struct options *options, const struct topics *topics, struct faults *faults)
{
    const struct client_check clients = {.options = options, .topics = topics, .faults = faults};
    struct checking c = {.conf = rd_kafka_conf_new(), .faults = faults};
    size_t before = faults->errors;

    brokers_check(options_text(options, "brokers"), faults);
    properties_take(options, check_property, &c);
    rd_kafka_conf_destroy(c.conf);
    if (faults->errors == before && check_client(&clients, KAFKA_CONSUMER))
        (void)check_client(&clients, KAFKA_PRODUCER);
}
