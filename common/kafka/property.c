#include "common/kafka/property.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/options/options.h"

enum { PLACE_MAX = 512, FILE_MAX_BYTES = 64 * 1024 };

/* ---- where they stand ---- */

static char *trim_text(char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
        text[--len] = '\0';
    return text;
}

/* Cut name=value in place. */
static int take_text(char *text, const char *place, bool is_flag, property_taker *take, void *arg)
{
    struct property property = {.place = place, .is_flag = is_flag};
    char *equals = strchr(text, '=');

    if (equals != NULL) {
        *equals = '\0';
        property.value = trim_text(equals + 1);
    }
    property.name = trim_text(text);
    return take(arg, &property);
}

static int take_lines(const char *file, char *text, property_taker *take, void *arg)
{
    int number = 0;
    int rc = 0;

    for (char *line; rc == 0 && (line = strsep(&text, "\n")) != NULL;) {
        char place[PLACE_MAX];
        snprintf(place, sizeof place, "%s:%d", file, ++number);
        line = trim_text(line);
        if (*line != '\0' && *line != '#')
            rc = take_text(line, place, false, take, arg);
    }
    return rc;
}

static int take_unreadable(const char *file, const char *why, property_taker *take, void *arg)
{
    return take(arg, &(struct property){.place = file, .value = why});
}

static int take_file(const char *file, property_taker *take, void *arg)
{
    struct err err = ERR_INIT;
    char *text = NULL;
    size_t len = 0;

    if (file_read(file, FILE_MAX_BYTES, &text, &len, &err) != 0)
        return take_unreadable(file, err.text, take, arg);
    int rc = memchr(text, '\0', len) != NULL
                 ? take_unreadable(file, "holds a NUL byte: it is not text", take, arg)
                 : take_lines(file, text, take, arg);
    explicit_bzero(text, len); /* sasl.password */
    free(text);
    return rc;
}

static int take_flag(const char *item, size_t number, size_t count, property_taker *take, void *arg)
{
    char place[PLACE_MAX] = "--kafka";
    char *copy = mem_strdup(item);

    if (count > 1)
        snprintf(place, sizeof place, "--kafka (item %zu)", number);
    int rc = take_text(copy, place, true, take, arg);
    explicit_bzero(copy, strlen(item));
    free(copy);
    return rc;
}

int properties_take(const struct options *options, property_taker *take, void *arg)
{
    const char *file = options_text(options, "kafka-config");
    const char *const *list;
    size_t count = options_list(options, "kafka", &list);

    if (file != NULL && take_file(file, take, arg) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (take_flag(list[i], i + 1, count, take, arg) != 0)
            return -1;
    return 0;
}

/* ---- which are refused ---- */

/* What the promises rest on. */
static const struct {
    const char *name;
    const char *instead;
} reserved[] = {
    {"bootstrap.servers", "use --brokers"},
    {"metadata.broker.list", "use --brokers"},
    {"group.id", "use --group"},
    {"group.instance.id", "a member that keeps its name keeps its partitions while it is dead, and a second "
                          "process with the same configuration ends the first"},
    {"transactional.id", "the programs use no transactions (repeated messages do no harm), and a second "
                         "process with the same configuration would end the first"},
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
    {"message.max.bytes", "it follows max.message.bytes in topics.conf"},
    {"partitioner", "it is murmur2_random"},
    {"test.mock.num.brokers", "it replaces the brokers by simulated ones"},
};

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), n = strlen(end);

    return len >= n && strcmp(text + len - n, end) == 0;
}

static bool is_secret(const char *name)
{
    return ends_with(name, ".password") || strstr(name, "secret") != NULL ||
           strcmp(name, "ssl.key.pem") == 0 || strcmp(name, "ssl.keystore.key") == 0 ||
           strcmp(name, "sasl.jaas.config") == 0;
}

bool property_refused(const struct property *property, char *out, size_t size)
{
    if (property->is_flag && is_secret(property->name)) {
        snprintf(out, size,
                 "%s is a secret, and here everybody on the machine could read it: write it as a line into "
                 "the file that --kafka-config names",
                 property->name);
        return true;
    }
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (strcmp(reserved[i].name, property->name) == 0) {
            snprintf(out, size, "%s cannot be set here: %s", property->name, reserved[i].instead);
            return true;
        }
    }
    return false;
}

/* ---- Java's names ---- */

#define STORE_IS_PEM "the certificates stand in a PEM file, without a password"
#define NO_CLASSES   "there are no Java classes"
#define RAW_BYTES    "keys and values are bytes"

static const struct {
    const char *name;
    const char *counterpart; /* NULL: none, and why says so */
    const char *why;
} java_properties[] = {
    {"sasl.jaas.config", "sasl.username and sasl.password", NULL},
    {"ssl.truststore.location", "ssl.ca.location (a PEM file)", NULL},
    {"ssl.truststore.certificates", "ssl.ca.pem", NULL},
    {"ssl.truststore.password", NULL, STORE_IS_PEM},
    {"ssl.truststore.type", NULL, STORE_IS_PEM},
    {"ssl.keystore.type", NULL,
     "ssl.keystore.location is a PKCS#12 file, ssl.certificate.location a PEM file"},
    {"ssl.keystore.key", "ssl.key.pem", NULL},
    {"ssl.keystore.certificate.chain", "ssl.certificate.pem", NULL},
    {"ssl.protocol", NULL, "OpenSSL chooses"},
    {"ssl.enabled.protocols", NULL, "OpenSSL chooses"},
    {"ssl.provider", NULL, "it is OpenSSL"},
    {"ssl.keymanager.algorithm", NULL, "it is OpenSSL"},
    {"ssl.trustmanager.algorithm", NULL, "it is OpenSSL"},
    {"ssl.secure.random.implementation", NULL, "it is OpenSSL"},
    {"ssl.engine.factory.class", NULL, NO_CLASSES},
    {"sasl.login.class", NULL, NO_CLASSES},
    {"sasl.login.callback.handler.class", NULL, NO_CLASSES},
    {"sasl.client.callback.handler.class", NULL, NO_CLASSES},
    {"security.providers", NULL, NO_CLASSES},
    {"key.serializer", NULL, RAW_BYTES},
    {"value.serializer", NULL, RAW_BYTES},
    {"key.deserializer", NULL, RAW_BYTES},
    {"value.deserializer", NULL, RAW_BYTES},
    {"partitioner.class", NULL, "the partitioner is murmur2_random, which is Java's"},
    {"interceptor.classes", NULL, NO_CLASSES},
    {"metric.reporters", NULL, "--listen serves the metrics"},
    {"metrics.num.samples", NULL, "--listen serves the metrics"},
    {"metrics.recording.level", NULL, "--listen serves the metrics"},
    {"metrics.sample.window.ms", NULL, "--listen serves the metrics"},
    {"max.poll.records", NULL, "queued.max.messages.kbytes bounds what is fetched ahead"},
    {"fetch.max.wait.ms", "fetch.wait.max.ms", NULL},
    {"buffer.memory", "queue.buffering.max.kbytes", NULL},
    {"max.request.size", NULL, "the largest message follows max.message.bytes in topics.conf"},
    {"max.block.ms", NULL, "messages wait for the broker as long as it takes"},
    {"default.api.timeout.ms", "socket.timeout.ms", NULL},
    {"send.buffer.bytes", "socket.send.buffer.bytes", NULL},
    {"receive.buffer.bytes", "socket.receive.buffer.bytes", NULL},
    {"socket.connection.setup.timeout.max.ms", "socket.connection.setup.timeout.ms", NULL},
    {"exclude.internal.topics", NULL, "only the pipelines' topics are read"},
};

bool property_of_java(const char *name, char *out, size_t size)
{
    for (size_t i = 0; i < sizeof java_properties / sizeof java_properties[0]; i++) {
        if (strcmp(java_properties[i].name, name) != 0)
            continue;
        if (java_properties[i].counterpart != NULL)
            snprintf(out, size, "%s is a name of the Java client: here it is %s", name,
                     java_properties[i].counterpart);
        else
            snprintf(out, size, "%s is a name of the Java client and has no counterpart here: %s", name,
                     java_properties[i].why);
        return true;
    }
    return false;
}
