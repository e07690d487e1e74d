#include "extractor/extract.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/monitor/health.h"
#include "common/pipeline/pipeline.h"
#include "common/wire/routes.h"
#include "extractor/schedule.h"

enum {
    SECOND_MS = 1000,
    TURN_MS = 250,         /* the longest wait without a look at everything */
    PAUSE_MS = 600000,     /* a paused pipeline is tried again: a person may have acted */
    CONTACT_MAX_MS = 5000, /* half of the consumer's session timeout (config.c) */
    REASON_TEXT = 128,
};

static const char *name_of(const struct pipeline_job *j)
{
    return j->sync.route->pipeline->name;
}

static int64_t now_s(void)
{
    return clock_now_ms() / SECOND_MS;
}

/* ---- pauses ---- */

/* A refusal of the account concerns every pipeline, one of the interface only its own. */
static bool of_account(enum pause_reason reason)
{
    return reason == PAUSE_CREDENTIALS || reason == PAUSE_CLOCK;
}

static void set_paused(struct pipeline_job *j, enum pause_reason reason, const char *why)
{
    char key[REASON_TEXT];

    if (j->paused != PAUSE_NONE)
        metric_set(j->sync.metrics.paused[j->paused], 0);
    j->paused = reason;
    if (reason != PAUSE_NONE)
        metric_set(j->sync.metrics.paused[reason], 1);
    snprintf(key, sizeof key, "pipeline %s", name_of(j));
    health_reason(key, of_account(reason) || reason == PAUSE_NONE ? NULL : why);
}

static void pause_job(struct extract *x, struct pipeline_job *j, enum pause_reason reason,
                      const struct err *why)
{
    bool known = j->paused == reason;
    int64_t retry_at_ms = clock_monotonic_ms() + PAUSE_MS;

    if (of_account(reason))
        health_reason("account", why->text);
    for (size_t i = 0; i < x->job_count; i++) {
        struct pipeline_job *other = &x->jobs[i];
        if (other != j && !of_account(reason))
            continue;
        set_paused(other, reason, why->text);
        other->retry_at_ms = retry_at_ms;
        other->given_up = x->once;
    }
    if (known)
        log_debug("%s still pauses: %s", name_of(j), why->text);
    else if (of_account(reason))
        log_error("all pipelines pause: %s; tried again every 10 minutes", why->text);
    else
        log_error("pipeline %s pauses: %s; tried again every 10 minutes", name_of(j), why->text);
}

/* It was answered: whatever the pause was about is mended. */
static void end_pause(struct extract *x, struct pipeline_job *j)
{
    bool account = of_account(j->paused);

    if (account)
        health_reason("account", NULL);
    log_info("%s%s goes on: the cause of the pause is mended", account ? "" : "pipeline ",
             account ? "reading" : name_of(j));
    for (size_t i = 0; i < x->job_count; i++) {
        struct pipeline_job *other = &x->jobs[i];
        if (other == j || (account && of_account(other->paused))) {
            set_paused(other, PAUSE_NONE, NULL);
            other->retry_at_ms = 0;
        }
    }
}

/* ---- leadership and state ---- */

static void schedule_all(struct extract *x)
{
    for (size_t i = 0; i < x->job_count; i++) {
        struct pipeline_job *j = &x->jobs[i];
        const struct pipeline *p = j->sync.route->pipeline;
        const struct checkpoint *c = &j->state->checkpoint;
        j->due_s = x->once ? 0 : schedule_first(p->scheduled ? &p->cron : NULL, c, now_s());
        j->finished = false;
        if (c->synced_to_s >= 0)
            metric_set(j->sync.metrics.synced_to, (double)c->synced_to_s);
    }
}

static void become_leader(struct extract *x)
{
    x->leader = true;
    metric_set(metrics_leader(), 1);
    health_reason("state", NULL);
    log_info("this process reads the API");
    struct limiter *l = &x->client->limiter; /* the predecessor may have sent a request just now */
    limiter_hold(l, clock_monotonic_ms(), l->interval_ms);
    schedule_all(x);
}

static void stop_leading(struct extract *x)
{
    if (x->leader)
        log_info("this process no longer reads the API: another one may");
    x->leader = false;
    x->assigned_at_ms = 0;
    metric_set(metrics_leader(), 0);
    for (size_t i = 0; i < x->job_count; i++) {
        sync_abandon(&x->jobs[i].sync);
        metric_set(x->jobs[i].sync.metrics.synced_to, 0);
    }
    state_forget(&x->state);
}

/* A member of the group that holds no partition is a hot standby. */
static void take_assignment(struct extract *x, int partitions)
{
    if (partitions > 0) {
        x->assigned_at_ms = clock_monotonic_ms();
        health_reason("state", "the state topic is being read");
        return;
    }
    log_info("standby: another process reads the API");
}

/* Serve the group of the state topic for at most timeout_ms, and take what it says. */
static int serve_state(struct extract *x, int64_t timeout_ms, struct err *err)
{
    struct source_event event;

    do {
        if (source_poll(x->state_source, (int)timeout_ms, &event, err) != 0)
            return -1;
        timeout_ms = 0;
        switch (event.kind) {
        case SOURCE_NONE:
            break;
        case SOURCE_RECORD:
            state_take(&x->state, &event.record);
            source_release(x->state_source, &event.record);
            break;
        case SOURCE_ASSIGNED:
            take_assignment(x, event.partitions);
            break;
        case SOURCE_REVOKED:
            stop_leading(x);
            break;
        case SOURCE_END:
            if (x->assigned_at_ms > 0 && !x->leader)
                become_leader(x);
            break;
        case SOURCE_START:
        case SOURCE_RECREATED:
        case SOURCE_LOST: /* a state topic is compacted: its older records may be gone */
            break;
        }
    } while (event.kind != SOURCE_NONE);
    return 0;
}

/* A leader that the broker has not heard of may have a successor already: it must not send. */
static bool in_contact(struct extract *x)
{
    int64_t contact_ms = x->contact_ms(x->state_source);
    int64_t assigned_ms = clock_monotonic_ms() - x->assigned_at_ms;
    bool away = (contact_ms < 0 || contact_ms > CONTACT_MAX_MS) && assigned_ms > CONTACT_MAX_MS;

    if (away != x->broker_away)
        for (size_t i = 0; i < x->job_count; i++)
            metric_set(x->jobs[i].sync.metrics.paused[PAUSE_BROKER], away ? 1 : 0);
    x->broker_away = away;
    return !away;
}

/* A bounded run does not wait for ever for another process to leave, or for a broker that is away. */
static int check_patience(struct extract *x, struct err *err)
{
    int64_t now = clock_monotonic_ms();

    if (!x->once || x->once_patience_ms == 0 || (x->leader && !x->broker_away)) {
        x->idle_since_ms = 0;
        return 0;
    }
    if (x->idle_since_ms == 0)
        x->idle_since_ms = now;
    if (now - x->idle_since_ms < x->once_patience_ms)
        return 0;
    return err_set(err, ERR_RETRY, 0, "given up: another process reads the API, or Kafka does not answer");
}

/* While a page waits for Kafka. */
static bool keep_waiting(void *arg)
{
    struct extract *x = arg;

    health_turn();
    if (serve_state(x, 0, &x->source_err) != 0 || !x->leader)
        return false;
    in_contact(x);
    return !x->stopping() && check_patience(x, NULL) == 0;
}

/* ---- turns ---- */

static bool is_ready(const struct extract *x, const struct pipeline_job *j)
{
    bool mended = j->paused == PAUSE_STATE && j->state->refused.kind == ERR_NONE;

    if (j->finished || j->given_up || (clock_monotonic_ms() < j->retry_at_ms && !mended))
        return false;
    return j->sync.active || x->once || j->due_s <= now_s();
}

/* The one that has waited longest for its turn; NULL: nothing is to be done now. */
static struct pipeline_job *next_job(const struct extract *x)
{
    struct pipeline_job *best = NULL;

    for (size_t i = 0; i < x->job_count; i++) {
        struct pipeline_job *j = &x->jobs[i];
        if (is_ready(x, j) && (best == NULL || j->turn < best->turn))
            best = j;
    }
    return best;
}

static bool all_finished(const struct extract *x)
{
    for (size_t i = 0; i < x->job_count; i++)
        if (!x->jobs[i].finished && !x->jobs[i].given_up)
            return false;
    return true;
}

/* The run has come to an end, in whatever way. */
static void end_run(struct extract *x, struct pipeline_job *j, int64_t began_s)
{
    const struct pipeline *p = j->sync.route->pipeline;

    j->finished = x->once;
    j->due_s = schedule_next(p->scheduled ? &p->cron : NULL, began_s);
}

/* False: the job has nothing to read, or may not. */
static bool begin_sync(struct extract *x, struct pipeline_job *j, const struct sync_world *w)
{
    char text[2][BEIJING_TEXT];

    if (j->state->refused.kind != ERR_NONE) {
        pause_job(x, j, PAUSE_STATE, &j->state->refused);
        return false;
    }
    if (j->paused == PAUSE_STATE)
        end_pause(x, j);
    if (!sync_begin(&j->sync, w, &j->state->checkpoint)) {
        end_run(x, j, now_s());
        return false;
    }
    log_debug("pipeline %s: reading %s to %s", name_of(j), beijing_format(j->sync.plan.begin_s, text[0]),
              beijing_format(j->sync.plan.end_s, text[1]));
    return true;
}

static void give_up(struct extract *x, struct pipeline_job *j, const struct err *why)
{
    log_error("pipeline %s: the run has failed: %s; its window stays due", name_of(j), why->text);
    metric_add(j->sync.metrics.failed_runs, 1);
    sync_abandon(&j->sync);
    backoff_reset(&j->sync.backoff);
    j->sync.walks_given_up = 0;
    if (x->once) {
        j->given_up = true;
        return;
    }
    /* The next run takes the window on: at its scheduled instant, or soon where that is far away. */
    end_run(x, j, now_s());
    int64_t soon_s = now_s() + PAUSE_MS / SECOND_MS;
    if (j->due_s > soon_s)
        j->due_s = soon_s;
}

static void try_later(struct extract *x, struct pipeline_job *j, const struct reply *reply, int64_t wait_ms,
                      const struct err *why)
{
    struct backoff *b = &j->sync.backoff;
    int64_t now_ms = clock_monotonic_ms();
    char pause[32];

    backoff_fail(b, now_ms, wait_ms, (uint32_t)x->client->random());
    if (b->failures > 1 && reply->verdict.class == API_TRANSIENT && j->sync.walks_given_up == 0)
        health_dependency("api", false, why->text);
    if (sync_exhausted(&j->sync, now_ms)) {
        give_up(x, j, why);
        return;
    }
    j->retry_at_ms = b->retry_at_ms;
    log_at(b->failures == 1 ? LOG_WARN : LOG_DEBUG, "pipeline %s: %s; tried again in %s", name_of(j),
           why->text, format_duration(b->retry_at_ms - now_ms, pause, sizeof pause));
}

static void say_done(const struct pipeline_job *j)
{
    char text[BEIJING_TEXT];

    log_info("pipeline %s: read up to %s: %" PRIu64 " documents on %" PRIu64 " pages", name_of(j),
             beijing_format(j->sync.checkpoint.synced_to_s, text), j->sync.documents, j->sync.pages);
}

/* The API answered, and did not refuse. */
static void note_success(struct extract *x, struct pipeline_job *j, int failures_before)
{
    health_dependency("api", true, NULL);
    if (failures_before > 0)
        log_info("pipeline %s: goes on after %d failed requests", name_of(j), failures_before);
    if (j->paused != PAUSE_NONE)
        end_pause(x, j);
}

static int take_turn(struct extract *x, struct pipeline_job *j, const struct sync_world *w, struct err *err)
{
    struct err why = ERR_INIT;
    struct err notice = ERR_INIT;
    struct reply reply;
    int64_t wait_ms;
    int failures = j->sync.backoff.failures;

    j->turn = ++x->turns;
    if (j->paused != PAUSE_NONE)
        client_forget_refusals(x->client);
    if (!j->sync.active && !begin_sync(x, j, w))
        return 0;
    enum sync_result result = sync_step(&j->sync, w, &reply, &wait_ms, &why);
    if (client_notice(x->client, &notice))
        log_warn("%s", notice.text);
    if (sync_notice(&j->sync, &notice))
        log_warn("pipeline %s: %s", name_of(j), notice.text);
    if (reply.asked && reply.verdict.class == API_OK && j->sync.backoff.failures == 0)
        note_success(x, j, failures);
    j->state->checkpoint = j->sync.checkpoint.synced_to_s > j->state->checkpoint.synced_to_s
                               ? j->sync.checkpoint
                               : j->state->checkpoint;
    if (result == SYNC_DONE) {
        say_done(j);
        end_run(x, j, j->sync.began_s);
    } else if (result == SYNC_FAILED && x->source_err.kind != ERR_NONE) {
        *err = x->source_err;
        return -1;
    } else if (result == SYNC_FAILED && (why.kind == ERR_FATAL || why.kind == ERR_CONFIG)) {
        *err = why;
        return -1;
    } else if (result == SYNC_FAILED && why.kind == ERR_PAUSE) {
        sync_abandon(&j->sync);
        pause_job(x, j, reply.verdict.reason, &why);
    } else if (result == SYNC_FAILED && !x->stopping() && x->leader) {
        try_later(x, j, &reply, wait_ms, &why);
    }
    return 0;
}

/* ---- the loop ---- */

void extract_metrics_init(const struct routes *routes)
{
    for (size_t i = 0; i < routes->count; i++)
        metrics_of(routes->list[i].pipeline->name);
    metrics_request_seconds();
    metrics_rate_wait();
    metrics_leader();
}

static void open_jobs(struct extract *x)
{
    state_init(&x->state, x->pipelines);
    x->job_count = x->routes->count;
    x->jobs = mem_zalloc(x->job_count, sizeof *x->jobs);
    for (size_t i = 0; i < x->job_count; i++) {
        sync_init(&x->jobs[i].sync, &x->routes->list[i]);
        x->jobs[i].state = &x->state.entries[i];
        x->jobs[i].due_s = NEVER;
    }
}

static void close_jobs(struct extract *x)
{
    for (size_t i = 0; i < x->job_count; i++)
        sync_free(&x->jobs[i].sync);
    free(x->jobs);
    state_free(&x->state);
}

static int once_result(const struct extract *x, struct err *err)
{
    size_t failed = 0;

    for (size_t i = 0; i < x->job_count; i++)
        failed += x->jobs[i].given_up;
    if (failed == 0)
        return 0;
    return err_set(err, ERR_RETRY, 0, "%zu of %zu pipelines could not be read to the end", failed,
                   x->job_count);
}

/* Wait for the quota while there is work: the state topic's group is served meanwhile. */
static int wait_for_quota(struct extract *x, int64_t wait_ms, struct err *err)
{
    int64_t from_ms = clock_monotonic_ms();
    int rc = serve_state(x, wait_ms < TURN_MS ? wait_ms : TURN_MS, err);

    metric_add(metrics_rate_wait(), (double)(clock_monotonic_ms() - from_ms) / SECOND_MS);
    return rc;
}

static int run_turn(struct extract *x, const struct sync_world *w, struct err *err)
{
    struct pipeline_job *j = x->leader && in_contact(x) ? next_job(x) : NULL;

    if (j == NULL)
        return serve_state(x, TURN_MS, err);
    int64_t wait_ms = client_wait_ms(x->client);
    if (wait_ms > 0)
        return wait_for_quota(x, wait_ms, err);
    if (serve_state(x, 0, err) != 0)
        return -1;
    return x->leader ? take_turn(x, j, w, err) : 0;
}

int extract_run(struct extract *x, struct err *err)
{
    int rc = 0;

    open_jobs(x);
    x->publisher.keep_waiting = keep_waiting;
    x->publisher.arg = x;
    const struct sync_world world = {
        .client = x->client,
        .publisher = &x->publisher,
        .since_s = x->since_s,
        .until_s = x->until_s,
    };
    while (rc == 0 && !x->stopping() && !(x->once && x->leader && all_finished(x))) {
        health_turn();
        rc = run_turn(x, &world, err) != 0 || check_patience(x, err) != 0 ? -1 : 0;
    }
    if (rc == 0 && x->once && !x->stopping())
        rc = once_result(x, err);
    close_jobs(x);
    return rc;
}
