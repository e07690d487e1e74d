/* The loader's work in the stage: fill batches, hand them to the writing threads, and act on what becomes of
 * them. Each pipeline has a flow of its own; one that waits holds up no other. */
#include "loader/load.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fault_point.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/monitor/health.h"
#include "common/wire/dead.h"
#include "loader/loading.h"

enum {
    BUSY_POLL_MS = 2,      /* while a batch is being written, to notice its end soon */
    BLOCKED_WAIT_MS = 50,  /* nothing may be read: wait for a writer */
    PAUSE_AFTER_MS = 1000, /* nothing may be read for so long: pause the topics that have no room */
    LOOKS_APART_MS = 100,  /* idle pipelines are looked at one after the other */
    STOP_WRITE_MS = 3500,  /* asked to stop: transactions under way have so long to finish */
    STOP_ABORT_MS = 1000,  /* then their connections are cut, and the threads have so long to return */
    STOP_LETTERS_MS = 2000,
    STOP_MARKS_MS = 500,
    STEP_MS = 20,
    SHARE_LEAST = 256 * 1024, /* bytes of a batch, however many pipelines share the room */
};

void load_metrics_init(const struct routes *routes)
{
    static const enum pause_reason reasons[] = {PAUSE_DATABASE, PAUSE_SCHEMA, PAUSE_FLOOD, PAUSE_LOST};

    for (size_t i = 0; i < routes->count; i++) {
        load_metrics_pipeline(routes->list[i].pipeline->name);
        dead_count_init(routes->list[i].pipeline->name, LOADER_STAGE);
    }
    stage_metrics_init(load_metrics_paused(), routes, reasons, sizeof reasons / sizeof reasons[0]);
}

/* ------------------------------------------------------------------ writers */

/* Does a writer work for this flow, be it with a batch that was taken away meanwhile? */
static bool is_used(const struct loading *w, const struct flow *f)
{
    for (size_t i = 0; i < w->l->store_count; i++)
        if (w->jobs[i].kind != JOB_NONE && w->jobs[i].flow == f)
            return true;
    return false;
}

static bool any_job(const struct loading *w)
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
    return w->answers || (now >= w->ask_at_ms && !any_job(w));
}

/* ------------------------------------------------------------------ what is to be done for a flow */

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

static void start_marks(struct loading *w, struct job *job, struct flow *f)
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
        start_marks(w, job, f);
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

static void give_work(struct loading *w, bool quiet)
{
    int64_t now = clock_monotonic_ms();
    size_t first = w->next;

    for (size_t i = 0; i < w->count; i++)
        step_flow(w, &w->flows[(first + i) % w->count], quiet, now);
    for (size_t i = 0; i < w->count && quiet; i++) /* a quiet topic: the next batch need not wait either */
        step_flow(w, &w->flows[(first + i) % w->count], quiet, now);
    ask_if_silent(w, now);
}

static int take_outcomes(struct loading *w, struct err *err)
{
    for (size_t i = 0; i < w->l->store_count; i++)
        if (w->jobs[i].kind != JOB_NONE && !writers_busy(w->writers, i) &&
            outcome_take(w, &w->jobs[i], err) != 0)
            return -1;
    return 0;
}

/* ------------------------------------------------------------------ room */

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

static void measure_room(struct loading *w)
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

/* Has a flow no room while its topic is not paused? Then nothing may be read. */
static bool is_blocked(const struct loading *w)
{
    for (size_t i = 0; i < w->count; i++)
        if ((w->full || flow_is_blocked(&w->flows[i])) && !is_paused(w, i))
            return true;
    return false;
}

static void pause_blocked(struct loading *w)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->full || flow_is_blocked(&w->flows[i]))
            stage_set_full(&w->stage, i, true);
}

/* ------------------------------------------------------------------ the stage's callbacks */

static int poll_timeout(const struct loading *w, int longest_ms)
{
    int64_t now = clock_monotonic_ms();
    int64_t timeout = any_job(w) || w->letters_waiting > 0 ? BUSY_POLL_MS : longest_ms;

    for (size_t i = 0; i < w->count; i++) {
        const struct flow *f = &w->flows[i];
        if (f->troubled && f->retry_at_ms > now && f->retry_at_ms - now < timeout)
            timeout = f->retry_at_ms - now;
        if (f->filling != NULL && !f->troubled)
            timeout = timeout < BUSY_POLL_MS ? timeout : BUSY_POLL_MS;
    }
    return (int)timeout;
}

static enum stage_next take_turn(void *arg, bool quiet, int *timeout_ms, struct err *err)
{
    struct loading *w = arg;

    /* letters first: what has none is done then, and the next batch may follow */
    if (take_outcomes(w, err) != 0 || letters_pump(w, err) != 0)
        return STAGE_FAILED;
    measure_room(w);
    give_work(w, quiet);
    outcome_tell_progress(w);
    *timeout_ms = poll_timeout(w, *timeout_ms);
    if (!is_blocked(w)) {
        w->blocked_since_ms = 0;
        return STAGE_POLL;
    }
    if (w->blocked_since_ms == 0)
        w->blocked_since_ms = clock_monotonic_ms();
    if (clock_monotonic_ms() - w->blocked_since_ms <
        PAUSE_AFTER_MS) /* a pause throws away what was fetched */
        writers_wait(w->writers, BLOCKED_WAIT_MS);
    else
        pause_blocked(w);
    return STAGE_BUSY;
}

static int take_rows(void *arg, size_t route, const struct record *r, struct err *err)
{
    struct loading *w = arg;
    struct record dropped = *r;

    (void)err;
    FAULT_POINT("record-taken");
    if (w->flows[route].given_up)
        source_release(w->l->in, &dropped);
    else
        flow_add(&w->flows[route], r, &w->limits, clock_monotonic_ms());
    return 0;
}

static int take_start(void *arg, size_t route, const struct source_start *log, struct err *err)
{
    struct loading *w = arg;
    struct flow *f = &w->flows[route];
    struct flow_part *part = flow_part(f, log->topic, log->partition);

    (void)err;
    if (f->given_up) {
        source_seek(w->l->in, log->topic, log->partition, log->high);
        return 0;
    }
    if (log->recreated)
        log_warn("%s: %s/%d was deleted and made again: it is read from its start", flow_name(f), log->topic,
                 log->partition);
    if (part == NULL) {
        f->parts = mem_grow(f->parts, &f->part_cap, f->part_count, sizeof *f->parts);
        part = &f->parts[f->part_count++];
    }
    *part = (struct flow_part){.log = *log, .waiting = true, .next = -1, .written = -1, .known = -1};
    f->needs_look = true;
    return 0;
}

/* What jst_offsets says counts as much as the group's offset. */
static char *tell_mark(void *arg, size_t route, const char *topic, int32_t partition)
{
    const struct loading *w = arg;

    return mem_printf(
        "run DELETE FROM jst_offsets WHERE pipeline='%s' AND topic='%s' AND `partition`=%d in MySQL",
        flow_name(&w->flows[route]), topic, partition);
}

static void forget_rows(void *arg)
{
    struct loading *w = arg;

    for (size_t i = 0; i < w->count; i++) {
        flow_drop(&w->flows[i], w->l->in);
        w->flows[i].part_count = 0;
        letters_forget(&w->flows[i]);
        outcome_forget(&w->flows[i]);
        trouble_leaves(w, &w->flows[i]);
    }
}

static bool is_working(void *arg)
{
    struct loading *w = arg;
    bool acked = w->letters_acked;

    w->letters_acked = false;
    if (acked || any_job(w))
        return true;
    for (size_t i = 0; i < w->count; i++) /* what waits for the database ends by itself, too */
        if (w->flows[i].troubled)
            return true;
    return false;
}

static bool is_done(void *arg)
{
    const struct loading *w = arg;

    for (size_t i = 0; i < w->count; i++) {
        const struct flow *f = &w->flows[i];
        if (!flow_is_empty(f) || f->looking || (f->needs_look && !f->given_up) ||
            (flow_lags(f) && !f->given_up))
            return false;
    }
    return !any_job(w);
}

/* ------------------------------------------------------------------ the end */

static bool await_writers(struct loading *w, int limit_ms)
{
    int64_t until = clock_monotonic_ms() + limit_ms;

    for (size_t i = 0; i < w->l->store_count; i++)
        while (w->jobs[i].kind != JOB_NONE && writers_busy(w->writers, i)) {
            if (clock_monotonic_ms() >= until)
                return false;
            writers_wait(w->writers, STEP_MS);
        }
    return true;
}

static void abort_writers(struct loading *w)
{
    log_warn("MySQL does not answer: the batches in hand are abandoned");
    for (size_t i = 0; i < w->l->store_count; i++)
        if (w->jobs[i].kind != JOB_NONE && writers_busy(w->writers, i))
            writers_abort(w->writers, i);
}

/* Give the letters of what is committed some time, so that their offsets are stored. */
static void finish_letters(struct loading *w)
{
    int64_t until = clock_monotonic_ms() + STOP_LETTERS_MS;
    struct err err = ERR_INIT;

    while (letters_pump(w, &err) == 0 && w->letters_waiting > 0 && clock_monotonic_ms() < until)
        if (sink_serve(w->l->dead, STEP_MS, &err) != 0)
            return;
}

/* What lags in jst_offsets would be read again by the next process. false: a thread does not return. */
static bool write_last_marks(struct loading *w)
{
    struct err err = ERR_INIT;

    for (size_t i = 0; i < w->count && w->answers; i++) {
        struct flow *f = &w->flows[i];
        if (f->table == NULL || f->troubled || !flow_lags(f) || !flow_is_empty(f))
            continue;
        start_marks(w, &w->jobs[0], f);
        if (!await_writers(w, STOP_MARKS_MS)) {
            abort_writers(w);
            return await_writers(w, STOP_ABORT_MS);
        }
        if (take_outcomes(w, &err) != 0)
            break;
    }
    return true;
}

/* Let the transactions under way finish and store their offsets. If one hangs, cut its connection: the server
 * then rolls it back. false: a thread does not return, and nothing that it uses may be freed. */
static bool stop_writing(struct loading *w)
{
    struct err err = ERR_INIT;

    FAULT_POINT("stopping");
    if (!await_writers(w, STOP_WRITE_MS)) {
        abort_writers(w);
        if (!await_writers(w, STOP_ABORT_MS))
            return false;
    }
    if (take_outcomes(w, &err) != 0)
        log_warn("the last batch is not finished and will be repeated: %s", err.text);
    finish_letters(w);
    return write_last_marks(w);
}

static const struct stage_ops load_ops = {
    .turn = take_turn,
    .record = take_rows,
    .start = take_start,
    .lost_cure = tell_mark,
    .revoked = forget_rows,
    .working = is_working,
    .done = is_done,
};

static struct loading *open_run(const struct load *l)
{
    struct loading *w = mem_zalloc(1, sizeof *w);

    w->l = l;
    w->stage = (struct stage){
        .in = l->in,
        .routes = l->routes,
        .role = TOPIC_ROWS,
        .paused = load_metrics_paused(),
        .once = l->bounded,
        .stopping = l->stopping,
        .ops = &load_ops,
        .arg = w,
    };
    w->report.began_ms = w->report.told_ms = clock_monotonic_ms();
    w->count = l->routes->count;
    w->flows = mem_zalloc(w->count, sizeof *w->flows);
    for (size_t i = 0; i < w->count; i++)
        flow_init(&w->flows[i], &l->routes->list[i]);
    w->jobs = mem_zalloc(l->store_count, sizeof *w->jobs);
    w->limits = l->limits;
    w->writers = writers_new(l->stores, l->store_count);
    l->dead->acked = letters_acked;
    l->dead->arg = w;
    return w;
}

static void close_run(struct loading *w)
{
    w->l->dead->acked = NULL;
    writers_free(w->writers);
    for (size_t i = 0; i < w->count; i++)
        flow_free(&w->flows[i], w->l->in);
    stage_free(&w->stage);
    free(w->flows);
    free(w->jobs);
    free(w);
}

int load_run(const struct load *l, struct err *err)
{
    struct loading *w = open_run(l);
    int rc = stage_run(&w->stage, err);

    if (!stop_writing(w)) {
        if (rc == 0)
            err_set(err, ERR_RETRY, 0,
                    "a writing thread hangs in a call to MySQL: the process ends without it");
        return 1;
    }
    if (rc == 0 && w->first_failure.kind != ERR_NONE) {
        *err = w->first_failure;
        rc = -1;
    }
    outcome_tell_end(w);
    close_run(w);
    return rc;
}
