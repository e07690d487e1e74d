#include "loader/row_write.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/mysql/errors.h"
#include "common/mysql/sql.h"
#include "loader/row_check.h"
#include "loader/transaction.h"

static void put_row(struct transaction *t, const struct row *row)
{
    for (size_t c = 0; c < t->p->column_count; c++) {
        size_t len;
        const char *text = batch_cell(t->batch, row, c, &len);
        buf_add_char(&t->sql, c > 0 ? ',' : '(');
        if (row_check_is_null(t->table->kinds[c], text, len))
            buf_add_text(&t->sql, "NULL");
        else
            sql_put_text(&t->sql, text, len);
    }
    buf_add_char(&t->sql, ')');
}

static void put_write_begin(struct transaction *t)
{
    buf_reset(&t->sql);
    buf_add_text(&t->sql, t->p->insert ? "INSERT INTO " : "REPLACE INTO ");
    sql_put_table(&t->sql, t->p->table);
    for (size_t c = 0; c < t->p->column_count; c++) {
        buf_add_char(&t->sql, c > 0 ? ',' : '(');
        sql_put_name(&t->sql, t->p->columns[c].name);
    }
    buf_add_text(&t->sql, ") VALUES ");
}

static void put_write_end(struct transaction *t)
{
    if (!t->p->insert)
        return;
    buf_add_text(&t->sql, " ON DUPLICATE KEY UPDATE ");
    for (size_t c = 0; c < t->p->column_count; c++) {
        if (c > 0)
            buf_add_char(&t->sql, ',');
        sql_put_name(&t->sql, t->p->columns[c].name);
        buf_add_text(&t->sql, "=VALUES(");
        sql_put_name(&t->sql, t->p->columns[c].name);
        buf_add_char(&t->sql, ')');
    }
}

static bool fault_of_row(const struct transaction *t, const struct err *err)
{
    return err->kind == ERR_REJECT || (t->unknown_as_row && db_error_class(err->code) == DB_UNKNOWN);
}

static void reject_row(struct transaction *t, struct row *row, const struct err *err)
{
    row->rejected = true;
    row->code = err->code;
    free(row->why);
    row->why = mem_strdup(err->text);
    t->found_bad++;
}

static int write_statement(struct transaction *t, struct row *const *rows, size_t count, struct err *err)
{
    put_write_begin(t);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(&t->sql, ',');
        put_row(t, rows[i]);
    }
    put_write_end(t);
    return transaction_query(t, NULL, err);
}

static int write_rows(struct transaction *t, struct row *const *rows, size_t count, struct err *err);

static int write_halves(struct transaction *t, struct row *const *rows, size_t count, struct err *err)
{
    size_t half = count / 2;

    if (write_rows(t, rows, half, err) != 0)
        return -1;
    return write_rows(t, rows + half, count - half, err);
}

/* Find the faulty row among these. The row number in the error counts only if that row also fails alone,
 * since an error inside a trigger numbers the trigger's rows. */
static int find_fault(struct transaction *t, struct row *const *rows, size_t count, struct err *err)
{
    size_t at = db_error_row(err->text);
    size_t found = t->found_bad;

    if (at == 0 || at > count)
        return write_halves(t, rows, count, err);
    if (write_rows(t, &rows[at - 1], 1, err) != 0)
        return -1;
    if (t->found_bad == found)
        return write_halves(t, rows, count, err);
    if (write_rows(t, rows, at - 1, err) != 0)
        return -1;
    /* halve the rest: if most rows are faulty, going from one to the next would cost the square of their
     * number */
    return write_halves(t, rows + at, count - at, err);
}

/* Write these rows. If one of them is at fault, find it by the number in the error or by halving, mark it,
 * and go on with the others: one pass finds all faulty rows. */
static int write_rows(struct transaction *t, struct row *const *rows, size_t count, struct err *err)
{
    if (count == 0 || write_statement(t, rows, count, err) == 0)
        return 0;
    if (!fault_of_row(t, err))
        return -1;
    if (count > 1)
        return find_fault(t, rows, count, err);
    reject_row(t, rows[0], err);
    return 0;
}

int write_wanted_rows(struct transaction *t, struct err *err)
{
    struct row **chunk = mem_alloc((size_t)t->p->statement_rows * sizeof *chunk);
    size_t count = 0;
    size_t bytes = 0;
    int rc = 0;

    for (size_t i = 0; i < t->count && rc == 0; i++) {
        const struct document *d = transaction_document(t, i);
        for (size_t j = 0; j < d->row_count && rc == 0 && !t->lost[i]; j++) {
            struct row *row = &t->batch->rows[d->first_row + j];
            if (row->rejected)
                continue;
            /* escaping at most doubles a text; each cell also has quotes and a comma */
            size_t size = row->line_len * 2 + t->p->column_count * 4;
            if (count == (size_t)t->p->statement_rows || (count > 0 && bytes + size > t->aim / 2)) {
                rc = write_rows(t, chunk, count, err);
                count = bytes = 0;
            }
            chunk[count++] = row;
            bytes += size;
            t->rows++;
        }
    }
    if (rc == 0)
        rc = write_rows(t, chunk, count, err);
    free(chunk);
    return rc;
}
