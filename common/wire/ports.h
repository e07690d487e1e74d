/* What the programs see of Kafka: records that come, records that go. Two small ports; consumer.c and
 * producer.c stand behind them, and in-memory twins in the unit tests. */
#ifndef JST_COMMON_WIRE_PORTS_H
#define JST_COMMON_WIRE_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct header {
    const char *name;
    const char *value; /* NUL-ended UTF-8 text; NULL stands for a header without a value */
};

enum { RECORD_HEADERS_MAX = 32 };

/* A record that came. Everything points into memory of the source, valid until source_release(). */
struct record {
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* -1: none */
    const char *key;
    size_t key_len;
    bool has_key;
    const char *value;
    size_t value_len;
    bool has_value;                            /* false: a tombstone */
    struct header headers[RECORD_HEADERS_MAX]; /* further ones are dropped, and said so in the debug log */
    size_t header_count;
    void *owner; /* the source's */
};

/* The last header of that name, or NULL. */
const char *record_header(const struct record *r, const char *name);

enum source_event {
    SOURCE_NONE,     /* nothing within the time */
    SOURCE_RECORD,   /* *ret holds a record: release it */
    SOURCE_REVOKED,  /* some assigned partitions were taken away: forget their work in hand; offsets that were
                        stored are committed already, if that was possible */
    SOURCE_ASSIGNED, /* partitions were given: ret->partition is how many, perhaps 0; *ret is no record */
    SOURCE_LOST,     /* messages of ret->topic, ret->partition were deleted before they were read: nothing of
                      * that partition comes until a person acts; *ret holds no record, do not release it */
    SOURCE_END, /* bounded source only: every partition has been read up to where it ended at the start */
};

struct source {
    const struct source_ops *ops;
};

struct source_ops {
    /* Serve the group for at most timeout_ms, and give at most one record. -1: ERR_FATAL. Transport faults
     * are no errors: they show in health and metrics, and time passes. */
    int (*poll)(struct source *source, int timeout_ms, enum source_event *ret_event, struct record *ret,
                struct err *err);
    /* Only keep the place in the group: events and records wait for the next poll(). Pause everything first,
     * so that no records pile up. -1: ERR_FATAL. */
    int (*serve)(struct source *source, int timeout_ms, struct err *err);
    void (*release)(struct source *source, struct record *record);
    /* The record at `offset` of that partition, and all before it, is done for good: commit offset + 1 at the
     * next commit(). Ignored for a partition that is no longer assigned. */
    void (*store)(struct source *source, const char *topic, int32_t partition, int64_t offset);
    /* Commit what is stored. ERR_RETRY: not now (it stays stored); losing the group is no error. */
    int (*commit)(struct source *source, struct err *err);
    /* No records of this topic (NULL: of any) come until resume; also of partitions assigned later.
     * Idempotent. */
    void (*pause)(struct source *source, const char *topic);
    void (*resume)(struct source *source, const char *topic);
    void (*free)(struct source *source); /* commits, leaves the group */
};

static inline int source_poll(struct source *s, int timeout_ms, enum source_event *ret_event,
                              struct record *ret, struct err *err)
{
    return s->ops->poll(s, timeout_ms, ret_event, ret, err);
}
static inline int source_serve(struct source *s, int timeout_ms, struct err *err)
{
    return s->ops->serve(s, timeout_ms, err);
}
static inline void source_release(struct source *s, struct record *record)
{
    s->ops->release(s, record);
}
static inline void source_store(struct source *s, const char *topic, int32_t partition, int64_t offset)
{
    s->ops->store(s, topic, partition, offset);
}
static inline int source_commit(struct source *s, struct err *err)
{
    return s->ops->commit(s, err);
}
static inline void source_pause(struct source *s, const char *topic)
{
    s->ops->pause(s, topic);
}
static inline void source_resume(struct source *s, const char *topic)
{
    s->ops->resume(s, topic);
}
static inline void source_free(struct source *s)
{
    if (s != NULL)
        s->ops->free(s);
}

/* A record to go. */
struct message {
    const char *topic;
    const char *key;
    size_t key_len; /* key NULL: none */
    const char *value;
    size_t value_len;     /* value NULL: a tombstone */
    int64_t timestamp_ms; /* 0: now */
    const struct header *headers;
    size_t header_count;
};

/* Why a message that was queued could not be delivered. */
struct sink_failure {
    uint64_t ticket;
    bool too_large; /* the broker or the client refuses its size */
    char text[256];
};

struct sink {
    const struct sink_ops *ops;
};

struct sink_ops {
    /* Queue one message; everything is copied. *ret_ticket (NULL ok) names it in a later failure.
     * 0 when queued - NOT when delivered. ERR_RETRY: the queue is full, serve with wait() and repeat.
     * ERR_REJECT: larger than the topic allows. ERR_FATAL: the producer is fenced or broken. */
    int (*send)(struct sink *sink, const struct message *message, uint64_t *ret_ticket, struct err *err);
    /* Serve deliveries for at most timeout_ms, or until nothing is outstanding. Returns how many messages are
     * still outstanding (0: everything sent so far is acknowledged by all in-sync replicas, or in failures);
     * -1: ERR_FATAL. Messages wait for the broker as long as it takes: there is no delivery timeout. */
    int (*wait)(struct sink *sink, int timeout_ms, struct err *err);
    /* Take one failure out of the list. false: none. */
    bool (*failure)(struct sink *sink, struct sink_failure *ret);
    void (*free)(struct sink *sink); /* gives up what is outstanding after half a second */
};

static inline int sink_send(struct sink *s, const struct message *message, uint64_t *ret_ticket,
                            struct err *err)
{
    return s->ops->send(s, message, ret_ticket, err);
}
static inline int sink_wait(struct sink *s, int timeout_ms, struct err *err)
{
    return s->ops->wait(s, timeout_ms, err);
}
static inline bool sink_failure(struct sink *s, struct sink_failure *ret)
{
    return s->ops->failure(s, ret);
}
static inline void sink_free(struct sink *s)
{
    if (s != NULL)
        s->ops->free(s);
}

#endif
