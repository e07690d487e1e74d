/* Only outcome_committed() stores an offset, after COMMIT and after the dead letters of the batch are
 * acknowledged: at that instant all records up to the offset are durable. */
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

/* A ticket names a dead letter: of a row, or of a document whose message could not be read. */
enum letter_kind { LETTER_ROW, LETTER_DOCUMENT, LETTER_KINDS };
enum letter_form { LETTER_WHOLE, LETTER_BARE /* without its value */, LETTER_FORMS };

struct letter {
    size_t index; /* of the row or the document in its batch */
    enum letter_kind kind;
    enum letter_form form;
};

static uint64_t make_ticket(struct letter l)
{
    return ((uint64_t)l.index * LETTER_KINDS + (uint64_t)l.kind) * LETTER_FORMS + (uint64_t)l.form;
}

static struct letter letter_of_ticket(uint64_t ticket)
{
    return (struct letter){
        .form = (enum letter_form)(ticket % LETTER_FORMS),
        .kind = (enum letter_kind)(ticket / LETTER_FORMS % LETTER_KINDS),
        .index = (size_t)(ticket / LETTER_FORMS / LETTER_KINDS),
    };
}

static int send_letter(struct loading *w, const struct document *d, struct dead_value value,
                       const struct dead_letter *dead, bool bare, struct err *err)
{
    struct pipeline_queue *queue = w->job.queue;
    int rc;

    value.key = d->id;
    do
        rc = bare ? dead_send_without_value(w->l->dead, queue->route->dead, &d->record, &value, dead, err)
                  : dead_send(w->l->dead, queue->route->dead, &d->record, &value, dead, err);
    while (rc != 0 && acks_room(&w->acks, err) == 0);
    acks_go_on(&w->acks);
    return rc;
}

static int send_dead_row(struct loading *w, struct letter l, struct err *err)
{
    const struct batch *b = w->job.queue->due;
    const struct row *row = &b->rows[l.index];
    const struct document *d = &b->documents[row->document];
    struct dead_letter dead = {.stage = LOADER_STAGE,
                               .class = DEAD_DATA,
                               .code = row->code,
                               .text = row->why,
                               .row = row - &b->rows[d->first_row] + 1,
                               .rows = (int64_t)d->row_count,
                               .failed_at_ms = w->l->now_ms()};
    struct dead_value value = {.value = row->line, .value_len = row->line_len, .ticket = make_ticket(l)};

    return send_letter(w, d, value, &dead, l.form == LETTER_BARE, err);
}

static int send_dead_document(struct loading *w, struct letter l, struct err *err)
{
    const struct document *d = &w->job.queue->due->documents[l.index];
    struct dead_letter dead = {
        .stage = LOADER_STAGE, .class = DEAD_PARSE, .text = d->why, .failed_at_ms = w->l->now_ms()};
    struct dead_value value = {
        .value = d->record.value, .value_len = d->record.value_len, .ticket = make_ticket(l)};

    return send_letter(w, d, value, &dead, l.form == LETTER_BARE, err);
}

static int send_dead(struct loading *w, struct letter l, struct err *err)
{
    return l.kind == LETTER_ROW ? send_dead_row(w, l, err) : send_dead_document(w, l, err);
}

int outcome_refused(void *arg, const struct sink_failure *failure, struct err *err)
{
    struct loading *w = arg;
    struct letter l = letter_of_ticket(failure->ticket);

    if (l.form == LETTER_BARE)
        return err_set(
            err, ERR_FATAL, 0,
            "topic %s takes not even the headers of a dead letter (%s): raise its max.message.bytes",
            w->job.queue->route->dead, failure->text);
    l.form = LETTER_BARE;
    return send_dead(w, l, err);
}

/* MySQL's error text quotes the value, so it goes into the dead letter only and the log has the number. */
static void log_dead(const struct loading *w, const struct document *d, enum dead_class class, int code,
                     const char *why)
{
    const struct record *r = &d->record;
    char refused[32];

    snprintf(refused, sizeof refused, "MySQL error %d", code);
    log_warn("%s: dead letter from %s/%d/%lld: %s: %s", w->job.queue->route->pipeline->name, r->topic,
             r->partition, (long long)r->offset, dead_class_name(class), code != 0 ? refused : why);
}

/* 0: all are acknowledged; 1: asked to stop before that; -1 with *err. */
static int send_dead_letters(struct loading *w, const struct pipeline_queue *queue, struct err *err)
{
    const struct batch *b = queue->due;
    size_t sent = 0;

    for (size_t i = 0; i < b->row_count; i++) {
        const struct document *d = &b->documents[b->rows[i].document];
        if (!b->rows[i].rejected || d->state != DOCUMENT_WANTED)
            continue;
        if (send_dead(w, (struct letter){.index = i, .kind = LETTER_ROW}, err) != 0)
            return -1;
        log_dead(w, d, DEAD_DATA, b->rows[i].code, b->rows[i].why);
        sent++;
    }
    for (size_t i = 0; i < b->document_count; i++) {
        const struct document *d = &b->documents[i];
        if (d->state != DOCUMENT_BROKEN)
            continue;
        if (send_dead(w, (struct letter){.index = i, .kind = LETTER_DOCUMENT}, err) != 0)
            return -1;
        log_dead(w, d, DEAD_PARSE, 0, d->why);
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

/* A partition's records stand in the batch in order, so the last one has the offset to store. */
static void store_offsets(const struct loading *w, const struct batch *b)
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

static const enum pause_reason waits[] = {PAUSE_DATABASE, PAUSE_SCHEMA, PAUSE_FLOOD};
enum { WAITS = sizeof waits / sizeof waits[0] };

static size_t route_of(const struct loading *w, const struct pipeline_queue *queue)
{
    return (size_t)(queue - w->queues);
}

bool clear_pause(struct loading *w, const struct pipeline_queue *queue)
{
    bool waited = false;

    for (size_t i = 0; i < WAITS; i++)
        waited = stage_resume(&w->stage, route_of(w, queue), waits[i]) || waited;
    return waited;
}

/* The queue waits for one reason at a time. True: the reason is new. */
static bool set_pause(struct loading *w, const struct pipeline_queue *queue, enum pause_reason reason,
                      const char *why)
{
    for (size_t i = 0; i < WAITS; i++)
        if (waits[i] != reason)
            stage_resume(&w->stage, route_of(w, queue), waits[i]);
    return stage_pause(&w->stage, route_of(w, queue), reason, why);
}

int outcome_committed(struct loading *w, struct pipeline_queue *queue, struct err *err)
{
    struct batch *b = queue->due;
    int rc = 0;

    health_dependency("mysql", true, NULL);
    if (clear_pause(w, queue))
        log_info("%s: writing again", queue->route->pipeline->name);
    outcome_finish(w);
    w->finished = (struct finished_batch){.batch = b, .result = w->job.result, .seconds = w->job.seconds};
    if (!queue->orphaned) {
        rc = send_dead_letters(w, queue, err);
        if (rc == 0) {
            size_t bad = batch_bad_documents(b, NULL, NULL, 0);
            flood_add(&queue->flood, b->document_count - bad, bad);
            count_dead_letters(b);
            store_offsets(w, b);
        }
    }
    queue->orphaned = false;
    queue->due = NULL;
    if (rc > 0) /* later batches of its partitions may not store their offsets now */
        err_set(err, ERR_RETRY, 0, "asked to stop while dead letters wait for the broker");
    return rc != 0 ? -1 : 0;
}

void outcome_finish(struct loading *w)
{
    struct finished_batch *f = &w->finished;

    if (f->batch == NULL)
        return;
    load_count_commit(f->batch, &f->result, f->seconds, w->l->now_ms());
    batch_free(f->batch, w->l->in);
    f->batch = NULL;
}

/* ------------------------------------------------------------------ a batch that failed */

static int64_t retry_delay(const struct pipeline_queue *queue, enum db_class class)
{
    if (class == DB_LOCK)
        return LOCK_RETRY_MS;
    int64_t delay = RETRY_FIRST_MS;
    for (int i = 1; i < queue->attempts && delay < RETRY_MOST_MS; i++)
        delay *= 2;
    return delay < RETRY_MOST_MS ? delay : RETRY_MOST_MS;
}

static void wait_for_person(struct loading *w, struct pipeline_queue *queue, const struct err *why)
{
    enum pause_reason reason = why->code == APPLY_FLOOD ? PAUSE_FLOOD : PAUSE_SCHEMA;

    if (set_pause(w, queue, reason, why->text))
        log_error("%s: paused until it is mended, tried again every minute: %s", queue->route->pipeline->name,
                  why->text);
    batch_forget_rejections(queue->due); /* mending the table may make the rows fit */
    queue->retry_at_ms = clock_monotonic_ms() + PERSON_RETRY_MS;
}

static void wait_for_database(struct loading *w, struct pipeline_queue *queue, const struct err *why)
{
    enum db_class class = db_error_class(why->code);

    load_count_retry(queue->route->pipeline->name, db_class_name(class));
    queue->retry_at_ms = clock_monotonic_ms() + retry_delay(queue, class);
    queue->unknown += class == DB_UNKNOWN;
    if (class == DB_LOCK) {
        log_info("%s: the batch is repeated: %s", queue->route->pipeline->name, why->text);
        return;
    }
    if (class == DB_CONNECTION)
        health_dependency("mysql", false, why->text);
    if (set_pause(w, queue, PAUSE_DATABASE, why->text) && class != DB_CONNECTION)
        log_warn("%s: waiting, the batch is repeated: %s", queue->route->pipeline->name, why->text);
}

int outcome_failed(struct loading *w, struct pipeline_queue *queue, struct err *err)
{
    const struct err *why = &w->job.err;

    queue->attempts++;
    table_free(queue->table); /* the table may have changed: read its shape again */
    queue->table = NULL;
    if (queue->orphaned) { /* the filling batch stays, since it came with the new assignment */
        queue->orphaned = false;
        batch_free(queue->due, w->l->in);
        queue->due = NULL;
        return 0;
    }
    /* after an unknown error, the last attempt treats it as an error of a row */
    bool last =
        why->kind == ERR_RETRY && db_error_class(why->code) == DB_UNKNOWN && !w->job.rules.unknown_as_row;
    if (w->l->bounded && !last &&
        (queue->attempts > queue->route->pipeline->retry_count || why->kind == ERR_PAUSE)) {
        *err = *why;
        return err_prefix(err, "%s: given up", queue->route->pipeline->name);
    }
    if (why->kind == ERR_FATAL) {
        *err = *why;
        return -1;
    }
    if (why->kind == ERR_PAUSE)
        wait_for_person(w, queue, why);
    else
        wait_for_database(w, queue, why);
    return 0;
}
