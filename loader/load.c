/* The loader's work in the stage: fill batches, hand one at a time to the writing thread, and act on its
 * outcome. Only outcome_committed() stores an offset, after COMMIT and after the dead letters of the batch
 * are acknowledged: at that instant all records up to the offset are durable. */
#include "loader/load.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/monitor/health.h"
#include "common/wire/dead.h"
#include "loader/outcome.h"

enum {
    BUSY_POLL_MS = 5,      /* while a batch is being written, to notice its end soon */
    BLOCKED_WAIT_MS = 50,  /* a queue has no room: wait for the writer */
    PAUSE_AFTER_MS = 1000, /* it has none for so long: pause its topic, and go on with the others */
    STOP_WRITE_MS = 3500,  /* asked to stop: a transaction under way has so long to finish */
    STOP_ABORT_MS = 1000,  /* then its connection is cut, and the thread has so long to return */
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

/* ------------------------------------------------------------------ on the writing thread */

static void write_batch(void *arg)
{
    struct write_job *job = arg;
    struct pipeline_queue *queue = job->queue;

    job->rc = db_connect(job->db, &job->err);
    if (queue == NULL)
        return;
    if (job->rc == 0 && queue->table == NULL)
        job->rc = table_load(job->db, queue->route->pipeline, job->create_tables, &queue->table, &job->err);
    if (job->rc == 0)
        job->rc = apply_batch(job->db, queue->table, queue->due, &job->rules, &job->result, &job->err);
    job->seconds = (double)(clock_monotonic_ms() - job->started_ms) / 1000;
}

/* ------------------------------------------------------------------ the loop */

/* Before the first batch: the program is ready only when the database answers. */
static void finish_greeting(struct loading *w)
{
    w->greeted = w->job.rc == 0;
    w->greet_at_ms = clock_monotonic_ms() + RETRY_MOST_MS / 2;
    health_dependency("mysql", w->greeted, w->job.err.text);
}

static int finish_job(struct loading *w, struct err *err)
{
    if (!w->writing || !worker_idle(w->worker, 0))
        return 0;
    w->writing = false;
    if (w->job.queue == NULL) {
        finish_greeting(w);
        return 0;
    }
    w->greeted = w->greeted || w->job.rc == 0;
    return w->job.rc == 0 ? outcome_committed(w, w->job.queue, err) : outcome_failed(w, w->job.queue, err);
}

static void start_writing(struct loading *w, struct pipeline_queue *queue)
{
    w->job = (struct write_job){
        .db = w->l->db,
        .queue = queue,
        .create_tables = w->l->create_tables,
        .rules = {.unknown_as_row = queue != NULL && queue->unknown > queue->route->pipeline->retry_count,
                  .flood = queue != NULL ? &queue->flood : NULL,
                  .flood_limit = w->l->flood_limit,
                  .sql = &w->sql},
        .started_ms = clock_monotonic_ms(),
    };
    w->writing = true;
    worker_start(w->worker, write_batch, &w->job);
}

/* Give the writer the next batch that is due. */
static void start_due_batch(struct loading *w)
{
    int64_t now = clock_monotonic_ms();

    for (size_t i = 0; i < w->count; i++) {
        size_t at = (w->next + i) % w->count;
        struct pipeline_queue *queue = &w->queues[at];
        queue_advance(queue, &w->l->limits, w->l->batch_wait_ms, w->stage.ended, now);
        if (!queue_is_blocked(queue))
            stage_set_full(&w->stage, at, false);
        if (!w->writing && queue->due != NULL && now >= queue->retry_at_ms) {
            w->next = (at + 1) % w->count;
            start_writing(w, queue);
        }
    }
    if (!w->writing && !w->greeted && now >= w->greet_at_ms)
        start_writing(w, NULL);
}

/* Has a queue no room while its topic is not paused? Then nothing may be read. */
static bool is_blocked(const struct loading *w)
{
    for (size_t i = 0; i < w->count; i++)
        if (queue_is_blocked(&w->queues[i]) && !stage_is_paused(&w->stage, i, PAUSE_NONE))
            return true;
    return false;
}

static void pause_blocked(struct loading *w)
{
    for (size_t i = 0; i < w->count; i++)
        if (queue_is_blocked(&w->queues[i]))
            stage_set_full(&w->stage, i, true);
}

static int poll_timeout(const struct loading *w, int longest_ms)
{
    int64_t now = clock_monotonic_ms();
    int64_t timeout = w->writing ? BUSY_POLL_MS : longest_ms;

    for (size_t i = 0; i < w->count && !w->writing; i++) {
        const struct pipeline_queue *queue = &w->queues[i];
        int64_t at = queue->due != NULL ? queue->retry_at_ms : queue_due_at(queue, w->l->batch_wait_ms);
        timeout = at - now < timeout ? at - now : timeout;
    }
    return timeout > 0 ? (int)timeout : 0;
}

static enum stage_next take_turn(void *arg, bool quiet, int *timeout_ms, struct err *err)
{
    struct loading *w = arg;

    (void)quiet;
    if (finish_job(w, err) != 0)
        return STAGE_FAILED;
    start_due_batch(w);
    outcome_finish(w);
    *timeout_ms = poll_timeout(w, *timeout_ms);
    if (!is_blocked(w)) {
        w->blocked_since_ms = 0;
        return STAGE_POLL;
    }
    if (w->blocked_since_ms == 0)
        w->blocked_since_ms = clock_monotonic_ms();
    if (w->writing && clock_monotonic_ms() - w->blocked_since_ms < PAUSE_AFTER_MS)
        worker_idle(w->worker, BLOCKED_WAIT_MS);
    else
        pause_blocked(w);
    return STAGE_BUSY;
}

static int take_rows(void *arg, size_t route, const struct record *r, struct err *err)
{
    struct loading *w = arg;

    (void)err;
    queue_add(&w->queues[route], r, &w->l->limits, clock_monotonic_ms());
    return 0;
}

static void forget_rows(void *arg)
{
    struct loading *w = arg;

    for (size_t i = 0; i < w->count; i++) {
        struct pipeline_queue *queue = &w->queues[i];
        queue_drop(queue, w->l->in, w->writing && w->job.queue == queue);
        clear_pause(w, queue);
    }
}

static bool is_working(void *arg)
{
    const struct loading *w = arg;

    return w->writing;
}

static bool is_done(void *arg)
{
    const struct loading *w = arg;

    for (size_t i = 0; i < w->count; i++)
        if (!queue_is_empty(&w->queues[i]))
            return false;
    return !w->writing;
}

/* Let a transaction under way finish and store its offsets. If it hangs, cut its connection: MySQL then rolls
 * it back. Returns false when the thread does not return: then nothing that it uses may be freed. */
static bool stop_writing(struct loading *w)
{
    struct err err = ERR_INIT;

    if (!w->writing)
        return true;
    if (!worker_idle(w->worker, w->job.queue != NULL ? STOP_WRITE_MS : 0)) {
        if (w->job.queue != NULL)
            log_warn("MySQL does not answer: the batch in hand is abandoned");
        db_abort(w->l->db);
        if (w->job.queue != NULL)
            w->job.queue->orphaned = true;
        if (!worker_idle(w->worker, STOP_ABORT_MS))
            return false;
    }
    if (finish_job(w, &err) != 0)
        log_warn("the last batch is not finished and will be repeated: %s", err.text);
    return true;
}

static const struct stage_ops load_ops = {
    .turn = take_turn,
    .record = take_rows,
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
    w->acks = (struct acks){.in = l->in,
                            .out = l->dead,
                            .stopping = l->stopping,
                            .refused = outcome_refused,
                            .arg = w,
                            .patience_ms = l->bounded ? STAGE_PATIENCE_MS : 0};
    w->count = l->routes->count;
    w->queues = mem_zalloc(w->count, sizeof *w->queues);
    for (size_t i = 0; i < w->count; i++)
        w->queues[i].route = &l->routes->list[i];
    w->worker = worker_new();
    return w;
}

static void close_run(struct loading *w)
{
    worker_free(w->worker);
    outcome_finish(w);
    buf_free(&w->sql);
    for (size_t i = 0; i < w->count; i++)
        queue_free(&w->queues[i], w->l->in);
    stage_free(&w->stage);
    free(w->queues);
    free(w);
}

int load_run(const struct load *l, struct err *err)
{
    struct loading *w = open_run(l);
    int rc = stage_run(&w->stage, err);

    if (!stop_writing(w)) {
        if (rc == 0)
            err_set(err, ERR_RETRY, 0,
                    "the writing thread hangs in a call to MySQL: the process ends without it");
        return 1;
    }
    close_run(w);
    return rc;
}
