#include "loader/apply.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "common/units.h"
#include "loader/db_errors.h"
#include "loader/heads.h"
#include "loader/sql.h"

enum {
    STATEMENT_MAX = 16 * 1024 * 1024, /* bytes, or what the server takes when that is less */
    KEYS_A_STATEMENT = 500,
};

struct work {
    struct db *db;
    const struct table *table;
    const struct pipeline *p;
    struct batch *batch;
    bool unknown_as_row;
    size_t *sorted; /* wanted documents by id */
    size_t count;
    bool *lost; /* of each of them */
    struct buf sql;
    struct apply_result result;
    size_t found_bad; /* rows newly rejected in this transaction */
};

static int run(struct work *w, const char *sql, struct err *err)
{
    return db_query(w->db, sql, strlen(sql), NULL, err);
}

static int run_buf(struct work *w, struct db_result *ret, struct err *err)
{
    if (w->sql.overflowed)
        return err_set(err, ERR_REJECT, 1153,
                       "a statement of this row is larger than the server takes (%zu bytes)", w->sql.max);
    return db_query(w->db, w->sql.data, w->sql.len, ret, err);
}

static const struct document *nth(const struct work *w, size_t i)
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

/* ------------------------------------------------------------------ 1. and 2.: the heads */

static int raise_heads(struct work *w, struct err *err)
{
    buf_reset(&w->sql);
    heads_put_raise(&w->sql);
    for (size_t i = 0; i < w->count; i++) {
        const struct document *d = nth(w, i);
        heads_put_values(&w->sql, i == 0, w->p->name, d->id, d->version, (uint64_t)d->published_ms,
                         good_rows(w, d));
    }
    heads_put_raise_end(&w->sql);
    return run_buf(w, NULL, err);
}

static int find_by_id(const struct work *w, const char *id, size_t *ret)
{
    size_t low = 0;
    size_t high = w->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(nth(w, middle)->id, id);
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
static int judge_heads(struct work *w, const struct db_result *heads, struct err *err)
{
    if (heads->count != w->count)
        return err_set(
            err, ERR_PAUSE, 0,
            "jst_heads does not tell all document ids apart (%zu of %zu found): its column document must "
            "compare byte by byte, as `jstctl ddl` has it",
            heads->count, w->count);
    for (size_t i = 0; i < heads->count; i++) {
        size_t at;
        uint64_t version;
        uint64_t published;
        char **row = heads->rows[i];
        if (find_by_id(w, row[0], &at) != 0 || parse_uint64(row[1], &version) != 0 ||
            parse_uint64(row[2], &published) != 0)
            return err_set(err, ERR_PAUSE, 0, "jst_heads holds what the loader did not write there");
        const struct document *d = nth(w, at);
        w->lost[at] = heads_newer(version, published, d->version, (uint64_t)d->published_ms);
    }
    return 0;
}

static int read_heads(struct work *w, struct err *err)
{
    struct db_result heads;

    buf_reset(&w->sql);
    heads_put_select(&w->sql, w->p->name);
    for (size_t i = 0; i < w->count; i++) {
        if (i > 0)
            buf_add_char(&w->sql, ',');
        sql_put_text(&w->sql, nth(w, i)->id, strlen(nth(w, i)->id));
    }
    buf_add_char(&w->sql, ')');
    if (run_buf(w, &heads, err) != 0)
        return -1;
    int rc = judge_heads(w, &heads, err);
    db_result_free(&heads);
    return rc;
}

/* ------------------------------------------------------------------ 3a.: stored rows that are no longer
 * wanted */

static bool is_integer(const char *text, size_t len)
{
    size_t i = len > 0 && text[0] == '-';

    if (i == len)
        return false;
    for (; i < len; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return true;
}

/* A value to compare a column with: bare digits for an integer column, so that nothing is compared as double.
 */
static void put_comparand(struct buf *sql, enum column_kind kind, const char *text, size_t len)
{
    if (kind == COLUMN_INTEGER && is_integer(text, len))
        buf_add(sql, text, len);
    else
        sql_put_text(sql, text, len);
}

/* SELECT of the keys that the table holds of the documents that won. false: no document to ask for. */
static bool put_stored_keys(struct work *w)
{
    enum column_kind kind = w->table->kinds[w->p->document_column];
    bool any = false;

    buf_reset(&w->sql);
    buf_add_text(&w->sql, "SELECT ");
    sql_put_names(&w->sql, (const char *const *)w->p->key.names, w->p->key.count);
    buf_add_text(&w->sql, " FROM ");
    sql_put_table(&w->sql, w->p->table);
    buf_add_text(&w->sql, " FORCE INDEX (");
    sql_put_name(&w->sql, w->table->document_index);
    buf_add_text(&w->sql, ") WHERE ");
    sql_put_name(&w->sql, w->p->columns[w->p->document_column].name);
    buf_add_text(&w->sql, " IN (");
    for (size_t i = 0; i < w->count; i++) {
        const char *id = nth(w, i)->id;
        /* an id that is no integer has no rows in an integer column, but '12x' would be compared as 12 */
        if (w->lost[i] || (kind == COLUMN_INTEGER && !is_integer(id, strlen(id))))
            continue;
        if (any)
            buf_add_char(&w->sql, ',');
        put_comparand(&w->sql, kind, id, strlen(id));
        any = true;
    }
    buf_add_char(&w->sql, ')');
    return any;
}

/* A row's key as one text: its columns, each with its length before it. */
static void put_key_part(struct buf *out, const char *text, size_t len)
{
    buf_printf(out, "%zu:", len);
    buf_add(out, text, len);
}

static void wanted_key(const struct work *w, const struct row *row, struct buf *out)
{
    for (size_t k = 0; k < w->p->key.count; k++) {
        size_t len;
        const char *text = batch_cell(w->batch, row, pipeline_column(w->p, w->p->key.names[k]), &len);
        put_key_part(out, text != NULL ? text : "", text != NULL ? len : 0);
    }
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct key_set {
    char **keys; /* sorted */
    size_t count;
};

static struct key_set collect_keys(const struct work *w)
{
    struct key_set set = {.keys = mem_alloc((w->batch->row_count + 1) * sizeof(char *))};
    struct buf key;

    buf_init(&key, STATEMENT_MAX);
    for (size_t i = 0; i < w->count; i++) {
        const struct document *d = nth(w, i);
        for (size_t j = 0; j < d->row_count && !w->lost[i]; j++) {
            const struct row *row = &w->batch->rows[d->first_row + j];
            if (row->rejected)
                continue;
            wanted_key(w, row, &key);
            set.keys[set.count++] = buf_take(&key, NULL);
        }
    }
    buf_free(&key);
    qsort(set.keys, set.count, sizeof *set.keys, compare_texts);
    return set;
}

static void key_set_free(struct key_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->keys[i]);
    free(set->keys);
}

static void put_delete(struct work *w, char **const *rows, size_t count)
{
    const struct pipeline *p = w->p;

    buf_reset(&w->sql);
    buf_add_text(&w->sql, "DELETE FROM ");
    sql_put_table(&w->sql, p->table);
    buf_add_text(&w->sql, " WHERE (");
    sql_put_names(&w->sql, (const char *const *)p->key.names, p->key.count);
    buf_add_text(&w->sql, ") IN (");
    for (size_t i = 0; i < count; i++) {
        buf_add_text(&w->sql, i > 0 ? ",(" : "(");
        for (size_t k = 0; k < p->key.count; k++) {
            if (k > 0)
                buf_add_char(&w->sql, ',');
            enum column_kind kind = w->table->kinds[pipeline_column(p, p->key.names[k])];
            put_comparand(&w->sql, kind, rows[i][k], strlen(rows[i][k]));
        }
        buf_add_char(&w->sql, ')');
    }
    buf_add_char(&w->sql, ')');
}

static int delete_rows(struct work *w, char ***rows, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i += KEYS_A_STATEMENT) {
        struct db_result result;
        put_delete(w, &rows[i], count - i < KEYS_A_STATEMENT ? count - i : KEYS_A_STATEMENT);
        if (run_buf(w, &result, err) != 0)
            return -1;
        w->result.pruned += result.affected;
        db_result_free(&result);
    }
    return 0;
}

/* Move the stored rows that are not wanted to the front; returns how many. */
static size_t select_unwanted(const struct work *w, const struct db_result *stored)
{
    struct key_set wanted = collect_keys(w);
    struct buf key;
    size_t unwanted = 0;

    buf_init(&key, STATEMENT_MAX);
    for (size_t i = 0; i < stored->count; i++) {
        buf_reset(&key);
        bool null = false;
        for (size_t k = 0; k < w->p->key.count; k++) {
            null = null || stored->rows[i][k] == NULL;
            if (!null)
                put_key_part(&key, stored->rows[i][k], strlen(stored->rows[i][k]));
        }
        const char *text = key.data;
        if (null || bsearch(&text, wanted.keys, wanted.count, sizeof *wanted.keys, compare_texts) != NULL)
            continue;
        char **swap = stored->rows[unwanted];
        stored->rows[unwanted++] = stored->rows[i];
        stored->rows[i] = swap;
    }
    buf_free(&key);
    key_set_free(&wanted);
    return unwanted;
}

static int prune(struct work *w, struct err *err)
{
    struct db_result stored;

    if (!put_stored_keys(w))
        return 0;
    if (run_buf(w, &stored, err) != 0)
        return -1;
    int rc = 0;
    if (stored.count > 0)
        rc = delete_rows(w, stored.rows, select_unwanted(w, &stored), err);
    db_result_free(&stored);
    return rc;
}

/* ------------------------------------------------------------------ 3b.: the rows */

static void put_row(struct work *w, const struct row *row)
{
    for (size_t c = 0; c < w->p->column_count; c++) {
        size_t len;
        const char *text = batch_cell(w->batch, row, c, &len);
        buf_add_char(&w->sql, c > 0 ? ',' : '(');
        if (text == NULL || (len == 0 && w->table->kinds[c] != COLUMN_TEXT))
            buf_add_text(&w->sql, "NULL");
        else
            sql_put_text(&w->sql, text, len);
    }
    buf_add_char(&w->sql, ')');
}

static void put_write_begin(struct work *w)
{
    buf_reset(&w->sql);
    buf_add_text(&w->sql, w->p->insert ? "INSERT INTO " : "REPLACE INTO ");
    sql_put_table(&w->sql, w->p->table);
    for (size_t c = 0; c < w->p->column_count; c++) {
        buf_add_char(&w->sql, c > 0 ? ',' : '(');
        sql_put_name(&w->sql, w->p->columns[c].name);
    }
    buf_add_text(&w->sql, ") VALUES ");
}

static void put_write_end(struct work *w)
{
    if (!w->p->insert)
        return;
    buf_add_text(&w->sql, " ON DUPLICATE KEY UPDATE ");
    for (size_t c = 0; c < w->p->column_count; c++) {
        if (c > 0)
            buf_add_char(&w->sql, ',');
        sql_put_name(&w->sql, w->p->columns[c].name);
        buf_add_text(&w->sql, "=VALUES(");
        sql_put_name(&w->sql, w->p->columns[c].name);
        buf_add_char(&w->sql, ')');
    }
}

static bool fault_of_row(const struct work *w, const struct err *err)
{
    return err->kind == ERR_REJECT || (w->unknown_as_row && db_error_class(err->code) == DB_UNKNOWN);
}

static void reject(struct work *w, struct row *row, const struct err *err)
{
    row->rejected = true;
    row->code = err->code;
    free(row->why);
    row->why = mem_strdup(err->text);
    w->found_bad++;
}

static int write_statement(struct work *w, struct row *const *rows, size_t count, struct err *err)
{
    put_write_begin(w);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(&w->sql, ',');
        put_row(w, rows[i]);
    }
    put_write_end(w);
    return run_buf(w, NULL, err);
}

/* Write these rows. When one of them is at fault, find it - by the number in the error, else by halving -
 * mark it, and go on with the others, so that one pass finds them all. */
static int write_rows(struct work *w, struct row **rows, size_t count, struct err *err)
{
    while (count > 0) {
        if (write_statement(w, rows, count, err) == 0)
            return 0;
        if (!fault_of_row(w, err))
            return -1;
        size_t at = db_error_row(err->text);
        if (count == 1)
            at = 1;
        if (at == 0 || at > count)
            return write_rows(w, rows, count / 2, err) != 0 ||
                           write_rows(w, rows + count / 2, count - count / 2, err) != 0
                       ? -1
                       : 0;
        reject(w, rows[at - 1], err);
        memmove(&rows[at - 1], &rows[at], (count - at) * sizeof *rows);
        count--;
    }
    return 0;
}

static int write_all(struct work *w, struct err *err)
{
    struct row **chunk = mem_alloc((size_t)w->p->statement_rows * sizeof *chunk);
    size_t count = 0;
    size_t bytes = 0;
    int rc = 0;

    for (size_t i = 0; i < w->count && rc == 0; i++) {
        const struct document *d = nth(w, i);
        for (size_t j = 0; j < d->row_count && rc == 0 && !w->lost[i]; j++) {
            struct row *row = &w->batch->rows[d->first_row + j];
            if (row->rejected)
                continue;
            /* a character takes at most two bytes more than it had; each cell has quotes and a comma */
            size_t size = row->line_len * 2 + w->p->column_count * 4;
            if (count == (size_t)w->p->statement_rows || (count > 0 && bytes + size > w->sql.max / 2)) {
                rc = write_rows(w, chunk, count, err);
                count = bytes = 0;
            }
            chunk[count++] = row;
            bytes += size;
            w->result.rows++;
        }
    }
    if (rc == 0)
        rc = write_rows(w, chunk, count, err);
    free(chunk);
    return rc;
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

static int transaction(struct work *w, struct err *err)
{
    w->result = (struct apply_result){0};
    w->found_bad = 0;
    memset(w->lost, 0, w->count * sizeof *w->lost);
    if (w->count == 0)
        return 0;
    if (run(w, "START TRANSACTION", err) != 0)
        return -1;
    if (raise_heads(w, err) != 0 || read_heads(w, err) != 0)
        return no_row(err, "jst_heads does not take the batch's documents");
    if (prune(w, err) != 0)
        return no_row(err, "stored rows that are no longer wanted cannot be deleted");
    if (write_all(w, err) != 0)
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
        w->result.rejected += w->batch->rows[i].rejected;
}

int apply_batch(struct db *db, const struct table *table, struct batch *batch, bool unknown_as_row,
                struct apply_result *ret, struct err *err)
{
    struct work w = {
        .db = db, .table = table, .p = table->pipeline, .batch = batch, .unknown_as_row = unknown_as_row};
    size_t largest = db_max_statement(db);

    buf_init(&w.sql, largest < STATEMENT_MAX ? largest : STATEMENT_MAX);
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
