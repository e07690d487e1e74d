#include "loader/apply.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/fault_point.h"
#include "common/base/mem.h"
#include "common/mysql/rounding.h"
#include "loader/bad_documents.h"
#include "loader/judge.h"
#include "loader/prune.h"
#include "loader/row_check.h"
#include "loader/transaction.h"

/* An error about data while no row is written: the tables are at fault, so the pipeline pauses. */
static int blame_tables(struct err *err, const char *consequence)
{
    if (err->kind != ERR_REJECT)
        return -1;
    err->kind = ERR_PAUSE;
    return err_prefix(err, "%s", consequence);
}

/* Many bad documents mean that the fault is not in their rows. Checked before anything is committed. */
static int check_flood(const struct transaction *t, struct err *err)
{
    struct flood_first first = {0};

    if (t->rules->flood == NULL || !bad_documents_flood(t->batch, t->rules->flood, t->rules->flood_limit))
        return 0;
    bad_documents_first(t->batch, &first);
    char *text = flood_first_text(&first);
    err_set(
        err, ERR_PAUSE, APPLY_FLOOD,
        "flood: %zu of the batch's %zu documents would end in dead letters (--flood-limit); the first: %s",
        bad_documents_count(t->batch), t->batch->document_count, text);
    free(text);
    flood_first_free(&first);
    return -1;
}

/* ------------------------------------------------------------------ marks */

/* What this process has put there is still there, unless the database was set back. */
static int compare_marks(const struct mark_list *marks, const struct stored_marks *stored, struct err *err)
{
    for (size_t i = 0; i < marks->count; i++) {
        const struct mark *own = &marks->list[i];
        const struct stored_mark *there = stored_marks_find(stored, own->topic, own->partition);
        int64_t next = there != NULL ? there->next_offset : 0;
        if (own->written >= 0 && next < own->written)
            return err_set(
                err, ERR_RETRY, APPLY_SET_BACK,
                "the database was set back: it holds %s/%d up to %lld, and this loader has committed "
                "it up to %lld",
                own->topic, own->partition, (long long)next, (long long)own->written);
    }
    return 0;
}

int apply_marks(struct store *store, const struct table *table, const struct mark_list *marks,
                struct err *err)
{
    struct stored_marks stored = {0};

    if (marks->count == 0)
        return 0;
    if (store->ops->read_marks(store, table->pipeline->name, true, &stored, err) != 0)
        return -1;
    int rc = compare_marks(marks, &stored, err);
    stored_marks_free(&stored);
    return rc == 0 ? store->ops->put_marks(store, table, marks->list, marks->count, err) : -1;
}

static int put_marks(const struct transaction *t, struct err *err)
{
    struct mark_list marks = {0};

    if (t->rules->marks == NULL)
        return 0;
    t->rules->marks(t->rules->arg, &marks);
    int rc = apply_marks(t->store, t->table, &marks, err);
    free(marks.list);
    return rc;
}

/* ------------------------------------------------------------------ the transaction */

/* The number of a document's rows that are not rejected. */
static size_t count_good(const struct transaction *t, const struct document *d)
{
    size_t n = 0;

    for (size_t i = 0; i < d->row_count; i++)
        n += !t->batch->rows[d->first_row + i].rejected;
    return n;
}

static int take_heads(struct transaction *t, struct err *err)
{
    memset(t->lost, 0, t->count * sizeof *t->lost);
    for (size_t i = 0; i < t->count; i++) {
        const struct document *d = transaction_document(t, i);
        t->heads[i] = (struct head){
            .document = d->id, .stamp = d->stamp, .rows = count_good(t, d), .source = d->source};
    }
    if (t->store->ops->raise_heads(t->store, t->p->heads_name, t->heads, t->count, t->lost, err) != 0)
        return blame_tables(err, "jst_heads does not take the batch's documents");
    for (size_t i = 0; i < t->count; i++)
        t->batch->documents[t->sorted[i]].lost = t->lost[i];
    return 0;
}

static void collect_rows(struct transaction *t)
{
    t->good_count = 0;
    for (size_t i = 0; i < t->count; i++) {
        const struct document *d = transaction_document(t, i);
        for (size_t j = 0; j < d->row_count && !t->lost[i]; j++)
            if (!t->batch->rows[d->first_row + j].rejected)
                t->good[t->good_count++] = &t->batch->rows[d->first_row + j];
    }
}

/* Begin, take the heads, and delete what the documents no longer have. Then rows may be written. Row by row
 * there is nothing to take and to delete. */
static int open_transaction(struct transaction *t, struct err *err)
{
    bool by_document = t->p->write == WRITE_DOCUMENT;

    t->pruned = t->kept = t->replaced = 0;
    if (t->store->ops->begin(t->store, err) != 0)
        return -1;
    FAULT_POINT("begun");
    if (by_document && take_heads(t, err) != 0)
        return -1;
    FAULT_POINT("heads-raised");
    collect_rows(t);
    if (by_document && prune_stored_rows(t, err) != 0)
        return blame_tables(err, "stored rows that are no longer wanted cannot be deleted");
    return 0;
}

static int write_rows(struct transaction *t, enum write_form form, struct err *err)
{
    return t->store->ops->write_rows(t->store, t->table, t->batch, t->good, t->good_count, form, &t->replaced,
                                     err);
}

/* Texts that fit are the usual case: they are not looked at. */
static bool may_round(const struct table_column *c, size_t len)
{
    return c->kind != COLUMN_TEXT || len > c->length || c->form == TEXT_CHAR;
}

/* What the table now holds otherwise than it came, by column. */
static void count_rounded(struct transaction *t)
{
    memset(t->rounded, 0, t->p->column_count * sizeof *t->rounded);
    for (size_t i = 0; i < t->good_count; i++)
        for (size_t c = 0; c < t->p->column_count; c++) {
            size_t len;
            const char *text = batch_cell(t->batch, t->good[i], c, &len);
            const struct table_column *column = &t->table->columns[c];
            if (text != NULL && may_round(column, len) && column_rounds(column, text, len) != ROUNDING_NONE)
                t->rounded[c]++;
        }
}

/* One whole transaction. *ret_blamed: a row seems to be at fault, and the transaction was given up. */
static int run_transaction(struct transaction *t, enum write_form form, bool *ret_blamed, struct err *err)
{
    *ret_blamed = false;
    if (t->count == 0)
        return check_flood(t, err);
    if (open_transaction(t, err) != 0)
        return -1;
    if (t->good_count > 0 && write_rows(t, form, err) != 0) {
        *ret_blamed = transaction_blames_row(t, err);
        return -1;
    }
    if (form == FORM_LOAD)
        FAULT_POINT("rows-loaded");
    else
        FAULT_POINT("rows-written");
    if (t->p->write == WRITE_DOCUMENT && t->replaced > t->kept && judge_overwritten(t, err) != 0)
        return -1;
    if (check_flood(t, err) != 0 || put_marks(t, err) != 0)
        return -1;
    count_rounded(t);
    FAULT_POINT("marks-put");
    if (t->store->ops->commit(t->store, err) != 0)
        return -1;
    FAULT_POINT("rows-committed");
    return 0;
}

/* Find the rows at fault, in a transaction that is rolled back. The table is looked at anew first: it may
 * have changed since, and then no row is at fault. */
static int find_bad_rows(struct transaction *t, struct err *err)
{
    struct table *now;

    if (t->store->ops->look(t->store, t->p, false, &now, err) != 0)
        return -1;
    table_free(now);
    if (open_transaction(t, err) != 0 || judge_rows(t, err) != 0)
        return -1;
    return check_flood(t, err);
}

static struct apply_result mark_stale(struct transaction *t)
{
    struct apply_result result = {.pruned = t->pruned, .rounded = t->rounded};
    const struct batch *b = t->batch;

    for (size_t i = 0; i < t->count; i++) {
        if (!t->lost[i])
            continue;
        b->documents[t->sorted[i]].state = DOCUMENT_STALE;
        result.older++;
    }
    result.written = t->count - result.older;
    result.rows = t->count > 0 ? t->good_count : 0;
    for (size_t i = 0; i < b->document_count; i++)
        result.stale += b->documents[i].state == DOCUMENT_STALE;
    for (size_t i = 0; i < b->row_count; i++)
        result.rejected += b->rows[i].rejected && b->documents[b->rows[i].document].state == DOCUMENT_WANTED;
    t->rounded = NULL;
    return result;
}

/* LOAD DATA always replaces, so it stands in for REPLACE only. */
static enum write_form first_form(const struct transaction *t)
{
    return !t->p->insert && t->store->ops->can_load(t->store) ? FORM_LOAD : FORM_TEXT;
}

/* Write everything; if a row is at fault, find all such rows, and write everything else. */
static int run_batch(struct transaction *t, struct err *err)
{
    bool blamed;

    if (run_transaction(t, first_form(t), &blamed, err) == 0)
        return 0;
    if (!blamed)
        return -1;
    t->store->ops->rollback(t->store);
    if (find_bad_rows(t, err) != 0)
        return -1;
    t->store->ops->rollback(t->store);
    FAULT_POINT("bad-rows-found");
    err_clear(err);
    if (run_transaction(t, FORM_TEXT, &blamed, err) == 0)
        return 0;
    if (blamed) { /* each row was written a moment ago: the next try judges anew */
        err->kind = ERR_RETRY;
        err_prefix(err, "a row was refused that had just been accepted");
    }
    return -1;
}

int apply_batch(struct store *store, const struct table *table, struct batch *batch,
                const struct apply_rules *rules, struct apply_result *ret, struct err *err)
{
    struct transaction t = {
        .store = store, .table = table, .p = table->pipeline, .batch = batch, .rules = rules};

    row_check_batch(batch, table);
    t.sorted = batch_sorted(batch, &t.count);
    t.heads = mem_zalloc(t.count + 1, sizeof *t.heads);
    t.lost = mem_zalloc(t.count + 1, sizeof *t.lost);
    t.good = mem_zalloc(batch->row_count + 1, sizeof *t.good);
    t.rounded = mem_zalloc(t.p->column_count, sizeof *t.rounded);
    int rc = run_batch(&t, err);
    if (rc == 0)
        *ret = mark_stale(&t);
    else
        store->ops->rollback(store);
    free(t.sorted);
    free(t.heads);
    free(t.lost);
    free(t.good);
    free(t.rounded);
    return rc;
}
