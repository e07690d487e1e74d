/* The dead letters of what was committed. An offset is stored after they are acknowledged; a pipeline whose
 * letters find no topic waits alone. */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/fault_point.h"
#include "common/base/log.h"
#include "common/monitor/health.h"
#include "common/mysql/errors.h"
#include "common/wire/dead.h"
#include "loader/loading.h"

/* A ticket names a dead letter: of a row, or of a document whose message could not be read. */
enum letter_kind { LETTER_ROW, LETTER_DOCUMENT, LETTER_KINDS };
enum letter_form { LETTER_WHOLE, LETTER_BARE /* without its value */, LETTER_FORMS };

enum { SERVE_MS = 100, TELL_AFTER_MS = 5000, REASON_TEXT = 400 };
#define REASON_KEY "pipeline %s (dead letters)"

struct letter {
    uint32_t shipment;
    uint32_t index; /* of the row or the document in its batch, below 2^30 */
    enum letter_kind kind;
    enum letter_form form;
};

static uint64_t make_ticket(struct letter l)
{
    uint64_t low = ((uint64_t)l.index * LETTER_KINDS + (uint64_t)l.kind) * LETTER_FORMS + (uint64_t)l.form;

    return (uint64_t)l.shipment << 32 | low;
}

static struct letter letter_of_ticket(uint64_t ticket)
{
    uint32_t low = (uint32_t)ticket;

    return (struct letter){
        .shipment = (uint32_t)(ticket >> 32),
        .form = (enum letter_form)(low % LETTER_FORMS),
        .kind = (enum letter_kind)(low / LETTER_FORMS % LETTER_KINDS),
        .index = low / LETTER_FORMS / LETTER_KINDS,
    };
}

static struct shipment *find_shipment(const struct loading *w, uint32_t id)
{
    for (size_t i = 0; i < w->count; i++)
        for (size_t j = 0; j < w->flows[i].shipment_count; j++)
            if (w->flows[i].shipments[j]->id == id)
                return w->flows[i].shipments[j];
    return NULL;
}

/* ------------------------------------------------------------------ sending */

static int send_letter(struct loading *w, const struct shipment *s, const struct document *d,
                       struct dead_value value, const struct dead_letter *dead, bool bare, struct err *err)
{
    const char *topic = s->flow->route->dead;

    value.key = d->id;
    return bare ? dead_send_without_value(w->l->dead, topic, &d->record, &value, dead, err)
                : dead_send(w->l->dead, topic, &d->record, &value, dead, err);
}

static int send_row(struct loading *w, const struct shipment *s, struct letter l, struct err *err)
{
    const struct batch *b = s->batch;
    const struct row *row = &b->rows[l.index];
    const struct document *d = &b->documents[row->document];
    struct dead_letter dead = {.stage = LOADER_STAGE,
                               .class = DEAD_DATA,
                               .code = row->code > 0 ? row->code : 0,
                               .text = row->why,
                               .row = row - &b->rows[d->first_row] + 1,
                               .rows = (int64_t)d->row_count,
                               .failed_at_ms = w->l->now_ms()};
    struct dead_value value = {.value = row->line, .value_len = row->line_len, .ticket = make_ticket(l)};

    return send_letter(w, s, d, value, &dead, l.form == LETTER_BARE, err);
}

static int send_document(struct loading *w, const struct shipment *s, struct letter l, struct err *err)
{
    const struct document *d = &s->batch->documents[l.index];
    struct dead_letter dead = {
        .stage = LOADER_STAGE, .class = DEAD_PARSE, .text = d->why, .failed_at_ms = w->l->now_ms()};
    struct dead_value value = {
        .value = d->record.value, .value_len = d->record.value_len, .ticket = make_ticket(l)};

    return send_letter(w, s, d, value, &dead, l.form == LETTER_BARE, err);
}

static int send_dead(struct loading *w, struct shipment *s, struct letter l, struct err *err)
{
    int rc = l.kind == LETTER_ROW ? send_row(w, s, l, err) : send_document(w, s, l, err);

    if (rc == 0) {
        s->letters_waiting++;
        w->letters_waiting++;
        FAULT_POINT("letter-sent");
    }
    return rc;
}

/* MySQL's error text quotes the value, so it goes into the dead letter only and the log has the number. */
static void log_dead(const struct shipment *s, const struct document *d, enum dead_class class, int code,
                     const char *why)
{
    const struct record *r = &d->record;
    char brief[DB_BRIEF_MAX];

    log_warn("%s: dead letter from %s/%d/%lld: %s: %s", s->batch->pipeline->name, r->topic, r->partition,
             (long long)r->offset, dead_class_name(class),
             code > 0 ? db_error_brief(code, brief, sizeof brief) : why);
}

/* The letters of a batch stand in one line: its rows, then its documents. Send the one at `at`, if there is
 * one. */
static int send_at(struct loading *w, struct shipment *s, size_t at, struct err *err)
{
    const struct batch *b = s->batch;

    if (at < b->row_count) {
        const struct row *row = &b->rows[at];
        const struct document *d = &b->documents[row->document];
        if (!row->rejected || d->state != DOCUMENT_WANTED)
            return 0;
        struct letter l = {.shipment = s->id, .index = (uint32_t)at, .kind = LETTER_ROW};
        if (send_dead(w, s, l, err) != 0)
            return -1;
        log_dead(s, d, DEAD_DATA, row->code, row->why);
        return 0;
    }
    const struct document *d = &b->documents[at - b->row_count];
    if (d->state != DOCUMENT_BROKEN)
        return 0;
    struct letter l = {.shipment = s->id, .index = (uint32_t)(at - b->row_count), .kind = LETTER_DOCUMENT};
    if (send_dead(w, s, l, err) != 0)
        return -1;
    log_dead(s, d, DEAD_PARSE, 0, d->why);
    return 0;
}

/* As far as the sink has room. */
static int send_letters(struct loading *w, struct shipment *s, struct err *err)
{
    size_t all = s->batch->row_count + s->batch->document_count;

    for (; s->letters_next < all; s->letters_next++) {
        if (send_at(w, s, s->letters_next, err) == 0)
            continue;
        if (err->kind != ERR_RETRY)
            return -1;
        err_clear(err); /* the queue is full: no failure */
        return 0;
    }
    return 0;
}

/* ------------------------------------------------------------------ acknowledgements */

static void count_letters(const struct batch *b)
{
    const char *name = b->pipeline->name;

    for (size_t i = 0; i < b->row_count; i++)
        if (b->rows[i].rejected && b->documents[b->rows[i].document].state == DOCUMENT_WANTED)
            dead_count(name, LOADER_STAGE, DEAD_DATA);
    for (size_t i = 0; i < b->document_count; i++)
        if (b->documents[i].state == DOCUMENT_BROKEN)
            dead_count(name, LOADER_STAGE, DEAD_PARSE);
}

void letters_acked(void *arg, uint64_t ticket)
{
    struct loading *w = arg;
    struct shipment *s = find_shipment(w, letter_of_ticket(ticket).shipment);

    w->letters_acked = true;
    w->letters_waiting -= w->letters_waiting > 0;
    if (s != NULL) /* else its partitions were taken away */
        s->letters_waiting--;
}

/* A dead letter that the broker refuses for its size goes without its value. */
static int send_bare(struct loading *w, const struct sink_failure *failure, struct err *err)
{
    struct letter l = letter_of_ticket(failure->ticket);
    struct shipment *s = find_shipment(w, l.shipment);

    w->letters_waiting -= w->letters_waiting > 0;
    if (s == NULL)
        return 0;
    s->letters_waiting--;
    if (l.form == LETTER_BARE)
        return err_set(
            err, ERR_FATAL, 0,
            "topic %s takes not even the headers of a dead letter (%s): raise its max.message.bytes",
            s->flow->route->dead, failure->text);
    l.form = LETTER_BARE;
    /* the refused one has left more room than this one takes */
    while (send_dead(w, s, l, err) != 0) {
        if (err->kind != ERR_RETRY)
            return -1;
        err_clear(err);
        if (sink_serve(w->l->dead, SERVE_MS, err) != 0)
            return -1;
    }
    return 0;
}

static int take_refusals(struct loading *w, struct err *err)
{
    struct sink_failure failure;

    while (sink_failure(w->l->dead, &failure))
        if (send_bare(w, &failure, err) != 0)
            return -1;
    return 0;
}

/* The pipeline stands still while its letters do, and its neighbours do not. */
static void tell_waiting(struct shipment *s)
{
    struct flow *f = s->flow;
    char key[REASON_TEXT];
    char why[REASON_TEXT];
    int64_t now = clock_monotonic_ms();

    if (s->letters_since_ms == 0)
        s->letters_since_ms = now;
    if (f->letters_told || now - s->letters_since_ms < TELL_AFTER_MS)
        return;
    f->letters_told = true;
    snprintf(key, sizeof key, REASON_KEY, flow_name(f));
    snprintf(why, sizeof why, "its dead letters wait: the broker has not taken them into topic %s",
             f->route->dead);
    health_reason(key, why);
    log_warn("%s: %s", flow_name(f), why);
}

void letters_forget(struct flow *f)
{
    char key[REASON_TEXT];

    if (!f->letters_told)
        return;
    f->letters_told = false;
    snprintf(key, sizeof key, REASON_KEY, flow_name(f));
    health_reason(key, NULL);
}

static void finish_letters(struct loading *w, struct shipment *s)
{
    if (s->letters_next < s->batch->row_count + s->batch->document_count || s->letters_waiting > 0) {
        tell_waiting(s);
        return;
    }
    if (s->letters_since_ms > 0) /* it has waited, so it has letters */
        FAULT_POINT("letters-acknowledged");
    letters_forget(s->flow);
    count_letters(s->batch);
    s->state = SHIPMENT_DONE;
    outcome_settle(w, s->flow);
}

int letters_pump(struct loading *w, struct err *err)
{
    if (w->letters_waiting > 0 && (sink_serve(w->l->dead, 0, err) != 0 || take_refusals(w, err) != 0))
        return -1;
    for (size_t i = 0; i < w->count; i++) {
        struct flow *f = &w->flows[i];
        for (size_t j = f->shipment_count; j-- > 0;) {
            struct shipment *s = f->shipments[j];
            if (s->state != SHIPMENT_COMMITTED)
                continue;
            if (send_letters(w, s, err) != 0)
                return -1;
            finish_letters(w, s); /* takes out from the front only when the front is done */
        }
    }
    return 0;
}
