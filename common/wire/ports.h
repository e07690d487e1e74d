/* Kafka as the programs see it: records that come, and records that go. Two small ports; common/kafka
 * implements them, and the unit tests have twins in memory. */
#ifndef JST_COMMON_WIRE_PORTS_H
#define JST_COMMON_WIRE_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* HEADER("name", "text") */
#define HEADER(header_name, text)                                                                            \
    {                                                                                                        \
        .name = (header_name), .value = (text), .value_len = 0                                               \
    }

struct header {
    const char *name;
    const char *value; /* always NUL-ended; NULL stands for a header without a value */
    size_t value_len;  /* of a value that may hold NULs; 0: the value is a text, up to its NUL */
};

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
    bool has_value; /* false: a tombstone */
    const struct header *headers;
    size_t header_count;
    void *owner; /* the source's */
};

/* The text of the last header of that name; NULL: there is none, or its value holds a NUL. */
const char *record_header(const struct record *r, const char *name);

enum source_event_kind {
    SOURCE_NONE,      /* nothing within the time */
    SOURCE_RECORD,    /* a record: release it */
    SOURCE_REVOKED,   /* partitions were taken away: forget the work in hand; stored offsets are committed
                         already, if that was possible */
    SOURCE_ASSIGNED,  /* partitions were given, perhaps none */
    SOURCE_START,     /* only of a source whose program decides where partitions begin: this one gives nothing
                         until source_seek(). One for each partition after SOURCE_ASSIGNED, and again when its
                         topic was made again */
    SOURCE_RECREATED, /* the topic was deleted and made again: this partition is read from the new log's
                         start. Not of a source that gives SOURCE_START */
    SOURCE_LOST,      /* messages of a partition were deleted before they were read: the partition delivers
                         nothing until source_seek(), or until a person acts */
    SOURCE_END, /* bounded source only: every partition has been read up to where it ended at the start. Comes
                   again when a partition that was sought backwards has been read up to there again */
};

/* For source_seek(): where the partition's log begins. */
enum { SOURCE_BEGINNING = -2 };

/* A partition's log, and where the group is in it. */
struct source_start {
    const char *topic; /* the source's */
    int32_t partition;
    int64_t committed; /* the group's offset, the next one to read; -1: none */
    int64_t low, high; /* the log holds low to high - 1 */
    bool recreated; /* the topic was deleted and made again: committed and all offsets read before belong to
                       the old log */
};

struct source_event {
    enum source_event_kind kind;
    struct record record;      /* SOURCE_RECORD */
    int partitions;            /* SOURCE_ASSIGNED: how many */
    struct source_start start; /* SOURCE_START, SOURCE_RECREATED */
    struct {
        const char *topic; /* the source's */
        int32_t partition;
        int64_t offset;    /* the next message to read was this one */
        int64_t low;       /* and this is the first that is still there */
        const char *group; /* the source's; "" for one in no group */
    } lost;                /* SOURCE_LOST */
};

struct source {
    const struct source_ops *ops;
};

struct source_ops {
    /* Serve the group for at most timeout_ms, and give at most one record. -1: ERR_FATAL. A transport fault
     * is not an error: it shows in health and metrics, and the call returns when its time is over. */
    int (*poll)(struct source *source, int timeout_ms, struct source_event *ret, struct err *err);
    /* Only keep the place in the group: events and records wait for the next poll(). Pause everything first;
     * otherwise the records that wait grow without limit. -1: ERR_FATAL. */
    int (*serve)(struct source *source, int timeout_ms, struct err *err);
    void (*release)(struct source *source, struct record *record);
    /* The record at `offset` of that partition and all records before it are done for good. A poll() or
     * serve() commits offset + 1 within 100 ms, or a rebalance or free() does. A commit that fails is
     * repeated. The last call counts, also when its offset is lower. Ignored for a partition that is not
     * assigned, and for an offset that was not handed out since the last seek: it may be one of a log that is
     * gone. */
    void (*store)(struct source *source, const char *topic, int32_t partition, int64_t offset);
    /* Read this partition from `offset` on (SOURCE_BEGINNING: from the log's start): the answer to
     * SOURCE_START or SOURCE_LOST, and allowed at any time while the partition is assigned. Records that were
     * fetched and not handed out are dropped; those handed out stay the program's. An offset below the log's
     * start gives SOURCE_LOST. What was stored stays stored and is committed: after going backwards the next
     * store() lowers the group's offset, and a crash before it goes on at the old one. Ignored for a
     * partition that is not assigned. Returns at once; the next polls act on it. */
    void (*seek)(struct source *source, const char *topic, int32_t partition, int64_t offset);
    /* No records of this topic (NULL: of any) come until resume; also of partitions assigned later.
     * Idempotent. */
    void (*pause)(struct source *source, const char *topic);
    void (*resume)(struct source *source, const char *topic);
    void (*free)(struct source *source); /* commits, leaves the group */
};

static inline int source_poll(struct source *s, int timeout_ms, struct source_event *ret, struct err *err)
{
    return s->ops->poll(s, timeout_ms, ret, err);
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
static inline void source_seek(struct source *s, const char *topic, int32_t partition, int64_t offset)
{
    s->ops->seek(s, topic, partition, offset);
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
    uint64_t ticket; /* the sender's own: comes back when it is acknowledged or refused */
};

/* A message that was queued, and that the broker refuses for its size even when it is sent alone. */
struct sink_failure {
    uint64_t ticket;
    char text[256];
};

struct sink {
    const struct sink_ops *ops;
    /* Called by send, serve and wait, in the caller's thread, for each message that all in-sync replicas
     * have; NULL: the program does not want to know. */
    void (*acked)(void *arg, uint64_t ticket);
    void *arg;
};

struct sink_ops {
    /* Queue one message; everything is copied.
     * 0 when queued - NOT when delivered. ERR_RETRY: the queue is full; serve, then repeat. ERR_REJECT:
     * larger than the client takes. ERR_FATAL: the producer is fenced or broken. */
    int (*send)(struct sink *sink, const struct message *message, struct err *err);
    /* Serve deliveries for at most timeout_ms, or until the first has come. -1: ERR_FATAL. */
    int (*serve)(struct sink *sink, int timeout_ms, struct err *err);
    /* Serve deliveries for at most timeout_ms, or until nothing is outstanding. Returns how many messages are
     * still outstanding (0: everything sent so far is acknowledged by all in-sync replicas, or in failures);
     * -1: ERR_FATAL. Messages wait for the broker as long as it takes: there is no delivery timeout. */
    int (*wait)(struct sink *sink, int timeout_ms, struct err *err);
    /* Take one failure out of the list. false: none. */
    bool (*failure)(struct sink *sink, struct sink_failure *ret);
    void (*free)(struct sink *sink); /* gives up what is outstanding after half a second */
};

static inline int sink_send(struct sink *s, const struct message *message, struct err *err)
{
    return s->ops->send(s, message, err);
}
static inline int sink_serve(struct sink *s, int timeout_ms, struct err *err)
{
    return s->ops->serve(s, timeout_ms, err);
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
