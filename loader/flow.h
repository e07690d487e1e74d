/* One pipeline's way into the database: the batch that fills, and the batches that were handed to writers, in
 * the order of their offsets. Several may be under way at once; offsets are stored in order.
 *
 * The writing threads see of it only what the ledger guards: which batches are committed. */
#ifndef JST_LOADER_FLOW_H
#define JST_LOADER_FLOW_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/mysql/shape.h"
#include "common/wire/flood.h"
#include "common/wire/routes.h"
#include "loader/apply.h"
#include "loader/batch.h"
#include "loader/recent.h"
#include "loader/start.h"

enum { SHIPMENTS_MAX = 8 /* batches of one pipeline that are not done */ };

enum shipment_state {
    SHIPMENT_WAITS,     /* to be written, again or for the first time */
    SHIPMENT_WRITES,    /* on a writing thread */
    SHIPMENT_COMMITTED, /* in the database; its dead letters are not all acknowledged */
    SHIPMENT_DONE,      /* its offsets may be stored when those before it are */
};

/* A batch that no longer fills. */
struct shipment {
    uint32_t id; /* for the tickets of its dead letters */
    struct flow *flow;
    struct batch *batch;
    size_t memory; /* bytes, of the batch */
    enum shipment_state state;
    bool orphaned;          /* its partitions were taken away while it was written */
    bool committed;         /* set on the writing thread, before the loop hears of it */
    struct mark_list marks; /* what its transaction wrote into jst_offsets */
    struct apply_result result;
    double seconds;
    size_t letters_next;      /* the next row or document to look at for a dead letter */
    size_t letters_waiting;   /* sent, not acknowledged */
    int64_t letters_since_ms; /* monotonic, when they were first looked at; 0: not yet */
};

/* A partition that this process reads. */
struct flow_part {
    struct source_start log; /* as it was when the partition came; its topic is the source's */
    bool waiting;            /* for its start */
    bool reset;              /* its mark may be lowered */
    int64_t next;            /* everything below is committed in the database; -1: not known yet */
    int64_t written;         /* what jst_offsets holds of it; -1: nothing of use */
    int64_t known;           /* what lies below is read again; -1: nothing */
};

struct flow {
    const struct route *route;
    struct row_reader *reader;
    struct table *table;   /* NULL: to be looked at before the next batch */
    struct flood flood;    /* its last documents, good or bad */
    struct batch *filling; /* NULL: no record has come yet */
    struct record *held;   /* records that had no room in the filling batch, in order */
    size_t held_count, held_cap;
    struct shipment *shipments[SHIPMENTS_MAX]; /* in order */
    size_t shipment_count;
    struct flow_part *parts;
    size_t part_count, part_cap;

    /* trouble: something has failed and not succeeded since. Then one thing is tried at a time. */
    bool troubled;
    bool slow;           /* it met a lock: its tries take the slow connection */
    int failures;        /* in a row */
    int64_t retry_at_ms; /* monotonic */
    int64_t failing_since_ms;
    int64_t unknown_since_ms; /* errors that are not in the table of errors; 0: none */
    bool given_up;            /* bounded run: what it has is dropped, and the others go on */

    bool letters_told;       /* readiness says that dead letters wait */
    bool needs_look;         /* at the table and the marks */
    bool looking;            /* a writer does it */
    bool *told_rounded;      /* by column: the log has told; NULL: of none */
    bool emptied;            /* the last look found it so, and no row was written since */
    struct recent recent;    /* written last */
    int64_t looked_at_ms;    /* monotonic */
    int64_t wrote_at_ms;     /* monotonic: it needs no look to know that the database is there */
    size_t seen, seen_stale; /* of the last documents, at most 1000 */
    int64_t
        older_at_ms; /* monotonic: when the table last had a newer version than what came; 0: it did not */
};

/* Guards shipment->orphaned, ->committed and the list of shipments against the writing threads. */
extern pthread_mutex_t flow_ledger;

void flow_init(struct flow *f, const struct route *route);
void flow_free(struct flow *f, struct source *source); /* nothing of it may be under way */

/* Take a record in; it is held when the batch has no room. */
void flow_add(struct flow *f, const struct record *r, const struct batch_limits *limits, int64_t now_ms);
/* Are records held? Then nothing more may be added. */
bool flow_is_blocked(const struct flow *f);
/* Nothing fills, nothing is under way. */
bool flow_is_empty(const struct flow *f);
/* Is some shipment on a writing thread? */
bool flow_is_writing(const struct flow *f);
/* The first shipment that is to be written; NULL: none. */
struct shipment *flow_first_waiting(const struct flow *f);
/* Bytes in memory. */
size_t flow_memory(const struct flow *f);

/* Make the filling batch a shipment, and fill the next one with what was held. */
struct shipment *flow_ship(struct flow *f, const struct batch_limits *limits, int64_t now_ms);
/* May there be a further shipment? Not while dead letters of one wait for the broker. */
bool flow_has_place(const struct flow *f);
/* Does some shipment that is not written yet have a document of the filling batch? */
bool flow_overlaps(const struct flow *f);

/* The marks that the transaction of s may write now: its own end and that of committed ones behind it, if all
 * before it are committed; else none. On a writing thread. */
void flow_marks(const struct shipment *s, struct mark_list *ret);
/* Is more committed than jst_offsets says? */
bool flow_lags(const struct flow *f);
/* Then the marks of all partitions, those included that do not lag: what is there is checked before. */
void flow_lagging_marks(const struct flow *f, struct mark_list *ret);
/* These are in jst_offsets now. */
void flow_marks_written(struct flow *f, const struct mark_list *marks);

void shipment_committed(struct shipment *s); /* on the writing thread */

/* Note up to where everything is committed; call it when a shipment's state has changed. */
void flow_advance(struct flow *f);
/* Take out the first shipment if it is done. NULL: it is not. */
struct shipment *flow_take_done(struct flow *f);
void shipment_free(struct shipment *s, struct source *source);

/* Forget all records: those on a writing thread become orphans. */
void flow_drop(struct flow *f, struct source *source);

/* Forget all records behind the first shipment that are not being written: they are read again later. */
void flow_shed(struct flow *f, struct source *source);

struct flow_part *flow_part(struct flow *f, const char *topic, int32_t partition);

#endif
