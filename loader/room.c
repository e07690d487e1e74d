/* Memory: how much a batch may take, and what may not be read meanwhile. */
#include "loader/loading.h"

enum { SHARE_LEAST = 256 * 1024 /* bytes of a batch, however many pipelines share the room */ };

/* The more flows are active, the smaller their batches, so that one that stands still holds little. */
static void share_room(struct loading *w)
{
    size_t share;

    w->active = 0;
    for (size_t i = 0; i < w->count; i++)
        w->active += !flow_is_empty(&w->flows[i]);
    share = w->l->buffer_bytes / (2 * (w->active > 0 ? w->active : 1));
    w->limits = w->l->limits;
    if (share < w->limits.bytes)
        w->limits.bytes = share > SHARE_LEAST ? share : SHARE_LEAST;
}

void room_measure(struct loading *w)
{
    size_t bytes = 0;

    for (size_t i = 0; i < w->count; i++)
        bytes += flow_memory(&w->flows[i]);
    w->full = bytes >= w->l->buffer_bytes;
    share_room(w);
    for (size_t i = 0; i < w->count; i++)
        if (!w->full && !flow_is_blocked(&w->flows[i]))
            stage_set_full(&w->stage, i, false);
}

static bool is_paused(const struct loading *w, size_t i)
{
    return w->stage.pauses[i].reasons != 0;
}

bool room_is_blocked(const struct loading *w)
{
    for (size_t i = 0; i < w->count; i++)
        if ((w->full || flow_is_blocked(&w->flows[i])) && !is_paused(w, i))
            return true;
    return false;
}

void room_pause(struct loading *w)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->full || flow_is_blocked(&w->flows[i]))
            stage_set_full(&w->stage, i, true);
}
