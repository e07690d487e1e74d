/* Which flow gets a writer, and for what. */
#include "common/base/clock.h"
#include "loader/loading.h"

enum { LOOKS_APART_MS = 100 /* idle pipelines are looked at one after the other */ };

/* ---- writers ---- */

/* Does a writer work for this flow, be it with a batch that was taken away meanwhile? */
static bool is_used(const struct loading *w, const struct flow *f)
{
    for (size_t i = 0; i < w->l->store_count; i++)
        if (w->jobs[i].kind != JOB_NONE && w->jobs[i].flow == f)
            return true;
    return false;
}

bool work_is_under_way(const struct loading *w)
{
    for (size_t i = 0; i < w->l->store_count; i++)
        if (w->jobs[i].kind != JOB_NONE)
            return true;
    return false;
}

/* An idle writer: the slow one for a flow that met a lock, so that it holds up no other. NULL: none. */
static struct job *idle_writer(struct loading *w, const struct flow *f)
{
    size_t fast = w->l->store_count - 1;

    if (f->slow)
        return w->jobs[fast].kind == JOB_NONE ? &w->jobs[fast] : NULL;
    for (size_t i = 0; i < fast; i++)
        if (w->jobs[i].kind == JOB_NONE)
            return &w->jobs[i];
    return NULL;
}

static void start_job(struct loading *w, struct job *job, struct flow *f, enum job_kind kind)
{
    job->kind = kind;
    job->flow = f;
    job->started_ms = w->asked_ms = clock_monotonic_ms();
    if (f != NULL)
        w->next = (flow_index(w, f) + 1) % w->count;
    writers_start(w->writers, (size_t)(job - w->jobs), job_run, job);
}

/* Without an answer from the database one question at a time is enough. */
static bool may_ask(const struct loading *w, int64_t now)
{
    return w->answers || (now >= w->ask_at_ms && !work_is_under_way(w));
}

/* ---- what is to be done for a flow ---- */

static void start_look(struct loading *w, struct job *job, struct flow *f)
{
    job->create_tables = w->l->create_tables;
    recent_copy(&job->recent, &f->recent);
    f->looking = true;
    start_job(w, job, f, JOB_LOOK);
}

static void start_write(struct loading *w, struct job *job, struct shipment *s)
{
    struct flow *f = s->flow;

    for (size_t i = 0; i < s->batch->part_count; i++) {
        struct batch_part *part = &s->batch->parts[i];
        const struct flow_part *own = flow_part(f, part->topic, part->partition);
        part->written = own != NULL ? own->written : -1;
        part->reset = own != NULL && own->reset;
    }
    job->shipment = s;
    job->flood = f->flood; /* the loop feeds its own meanwhile */
    job->rules = (struct apply_rules){.unknown_as_row = trouble_is_unknown(f),
                                      .flood = &job->flood,
                                      .flood_limit = w->l->flood_limit,
                                      .marks = w->l->replay ? NULL : job_marks,
                                      .arg = s};
    s->state = SHIPMENT_WRITES;
    start_job(w, job, f, JOB_WRITE);
}

/* Two transactions with a document in common would only wait for one another. */
static bool meets_orphan(const struct loading *w, const struct flow *f, const struct batch *b)
{
    for (size_t i = 0; i < w->l->store_count; i++) {
        const struct job *job = &w->jobs[i];
        if (job->kind == JOB_WRITE && job->flow == f && job->shipment->orphaned &&
            batch_overlaps(job->shipment->batch, b))
            return true;
    }
    return false;
}

/* With others at work, a flow takes no more than its part of the writers: should its table be locked, it
 * holds no more of them. */
static bool is_its_turn(const struct loading *w, const struct flow *f)
{
    size_t writers = w->l->store_count - 1;
    size_t used = 0;

    for (size_t i = 0; i < w->l->store_count; i++)
        used += w->jobs[i].kind == JOB_WRITE && w->jobs[i].flow == f;
    return w->active < 2 || used < (writers + w->active - 1) / w->active;
}

static bool is_due(const struct loading *w, const struct flow *f, bool quiet, int64_t now)
{
    const struct batch *b = f->filling;

    if (b == NULL || !flow_has_place(f) || !is_its_turn(w, f))
        return false;
    return quiet || w->stage.ended || w->full || flow_is_blocked(f) || b->row_count >= w->l->enough_rows ||
           b->document_count >= w->l->enough_rows || batch_is_full(b, &w->limits) ||
           now >= b->since_ms + w->l->batch_wait_ms;
}

/* The next batch of a flow that has no trouble. */
static void start_next(struct loading *w, struct job *job, struct flow *f, bool quiet, int64_t now)
{
    struct shipment *s = flow_first_waiting(f);

    if (s != NULL && !flow_is_writing(f)) {
        start_write(w, job, s);
        return;
    }
    if (s == NULL && is_due(w, f, quiet, now) && !flow_overlaps(f) && !meets_orphan(w, f, f->filling))
        start_write(w, job, flow_ship(f, &w->limits, now));
}

void work_start_marks(struct loading *w, struct job *job, struct flow *f)
{
    flow_lagging_marks(f, &job->marks);
    if (job->marks.count == 0)
        return;
    f->looking = true;
    start_job(w, job, f, JOB_MARKS);
}

static bool is_look_due(const struct loading *w, const struct flow *f, int64_t now)
{
    int64_t apart = (int64_t)w->count * LOOKS_APART_MS;
    int64_t every = w->l->idle_look_ms > apart ? w->l->idle_look_ms : apart;

    if (f->needs_look || w->l->bounded) /* a bounded run would never be idle */
        return f->needs_look;
    if (now < f->looked_at_ms + every)
        return false;
    return flow_is_empty(f) ? now >= f->wrote_at_ms + every : recent_suffices(&f->recent);
}

/* Give the flow a writer if it has work for one. */
static void step_flow(struct loading *w, struct flow *f, bool quiet, int64_t now)
{
    if (f->given_up || f->looking || !may_ask(w, now) || (f->troubled && now < f->retry_at_ms))
        return;
    struct job *job = idle_writer(w, f);
    if (job == NULL || (f->troubled && is_used(w, f)))
        return;
    if (is_look_due(w, f, now)) {
        if (!is_used(w, f)) /* the look replaces the table */
            start_look(w, job, f);
        return;
    }
    if (f->table == NULL)
        return;
    start_next(w, job, f, quiet, now);
    if (job->kind == JOB_NONE && flow_is_empty(f))
        work_start_marks(w, job, f);
}

static struct job *any_idle_writer(struct loading *w)
{
    for (size_t i = 0; i < w->l->store_count; i++)
        if (w->jobs[i].kind == JOB_NONE)
            return &w->jobs[i];
    return NULL;
}

static bool is_asked(const struct loading *w)
{
    for (size_t i = 0; i < w->l->store_count; i++)
        if (w->jobs[i].kind == JOB_ASK)
            return true;
    return false;
}

/* Flows that wait for a person, or for their dead letters, ask the database nothing: whether it is there
 * must be known all the same. */
static void ask_if_silent(struct loading *w, int64_t now)
{
    int64_t due_ms = w->answers ? w->asked_ms + w->l->idle_look_ms : w->ask_at_ms;
    struct job *job = any_idle_writer(w);

    if (!w->l->bounded && job != NULL && now >= due_ms && may_ask(w, now) && !is_asked(w))
        start_job(w, job, NULL, JOB_ASK);
}

void work_give(struct loading *w, bool quiet)
{
    int64_t now = clock_monotonic_ms();
    size_t first = w->next;

    for (size_t i = 0; i < w->count; i++)
        step_flow(w, &w->flows[(first + i) % w->count], quiet, now);
    for (size_t i = 0; i < w->count && quiet; i++) /* a quiet topic: the next batch need not wait either */
        step_flow(w, &w->flows[(first + i) % w->count], quiet, now);
    ask_if_silent(w, now);
}

int work_take(struct loading *w, struct err *err)
{
    for (size_t i = 0; i < w->l->store_count; i++)
        if (w->jobs[i].kind != JOB_NONE && !writers_busy(w->writers, i) &&
            outcome_take(w, &w->jobs[i], err) != 0)
            return -1;
    return 0;
}
