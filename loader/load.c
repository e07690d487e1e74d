/* The loop: serve Kafka, fill batches, hand one at a time to the thread that writes, and do what its outcome
 * asks for. An offset is stored only here, in outcome_committed(), after COMMIT and after the dead letters of
 * its batch are acknowledged: at that instant everything the offset stands for is durable. */
#include "loader/load.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/monitor/health.h"
#include "common/wire/dead.h"
#include "loader/outcome.h"

enum {
    IDLE_POLL_MS = 100,
    BUSY_POLL_MS = 5,      /* while a batch is being written: its end should be noticed soon */
    BLOCKED_WAIT_MS = 50,  /* a lane has no room: wait for the writer */
    PAUSE_AFTER_MS = 1000, /* … and when that takes longer, pause its topic and go on with the others */
    ONCE_PATIENCE_MS = 60 * 1000, /* bounded: nothing at all happens for so long */
    STOP_WRITE_MS = 3500,         /* a transaction under way may finish for so long */
    STOP_ABORT_MS = 1000,         /* … and then its connection is cut */
};

void load_metrics_init(const struct routes *routes)
{
    for (size_t i = 0; i < routes->count; i++) {
        load_metrics_pipeline(routes->list[i].pipeline->name);
        dead_count_init(routes->list[i].pipeline->name, LOADER_STAGE);
    }
}

/* ------------------------------------------------------------------ on the writing thread */

static void write_batch(void *arg)
{
    struct job *job = arg;
    struct lane *lane = job->lane;

    job->rc = db_connect(job->db, &job->err);
    if (lane == NULL)
        return;
    if (job->rc == 0 && lane->table == NULL)
        job->rc = table_load(job->db, lane->route->pipeline, job->create_tables, &lane->table, &job->err);
    if (job->rc == 0)
        job->rc = apply_batch(job->db, lane->table, lane->due, &job->rules, &job->result, &job->err);
    job->seconds = (double)(clock_monotonic_ms() - job->started_ms) / 1000;
}

/* ------------------------------------------------------------------ the loop */

/* Before the first batch: the program is ready only when the database answers. */
static void finish_greeting(struct work *w)
{
    w->greeted = w->job.rc == 0;
    w->greet_at_ms = clock_monotonic_ms() + RETRY_MOST_MS / 2;
    health_dependency("mysql", w->greeted, w->job.err.text);
}

static int reap(struct work *w, struct err *err)
{
    if (!w->writing || !worker_idle(w->worker, 0))
        return 0;
    w->writing = false;
    if (w->job.lane == NULL) {
        finish_greeting(w);
        return 0;
    }
    w->greeted = w->greeted || w->job.rc == 0;
    return w->job.rc == 0 ? outcome_committed(w, w->job.lane, err) : outcome_failed(w, w->job.lane, err);
}

static void start_writing(struct work *w, struct lane *lane)
{
    w->job = (struct job){
        .db = w->l->db,
        .lane = lane,
        .create_tables = w->l->create_tables,
        .rules = {.unknown_as_row = lane != NULL && lane->unknown > lane->route->pipeline->retry_count,
                  .flood = lane != NULL ? &lane->flood : NULL,
                  .flood_limit = w->l->flood_limit},
        .started_ms = clock_monotonic_ms(),
    };
    w->writing = true;
    worker_start(w->worker, write_batch, &w->job);
}

/* Give the writer the next batch that is due. */
static void dispatch(struct work *w)
{
    int64_t now = clock_monotonic_ms();

    for (size_t i = 0; i < w->count; i++) {
        struct lane *lane = &w->lanes[(w->turn + i) % w->count];
        lane_advance(lane, &w->l->limits, w->l->batch_wait_ms, w->ended, now);
        if (lane->paused && !lane->lost && !lane_is_blocked(lane)) {
            source_resume(w->l->in, lane->route->rows);
            lane->paused = false;
        }
        if (!w->writing && lane->due != NULL && now >= lane->retry_at_ms) {
            w->turn = (w->turn + i + 1) % w->count;
            start_writing(w, lane);
        }
    }
    if (!w->writing && !w->greeted && now >= w->greet_at_ms)
        start_writing(w, NULL);
}

/* Some lane has no room and its topic is not paused: nothing may be read. */
static bool is_blocked(const struct work *w)
{
    for (size_t i = 0; i < w->count; i++)
        if (lane_is_blocked(&w->lanes[i]) && !w->lanes[i].paused)
            return true;
    return false;
}

static void pause_blocked(struct work *w)
{
    for (size_t i = 0; i < w->count; i++) {
        if (!lane_is_blocked(&w->lanes[i]) || w->lanes[i].paused)
            continue;
        source_pause(w->l->in, w->lanes[i].route->rows);
        w->lanes[i].paused = true;
    }
}

static int poll_timeout(const struct work *w)
{
    int64_t now = clock_monotonic_ms();
    int64_t timeout = w->writing ? BUSY_POLL_MS : IDLE_POLL_MS;

    for (size_t i = 0; i < w->count && !w->writing; i++) {
        const struct lane *lane = &w->lanes[i];
        int64_t at = lane->due != NULL ? lane->retry_at_ms : lane_due_at(lane, w->l->batch_wait_ms);
        timeout = at - now < timeout ? at - now : timeout;
    }
    return timeout > 0 ? (int)timeout : 0;
}

static struct lane *lane_of(struct work *w, const char *topic)
{
    const struct route *route = routes_of_rows(w->l->routes, topic);

    return &w->lanes[route - w->l->routes->list];
}

/* at: the partition; NULL: no longer. */
static void set_lost(struct lane *lane, const struct record *at)
{
    char key[300];
    char why[400];

    if (at == NULL && !lane->lost)
        return;
    lane->lost = at != NULL;
    snprintf(key, sizeof key, "lost %s", lane->route->rows);
    if (at != NULL)
        snprintf(why, sizeof why,
                 "%s/%d: messages were deleted before they were read; set the group's offsets", at->topic,
                 at->partition);
    health_reason(key, at != NULL ? why : NULL);
    load_set_paused(lane->route->pipeline->name, PAUSE_LOST, lane->lost);
}

static void drop_work(struct work *w)
{
    for (size_t i = 0; i < w->count; i++) {
        struct lane *lane = &w->lanes[i];
        lane_drop(lane, w->l->in, w->writing && w->job.lane == lane);
        set_lost(lane, NULL); /* the next assignment tells again */
        if (lane->waiting)
            outcome_waiting(lane, LOAD_PAUSES, NULL);
    }
    w->ended = false; /* what was read and dropped comes again, perhaps here */
}

/* The pipeline pauses: nothing is skipped in silence. */
static int report_lost(struct work *w, const struct record *at, struct err *err)
{
    struct lane *lane = lane_of(w, at->topic);

    lane->paused = true;
    source_pause(w->l->in, lane->route->rows);
    set_lost(lane, at);
    log_error(
        "%s/%d: the committed offset is below the log's start: messages were deleted unread. Nothing of this "
        "pipeline is read until the group's offsets are set (kafka-consumer-groups --reset-offsets)",
        at->topic, at->partition);
    if (!w->l->bounded)
        return 0;
    return err_set(err, ERR_FATAL, 0, "%s/%d: messages were deleted unread", at->topic, at->partition);
}

/* A bounded run does not wait for ever for a broker that is away. */
static int check_patience(struct work *w, enum source_event event, struct err *err)
{
    int64_t now = clock_monotonic_ms();

    if (event != SOURCE_NONE || w->writing || w->last_event_ms == 0)
        w->last_event_ms = now;
    if (!w->l->bounded || now - w->last_event_ms < ONCE_PATIENCE_MS)
        return 0;
    return err_set(
        err, ERR_FATAL, 0,
        "given up: nothing has come from Kafka for a minute, and the topics' ends are not reached");
}

static int take_event(struct work *w, struct err *err)
{
    enum source_event event;
    struct record record;

    if (source_poll(w->l->in, poll_timeout(w), &event, &record, err) != 0 ||
        check_patience(w, event, err) != 0)
        return -1;
    switch (event) {
    case SOURCE_RECORD:
        lane_add(lane_of(w, record.topic), &record, &w->l->limits, clock_monotonic_ms());
        break;
    case SOURCE_REVOKED:
        drop_work(w);
        break;
    case SOURCE_LOST:
        return report_lost(w, &record, err);
    case SOURCE_END:
        w->ended = true;
        break;
    case SOURCE_NONE:
    case SOURCE_ASSIGNED:
        break;
    }
    return 0;
}

static int turn(struct work *w, struct err *err)
{
    health_turn();
    if (reap(w, err) != 0)
        return -1;
    dispatch(w);
    if (!is_blocked(w)) {
        w->blocked_since_ms = 0;
        return take_event(w, err);
    }
    if (w->blocked_since_ms == 0)
        w->blocked_since_ms = clock_monotonic_ms();
    if (w->writing && clock_monotonic_ms() - w->blocked_since_ms < PAUSE_AFTER_MS)
        worker_idle(w->worker, BLOCKED_WAIT_MS);
    else
        pause_blocked(w);
    return 0;
}

static bool is_done(const struct work *w)
{
    if (!w->ended || w->writing)
        return false;
    for (size_t i = 0; i < w->count; i++)
        if (!lane_is_empty(&w->lanes[i]))
            return false;
    return true;
}

/* A transaction under way may finish, and its offsets go with it; one that hangs is cut off, and MySQL rolls
 * it back. Returns false when the thread does not come back: then nothing of it may be freed. */
static bool stop_writing(struct work *w)
{
    struct err err = ERR_INIT;

    if (!w->writing)
        return true;
    if (!worker_idle(w->worker, w->job.lane != NULL ? STOP_WRITE_MS : 0)) {
        if (w->job.lane != NULL)
            log_warn("MySQL does not answer: the batch in hand is abandoned");
        db_abort(w->l->db);
        if (w->job.lane != NULL)
            w->job.lane->orphaned = true;
        if (!worker_idle(w->worker, STOP_ABORT_MS))
            return false;
    }
    if (reap(w, &err) != 0)
        log_warn("the last batch is not finished, it will be repeated: %s", err.text);
    return true;
}

int load_run(const struct load *l, struct err *err)
{
    struct work *w = mem_zalloc(1, sizeof *w);
    int rc = 0;

    w->l = l;
    w->acks = (struct acks){.in = l->in, .out = l->dead, .stopping = l->stopping, .refused = outcome_refused};
    w->count = l->routes->count;
    w->lanes = mem_zalloc(w->count, sizeof *w->lanes);
    for (size_t i = 0; i < w->count; i++)
        w->lanes[i].route = &l->routes->list[i];
    w->worker = worker_new();
    while (rc == 0 && !l->stopping() && !is_done(w))
        rc = turn(w, err);
    if (!stop_writing(w))
        return 1; /* the process ends without cleaning up behind the thread */
    if (rc != 0 && l->stopping() && err->kind == ERR_RETRY)
        rc = 0;
    if (rc == 0)
        err_clear(err); /* of what passed, or will be repeated */
    worker_free(w->worker);
    for (size_t i = 0; i < w->count; i++)
        lane_free(&w->lanes[i], l->in);
    free(w->lanes);
    free(w);
    return rc;
}
