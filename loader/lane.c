#include "loader/lane.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

bool lane_is_blocked(const struct lane *lane)
{
    return lane->held_count > 0;
}

bool lane_is_empty(const struct lane *lane)
{
    return lane->filling == NULL && lane->due == NULL && lane->held_count == 0;
}

static bool fill(struct lane *lane, const struct record *r, const struct batch_limits *limits, int64_t now_ms)
{
    if (lane->filling == NULL)
        lane->filling = batch_new(lane->route->pipeline);
    if (!batch_has_room(lane->filling, r, limits))
        return false;
    batch_add(lane->filling, r, now_ms);
    return true;
}

void lane_add(struct lane *lane, const struct record *r, const struct batch_limits *limits, int64_t now_ms)
{
    if (lane->held_count == 0 && fill(lane, r, limits, now_ms))
        return;
    lane->held = mem_grow(lane->held, &lane->held_cap, lane->held_count, sizeof *lane->held);
    lane->held[lane->held_count++] = *r;
}

void lane_advance(struct lane *lane, const struct batch_limits *limits, int64_t wait_ms, bool flush,
                  int64_t now_ms)
{
    if (lane->due != NULL || lane->filling == NULL)
        return;
    if (!flush && lane->held_count == 0 && !batch_is_full(lane->filling, limits) &&
        now_ms < lane_due_at(lane, wait_ms))
        return;
    lane->due = lane->filling;
    lane->filling = NULL;
    lane->attempts = 0;
    lane->unknown = 0;
    lane->retry_at_ms = 0;
    size_t taken = 0;
    while (taken < lane->held_count && fill(lane, &lane->held[taken], limits, now_ms))
        taken++;
    lane->held_count -= taken;
    if (taken > 0)
        memmove(lane->held, lane->held + taken, lane->held_count * sizeof *lane->held);
}

int64_t lane_due_at(const struct lane *lane, int64_t wait_ms)
{
    return lane->filling != NULL ? lane->filling->since_ms + wait_ms : INT64_MAX;
}

void lane_drop(struct lane *lane, struct source *source, bool writing)
{
    batch_free(lane->filling, source);
    lane->filling = NULL;
    for (size_t i = 0; i < lane->held_count; i++)
        source_release(source, &lane->held[i]);
    lane->held_count = 0;
    if (writing) {
        lane->orphaned = true;
        return;
    }
    batch_free(lane->due, source);
    lane->due = NULL;
}

void lane_free(struct lane *lane, struct source *source)
{
    lane_drop(lane, source, false);
    free(lane->held);
    table_free(lane->table);
}
