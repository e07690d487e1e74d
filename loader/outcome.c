/* What follows from a job that has ended. Offsets are stored here and nowhere else: after COMMIT, after the
 * batch's dead letters are acknowledged, and after those of all batches before it. */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/fault_point.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/monitor/health.h"
#include "loader/bad_documents.h"
#include "loader/loading.h"

enum {
    STALE_WINDOW = 1000,
    STALE_ENDS_MS = 10 * 60 * 1000, /* after the last older document */
    REASON_KEY = 160,
    REPORT_TEXT = 1024,
};

/* ------------------------------------------------------------------ a batch that is committed */

/* Of what is read again, as by a replay, older versions are to be expected. */
static bool is_read_again(struct flow *f, const struct batch *b)
{
    for (size_t i = 0; i < b->part_count; i++) {
        const struct flow_part *part = flow_part(f, b->parts[i].topic, b->parts[i].partition);
        if (part != NULL && b->parts[i].first < part->known)
            return true;
    }
    return false;
}

static void tell_stale(struct flow *f, const char *why)
{
    char key[REASON_KEY];

    snprintf(key, sizeof key, "pipeline %s (stale)", flow_name(f));
    health_reason(key, why);
    f->seen = f->seen_stale = 0;
}

/* Newer versions of most documents are there already: something publishes old ones. */
static void watch_stale(struct flow *f, const struct apply_result *r)
{
    f->seen += r->written + r->older;
    f->seen_stale += r->older;
    if (r->older > 0)
        f->older_at_ms = clock_monotonic_ms();
    if (f->seen >= STALE_WINDOW)
        tell_stale(f, f->seen_stale * 2 > f->seen
                          ? "of its last 1000 documents more than half are older than what the table has"
                          : NULL);
}

static void end_stale(struct flow *f)
{
    if (f->older_at_ms > 0 && clock_monotonic_ms() - f->older_at_ms >= STALE_ENDS_MS) {
        f->older_at_ms = 0;
        tell_stale(f, NULL);
    }
}

void outcome_forget(struct flow *f)
{
    recent_clear(&f->recent);
    tell_stale(f, NULL);
}

/* Counted always, told once a column. */
static void tell_rounded(struct flow *f, const uint32_t *rounded)
{
    const struct pipeline *p = f->route->pipeline;

    for (size_t c = 0; rounded != NULL && c < p->column_count; c++) {
        if (rounded[c] == 0)
            continue;
        load_count_rounded(p->name, p->columns[c].name, rounded[c]);
        if (f->told_rounded == NULL)
            f->told_rounded = mem_zalloc(p->column_count, sizeof *f->told_rounded);
        if (!f->told_rounded[c])
            log_warn(
                "%s: column %s of %s rounds values, or cuts spaces at their end: "
                "jst_loader_rounded_values_total counts them; `jstctl ddl %s` shows a type that does not",
                p->name, p->columns[c].name, p->table, p->name);
        f->told_rounded[c] = true;
    }
}

static void count_replayed(struct replay_report *r, const struct shipment *s)
{
    r->written += s->result.written;
    r->stale += s->result.stale;
    r->rows += s->result.rows;
    r->letters += s->result.rejected;
    for (size_t i = 0; i < s->batch->document_count; i++)
        r->letters += s->batch->documents[i].state == DOCUMENT_BROKEN;
}

void outcome_tell_progress(struct loading *w)
{
    int64_t done, all;
    struct buf text;

    if (w->l->progress == NULL || !replay_report_due(&w->report, clock_monotonic_ms()) ||
        !w->l->progress(w->l->in, &done, &all))
        return;
    buf_init(&text, REPORT_TEXT);
    replay_report_progress(&w->report, done, all, &text);
    log_info("replay: %s", text.data);
    buf_free(&text);
}

void outcome_tell_end(const struct loading *w)
{
    int64_t done, all;
    struct buf text;

    if (w->l->progress == NULL || !w->l->progress(w->l->in, &done, &all))
        return;
    buf_init(&text, REPORT_TEXT);
    replay_report_summary(&w->report, done, all, clock_monotonic_ms(), &text);
    log_info("replay: %s", text.data);
    buf_free(&text);
}

static void take_committed(struct loading *w, struct shipment *s)
{
    struct flow *f = s->flow;

    FAULT_POINT("commit-known");
    s->state = SHIPMENT_COMMITTED;
    flow_marks_written(f, &s->marks);
    flow_advance(f);
    bad_documents_feed(s->batch, &f->flood);
    tell_rounded(f, s->result.rounded);
    count_replayed(&w->report, s);
    if (!w->l->replay && !is_read_again(f, s->batch))
        watch_stale(f, &s->result);
    load_count_commit(s->batch, &s->result, s->seconds, w->l->now_ms());
    if (f->route->pipeline->write == WRITE_DOCUMENT)
        recent_take(&f->recent, s->batch);
    f->wrote_at_ms = clock_monotonic_ms();
}

static int take_write(struct loading *w, struct job *job, struct err *err)
{
    struct shipment *s = job->shipment;
    struct flow *f = job->flow;

    s->seconds = job->seconds;
    if (job->rc == 0) {
        trouble_ends(w, f);
        f->emptied = f->emptied && s->result.rows == 0;
    }
    if (s->orphaned) {
        shipment_free(s, w->l->in);
        return 0;
    }
    if (job->rc == 0) {
        take_committed(w, s);
        return 0;
    }
    s->state = SHIPMENT_WAITS;
    if (f->troubled &&
        flow_first_waiting(f) != s) /* the first one's trouble is the flow's; then it is this one's turn */
        return 0;
    return trouble_begins(w, f, &job->err, err);
}

void outcome_settle(struct loading *w, struct flow *f)
{
    struct shipment *s;

    while ((s = flow_take_done(f)) != NULL) {
        for (size_t i = 0; i < s->batch->part_count; i++)
            source_store(w->l->in, s->batch->parts[i].topic, s->batch->parts[i].partition,
                         s->batch->parts[i].last);
        FAULT_POINT("offsets-stored");
        shipment_free(s, w->l->in);
    }
}

/* ------------------------------------------------------------------ a look at the table */

static void log_start(const struct flow *f, const struct flow_part *part, const struct start *start)
{
    char group[40] = "has no offset";

    if (start->why == START_GROUP || part->log.low >= part->log.high)
        return;
    if (part->log.committed >= 0)
        snprintf(group, sizeof group, "is at %lld", (long long)part->log.committed);
    log_info("%s: %s/%d is read from %lld (the group %s): %s", flow_name(f), part->log.topic,
             part->log.partition,
             (long long)(start->offset == SOURCE_BEGINNING ? part->log.low : start->offset), group,
             start_reason_text(start->why));
}

/* A run of bad documents counts over restarts, until the first good one. */
static void feed_past(const struct loading *w, struct flow *f, const struct flow_part *part,
                      const struct start *start)
{
    if (w->l->past != NULL && start->offset >= 0 && f->flood.count == f->flood.bad_count)
        past_letters_feed(&w->l->past[flow_index(w, f)], part->log.partition, start->offset, &f->flood);
}

static struct start start_of_part(const struct flow *f, const struct flow_part *part, const struct job *job)
{
    if (f->route->pipeline->write == WRITE_REPLACE)
        return start_of_group(&part->log);
    return start_decide(&part->log, stored_marks_find(&job->stored, part->log.topic, part->log.partition),
                        f->table->name, job->emptied);
}

static void start_parts(struct loading *w, struct flow *f, const struct job *job)
{
    for (size_t i = 0; i < f->part_count; i++) {
        struct flow_part *part = &f->parts[i];
        if (!part->waiting)
            continue;
        struct start start = start_of_part(f, part, job);
        part->waiting = false;
        part->written = start.written;
        part->reset = start.reset;
        part->known = start.known;
        feed_past(w, f, part, &start);
        log_start(f, part, &start);
        source_seek(w->l->in, part->log.topic, part->log.partition, start.offset);
        FAULT_POINT("partition-started");
    }
}

/* Has the database lost what this process has committed? Only an idle flow is sure of its marks. */
static bool is_set_back(const struct flow *f, const struct job *job)
{
    if (!flow_is_empty(f))
        return false;
    for (size_t i = 0; i < f->part_count; i++) {
        const struct flow_part *part = &f->parts[i];
        const struct stored_mark *mark =
            stored_marks_find(&job->stored, part->log.topic, part->log.partition);
        if (!part->waiting && part->written >= 0 && (mark == NULL || mark->next_offset < part->written))
            return true;
    }
    return false;
}

/* Once: when Kafka has nothing of it any more, it stays empty. */
static bool was_emptied(struct flow *f, const struct job *job)
{
    bool news = job->emptied && !f->emptied;

    f->emptied = job->emptied;
    return news && f->part_count > 0 && !f->parts[0].waiting && !flow_is_writing(f);
}

static int take_look(struct loading *w, struct job *job, struct err *err)
{
    struct flow *f = job->flow;

    f->looking = false;
    f->looked_at_ms = clock_monotonic_ms();
    if (job->rc != 0) {
        f->needs_look = true;
        return trouble_begins(w, f, &job->err, err);
    }
    if (flow_first_waiting(f) == NULL)
        trouble_ends(w, f);
    else /* the batch that failed is tried now */
        trouble_answers(w);
    table_free(f->table);
    f->table = job->table;
    job->table = NULL;
    if (was_emptied(f, job)) {
        log_warn("%s: table %s has lost what was written into it: it is filled again from what "
                 "Kafka still holds; what is older takes a back-fill",
                 flow_name(f), f->table->name);
        flow_restart(w, f);
    } else if (is_set_back(f, job)) {
        log_warn("%s: the database was set back; going back to it", flow_name(f));
        flow_restart(w, f);
    }
    end_stale(f);
    recent_renew(&f->recent);
    start_parts(w, f, job);
    f->needs_look = false;
    return 0;
}

static int take_marks(struct loading *w, struct job *job, struct err *err)
{
    job->flow->looking = false;
    if (job->rc != 0)
        return trouble_begins(w, job->flow, &job->err, err);
    trouble_ends(w, job->flow);
    flow_marks_written(job->flow, &job->marks);
    return 0;
}

static int take_answer(struct loading *w, const struct job *job, struct err *err)
{
    if (job->rc == 0) {
        trouble_answers(w);
        return 0;
    }
    if (job->err.kind == ERR_FATAL) {
        *err = job->err;
        return -1;
    }
    trouble_of_silence(w, &job->err);
    return 0;
}

int outcome_take(struct loading *w, struct job *job, struct err *err)
{
    int rc = 0;

    if (job->kind == JOB_WRITE)
        rc = take_write(w, job, err);
    else if (job->kind == JOB_LOOK)
        rc = take_look(w, job, err);
    else if (job->kind == JOB_MARKS)
        rc = take_marks(w, job, err);
    else if (job->kind == JOB_ASK)
        rc = take_answer(w, job, err);
    table_free(job->table);
    stored_marks_free(&job->stored);
    free(job->marks.list);
    recent_clear(&job->recent);
    *job = (struct job){.kind = JOB_NONE};
    return rc;
}
