/* What the files of common/kafka share; nobody else includes it. */
#ifndef JST_COMMON_KAFKA_KAFKA_PRIVATE_H
#define JST_COMMON_KAFKA_KAFKA_PRIVATE_H

#include <librdkafka/rdkafka.h>

#include "common/kafka/kafka.h"
#include "common/wire/topic_settings.h"

#if RD_KAFKA_VERSION < 0x020002ff
#error "librdkafka 2.0.2 or newer is needed"
#endif

/* The largest answer that a consumer takes: the largest message that topics.conf allows, beside
 * fetch.max.bytes. It reserves no memory. A fixed limit, since a broker may hold larger messages than
 * topics.conf says, and they would never be received. */
enum {
    KAFKA_ANSWER_BYTES = 64 * 1024, /* of an answer beside its messages, at most */
    KAFKA_RECEIVE_BYTES = TOPIC_MESSAGE_BYTES_MAX + (16 << 20),
};

enum kafka_client { KAFKA_CONSUMER, KAFKA_PRODUCER, KAFKA_ADMIN };

/* Make a configuration: the defaults of that kind of client, then the user's file, then --kafka, then the
 * properties that nobody may change. ERR_CONFIG: a property is wrong. */
int kafka_conf_new(const struct options *options, enum kafka_client client, rd_kafka_conf_t **ret,
                   struct err *err);

/* Set one property whose value is known to be right; otherwise the code is wrong, and the process ends. */
void kafka_conf_must(rd_kafka_conf_t *conf, const char *name, const char *value);

/* A property that is set and a number. */
int64_t kafka_conf_number(const rd_kafka_conf_t *conf, const char *name);

/* Create the client; takes conf over. A producer's queue gets room for its largest message. */
int kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **ret, struct err *err);

/* The facts that a statistics callback reads from librdkafka's JSON. */
struct kafka_stats {
    int brokers_up;
    int64_t idle_us;           /* since the broker heard from last sent something; -1: none is up */
    int64_t metadata_requests; /* sent so far, to all brokers */
};
/* Facts that kafka_stats_read() needs and librdkafka's JSON does not hold. */
struct kafka_stats_help {
    /* The pipeline of a topic, or NULL. */
    const char *(*pipeline)(void *arg, const char *topic);
    /* The group's offset, as this process knows it; -1: none. */
    int64_t (*start)(void *arg, const char *topic, int32_t partition);
    /* Called for each partition that is read and that the broker's metadata does not have; NULL: nobody asks.
     */
    void (*missing)(void *arg, const char *topic, int32_t partition);
    void *arg;
};
/* Also sets jst_consumer_lag for the topics of known pipelines. */
void kafka_stats_read(const char *json, size_t len, const struct kafka_stats_help *help,
                      struct kafka_stats *ret);

/* The lag of a partition that librdkafka does not read yet. */
void kafka_stats_set_lag(const char *pipeline, const char *topic, int32_t partition, int64_t lag);

/* After a revocation: stop showing lags, since another process now shows those of its partitions. */
void kafka_stats_forget_lags(void);

#endif
