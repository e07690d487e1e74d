#include "loader/apply.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/mysql/sql.h"
#include "loader/heads.h"
#include "loader/prune.h"
#include "loader/row_check.h"
#include "loader/row_write.h"
#include "loader/transaction.h"

enum {
    /* bytes; the server's own limit holds when it is lower */
    STATEMENT_AIM = 16 * 1024 * 1024, /* of several rows */
    STATEMENT_MAX = 64 * 1024 * 1024, /* of one row: the largest rows message with every byte escaped */
    KEPT_MAX = 2 * 1024 * 1024,       /* memory that waits for the next statement */
};

static int query_text(struct transaction *t, const char *sql, struct err *err)
{
    return db_query(t->db, sql, strlen(sql), NULL, err);
}

/* The number of a document's rows that are not rejected. */
static size_t good_rows(const struct transaction *t, const struct document *d)
{
    size_t n = 0;

    for (size_t i = 0; i < d->row_count; i++)
        n += !t->batch->rows[d->first_row + i].rejected;
    return n;
}

/* ------------------------------------------------------------------ 1. and 2.: the heads */

/* *ret_all_new: none of them had a head, so there is none to lose against. */
static int raise_heads(struct transaction *t, size_t first, size_t count, bool *ret_all_new, struct err *err)
{
    struct db_result result = {0};

    buf_reset(&t->sql);
    heads_put_raise(&t->sql);
    for (size_t i = first; i < first + count; i++) {
        const struct document *d = transaction_document(t, i);
        heads_put_values(&t->sql, i == first, t->p->name, d->id, d->version, (uint64_t)d->published_ms,
                         good_rows(t, d));
    }
    heads_put_raise_end(&t->sql);
    if (transaction_query(t, &result, err) != 0)
        return -1;
    /* an inserted row counts 1, a changed one 2 and as a duplicate, an unchanged one nothing */
    *ret_all_new = result.affected == count && (count == 1 || result.duplicates == 0);
    db_result_free(&result);
    return 0;
}

static int find_by_id(const struct transaction *t, const char *id, size_t *ret)
{
    size_t low = 0;
    size_t high = t->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(transaction_document(t, middle)->id, id);
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

/* Mark the documents that lost: their head is above their own (version, published). */
static int judge_heads(struct transaction *t, const struct db_result *heads, size_t asked, struct err *err)
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
        if (find_by_id(t, row[0], &at) != 0 || parse_uint64(row[1], &version) != 0 ||
            parse_uint64(row[2], &published) != 0)
            return err_set(err, ERR_PAUSE, 0, "jst_heads holds values that the loader did not write");
        const struct document *d = transaction_document(t, at);
        t->lost[at] = heads_newer(version, published, d->version, (uint64_t)d->published_ms);
    }
    return 0;
}

static int read_heads(struct transaction *t, size_t first, size_t count, struct err *err)
{
    struct db_result heads = {0};

    buf_reset(&t->sql);
    heads_put_select(&t->sql, t->p->name);
    for (size_t i = first; i < first + count; i++) {
        if (i > first)
            buf_add_char(&t->sql, ',');
        sql_put_text(&t->sql, transaction_document(t, i)->id, strlen(transaction_document(t, i)->id));
    }
    buf_add_char(&t->sql, ')');
    if (transaction_query(t, &heads, err) != 0)
        return -1;
    int rc = judge_heads(t, &heads, count, err);
    db_result_free(&heads);
    return rc;
}

/* Raise, and so lock, all heads before the first one is read. */
static int take_heads(struct transaction *t, struct err *err)
{
    bool all_new = true;
    bool new;
    size_t n;

    for (size_t i = 0; i < t->count; i += n) {
        n = documents_per_statement(t, i);
        if (raise_heads(t, i, n, &new, err) != 0)
            return -1;
        all_new = all_new && new;
    }
    for (size_t i = 0; i < t->count && !all_new; i += n) {
        n = documents_per_statement(t, i);
        if (read_heads(t, i, n, err) != 0)
            return -1;
    }
    return 0;
}

/* ------------------------------------------------------------------ the transaction */

/* An error about data while no row is written: the tables are at fault, so the pipeline pauses. */
static int blame_tables(struct err *err, const char *consequence)
{
    if (err->kind != ERR_REJECT)
        return -1;
    err->kind = ERR_PAUSE;
    return err_prefix(err, "%s", consequence);
}

/* Many bad documents mean that the fault is not in their rows. Checked before anything is committed. */
static int check_flood(const struct transaction *t, const struct apply_rules *rules, struct err *err)
{
    size_t bad = batch_bad_documents(t->batch, t->sorted, t->lost, t->count);

    if (rules->flood == NULL || bad == 0 ||
        !flood_exceeds(rules->flood, t->batch->document_count - bad, bad, rules->flood_limit))
        return 0;
    return err_set(err, ERR_PAUSE, APPLY_FLOOD,
                   "flood: %zu of the batch's %zu documents would end in dead letters (--flood-limit)", bad,
                   t->batch->document_count);
}

static int run_transaction(struct transaction *t, const struct apply_rules *rules, struct err *err)
{
    t->rows = t->pruned = t->found_bad = 0;
    memset(t->lost, 0, t->count * sizeof *t->lost);
    if (t->count == 0)
        return check_flood(t, rules, err);
    if (query_text(t, "START TRANSACTION", err) != 0)
        return -1;
    if (take_heads(t, err) != 0)
        return blame_tables(err, "jst_heads does not take the batch's documents");
    if (prune_stored_rows(t, err) != 0)
        return blame_tables(err, "stored rows that are no longer wanted cannot be deleted");
    if (write_wanted_rows(t, err) != 0 || check_flood(t, rules, err) != 0)
        return -1;
    /* A stored version of a rejected row must be deleted as well: roll back and run again without the row. */
    return t->found_bad > 0 ? query_text(t, "ROLLBACK", err) : query_text(t, "COMMIT", err);
}

static struct apply_result mark_stale(struct transaction *t)
{
    struct apply_result result = {.rows = t->rows, .pruned = t->pruned};
    const struct batch *b = t->batch;

    for (size_t i = 0; i < t->count; i++) {
        if (t->lost[i])
            b->documents[t->sorted[i]].state = DOCUMENT_STALE;
        else
            result.written++;
    }
    for (size_t i = 0; i < b->document_count; i++)
        result.stale += b->documents[i].state == DOCUMENT_STALE;
    for (size_t i = 0; i < b->row_count; i++)
        result.rejected += b->rows[i].rejected && b->documents[b->rows[i].document].state == DOCUMENT_WANTED;
    return result;
}

static void take_memory(struct transaction *t, struct buf *kept, size_t max_bytes)
{
    if (kept != NULL && kept->cap > 0) {
        t->sql = *kept;
        t->sql.max = max_bytes;
        buf_reset(&t->sql);
    } else {
        buf_init(&t->sql, max_bytes);
    }
}

static void give_memory(struct transaction *t, struct buf *kept)
{
    if (kept == NULL || t->sql.cap > KEPT_MAX) {
        buf_free(&t->sql);
        buf_init(&t->sql, 0);
    }
    if (kept != NULL)
        *kept = t->sql;
}

int apply_batch(struct db *db, const struct table *table, struct batch *batch,
                const struct apply_rules *rules, struct apply_result *ret, struct err *err)
{
    struct transaction t = {.db = db,
                            .table = table,
                            .p = table->pipeline,
                            .batch = batch,
                            .unknown_as_row = rules->unknown_as_row};
    size_t largest = db_max_statement(db);

    take_memory(&t, rules->sql, largest < STATEMENT_MAX ? largest : STATEMENT_MAX);
    t.aim = largest < STATEMENT_AIM ? largest : STATEMENT_AIM;
    row_check_batch(batch, table);
    t.sorted = batch_sorted(batch, &t.count);
    t.lost = mem_zalloc(t.count, sizeof *t.lost);
    int rc;
    do
        rc = run_transaction(&t, rules, err);
    while (rc == 0 && t.found_bad > 0);
    if (rc == 0) {
        *ret = mark_stale(&t);
    } else if (query_text(&t, "ROLLBACK", NULL) != 0) {
        db_disconnect(db);
    }
    free(t.sorted);
    free(t.lost);
    give_memory(&t, rules->sql);
    return rc;
}
