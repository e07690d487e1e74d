/* The inside of a consumer, shared by consumer.c (events, life), records.c (messages), commit.c (offsets),
 * assign.c (which partitions, paused or not), lookup.c (what the broker knows of them), starts.c (from where
 * they are read), replay.c (a replay's partitions), leave.c (the end) and trouble.c (what readiness says of a
 * topic); nobody else includes it. */
#ifndef JST_COMMON_KAFKA_CONSUMER_PRIVATE_H
#define JST_COMMON_KAFKA_CONSUMER_PRIVATE_H

#include "common/kafka/kafka_private.h"
#include "common/kafka/wake.h"

struct topic_read {
    char *name;
    char *pipeline;     /* NULL: none */
    bool troubled;      /* readiness has a reason about it */
    int64_t look_at_ms; /* monotonic: its partitions are not looked up before */
    int failures;       /* look-ups in a row that failed */
};

enum part_state {
    PART_ELSEWHERE, /* not assigned */
    PART_NEW,       /* the group's offset and the log's bounds are to be looked up */
    PART_OUTSIDE,   /* the broker has nothing at its position: the log's bounds are to be looked up */
    PART_ASKED,     /* silent until the program says where to begin */
    PART_READ,
    PART_LOST, /* silent until the program seeks, or the next assignment */
};

/* What librdkafka was told last about a partition's pause. It remembers a pause while the partition is not
 * assigned. */
enum pause_told { TOLD_RUNS, TOLD_PAUSED, TOLD_UNKNOWN /* the last order may not have reached it */ };

enum part_news { NEWS_NONE, NEWS_START, NEWS_RECREATED, NEWS_LOST };

/* A partition, kept over rebalances. */
struct part {
    struct topic_read *topic;
    int32_t partition;
    enum part_state state;
    enum part_news news; /* that poll() has to hand out */
    enum pause_told told;
    bool recreated;    /* what NEWS_START says */
    bool gone;         /* its topic was seen not to exist: the log may be another one when it is back */
    int64_t committed; /* the group's offset, as looked up or committed; -1: none */
    int64_t low, high; /* as looked up last; -1: not yet */
    int64_t next;      /* the next offset to hand out; SOURCE_BEGINNING: the log's first */
    /* The first record that was handed out since the last seek: its offset, -1: none, and its time. It tells
     * whether the log is still the same. */
    int64_t mark, mark_ms;
    bool was_committed; /* the group has had an offset, as far as this process knows */
    int64_t outside;    /* PART_OUTSIDE, PART_LOST: the offset that the broker does not have */
    int64_t first;      /* a replay begins here */
    int64_t end;        /* bounded: read up to here; -1: not known yet */
    bool done;          /* bounded: has been reached */
    int64_t stored;     /* the offset to commit; -1: none in this assignment */
    bool unsent;        /* no commit has included it, or that commit failed */
};

struct kafka_source {
    struct source base;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue; /* of fetched messages */
    struct wake wake;
    struct source_config config;
    char *group;
    struct topic_read *topics; /* config.topic_count */
    size_t trouble_count;
    int64_t trouble_tried_ms;
    struct part *parts;
    size_t part_count, part_cap;
    size_t recent; /* the part that was asked for last */
    char **paused; /* topics */
    size_t paused_count, paused_cap;
    bool all_paused;
    /* events that poll() has to hand out */
    bool revoked, ended;
    int assigned;               /* 1 + the number of partitions that were assigned; 0: no such event waits */
    size_t news_count;          /* of parts that have news */
    size_t held;                /* records that were handed out and not yet released */
    rd_kafka_message_t **stash; /* messages that came during serve(), in order */
    size_t stash_count, stash_cap;
    bool end_given;
    bool replay_known;         /* the partitions of a replay have been asked for */
    int64_t replay_at_ms;      /* monotonic: they are not asked for before */
    size_t look_count;         /* parts that are to be looked up */
    size_t startless_count;    /* parts of which it is not known from where they are read */
    bool moved;                /* parts are to be read from another offset than librdkafka reads them */
    bool beginning;            /* librdkafka may not have begun what it was assigned last; see assign.c */
    bool committing;           /* a commit is under way */
    bool commit_again;         /* a part has something unsent */
    bool commit_failed;        /* the last one failed, and readiness says so */
    int64_t committed_ms;      /* monotonic, when the last one was sent */
    int revoke_commit_ms;      /* the longest wait for the commit of what is taken away */
    int64_t contact_ms;        /* monotonic; 0: never */
    int64_t metadata_requests; /* as of the last statistics; 0: not known, so that the next ones verify */
    bool verify;               /* a topic may have been away for a moment: are the logs still the same? */
    int64_t verified_ms;       /* monotonic, when that was last looked at */
    bool leaving;              /* callbacks come in another thread, and only let librdkafka go on */
    char reason[256];          /* the last transport error */
    bool fatal;
};

/* NULL: it is not one of the source's. */
struct topic_read *kafka_topic(const struct kafka_source *s, const char *topic);
/* The state of a partition; the first call for it makes it. Valid until the next call. NULL: the topic is not
 * one of the source's. */
struct part *kafka_part(struct kafka_source *s, const char *topic, int32_t partition);

static inline bool kafka_part_is_assigned(const struct part *p)
{
    return p->state != PART_ELSEWHERE;
}

/* ---- assign.c ---- */

/* The source has these partitions now. librdkafka reads nothing of them yet. */
void kafka_take_partitions(struct kafka_source *s, const rd_kafka_topic_partition_list_t *list);

/* Discard the events of this assignment that were not handed out yet. */
void kafka_forget_assignment(struct kafka_source *s);

void kafka_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                        void *arg);

/* Have librdkafka read exactly these partitions from these offsets; later, if a commit is under way. */
rd_kafka_resp_err_t kafka_assign_list(struct kafka_source *s, const rd_kafka_topic_partition_list_t *list);
/* To be called from every poll: once librdkafka has begun what it was assigned, tell it which topics are
 * paused.
 */
void kafka_pauses_due(struct kafka_source *s);
/* Have librdkafka fetch the topic's partitions anew, which are not paused. */
void kafka_fetch_anew(struct kafka_source *s, const struct topic_read *t);
/* Before the end: nothing is fetched any more. */
void kafka_stop_fetching(struct kafka_source *s);

/* As source_ops.pause and .resume. */
void kafka_pause(struct source *source, const char *topic);
void kafka_resume(struct source *source, const char *topic);

bool kafka_topic_is_paused(const struct kafka_source *s, const char *topic);

/* ---- lookup.c ---- */

/* Is it to be looked up? */
static inline bool kafka_part_is_unknown(const struct part *p)
{
    return p->state == PART_NEW || p->state == PART_OUTSIDE;
}

/* Look up what is to be looked up, and let it begin. */
void kafka_look_up_due(struct kafka_source *s);

/* Does the source commit offsets? */
static inline bool kafka_commits(const struct kafka_source *s)
{
    return !s->config.from_beginning && !s->config.replay;
}

/* In place of the times in the list, the offsets of the first messages of that time or later; -1: none. */
rd_kafka_resp_err_t kafka_offsets_of_times(struct kafka_source *s, rd_kafka_topic_partition_list_t *list);

/* ---- replay.c ---- */

/* To be called from every poll: take all partitions of a replay, as soon as the broker has told them. */
void kafka_replay_due(struct kafka_source *s);
/* After the bounds: where the replay of the listed partitions begins and ends. */
rd_kafka_resp_err_t kafka_replay_look_up(struct kafka_source *s, rd_kafka_topic_partition_list_t *list);

/* ---- starts.c ---- */

/* Offset and bounds of the partition are known now. other_log: not the log that was read before. */
void kafka_begin_part(struct kafka_source *s, struct part *p, bool other_log);

/* To be called from every poll: look up what is not known of partitions, and have librdkafka read those that
 * begin or moved. */
void kafka_starts_due(struct kafka_source *s);

/* The partition is to be looked up, for that reason: PART_NEW or PART_OUTSIDE. */
void kafka_look_up_later(struct kafka_source *s, struct part *p, enum part_state why);
/* The broker's metadata does not have the partition: it is looked up until it is there again, and
 * librdkafka, which would go on at its old offset, reads it no more. */
void kafka_part_is_missing(struct kafka_source *s, struct part *p);
/* Whatever is known of the partition, it is not assigned now. */
void kafka_part_ends(struct kafka_source *s, struct part *p);

/* Hand out news of one partition. false: there are none. */
bool kafka_take_news(struct kafka_source *s, struct source_event *ret);

/* As source_ops.seek. */
void kafka_seek(struct source *source, const char *topic, int32_t partition, int64_t offset);

/* Bounded: is every partition at its end? Then SOURCE_END is to be handed out. */
void kafka_check_ended(struct kafka_source *s);

/* ---- trouble.c ---- */

/* Readiness says why the topic cannot be read: that it does not exist, if that is what the code means, else
 * `why`. */
void kafka_trouble_begins(struct kafka_source *s, struct topic_read *t, rd_kafka_resp_err_t code,
                          const char *why);
/* The topic can be read: end its reason in readiness, if there is one. */
void kafka_trouble_ends(struct kafka_source *s, struct topic_read *t);
/* To be called from every poll: find out whether a topic with trouble can be read again. */
void kafka_trouble_due(struct kafka_source *s);

/* ---- records.c ---- */

/* The record of a message, which it takes over; and its end, for which record->owner must be set. */
void kafka_record_fill(rd_kafka_message_t *m, struct record *ret);
void kafka_record_free(struct record *record);

/* Messages that came while only the group was served, in order. pop: the first whose topic is not paused,
 * since librdkafka would not deliver it again; NULL: none. has: is there such a one? */
void kafka_stash_push(struct kafka_source *s, rd_kafka_message_t *m);
rd_kafka_message_t *kafka_stash_pop(struct kafka_source *s);
bool kafka_stash_has(const struct kafka_source *s);
/* Only of one partition, or of all (NULL). */
void kafka_stash_drop(struct kafka_source *s, const struct part *p);

/* ---- commit.c ---- */

/* As source_ops.store; the librdkafka callback; to be called from every poll; before partitions are given
 * back, and before the end, each with a deadline. */
void kafka_store(struct source *source, const char *topic, int32_t partition, int64_t offset);
void kafka_on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                     void *arg);
void kafka_commit_due(struct kafka_source *s);
void kafka_commit_revoked(struct kafka_source *s);
void kafka_last_commit(struct kafka_source *s);

/* ---- leave.c ---- */

/* Leave the group and end the client, if that can be done within 2.5 s; else the process's end does it. true:
 * no callback runs any more, and the source's memory can go. */
bool kafka_leave(struct kafka_source *s);

#endif
