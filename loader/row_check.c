#include "loader/row_check.h"

#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"

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

bool row_check_is_null(enum column_kind kind, const char *text, size_t len)
{
    return text == NULL || (len == 0 && kind != COLUMN_TEXT);
}

static int check_key(const struct batch *b, const struct table *t, const struct row *row, struct err *err)
{
    const struct pipeline *p = t->pipeline;

    for (size_t k = 0; k < p->key.count; k++) {
        size_t len;
        size_t column = pipeline_column(p, p->key.names[k]);
        const char *text = batch_cell(b, row, column, &len);
        if (row_check_is_null(t->kinds[column], text, len))
            return err_set(err, ERR_REJECT, NULL_KEY, "key column %s is NULL", p->key.names[k]);
    }
    return 0;
}

static int check_document(const struct batch *b, const struct table *t, const struct document *d,
                          const struct row *row, struct err *err)
{
    const struct pipeline *p = t->pipeline;
    size_t len;
    const char *text = batch_cell(b, row, p->document_column, &len);

    if (text == NULL || len != strlen(d->id) || memcmp(text, d->id, len) != 0)
        return err_set(err, ERR_REJECT, 0,
                       "column %s does not hold the document's id: the row would not be found again",
                       p->columns[p->document_column].name);
    if (t->kinds[p->document_column] == COLUMN_INTEGER && !row_check_is_integer(text, len))
        return err_set(
            err, ERR_REJECT, 0,
            "column %s is an integer and the document's id is not: the row would not be found again",
            p->columns[p->document_column].name);
    return 0;
}

void row_check_batch(struct batch *batch, const struct table *table)
{
    for (size_t i = 0; i < batch->row_count; i++) {
        struct row *row = &batch->rows[i];
        const struct document *d = &batch->documents[row->document];
        struct err err = ERR_INIT;
        if (row->rejected || d->state != DOCUMENT_WANTED)
            continue;
        if (check_key(batch, table, row, &err) == 0 && check_document(batch, table, d, row, &err) == 0)
            continue;
        row->rejected = true;
        row->code = err.code;
        row->why = mem_strdup(err.text);
    }
}
