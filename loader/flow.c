#include "loader/flow.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

pthread_mutex_t flow_ledger = PTHREAD_MUTEX_INITIALIZER;

void flow_init(struct flow *f, const struct route *route)
{
    *f = (struct flow){.route = route, .reader = row_reader_new(route->pipeline), .needs_look = true};
}

void flow_free(struct flow *f, struct source *source)
{
    flow_drop(f, source);
    free(f->held);
    free(f->parts);
    free(f->told_rounded);
    recent_clear(&f->recent);
    table_free(f->table);
    row_reader_free(f->reader);
}

/* ------------------------------------------------------------------ records */

static bool fill_batch(struct flow *f, const struct record *r, const struct batch_limits *limits,
                       int64_t now_ms)
{
    if (f->filling == NULL)
        f->filling = batch_new(f->reader);
    if (!batch_has_room(f->filling, r, limits))
        return false;
    batch_add(f->filling, r, now_ms);
    return true;
}

void flow_add(struct flow *f, const struct record *r, const struct batch_limits *limits, int64_t now_ms)
{
    if (f->held_count == 0 && fill_batch(f, r, limits, now_ms))
        return;
    f->held = mem_grow(f->held, &f->held_cap, f->held_count, sizeof *f->held);
    f->held[f->held_count++] = *r;
}

bool flow_is_blocked(const struct flow *f)
{
    return f->held_count > 0;
}

bool flow_is_empty(const struct flow *f)
{
    return f->filling == NULL && f->held_count == 0 && f->shipment_count == 0;
}

static struct shipment *first_of(const struct flow *f, enum shipment_state state)
{
    for (size_t i = 0; i < f->shipment_count; i++)
        if (f->shipments[i]->state == state)
            return f->shipments[i];
    return NULL;
}

bool flow_is_writing(const struct flow *f)
{
    return first_of(f, SHIPMENT_WRITES) != NULL;
}

struct shipment *flow_first_waiting(const struct flow *f)
{
    return first_of(f, SHIPMENT_WAITS);
}

size_t flow_memory(const struct flow *f)
{
    size_t bytes = f->filling != NULL ? batch_memory(f->filling) : 0;

    for (size_t i = 0; i < f->held_count; i++)
        bytes += f->held[i].value_len;
    for (size_t i = 0; i < f->shipment_count; i++)
        bytes += f->shipments[i]->memory;
    return bytes;
}

/* ------------------------------------------------------------------ shipments */

bool flow_has_place(const struct flow *f)
{
    return f->shipment_count < SHIPMENTS_MAX && first_of(f, SHIPMENT_COMMITTED) == NULL;
}

static void fill_with_held(struct flow *f, const struct batch_limits *limits, int64_t now_ms)
{
    size_t taken = 0;

    while (taken < f->held_count && fill_batch(f, &f->held[taken], limits, now_ms))
        taken++;
    f->held_count -= taken;
    if (taken > 0)
        memmove(f->held, f->held + taken, f->held_count * sizeof *f->held);
}

struct shipment *flow_ship(struct flow *f, const struct batch_limits *limits, int64_t now_ms)
{
    static uint32_t last_id; /* one thread ships */
    struct shipment *s = mem_zalloc(1, sizeof *s);

    s->id = ++last_id;
    s->flow = f;
    s->batch = f->filling;
    s->memory = batch_memory(s->batch);
    f->filling = NULL;
    pthread_mutex_lock(&flow_ledger);
    f->shipments[f->shipment_count++] = s;
    pthread_mutex_unlock(&flow_ledger);
    fill_with_held(f, limits, now_ms);
    return s;
}

void shipment_committed(struct shipment *s)
{
    pthread_mutex_lock(&flow_ledger);
    s->committed = true;
    pthread_mutex_unlock(&flow_ledger);
}

bool flow_overlaps(const struct flow *f)
{
    for (size_t i = 0; i < f->shipment_count; i++)
        if (f->shipments[i]->state <= SHIPMENT_WRITES && batch_overlaps(f->shipments[i]->batch, f->filling))
            return true;
    return false;
}

static void remove_shipment(struct flow *f, size_t at)
{
    pthread_mutex_lock(&flow_ledger);
    f->shipment_count--;
    memmove(&f->shipments[at], &f->shipments[at + 1], (f->shipment_count - at) * sizeof *f->shipments);
    pthread_mutex_unlock(&flow_ledger);
}

struct shipment *flow_take_done(struct flow *f)
{
    struct shipment *s = f->shipment_count > 0 ? f->shipments[0] : NULL;

    if (s == NULL || s->state != SHIPMENT_DONE)
        return NULL;
    remove_shipment(f, 0);
    return s;
}

void shipment_free(struct shipment *s, struct source *source)
{
    batch_free(s->batch, source);
    free(s->marks.list);
    free(s->result.rounded);
    free(s);
}

static void drop_filling(struct flow *f, struct source *source)
{
    batch_free(f->filling, source);
    f->filling = NULL;
    for (size_t i = 0; i < f->held_count; i++)
        source_release(source, &f->held[i]);
    f->held_count = 0;
}

void flow_drop(struct flow *f, struct source *source)
{
    drop_filling(f, source);
    while (f->shipment_count > 0) {
        struct shipment *s = f->shipments[f->shipment_count - 1];
        remove_shipment(f, f->shipment_count - 1);
        pthread_mutex_lock(&flow_ledger);
        s->orphaned = true;
        pthread_mutex_unlock(&flow_ledger);
        if (s->state != SHIPMENT_WRITES)
            shipment_free(s, source);
    }
}

/* ------------------------------------------------------------------ going back */

static void note_lowest(struct flow *f, int64_t *lowest, const char *topic, int32_t partition, int64_t offset)
{
    const struct flow_part *part = flow_part(f, topic, partition);

    if (part != NULL && offset < lowest[part - f->parts])
        lowest[part - f->parts] = offset;
}

static void note_batch(struct flow *f, int64_t *lowest, const struct batch *b)
{
    for (size_t i = 0; b != NULL && i < b->part_count; i++)
        note_lowest(f, lowest, b->parts[i].topic, b->parts[i].partition, b->parts[i].first);
}

static void note_held(struct flow *f, int64_t *lowest)
{
    for (size_t i = 0; i < f->held_count; i++)
        note_lowest(f, lowest, f->held[i].topic, f->held[i].partition, f->held[i].offset);
}

/* The last shipment, if it only waits and is not the first. */
static struct shipment *take_last_waiting(struct flow *f)
{
    size_t last = f->shipment_count - 1;
    struct shipment *s = f->shipment_count > 1 ? f->shipments[last] : NULL;

    if (s == NULL || s->state != SHIPMENT_WAITS)
        return NULL;
    remove_shipment(f, last);
    return s;
}

void flow_shed(struct flow *f, struct source *source)
{
    int64_t *lowest = mem_alloc((f->part_count + 1) * sizeof *lowest);
    struct shipment *s;

    for (size_t i = 0; i < f->part_count; i++)
        lowest[i] = INT64_MAX;
    while ((s = take_last_waiting(f)) != NULL) {
        note_batch(f, lowest, s->batch);
        shipment_free(s, source);
    }
    note_batch(f, lowest, f->filling);
    note_held(f, lowest);
    drop_filling(f, source);
    for (size_t i = 0; i < f->part_count; i++)
        if (lowest[i] < INT64_MAX)
            source_seek(source, f->parts[i].log.topic, f->parts[i].log.partition, lowest[i]);
    free(lowest);
}

/* ------------------------------------------------------------------ marks */

static void put_mark(struct mark_list *list, const struct mark *mark)
{
    for (size_t i = 0; i < list->count; i++) {
        struct mark *m = &list->list[i];
        if (m->partition != mark->partition || strcmp(m->topic, mark->topic) != 0)
            continue;
        m->next_offset = mark->next_offset;
        return;
    }
    list->list = mem_grow(list->list, &list->cap, list->count, sizeof *list->list);
    list->list[list->count++] = *mark;
}

static int compare_marks(const void *a, const void *b)
{
    const struct mark *x = a;
    const struct mark *y = b;
    int order = strcmp(x->topic, y->topic);

    return order != 0 ? order : (x->partition > y->partition) - (x->partition < y->partition);
}

/* The route's name of the topic outlives every batch. */
static void put_batch_marks(struct mark_list *list, const struct flow *f, const struct batch *b)
{
    for (size_t i = 0; i < b->part_count; i++)
        put_mark(list, &(struct mark){.topic = f->route->rows,
                                      .partition = b->parts[i].partition,
                                      .next_offset = b->parts[i].last + 1,
                                      .written = b->parts[i].written,
                                      .reset = b->parts[i].reset});
}

/* Row by row there are none: going back to one would put older rows over newer ones. */
static bool keeps_marks(const struct flow *f)
{
    return f->route->pipeline->write == WRITE_DOCUMENT;
}

/* Under the ledger. */
static void collect_marks(const struct shipment *s, struct mark_list *ret)
{
    const struct flow *f = s->flow;
    size_t i = 0;

    if (s->orphaned || !keeps_marks(f))
        return;
    for (; i < f->shipment_count && f->shipments[i] != s; i++)
        if (!f->shipments[i]->committed)
            return;
    put_batch_marks(ret, f, s->batch);
    for (i++; i < f->shipment_count && f->shipments[i]->committed; i++)
        put_batch_marks(ret, f, f->shipments[i]->batch);
}

/* In key order, so that loaders that meet in jst_offsets do not deadlock. */
static void sort_marks(struct mark_list *list)
{
    if (list->count > 1)
        qsort(list->list, list->count, sizeof *list->list, compare_marks);
}

void flow_marks(const struct shipment *s, struct mark_list *ret)
{
    pthread_mutex_lock(&flow_ledger);
    collect_marks(s, ret);
    pthread_mutex_unlock(&flow_ledger);
    sort_marks(ret);
}

bool flow_lags(const struct flow *f)
{
    for (size_t i = 0; i < f->part_count && keeps_marks(f); i++)
        if (!f->parts[i].waiting && f->parts[i].next > f->parts[i].written)
            return true;
    return false;
}

void flow_lagging_marks(const struct flow *f, struct mark_list *ret)
{
    for (size_t i = 0; i < f->part_count && flow_lags(f); i++) {
        const struct flow_part *part = &f->parts[i];
        if (!part->waiting && part->next >= 0)
            put_mark(ret, &(struct mark){.topic = f->route->rows,
                                         .partition = part->log.partition,
                                         .next_offset = part->next,
                                         .written = part->written,
                                         .reset = part->reset});
    }
    sort_marks(ret);
}

void flow_marks_written(struct flow *f, const struct mark_list *marks)
{
    for (size_t i = 0; i < marks->count; i++) {
        struct flow_part *part = flow_part(f, marks->list[i].topic, marks->list[i].partition);
        if (part == NULL)
            continue;
        part->written = marks->list[i].next_offset;
        part->reset = false;
    }
}

/* ------------------------------------------------------------------ partitions */

struct flow_part *flow_part(struct flow *f, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < f->part_count; i++)
        if (f->parts[i].log.partition == partition && strcmp(f->parts[i].log.topic, topic) == 0)
            return &f->parts[i];
    return NULL;
}

void flow_advance(struct flow *f)
{
    for (size_t i = 0; i < f->shipment_count && f->shipments[i]->state >= SHIPMENT_COMMITTED; i++) {
        const struct batch *b = f->shipments[i]->batch;
        for (size_t j = 0; j < b->part_count; j++) {
            struct flow_part *part = flow_part(f, b->parts[j].topic, b->parts[j].partition);
            if (part != NULL)
                part->next = b->parts[j].last + 1;
        }
    }
}
