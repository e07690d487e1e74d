/* The loader in the stage: what comes goes into batches; work.c hands them to the writing threads. Each
 * pipeline has a flow of its own; one that waits holds up no other. */
#include "loader/load.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fault_point.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/wire/dead.h"
#include "loader/loading.h"

enum {
    BUSY_POLL_MS = 2,      /* while a batch is being written, to notice its end soon */
    BLOCKED_WAIT_MS = 50,  /* nothing may be read: wait for a writer */
    PAUSE_AFTER_MS = 1000, /* nothing may be read for so long: pause the topics that have no room */
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

/* ------------------------------------------------------------------ the stage's callbacks */

static int poll_timeout(const struct loading *w, int longest_ms)
{
    int64_t now = clock_monotonic_ms();
    int64_t timeout = work_is_under_way(w) || w->letters_waiting > 0 ? BUSY_POLL_MS : longest_ms;

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
    if (work_take(w, err) != 0 || letters_pump(w, err) != 0)
        return STAGE_FAILED;
    room_measure(w);
    work_give(w, quiet);
    outcome_tell_progress(w);
    *timeout_ms = poll_timeout(w, *timeout_ms);
    if (!room_is_blocked(w)) {
        w->blocked_since_ms = 0;
        return STAGE_POLL;
    }
    if (w->blocked_since_ms == 0)
        w->blocked_since_ms = clock_monotonic_ms();
    if (clock_monotonic_ms() - w->blocked_since_ms <
        PAUSE_AFTER_MS) /* a pause throws away what was fetched */
        writers_wait(w->writers, BLOCKED_WAIT_MS);
    else
        room_pause(w);
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

/* What jst_offsets says counts as much as the group's offset, where it says anything. */
static char *tell_mark(void *arg, size_t route, const char *topic, int32_t partition)
{
    const struct loading *w = arg;

    if (w->flows[route].route->pipeline->write == WRITE_REPLACE)
        return NULL;
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
    if (acked || work_is_under_way(w))
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
    return !work_is_under_way(w);
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
