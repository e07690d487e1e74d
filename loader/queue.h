/* One pipeline's records on their way into MySQL: the batch that fills, the batch that is due, and the
 * records that are held back because the filling batch has no room. */
#ifndef JST_LOADER_QUEUE_H
#define JST_LOADER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mysql/shape.h"
#include "common/wire/flood.h"
#include "common/wire/routes.h"
#include "loader/batch.h"

struct pipeline_queue {
    const struct route *route;
    struct batch *filling; /* NULL: no record has come yet */
    struct batch *due;     /* being written, or waiting to be written again */
    struct record *held;   /* records that had no room in the filling batch, in order */
    size_t held_count, held_cap;
    struct flood flood;  /* its last documents, good or bad */
    struct table *table; /* NULL: to be read before the next batch */
    int64_t retry_at_ms; /* monotonic: the due batch waits until then */
    int attempts;        /* failures of the due batch */
    int unknown;         /* of them, failures by errors that are not in the table of errors */
    bool orphaned;       /* the due batch is being written, and its partitions were revoked */
};

/* Take a record in; it is held when the batch has no room. */
void queue_add(struct pipeline_queue *queue, const struct record *r, const struct batch_limits *limits,
               int64_t now_ms);
/* Make the filling batch the due one if it should be: full, old enough, or `flush`. */
void queue_advance(struct pipeline_queue *queue, const struct batch_limits *limits, int64_t wait_ms,
                   bool flush, int64_t now_ms);
/* Monotonic time when queue_advance() would find the filling batch old enough; INT64_MAX: nothing fills. */
int64_t queue_due_at(const struct pipeline_queue *queue, int64_t wait_ms);
/* Are records held? Then nothing more may be added. */
bool queue_is_blocked(const struct pipeline_queue *queue);
bool queue_is_empty(const struct pipeline_queue *queue);
/* Forget everything that is not being written. writing: the due batch is being written and becomes orphaned.
 */
void queue_drop(struct pipeline_queue *queue, struct source *source, bool writing);
void queue_free(struct pipeline_queue *queue, struct source *source);

#endif
