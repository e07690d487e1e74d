/* The rows into the table, and which of them MySQL refuses. */
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/mysql/errors.h"
#include "common/mysql/sql.h"
#include "loader/apply_private.h"
#include "loader/row_check.h"

static void put_row(struct work *w, const struct row *row)
{
    for (size_t c = 0; c < w->p->column_count; c++) {
        size_t len;
        const char *text = batch_cell(w->batch, row, c, &len);
        buf_add_char(&w->sql, c > 0 ? ',' : '(');
        if (fits_as_null(w->table->kinds[c], text, len))
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
    return err->kind == ERR_REJECT || (w->rules->unknown_as_row && db_error_class(err->code) == DB_UNKNOWN);
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
    return apply_run(w, NULL, err);
}

static int write_rows(struct work *w, struct row *const *rows, size_t count, struct err *err);

static int write_halves(struct work *w, struct row *const *rows, size_t count, struct err *err)
{
    size_t half = count / 2;

    if (write_rows(w, rows, half, err) != 0)
        return -1;
    return write_rows(w, rows + half, count - half, err);
}

/* One of these rows is at fault. The number in the error is believed only when that row fails alone: an error
 * from inside a trigger counts the trigger's rows. */
static int find_fault(struct work *w, struct row *const *rows, size_t count, struct err *err)
{
    size_t at = db_error_row(err->text);
    size_t found = w->found_bad;

    if (at == 0 || at > count)
        return write_halves(w, rows, count, err);
    if (write_rows(w, &rows[at - 1], 1, err) != 0)
        return -1;
    if (w->found_bad == found)
        return write_halves(w, rows, count, err);
    if (write_rows(w, rows, at - 1, err) != 0)
        return -1;
    /* where most rows are at fault, going on from each to the next would cost the square of their number */
    return write_halves(w, rows + at, count - at, err);
}

/* Write these rows. When one of them is at fault, find it - by the number in the error, else by halving -
 * mark it, and go on with the others, so that one pass finds them all. */
static int write_rows(struct work *w, struct row *const *rows, size_t count, struct err *err)
{
    if (count == 0 || write_statement(w, rows, count, err) == 0)
        return 0;
    if (!fault_of_row(w, err))
        return -1;
    if (count > 1)
        return find_fault(w, rows, count, err);
    reject(w, rows[0], err);
    return 0;
}

int apply_write(struct work *w, struct err *err)
{
    struct row **chunk = mem_alloc((size_t)w->p->statement_rows * sizeof *chunk);
    size_t count = 0;
    size_t bytes = 0;
    int rc = 0;

    for (size_t i = 0; i < w->count && rc == 0; i++) {
        const struct document *d = apply_document(w, i);
        for (size_t j = 0; j < d->row_count && rc == 0 && !w->lost[i]; j++) {
            struct row *row = &w->batch->rows[d->first_row + j];
            if (row->rejected)
                continue;
            /* a character takes at most two bytes more than it had; each cell has quotes and a comma */
            size_t size = row->line_len * 2 + w->p->column_count * 4;
            if (count == (size_t)w->p->statement_rows || (count > 0 && bytes + size > w->aim / 2)) {
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
