/* What is done about a failure: whom it stops, and when it is tried again. */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/monitor/health.h"
#include "common/mysql/errors.h"
#include "loader/loading.h"

enum {
    RETRY_FIRST_MS = 200,
    RETRY_MOST_MS = 2000, /* at work within 5 s of the database's return */
    LOCK_RETRY_MS = 50,
    LOCKS_IN_SILENCE = 2,   /* a deadlock or a lock wait now and then is usual */
    UNKNOWN_MS = 60 * 1000, /* an unknown error counts as one of a row's data after so long */
};

static const enum pause_reason waits[] = {PAUSE_DATABASE, PAUSE_SCHEMA, PAUSE_FLOOD};
enum { WAITS = sizeof waits / sizeof waits[0] };

size_t flow_index(const struct loading *w, const struct flow *f)
{
    return (size_t)(f - w->flows);
}

const char *flow_name(const struct flow *f)
{
    return f->route->pipeline->name;
}

static bool clear_pause(struct loading *w, const struct flow *f)
{
    bool waited = false;

    for (size_t i = 0; i < WAITS; i++)
        waited = stage_resume(&w->stage, flow_index(w, f), waits[i]) || waited;
    return waited;
}

/* The flow waits for one reason at a time. True: the reason is new. */
static bool set_pause(struct loading *w, const struct flow *f, enum pause_reason reason, const char *why)
{
    for (size_t i = 0; i < WAITS; i++)
        if (waits[i] != reason)
            stage_resume(&w->stage, flow_index(w, f), waits[i]);
    return stage_pause(&w->stage, flow_index(w, f), reason, why);
}

void trouble_answers(struct loading *w)
{
    if (!w->answers)
        health_dependency("mysql", true, NULL);
    w->answers = true;
    w->failures = 0;
}

/* True: it was paused. */
static bool forget_trouble(struct loading *w, struct flow *f)
{
    f->troubled = f->slow = false;
    f->failures = 0;
    f->retry_at_ms = f->failing_since_ms = f->unknown_since_ms = 0;
    return clear_pause(w, f);
}

void trouble_ends(struct loading *w, struct flow *f)
{
    trouble_answers(w);
    if (forget_trouble(w, f))
        log_info("%s: writing again", flow_name(f));
}

void trouble_leaves(struct loading *w, struct flow *f)
{
    forget_trouble(w, f);
    f->needs_look = !f->given_up; /* what is wrong with the table still is */
}

/* ------------------------------------------------------------------ going back */

void flow_restart(struct loading *w, struct flow *f)
{
    flow_drop(f, w->l->in);
    recent_clear(&f->recent);
    for (size_t i = 0; i < f->part_count; i++) {
        struct flow_part *part = &f->parts[i];
        if (part->next >= 0)
            part->log.committed = part->next;
        part->log.recreated = false;
        part->waiting = true;
        part->next = part->written = -1;
    }
    f->needs_look = true;
}

/* ------------------------------------------------------------------ failures */

void trouble_gives_up(struct loading *w, struct flow *f, const struct err *why)
{
    if (w->first_failure.kind == ERR_NONE) {
        w->first_failure = *why;
        w->first_failure.kind = ERR_FATAL;
        err_prefix(&w->first_failure, "%s: given up", flow_name(f));
    }
    log_error("%s: given up: %s", flow_name(f), why->text);
    f->given_up = true;
    f->needs_look = false;
    flow_drop(f, w->l->in);
    stage_resume(&w->stage, flow_index(w, f), PAUSE_NONE);
    for (size_t i = 0; i < WAITS; i++)
        stage_resume(&w->stage, flow_index(w, f), waits[i]);
    for (size_t i = 0; i < f->part_count; i++)
        source_seek(w->l->in, f->parts[i].log.topic, f->parts[i].log.partition, f->parts[i].log.high);
}

static int64_t pause_ms(int failures, int64_t first_ms)
{
    int64_t pause = first_ms;

    for (int i = 1; i < failures && pause < RETRY_MOST_MS; i++)
        pause *= 2;
    return pause < RETRY_MOST_MS ? pause : RETRY_MOST_MS;
}

/* What may stand in a log or in readiness: texts about rows and unknown ones may quote values. */
static const char *safe_text(const struct err *why, char *out, size_t size)
{
    enum db_class class = db_error_class(why->code);

    if (why->code <= 0 || why->kind == ERR_PAUSE || (class != DB_ROW && class != DB_UNKNOWN))
        return why->text;
    return db_error_brief(why->code, out, size);
}

static void wait_for_person(struct loading *w, struct flow *f, const struct err *why)
{
    enum pause_reason reason = why->code == APPLY_FLOOD ? PAUSE_FLOOD : PAUSE_SCHEMA;

    if (set_pause(w, f, reason, why->text))
        log_error("%s: paused until it is mended, tried again every minute: %s", flow_name(f), why->text);
    if (f->shipment_count > 0)
        batch_forget_rejections(f->shipments[0]->batch); /* mending the table may make the rows fit */
    f->slow = true;
    f->retry_at_ms = clock_monotonic_ms() + w->l->person_retry_ms;
    f->needs_look = true;   /* the table may have changed */
    flow_shed(f, w->l->in); /* a pipeline that waits for a person keeps one batch */
}

static void wait_for_connection(struct loading *w, const struct err *why)
{
    int64_t now = clock_monotonic_ms();

    if (w->failures++ == 0)
        w->silent_since_ms = now;
    w->answers = false;
    w->ask_at_ms = now + pause_ms(w->failures, RETRY_FIRST_MS);
    health_dependency("mysql", false, why->text);
}

void trouble_of_silence(struct loading *w, const struct err *why)
{
    if (db_error_class(why->code) == DB_CONNECTION)
        wait_for_connection(w, why);
    else
        trouble_answers(w); /* what it refuses is the flows' to find out */
}

static void wait_for_lock(struct loading *w, struct flow *f, const char *text)
{
    f->slow = true;
    f->retry_at_ms = clock_monotonic_ms() + pause_ms(f->failures, LOCK_RETRY_MS);
    if (f->failures == 1)
        flow_shed(f, w->l->in); /* it may be a long one: others need the room */
    if (f->failures <= LOCKS_IN_SILENCE)
        log_info("%s: the batch is repeated: %s", flow_name(f), text);
    else if (set_pause(w, f, PAUSE_DATABASE, text))
        log_warn("%s: waiting for a lock, the batch is repeated: %s", flow_name(f), text);
}

static void wait_for_database(struct loading *w, struct flow *f, const struct err *why)
{
    enum db_class class = db_error_class(why->code);
    char brief[DB_BRIEF_MAX];
    const char *text = safe_text(why, brief, sizeof brief);
    int64_t now = clock_monotonic_ms();

    load_count_retry(flow_name(f), db_class_name(class));
    if (class == DB_CONNECTION)
        wait_for_connection(w, why);
    if (class == DB_LOCK) {
        wait_for_lock(w, f, text);
        return;
    }
    if (class == DB_UNKNOWN && f->unknown_since_ms == 0)
        f->unknown_since_ms = now;
    f->retry_at_ms = now + (class == DB_CONNECTION ? 0 : pause_ms(f->failures, RETRY_FIRST_MS));
    if (set_pause(w, f, PAUSE_DATABASE, text) && class != DB_CONNECTION)
        log_warn("%s: waiting, the batch is repeated: %s", flow_name(f), text);
}

/* What was committed is gone: everything is read again from where the database is. */
static void take_set_back(struct loading *w, const struct flow *f, const struct err *why)
{
    log_warn("%s: %s; going back to it", flow_name(f), why->text);
    for (size_t i = 0; i < w->count; i++)
        if (!w->flows[i].given_up)
            flow_restart(w, &w->flows[i]);
}

/* A bounded run waits for an outage, and for an unknown error until it is judged like one of a row. */
static bool is_patient(const struct loading *w, const struct flow *f, const struct err *why)
{
    int64_t failing_ms = clock_monotonic_ms() - f->failing_since_ms;
    bool unknown = db_error_class(why->code) == DB_UNKNOWN;

    return !w->l->bounded ||
           (why->kind == ERR_RETRY && failing_ms < w->l->patience_ms + (unknown ? UNKNOWN_MS : 0));
}

int trouble_begins(struct loading *w, struct flow *f, const struct err *why, struct err *err)
{
    if (why->kind == ERR_FATAL) {
        *err = *why;
        return -1;
    }
    if (f->failures++ == 0)
        f->failing_since_ms = clock_monotonic_ms();
    f->troubled = true;
    if (why->code == APPLY_SET_BACK)
        take_set_back(w, f, why);
    else if (!is_patient(w, f, why))
        trouble_gives_up(w, f, why);
    else if (why->kind == ERR_PAUSE || why->kind == ERR_REJECT)
        wait_for_person(w, f, why);
    else
        wait_for_database(w, f, why);
    return 0;
}

bool trouble_is_unknown(const struct flow *f)
{
    return f->unknown_since_ms != 0 && clock_monotonic_ms() - f->unknown_since_ms >= UNKNOWN_MS;
}
