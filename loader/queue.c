#include "loader/queue.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

bool queue_is_blocked(const struct pipeline_queue *queue)
{
    return queue->held_count > 0;
}

bool queue_is_empty(const struct pipeline_queue *queue)
{
    return queue->filling == NULL && queue->due == NULL && queue->held_count == 0;
}

static bool fill_batch(struct pipeline_queue *queue, const struct record *r,
                       const struct batch_limits *limits, int64_t now_ms)
{
    if (queue->filling == NULL)
        queue->filling = batch_new(queue->route->pipeline);
    if (!batch_has_room(queue->filling, r, limits))
        return false;
    batch_add(queue->filling, r, now_ms);
    return true;
}

void queue_add(struct pipeline_queue *queue, const struct record *r, const struct batch_limits *limits,
               int64_t now_ms)
{
    if (queue->held_count == 0 && fill_batch(queue, r, limits, now_ms))
        return;
    queue->held = mem_grow(queue->held, &queue->held_cap, queue->held_count, sizeof *queue->held);
    queue->held[queue->held_count++] = *r;
}

void queue_advance(struct pipeline_queue *queue, const struct batch_limits *limits, int64_t wait_ms,
                   bool flush, int64_t now_ms)
{
    if (queue->due != NULL || queue->filling == NULL)
        return;
    if (!flush && queue->held_count == 0 && !batch_is_full(queue->filling, limits) &&
        now_ms < queue_due_at(queue, wait_ms))
        return;
    queue->due = queue->filling;
    queue->filling = NULL;
    queue->attempts = 0;
    queue->unknown = 0;
    queue->retry_at_ms = 0;
    size_t taken = 0;
    while (taken < queue->held_count && fill_batch(queue, &queue->held[taken], limits, now_ms))
        taken++;
    queue->held_count -= taken;
    if (taken > 0)
        memmove(queue->held, queue->held + taken, queue->held_count * sizeof *queue->held);
}

int64_t queue_due_at(const struct pipeline_queue *queue, int64_t wait_ms)
{
    return queue->filling != NULL ? queue->filling->since_ms + wait_ms : INT64_MAX;
}

void queue_drop(struct pipeline_queue *queue, struct source *source, bool writing)
{
    batch_free(queue->filling, source);
    queue->filling = NULL;
    for (size_t i = 0; i < queue->held_count; i++)
        source_release(source, &queue->held[i]);
    queue->held_count = 0;
    if (writing) {
        queue->orphaned = true;
        return;
    }
    batch_free(queue->due, source);
    queue->due = NULL;
}

void queue_free(struct pipeline_queue *queue, struct source *source)
{
    queue_drop(queue, source, false);
    free(queue->held);
    table_free(queue->table);
}
