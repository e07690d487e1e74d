/* Opening Kafka: configuration, sources, sinks and topics. The only public header of common/kafka;
 * librdkafka does not show through. */
#ifndef JST_COMMON_KAFKA_KAFKA_H
#define JST_COMMON_KAFKA_KAFKA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/faults.h"
#include "common/pipeline/pipeline.h"
#include "common/wire/ports.h"
#include "common/wire/routes.h"
#include "common/wire/topics.h"

struct options;
struct err;
struct metric_family;

extern const struct metric_family kafka_consumer_lag;

/* Check --brokers, --kafka-config and --kafka, and make the clients as the start would, without a connection:
 * everything that would end the start with ERR_CONFIG is found here. Sizes are compared with the topics'. */
void kafka_check(const struct options *options, const struct topics *topics, struct faults *faults);

struct source_config {
    const char *group;
    const char *const *topics; /* names to subscribe to; the source waits for topics that do not exist yet */
    const char *const *pipelines; /* the pipeline of each of them, for jst_consumer_lag; NULL: none */
    size_t topic_count;           /* both arrays are copied */
    bool bounded;        /* --once: end at the ends of the topics as they stand when first assigned */
    bool from_beginning; /* for the state topic: always read whole partitions, and never commit */
    bool replay;         /* all partitions, in no group, from replay_from_ms up to replay_to_ms; bounded */
    int64_t replay_from_ms, replay_to_ms; /* of message timestamps; to: exclusive, 0: now */
    bool ask_start; /* the program says where each partition begins: SOURCE_START, then source_seek() */
};
/* Returns at once, without waiting for the broker. ERR_CONFIG: a property is wrong. */
int kafka_source_open(const struct options *options, const struct source_config *config, struct source **ret,
                      struct err *err) __attribute__((warn_unused_result));

/* The source of a program that reads the raw or rows topics of all pipelines, as a member of its --group.
 * With --once it ends at their present ends. ask_start: as in source_config. */
int kafka_routes_open(const struct options *options, const struct routes *routes, enum topic_role role,
                      bool ask_start, struct source **ret, struct err *err)
    __attribute__((warn_unused_result));

/* Read once more what was published to the topics of all pipelines from from_ms on (UTC, by the broker's
 * clock, as it stands in the messages) and before to_ms (0: until now): all partitions, in no group, so that
 * others read on undisturbed. Bounded as --once is; nothing is committed, and store() does nothing. The
 * group's name is told to the broker only because librdkafka needs one. Retention that overtakes the replay
 * gives SOURCE_LOST. */
int kafka_replay_open(const struct options *options, const struct routes *routes, enum topic_role role,
                      int64_t from_ms, int64_t to_ms, struct source **ret, struct err *err)
    __attribute__((warn_unused_result));

/* How many of a replay's messages have been handed out, and how many there are. false: not known yet. Exact
 * but for offsets without a message. */
bool kafka_replay_progress(const struct source *source, int64_t *ret_done, int64_t *ret_all);

/* Which last messages are wanted. */
struct tail_wish {
    const char *const *topics;
    size_t topic_count;
    int64_t last;   /* so many of each partition */
    int timeout_ms; /* altogether */
    /* For each, in the order of its partition; the record ends with the call. */
    void (*take)(void *arg, const struct record *r);
    void *arg;
};
/* Read the last messages of topics by a client of its own, in no group, and wait for them. ERR_RETRY: not all
 * could be read in time; those that could were handed out. ERR_CONFIG as of kafka_source_open(). */
int kafka_read_tail(const struct options *options, const struct tail_wish *wish, struct err *err)
    __attribute__((warn_unused_result));

/* Idempotent producer, acks=all, murmur2_random. max_bytes: the largest message it takes. */
int kafka_sink_open(const struct options *options, int64_t max_bytes, struct sink **ret, struct err *err)
    __attribute__((warn_unused_result));

/* One topic as it is and as it should be. */
struct topic_state {
    char *name;
    const struct topic_rule *rule;
    bool exists;
    int partitions; /* as it is */
    int replication;
    char *differs; /* the differences from the rule, in words; NULL: there are none */
};
struct topic_report {
    struct topic_state *list;
    size_t count;
};

enum topic_action { TOPICS_LOOK, TOPICS_CREATE, TOPICS_APPLY /* create, and alter those that differ */ };

/* Report the topics of these pipelines, and create or alter them as `action` says. roles: bit mask of 1 <<
 * enum topic_role. ERR_RETRY: the broker does not answer within timeout_ms, or refuses for now. */
int kafka_topics(const struct options *options, const struct topics *topics,
                 const struct pipelines *pipelines, unsigned roles, enum topic_action action, int timeout_ms,
                 struct topic_report *ret, struct err *err) __attribute__((warn_unused_result));
void topic_report_free(struct topic_report *report); /* NULL ok */

/* Start-up of a program: create what is missing unless --create-topics off, add a warning to *faults about
 * each topic that differs, refuse a state topic that is not one compacted partition (ERR_CONFIG). Waits for
 * the broker as long as it takes, saying so once in log and readiness; returns early with ERR_RETRY when
 * stopping() is true, which is asked before each attempt. */
int kafka_prepare_topics(const struct options *options, const struct topics *topics,
                         const struct pipelines *pipelines, unsigned roles, bool (*stopping)(void),
                         struct faults *faults, struct err *err) __attribute__((warn_unused_result));

/* Milliseconds since the broker last answered this source (its group heartbeats or fetches); -1: never. */
int64_t kafka_source_contact_ms(const struct source *source);

#endif
