/* The inside of a consumer, shared by consumer.c (events, life), records.c (messages), commit.c (offsets) and
 * assign.c (which partitions, from where, paused or not); nobody else includes it. */
#ifndef JST_COMMON_KAFKA_CONSUMER_PRIVATE_H
#define JST_COMMON_KAFKA_CONSUMER_PRIVATE_H

#include "common/kafka/kafka_private.h"
#include "common/kafka/wake.h"

/* The state of a partition, kept over rebalances. */
struct part {
    char *topic;
    int32_t partition;
    int64_t start; /* the committed offset when it was assigned; -1: none */
    int64_t end;   /* bounded: read up to here; -1: not known yet */
    bool done;     /* bounded: has been reached */
    bool assigned; /* now */
    bool lost;     /* messages were deleted unread, and the program has not been told yet */
};

struct kafka_source {
    struct source base;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue; /* of fetched messages */
    struct wake wake;
    struct source_config config;
    char **topics, **pipelines;
    bool *troubled; /* for each topic: readiness has a reason about it */
    size_t trouble_count;
    struct part *parts;
    size_t part_count, part_cap;
    char **paused; /* topics */
    size_t paused_count, paused_cap;
    bool all_paused;
    /* events that poll() has to hand out */
    bool revoked, ended;
    int assigned;               /* 1 + the number of partitions that were assigned; 0: no such event waits */
    size_t held;                /* records that were handed out and not yet released */
    size_t lost_count;          /* partitions of which the program is to be told */
    rd_kafka_message_t **stash; /* messages that came during serve(), in order */
    size_t stash_count, stash_cap;
    bool end_given;
    /* an assignment whose start offsets could not be looked up yet */
    rd_kafka_topic_partition_list_t *waiting;
    int64_t waiting_until_ms;
    bool committing;      /* a commit is under way */
    bool commit_again;    /* an offset is stored that no commit has included */
    bool commit_failed;   /* the last one failed, and readiness says so */
    int64_t committed_ms; /* monotonic, when the last one was sent */
    int64_t contact_ms;   /* monotonic; 0: never */
    char reason[256];     /* the last transport error */
    bool fatal;
};

/* The state of a partition; the first call for it makes it. Valid until the next call. */
struct part *kafka_part(struct kafka_source *s, const char *topic, int32_t partition);

void kafka_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                        void *arg);

/* The topic can be read: end its reason in readiness, if there is one. */
void kafka_trouble_ends(struct kafka_source *s, const char *topic);

/* To be called from every poll: look up start offsets again if the broker did not answer during the
 * rebalance. */
void kafka_retry_assignment(struct kafka_source *s);

/* Pause or resume the assigned partitions of one topic, or of all (NULL). */
void kafka_switch_partitions(struct kafka_source *s, const char *topic, bool pause);

/* As source_ops.pause and .resume. */
void kafka_pause(struct source *source, const char *topic);
void kafka_resume(struct source *source, const char *topic);

bool kafka_topic_is_paused(const struct kafka_source *s, const char *topic);

/* records.c: the record of a message, which it takes over; and its end, for which record->owner must be set.
 */
void kafka_record_fill(rd_kafka_message_t *m, struct record *ret);
void kafka_record_free(struct record *record);

/* Messages that came while only the group was served, in order. pop: the first whose topic is not paused,
 * since librdkafka would not deliver it again; NULL: none. has: is there such a one? */
void kafka_stash_push(struct kafka_source *s, rd_kafka_message_t *m);
rd_kafka_message_t *kafka_stash_pop(struct kafka_source *s);
bool kafka_stash_has(const struct kafka_source *s);
void kafka_stash_drop(struct kafka_source *s);

/* commit.c: as source_ops.store; the librdkafka callback; to be called from every poll; and before the end,
 * with a deadline. */
void kafka_store(struct source *source, const char *topic, int32_t partition, int64_t offset);
void kafka_on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                     void *arg);
void kafka_commit_due(struct kafka_source *s);
void kafka_last_commit(struct kafka_source *s);

#endif
