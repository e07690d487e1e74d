#include "loader/prune.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/mysql/sql.h"
#include "loader/row_check.h"
#include "loader/transaction.h"

enum { KEYS_MAX = 500, KEY_MAX = 64 * 1024 * 1024 };

/* Append a value to compare a column with. An integer column gets bare digits; MySQL would compare a quoted
 * number as a double. */
static void put_comparand(struct buf *sql, enum column_kind kind, const char *text, size_t len)
{
    if (kind == COLUMN_INTEGER && row_check_is_integer(text, len))
        buf_add(sql, text, len);
    else
        sql_put_text(sql, text, len);
}

/* SELECT the stored keys of the documents that won. false: there is no such document. */
static bool put_stored_keys(struct transaction *t, size_t first, size_t count)
{
    enum column_kind kind = t->table->kinds[t->p->document_column];
    bool any = false;

    buf_reset(&t->sql);
    buf_add_text(&t->sql, "SELECT ");
    sql_put_names(&t->sql, (const char *const *)t->p->key.names, t->p->key.count);
    buf_add_text(&t->sql, " FROM ");
    sql_put_table(&t->sql, t->p->table);
    buf_add_text(&t->sql, " FORCE INDEX (");
    sql_put_name(&t->sql, t->table->document_index);
    buf_add_text(&t->sql, ") WHERE ");
    sql_put_name(&t->sql, t->p->columns[t->p->document_column].name);
    buf_add_text(&t->sql, " IN (");
    for (size_t i = first; i < first + count; i++) {
        const char *id = transaction_document(t, i)->id;
        /* '12x' has no rows in an integer column, but MySQL would compare it as 12: leave such ids out */
        if (t->lost[i] || (kind == COLUMN_INTEGER && !row_check_is_integer(id, strlen(id))))
            continue;
        if (any)
            buf_add_char(&t->sql, ',');
        put_comparand(&t->sql, kind, id, strlen(id));
        any = true;
    }
    buf_add_char(&t->sql, ')');
    return any;
}

/* Append one column of a row's key. Its length stands before it, so that the whole key is one unambiguous
 * text. */
static void put_key_part(struct buf *out, const char *text, size_t len)
{
    buf_printf(out, "%zu:", len);
    buf_add(out, text, len);
}

static void wanted_key(const struct transaction *t, const struct row *row, struct buf *out)
{
    for (size_t k = 0; k < t->p->key.count; k++) {
        size_t len;
        const char *text = batch_cell(t->batch, row, pipeline_column(t->p, t->p->key.names[k]), &len);
        put_key_part(out, text != NULL ? text : "", text != NULL ? len : 0);
    }
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct wanted_keys {
    char **keys; /* sorted */
    size_t count;
};

static struct wanted_keys collect_keys(const struct transaction *t, size_t first, size_t count)
{
    struct wanted_keys set = {.keys = mem_alloc((t->batch->row_count + 1) * sizeof(char *))};
    struct buf key;

    buf_init(&key, KEY_MAX);
    for (size_t i = first; i < first + count; i++) {
        const struct document *d = transaction_document(t, i);
        for (size_t j = 0; j < d->row_count && !t->lost[i]; j++) {
            const struct row *row = &t->batch->rows[d->first_row + j];
            if (row->rejected)
                continue;
            wanted_key(t, row, &key);
            set.keys[set.count++] = buf_take(&key, NULL);
        }
    }
    buf_free(&key);
    qsort(set.keys, set.count, sizeof *set.keys, compare_texts);
    return set;
}

static void wanted_keys_free(struct wanted_keys *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->keys[i]);
    free(set->keys);
}

static void put_delete(struct transaction *t, char **const *rows, size_t count)
{
    const struct pipeline *p = t->p;

    buf_reset(&t->sql);
    buf_add_text(&t->sql, "DELETE FROM ");
    sql_put_table(&t->sql, p->table);
    buf_add_text(&t->sql, " WHERE (");
    sql_put_names(&t->sql, (const char *const *)p->key.names, p->key.count);
    buf_add_text(&t->sql, ") IN (");
    for (size_t i = 0; i < count; i++) {
        buf_add_text(&t->sql, i > 0 ? ",(" : "(");
        for (size_t k = 0; k < p->key.count; k++) {
            if (k > 0)
                buf_add_char(&t->sql, ',');
            enum column_kind kind = t->table->kinds[pipeline_column(p, p->key.names[k])];
            put_comparand(&t->sql, kind, rows[i][k], strlen(rows[i][k]));
        }
        buf_add_char(&t->sql, ')');
    }
    buf_add_char(&t->sql, ')');
}

/* The number of these rows' keys that one statement takes. */
static size_t keys_per_statement(const struct transaction *t, char ***rows, size_t count)
{
    size_t n = 0;
    size_t bytes = 0;

    while (n < count && n < KEYS_MAX) {
        for (size_t k = 0; k < t->p->key.count; k++)
            bytes += strlen(rows[n][k]) * 2 + 4;
        if (n > 0 && bytes > t->aim / 2)
            break;
        n++;
    }
    return n;
}

static int delete_rows(struct transaction *t, char ***rows, size_t count, struct err *err)
{
    size_t n;

    for (size_t i = 0; i < count; i += n) {
        struct db_result result = {0};
        n = keys_per_statement(t, &rows[i], count - i);
        put_delete(t, &rows[i], n);
        if (transaction_query(t, &result, err) != 0)
            return -1;
        t->pruned += result.affected;
        db_result_free(&result);
    }
    return 0;
}

/* Move the stored rows that are not wanted to the front. Returns their number. */
static size_t select_unwanted(const struct wanted_keys *wanted, size_t key_columns,
                              const struct db_result *stored)
{
    struct buf key;
    size_t unwanted = 0;

    buf_init(&key, KEY_MAX);
    for (size_t i = 0; i < stored->count; i++) {
        buf_reset(&key);
        bool null = false;
        for (size_t k = 0; k < key_columns; k++) {
            null = null || stored->rows[i][k] == NULL;
            if (!null)
                put_key_part(&key, stored->rows[i][k], strlen(stored->rows[i][k]));
        }
        const char *text = key.data;
        if (null || bsearch(&text, wanted->keys, wanted->count, sizeof *wanted->keys, compare_texts) != NULL)
            continue;
        char **swap = stored->rows[unwanted];
        stored->rows[unwanted++] = stored->rows[i];
        stored->rows[i] = swap;
    }
    buf_free(&key);
    return unwanted;
}

static int prune_some(struct transaction *t, size_t first, size_t count, struct err *err)
{
    struct db_result stored = {0};

    if (!put_stored_keys(t, first, count))
        return 0;
    if (transaction_query(t, &stored, err) != 0)
        return -1;
    int rc = 0;
    if (stored.count > 0) {
        struct wanted_keys wanted = collect_keys(t, first, count);
        size_t unwanted = select_unwanted(&wanted, t->p->key.count, &stored);
        wanted_keys_free(&wanted);
        rc = delete_rows(t, stored.rows, unwanted, err);
    }
    db_result_free(&stored);
    return rc;
}

int prune_stored_rows(struct transaction *t, struct err *err)
{
    size_t n;

    for (size_t i = 0; i < t->count; i += n) {
        n = documents_per_statement(t, i);
        if (prune_some(t, i, n, err) != 0)
            return -1;
    }
    return 0;
}
