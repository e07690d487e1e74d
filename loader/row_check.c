#include "loader/row_check.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/mysql/rounding.h"

enum { NULL_KEY = 1048 /* ER_BAD_NULL_ERROR */ };

bool row_check_is_integer(const char *text, size_t len)
{
    size_t i = len > 0 && text[0] == '-';

    if (i == len || (text[i] == '0' && len > 1))
        return false;
    for (; i < len; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return true;
}

struct row_checker {
    struct batch *batch;
    const struct table *table;
    size_t *key_columns;
    struct hash_table keys; /* of documents with several rows: indexes of rows */
    struct err err;         /* of the last row that was rejected */
};

static int check_key(const struct row_checker *c, const struct row *row, struct err *err)
{
    const struct pipeline *p = c->batch->pipeline;

    for (size_t k = 0; k < p->key.count; k++) {
        size_t len;
        size_t column = c->key_columns[k];
        const char *text = batch_cell(c->batch, row, column, &len);
        if (table_is_null(c->table, column, text, len))
            return err_set(err, ERR_REJECT, NULL_KEY, "key column %s is NULL", p->key.names[k]);
        if (!column_keeps(&c->table->columns[column], text, len))
            return err_set(
                err, ERR_REJECT, 0,
                "key column %s would hold the value in another form: another row may have that form, "
                "too",
                p->key.names[k]);
    }
    return 0;
}

static int not_found_again(const struct pipeline *p, size_t column, const char *why, struct err *err)
{
    return err_set(err, ERR_REJECT, 0, "column %s %s: the row would not be found again",
                   p->columns[column].name, why);
}

/* The columns of the document together are its id, joined by '/', and fall apart again at the same places. */
static int check_document(const struct row_checker *c, const struct document *d, const struct row *row,
                          struct err *err)
{
    const struct pipeline *p = c->batch->pipeline;
    const char *rest = d->id;

    for (size_t i = 0; i < p->document_column_count; i++) {
        size_t len;
        size_t column = p->document_columns[i];
        bool last = i + 1 == p->document_column_count;
        const char *text = batch_cell(c->batch, row, column, &len);
        if (text == NULL || strncmp(rest, text, len) != 0 || rest[len] != (last ? '\0' : '/'))
            return not_found_again(p, column, "does not hold the document's id", err);
        if (!last && memchr(text, '/', len) != NULL)
            return not_found_again(p, column, "holds a '/', which joins the fields of the document's id",
                                   err);
        if (table_is_integer(c->table, column) && !row_check_is_integer(text, len))
            return not_found_again(p, column, "is an integer and the document's id is not", err);
        rest += len + !last;
    }
    return 0;
}

/* ------------------------------------------------------------------ one key twice in a document */

static uint64_t hash_key(const struct row_checker *c, const struct row *row)
{
    uint64_t hash = row->document;

    for (size_t k = 0; k < c->batch->pipeline->key.count; k++) {
        size_t len;
        const char *text = batch_cell(c->batch, row, c->key_columns[k], &len);
        hash = hash_bytes(hash, text, text != NULL ? len : 0);
    }
    return hash;
}

static bool same_key(const struct row_checker *c, const struct row *x, const struct row *y)
{
    for (size_t k = 0; k < c->batch->pipeline->key.count; k++) {
        size_t x_len;
        size_t y_len;
        const char *x_text = batch_cell(c->batch, x, c->key_columns[k], &x_len);
        const char *y_text = batch_cell(c->batch, y, c->key_columns[k], &y_len);
        if (x_text == NULL || y_text == NULL || x_len != y_len || memcmp(x_text, y_text, x_len) != 0)
            return false;
    }
    return x->document == y->document;
}

static void reject_row(struct row *row, const struct err *err)
{
    row->rejected = true;
    row->code = err->code;
    free(row->why);
    row->why = mem_strdup(err->text);
}

/* The first row of the key stays: of two, the table can hold one. */
static void check_twice(struct row_checker *c, size_t i)
{
    struct batch *b = c->batch;
    struct row *row = &b->rows[i];
    struct hash_probe probe = hash_probe(&c->keys, hash_key(c, row));
    uintptr_t other;

    while (hash_next(&c->keys, &probe, &other))
        if (same_key(c, row, &b->rows[other])) {
            err_set(&c->err, ERR_REJECT, 0, "row %zu of the document has the same key",
                    other - b->documents[row->document].first_row + 1);
            reject_row(row, &c->err);
            return;
        }
    hash_put(&c->keys, &probe, i);
}

static void check_row(struct row_checker *c, size_t i)
{
    struct row *row = &c->batch->rows[i];
    const struct document *d = &c->batch->documents[row->document];

    if (row->rejected || d->state != DOCUMENT_WANTED)
        return;
    bool by_document = c->batch->pipeline->write == WRITE_DOCUMENT;
    if (check_key(c, row, &c->err) != 0 || (by_document && check_document(c, d, row, &c->err) != 0))
        reject_row(row, &c->err);
    else if (by_document && d->row_count > 1)
        check_twice(c, i);
}

void row_check_batch(struct batch *batch, const struct table *table)
{
    const struct pipeline *p = batch->pipeline;
    struct row_checker c = {
        .batch = batch, .table = table, .key_columns = mem_alloc(p->key.count * sizeof *c.key_columns)};

    for (size_t k = 0; k < p->key.count; k++)
        c.key_columns[k] = pipeline_column(p, p->key.names[k]);
    hash_begin(&c.keys, batch->row_count);
    for (size_t i = 0; i < batch->row_count; i++)
        check_row(&c, i);
    hash_free(&c.keys);
    free(c.key_columns);
}
