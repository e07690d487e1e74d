/* An offset is stored only here, in outcome_committed(), after COMMIT and after the dead letters of its batch
 * are acknowledged: at that instant everything the offset stands for is durable. */
#include "loader/outcome.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/monitor/health.h"
#include "common/mysql/errors.h"
#include "common/wire/dead.h"

enum {
    RETRY_FIRST_MS = 200,
    LOCK_RETRY_MS = 50,
    PERSON_RETRY_MS = 60 * 1000,
};

/* ------------------------------------------------------------------ a batch that is committed */

int outcome_refused(void *arg, const struct sink_failure *failure, struct err *err)
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

    dead.stage = LOADER_STAGE;
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
            dead_count(name, LOADER_STAGE, DEAD_DATA);
    for (size_t i = 0; i < b->document_count; i++)
        if (b->documents[i].state == DOCUMENT_BROKEN)
            dead_count(name, LOADER_STAGE, DEAD_PARSE);
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

void outcome_waiting(struct lane *lane, enum load_pause pause, const char *why)
{
    char key[128];

    snprintf(key, sizeof key, "pipeline %s", lane->route->pipeline->name);
    health_reason(key, why);
    for (int p = 0; p < PAUSE_LOST; p++)
        load_set_paused(lane->route->pipeline->name, (enum load_pause)p, p == (int)pause);
    lane->waiting = why != NULL;
}

int outcome_committed(struct work *w, struct lane *lane, struct err *err)
{
    struct batch *b = lane->due;
    int rc = 0;

    health_dependency("mysql", true, NULL);
    if (lane->waiting) {
        log_info("%s: writing again", lane->route->pipeline->name);
        outcome_waiting(lane, LOAD_PAUSES, NULL);
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
    outcome_waiting(lane, why->code == APPLY_FLOOD ? PAUSE_FLOOD : PAUSE_SCHEMA, why->text);
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
    outcome_waiting(lane, PAUSE_DATABASE, why->text);
}

int outcome_failed(struct work *w, struct lane *lane, struct err *err)
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
