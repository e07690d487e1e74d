/* The loop: serve Kafka, fill batches, hand one at a time to the thread that writes, and do what its outcome
 * asks for. An offset is stored only here, in finish_batch(), after COMMIT and after the dead letters of its
 * batch are acknowledged: at that instant everything the offset stands for is durable. */
#include "loader/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/acks.h"
#include "common/clock.h"
#include "common/dead.h"
#include "common/err.h"
#include "common/health.h"
#include "common/log.h"
#include "common/mem.h"
#include "loader/apply.h"
#include "loader/db_errors.h"
#include "loader/lane.h"
#include "loader/load_metrics.h"
#include "loader/worker.h"

enum {
    IDLE_POLL_MS = 100,
    BUSY_POLL_MS = 5,      /* while a batch is being written: its end should be noticed soon */
    BLOCKED_WAIT_MS = 50,  /* a lane has no room: wait for the writer */
    PAUSE_AFTER_MS = 1000, /* … and when that takes longer, pause its topic and go on with the others */
    RETRY_FIRST_MS = 200,
    RETRY_MOST_MS = 5000,
    LOCK_RETRY_MS = 50,
    ONCE_PATIENCE_MS = 60 * 1000, /* bounded: nothing at all happens for so long */
    PERSON_RETRY_MS = 60 * 1000,
    STOP_WRITE_MS = 3500, /* a transaction under way may finish for so long */
    STOP_ABORT_MS = 1000, /* … and then its connection is cut */
};

static const char stage[] = "loader";

struct job {
    struct db *db;
    struct lane *lane; /* NULL: only look whether the database is there */
    bool create_tables;
    struct apply_rules rules;
    struct apply_result result;
    struct err err;
    int rc;
    int64_t started_ms;
    double seconds;
};

struct work {
    const struct load *l;
    struct acks acks;
    struct lane *lanes;
    size_t count;
    size_t turn; /* the lane to look at first: every one gets its turn */
    struct worker *worker;
    struct job job;
    bool writing;
    bool greeted;        /* the database has answered once */
    int64_t greet_at_ms; /* monotonic */
    bool ended;          /* bounded: nothing more comes */
    int64_t blocked_since_ms;
    int64_t last_event_ms; /* monotonic */
};

void load_metrics_init(const struct routes *routes)
{
    for (size_t i = 0; i < routes->count; i++) {
        load_metrics_pipeline(routes->list[i].pipeline->name);
        dead_count_init(routes->list[i].pipeline->name, stage);
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

/* ------------------------------------------------------------------ a batch that is committed */

static int refused_dead_letter(void *arg, const struct sink_failure *failure, struct err *err)
{
    (void)arg;
    return err_set(err, ERR_FATAL, 0,
                   "the broker refuses a dead letter: %s; raise max.message.bytes of its topic",
                   failure->text);
}

static int send_dead(const struct work *w, const struct lane *lane, const struct document *d,
                     const char *value, size_t len, struct dead_letter dead, struct err *err)
{
    const struct record *r = &d->record;

    dead.stage = stage;
    dead.failed_at_ms = w->l->now_ms();
    while (dead_send(w->l->dead, lane->route->dead, r, d->id, value, len, &dead, err) != 0)
        if (acks_room(&w->acks, err) != 0)
            return -1;
    char refused[32]; /* MySQL's own text quotes the value: it stands in the dead letter only */
    snprintf(refused, sizeof refused, "MySQL error %d", dead.code);
    log_warn("%s: dead letter from %s/%d/%lld: %s: %s", lane->route->pipeline->name, r->topic, r->partition,
             (long long)r->offset, dead_class_name(dead.class), dead.code != 0 ? refused : dead.text);
    return 0;
}

static int send_dead_row(const struct work *w, const struct lane *lane, const struct row *row,
                         struct err *err)
{
    const struct document *d = &lane->due->documents[row->document];
    struct dead_letter dead = {.class = DEAD_DATA,
                               .code = row->code,
                               .text = row->why,
                               .row = row - &lane->due->rows[d->first_row] + 1,
                               .rows = (int64_t)d->row_count};

    return send_dead(w, lane, d, row->line, row->line_len, dead, err);
}

/* 0: all are acknowledged; 1: asked to stop before that; -1. */
static int send_dead_letters(struct work *w, const struct lane *lane, struct err *err)
{
    const struct batch *b = lane->due;
    size_t sent = 0;

    for (size_t i = 0; i < b->row_count; i++) {
        if (!b->rows[i].rejected || b->documents[b->rows[i].document].state != DOCUMENT_WANTED)
            continue;
        if (send_dead_row(w, lane, &b->rows[i], err) != 0)
            return -1;
        sent++;
    }
    for (size_t i = 0; i < b->document_count; i++) {
        const struct document *d = &b->documents[i];
        if (d->state != DOCUMENT_BROKEN)
            continue;
        struct dead_letter dead = {.class = DEAD_PARSE, .text = d->why};
        if (send_dead(w, lane, d, d->record.value, d->record.value_len, dead, err) != 0)
            return -1;
        sent++;
    }
    return sent > 0 ? acks_wait(&w->acks, err) : 0;
}

static void count_dead_letters(const struct batch *b)
{
    const char *name = b->pipeline->name;

    for (size_t i = 0; i < b->row_count; i++)
        if (b->rows[i].rejected && b->documents[b->rows[i].document].state == DOCUMENT_WANTED)
            dead_count(name, stage, DEAD_DATA);
    for (size_t i = 0; i < b->document_count; i++)
        if (b->documents[i].state == DOCUMENT_BROKEN)
            dead_count(name, stage, DEAD_PARSE);
}

/* A partition's records stand in the batch in their order: its last one carries the offset. */
static void store_offsets(const struct work *w, const struct batch *b)
{
    for (size_t i = 0; i < b->document_count; i++) {
        const struct record *r = &b->documents[i].record;
        bool last = true;
        for (size_t j = i + 1; j < b->document_count && last; j++)
            last = b->documents[j].record.partition != r->partition;
        if (last)
            source_store(w->l->in, r->topic, r->partition, r->offset);
    }
}

/* Show what the pipeline waits for; LOAD_PAUSES: nothing any more. Lost partitions are shown apart. */
static void set_waiting(struct lane *lane, enum load_pause pause, const char *why)
{
    char key[128];

    snprintf(key, sizeof key, "pipeline %s", lane->route->pipeline->name);
    health_reason(key, why);
    for (int p = 0; p < PAUSE_LOST; p++)
        load_set_paused(lane->route->pipeline->name, (enum load_pause)p, p == (int)pause);
    lane->waiting = why != NULL;
}

static int finish_batch(struct work *w, struct lane *lane, struct err *err)
{
    struct batch *b = lane->due;
    int rc = 0;

    health_dependency("mysql", true, NULL);
    if (lane->waiting) {
        log_info("%s: writing again", lane->route->pipeline->name);
        set_waiting(lane, LOAD_PAUSES, NULL);
    }
    load_count_commit(b, &w->job.result, w->job.seconds, w->l->now_ms());
    if (!lane->orphaned) {
        rc = send_dead_letters(w, lane, err);
        if (rc == 0) {
            size_t bad = batch_bad_documents(b, NULL, NULL, 0);
            flood_add(&lane->flood, b->document_count - bad, bad);
            count_dead_letters(b);
            store_offsets(w, b);
            rc = source_commit(w->l->in, err) != 0 && err->kind != ERR_RETRY ? -1 : 0;
        }
    }
    lane->orphaned = false;
    batch_free(b, w->l->in);
    lane->due = NULL;
    return rc < 0 ? -1 : 0;
}

/* ------------------------------------------------------------------ a batch that failed */

static int64_t retry_delay(const struct lane *lane, enum db_class class)
{
    if (class == DB_LOCK)
        return LOCK_RETRY_MS;
    int64_t delay = RETRY_FIRST_MS;
    for (int i = 1; i < lane->attempts && delay < RETRY_MOST_MS; i++)
        delay *= 2;
    return delay < RETRY_MOST_MS ? delay : RETRY_MOST_MS;
}

static void wait_for_person(struct lane *lane, const struct err *why)
{
    if (!lane->waiting)
        log_error("%s: paused until it is mended, tried again every minute: %s", lane->route->pipeline->name,
                  why->text);
    batch_forget_rejections(lane->due); /* what was wrong with the rows may be mended with the table */
    set_waiting(lane, why->code == APPLY_FLOOD ? PAUSE_FLOOD : PAUSE_SCHEMA, why->text);
    lane->retry_at_ms = clock_monotonic_ms() + PERSON_RETRY_MS;
}

static void wait_for_database(struct lane *lane, const struct err *why)
{
    enum db_class class = db_error_class(why->code);

    load_count_retry(lane->route->pipeline->name, db_class_name(class));
    lane->retry_at_ms = clock_monotonic_ms() + retry_delay(lane, class);
    lane->unknown += class == DB_UNKNOWN;
    if (class == DB_LOCK) {
        log_info("%s: the batch is repeated: %s", lane->route->pipeline->name, why->text);
        return;
    }
    if (class == DB_CONNECTION)
        health_dependency("mysql", false, why->text);
    else if (!lane->waiting)
        log_warn("%s: waiting, the batch is repeated: %s", lane->route->pipeline->name, why->text);
    set_waiting(lane, PAUSE_DATABASE, why->text);
}

static int fail_batch(struct work *w, struct lane *lane, struct err *err)
{
    const struct err *why = &w->job.err;

    lane->attempts++;
    table_free(lane->table); /* what the server says now counts: read it again */
    lane->table = NULL;
    if (lane->orphaned) { /* what fills came with the new assignment: it stays */
        lane->orphaned = false;
        batch_free(lane->due, w->l->in);
        lane->due = NULL;
        return 0;
    }
    /* a last attempt at an unknown error takes it for a row's */
    bool last =
        why->kind == ERR_RETRY && db_error_class(why->code) == DB_UNKNOWN && !w->job.rules.unknown_as_row;
    if (w->l->bounded && !last &&
        (lane->attempts > lane->route->pipeline->retry_count || why->kind == ERR_PAUSE)) {
        *err = *why;
        return err_prefix(err, "%s: given up", lane->route->pipeline->name);
    }
    if (why->kind == ERR_FATAL) {
        *err = *why;
        return -1;
    }
    if (why->kind == ERR_PAUSE)
        wait_for_person(lane, why);
    else
        wait_for_database(lane, why);
    return 0;
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
    return w->job.rc == 0 ? finish_batch(w, w->job.lane, err) : fail_batch(w, w->job.lane, err);
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
            set_waiting(lane, LOAD_PAUSES, NULL);
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
    w->acks =
        (struct acks){.in = l->in, .out = l->dead, .stopping = l->stopping, .refused = refused_dead_letter};
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
