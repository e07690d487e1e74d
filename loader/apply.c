#include "loader/apply.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/mysql/sql.h"
#include "loader/apply_private.h"
#include "loader/heads.h"
#include "loader/row_check.h"

enum {
    /* bytes, or what the server takes when that is less */
    STATEMENT_AIM = 16 * 1024 * 1024, /* of several rows */
    STATEMENT_MAX = 64 * 1024 * 1024, /* of one row: the largest rows message, wholly escaped */
    DOCUMENTS_A_STATEMENT = 1000,
    HEAD_BYTES = 256, /* of one document in a statement, without its id */
};

static int run(struct work *w, const char *sql, struct err *err)
{
    return db_query(w->db, sql, strlen(sql), NULL, err);
}

int apply_run(struct work *w, struct db_result *ret, struct err *err)
{
    if (w->sql.overflowed)
        return err_set(err, ERR_REJECT, 1153,
                       "a statement of this row is larger than the server takes (%zu bytes)", w->sql.max);
    return db_query(w->db, w->sql.data, w->sql.len, ret, err);
}

const struct document *apply_document(const struct work *w, size_t i)
{
    return &w->batch->documents[w->sorted[i]];
}

/* Rows of a document that are to be written. */
static size_t good_rows(const struct work *w, const struct document *d)
{
    size_t n = 0;

    for (size_t i = 0; i < d->row_count; i++)
        n += !w->batch->rows[d->first_row + i].rejected;
    return n;
}

size_t apply_documents_a_statement(const struct work *w, size_t first)
{
    size_t n = 0;
    size_t bytes = 0;

    while (first + n < w->count && n < DOCUMENTS_A_STATEMENT) {
        bytes += strlen(apply_document(w, first + n)->id) * 2 + HEAD_BYTES;
        if (n > 0 && bytes > w->aim / 2)
            break;
        n++;
    }
    return n;
}

/* ------------------------------------------------------------------ 1. and 2.: the heads */

static int raise_heads(struct work *w, size_t first, size_t count, struct err *err)
{
    buf_reset(&w->sql);
    heads_put_raise(&w->sql);
    for (size_t i = first; i < first + count; i++) {
        const struct document *d = apply_document(w, i);
        heads_put_values(&w->sql, i == first, w->p->name, d->id, d->version, (uint64_t)d->published_ms,
                         good_rows(w, d));
    }
    heads_put_raise_end(&w->sql);
    return apply_run(w, NULL, err);
}

static int find_by_id(const struct work *w, const char *id, size_t *ret)
{
    size_t low = 0;
    size_t high = w->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(apply_document(w, middle)->id, id);
        if (order == 0) {
            *ret = middle;
            return 0;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

/* Who lost: the head is above the document's own (version, published). */
static int judge_heads(struct work *w, const struct db_result *heads, size_t asked, struct err *err)
{
    if (heads->count != asked)
        return err_set(
            err, ERR_PAUSE, 0,
            "jst_heads does not tell all document ids apart (%zu of %zu found): its column document must "
            "compare byte by byte, as `jstctl ddl` has it",
            heads->count, asked);
    for (size_t i = 0; i < heads->count; i++) {
        size_t at;
        uint64_t version;
        uint64_t published;
        char **row = heads->rows[i];
        if (find_by_id(w, row[0], &at) != 0 || parse_uint64(row[1], &version) != 0 ||
            parse_uint64(row[2], &published) != 0)
            return err_set(err, ERR_PAUSE, 0, "jst_heads holds what the loader did not write there");
        const struct document *d = apply_document(w, at);
        w->lost[at] = heads_newer(version, published, d->version, (uint64_t)d->published_ms);
    }
    return 0;
}

static int read_heads(struct work *w, size_t first, size_t count, struct err *err)
{
    struct db_result heads = {0};

    buf_reset(&w->sql);
    heads_put_select(&w->sql, w->p->name);
    for (size_t i = first; i < first + count; i++) {
        if (i > first)
            buf_add_char(&w->sql, ',');
        sql_put_text(&w->sql, apply_document(w, i)->id, strlen(apply_document(w, i)->id));
    }
    buf_add_char(&w->sql, ')');
    if (apply_run(w, &heads, err) != 0)
        return -1;
    int rc = judge_heads(w, &heads, count, err);
    db_result_free(&heads);
    return rc;
}

/* All are raised, and so locked, before the first is read. */
static int take_heads(struct work *w, struct err *err)
{
    size_t n;

    for (size_t i = 0; i < w->count; i += n) {
        n = apply_documents_a_statement(w, i);
        if (raise_heads(w, i, n, err) != 0)
            return -1;
    }
    for (size_t i = 0; i < w->count; i += n) {
        n = apply_documents_a_statement(w, i);
        if (read_heads(w, i, n, err) != 0)
            return -1;
    }
    return 0;
}

/* ------------------------------------------------------------------ the transaction */

/* An error about data where no row is written: no row is at fault, but the tables. */
static int no_row(struct err *err, const char *what)
{
    if (err->kind != ERR_REJECT)
        return -1;
    err->kind = ERR_PAUSE;
    return err_prefix(err, "%s", what);
}

/* Is the fault in the rows, or elsewhere? Asked before anything is committed. */
static int check_flood(const struct work *w, struct err *err)
{
    size_t bad = batch_bad_documents(w->batch, w->sorted, w->lost, w->count);

    if (w->rules->flood == NULL || bad == 0 ||
        !flood_exceeds(w->rules->flood, w->batch->document_count - bad, bad, w->rules->flood_limit))
        return 0;
    return err_set(err, ERR_PAUSE, APPLY_FLOOD,
                   "flood: %zu of the batch's %zu documents would end in dead letters (--flood-limit)", bad,
                   w->batch->document_count);
}

static int transaction(struct work *w, struct err *err)
{
    w->result = (struct apply_result){0};
    w->found_bad = 0;
    memset(w->lost, 0, w->count * sizeof *w->lost);
    if (w->count == 0)
        return check_flood(w, err);
    if (run(w, "START TRANSACTION", err) != 0)
        return -1;
    if (take_heads(w, err) != 0)
        return no_row(err, "jst_heads does not take the batch's documents");
    if (apply_prune(w, err) != 0)
        return no_row(err, "stored rows that are no longer wanted cannot be deleted");
    if (apply_write(w, err) != 0 || check_flood(w, err) != 0)
        return -1;
    /* a rejected row's stored self has to go too: once more from the start, now that it is known */
    return w->found_bad > 0 ? run(w, "ROLLBACK", err) : run(w, "COMMIT", err);
}

static void settle(struct work *w)
{
    for (size_t i = 0; i < w->count; i++) {
        if (w->lost[i])
            w->batch->documents[w->sorted[i]].state = DOCUMENT_STALE;
        else
            w->result.written++;
    }
    for (size_t i = 0; i < w->batch->document_count; i++)
        w->result.stale += w->batch->documents[i].state == DOCUMENT_STALE;
    for (size_t i = 0; i < w->batch->row_count; i++)
        w->result.rejected += w->batch->rows[i].rejected &&
                              w->batch->documents[w->batch->rows[i].document].state == DOCUMENT_WANTED;
}

int apply_batch(struct db *db, const struct table *table, struct batch *batch,
                const struct apply_rules *rules, struct apply_result *ret, struct err *err)
{
    struct work w = {.db = db, .table = table, .p = table->pipeline, .batch = batch, .rules = rules};
    size_t largest = db_max_statement(db);

    buf_init(&w.sql, largest < STATEMENT_MAX ? largest : STATEMENT_MAX);
    w.aim = largest < STATEMENT_AIM ? largest : STATEMENT_AIM;
    fits_check(batch, table);
    w.sorted = batch_sorted(batch, &w.count);
    w.lost = mem_zalloc(w.count, sizeof *w.lost);
    int rc;
    do
        rc = transaction(&w, err);
    while (rc == 0 && w.found_bad > 0);
    if (rc == 0) {
        settle(&w);
        *ret = w.result;
    } else if (run(&w, "ROLLBACK", NULL) != 0) {
        db_disconnect(db);
    }
    free(w.sorted);
    free(w.lost);
    buf_free(&w.sql);
    return rc;
}
