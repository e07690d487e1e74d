/* Rows as multi-row text: REPLACE, or INSERT … ON DUPLICATE KEY UPDATE. An error names the row. */
#include <string.h>

#include "common/base/err.h"
#include "common/mysql/sql.h"
#include "loader/row_check.h"
#include "loader/store_private.h"

void store_put_columns(struct buf *sql, const struct pipeline *p)
{
    for (size_t c = 0; c < p->column_count; c++) {
        if (c > 0)
            buf_add_char(sql, ',');
        sql_put_name(sql, p->columns[c].name);
    }
}

static void put_begin(struct mysql_store *s, const struct pipeline *p)
{
    store_begin_sql(s);
    buf_add_text(&s->sql, p->insert ? "INSERT INTO " : "REPLACE INTO ");
    sql_put_table(&s->sql, p->table);
    buf_add_char(&s->sql, '(');
    store_put_columns(&s->sql, p);
    buf_add_text(&s->sql, ") VALUES ");
}

static void put_end(struct mysql_store *s, const struct pipeline *p)
{
    if (!p->insert)
        return;
    buf_add_text(&s->sql, " ON DUPLICATE KEY UPDATE ");
    for (size_t i = 0; i < p->updated_count; i++) {
        const char *name = p->columns[p->updated[i]].name;
        if (i > 0)
            buf_add_char(&s->sql, ',');
        sql_put_name(&s->sql, name);
        buf_add_text(&s->sql, "=VALUES(");
        sql_put_name(&s->sql, name);
        buf_add_char(&s->sql, ')');
    }
}

static void put_row(struct mysql_store *s, const struct table *t, const struct batch *b,
                    const struct row *row)
{
    for (size_t c = 0; c < t->pipeline->column_count; c++) {
        size_t len;
        const char *text = batch_cell(b, row, c, &len);
        buf_add_char(&s->sql, c > 0 ? ',' : '(');
        if (table_is_null(t, c, text, len))
            buf_add_text(&s->sql, "NULL");
        else
            sql_put_text(&s->sql, text, len);
    }
    buf_add_char(&s->sql, ')');
}

/* Escaping at most doubles a text; each cell also has quotes and a comma. */
static size_t row_size(const struct table *t, const struct row *row)
{
    return row->line_len * 2 + t->pipeline->column_count * 4;
}

static size_t rows_per_statement(const struct mysql_store *s, const struct table *t, struct row *const *rows,
                                 size_t count)
{
    size_t most = (size_t)t->pipeline->statement_rows;
    size_t bytes = 0;
    size_t n = 0;

    while (n < count && n < most) {
        bytes += row_size(t, rows[n]);
        if (n > 0 && bytes > s->aim / 2)
            break;
        n++;
    }
    return n;
}

/* How many stored rows a statement of count rows has met. REPLACE counts each row that it writes, and each
 * that it deletes for one. INSERT counts a new row 1, one that it changes 2 and once more as a duplicate, one
 * that is as it was nothing; of a single row the server does not tell the duplicates. */
static size_t count_replaced(bool insert, const struct db_result *result, size_t count)
{
    uint64_t created;

    if (!insert)
        return result->affected > count ? result->affected - count : 0;
    if (count == 1)
        return result->affected != 1;
    if (result->duplicates < 0)
        return 0;
    created = result->affected - 2 * (uint64_t)result->duplicates;
    return created < count ? count - created : 0;
}

static int write_some(struct mysql_store *s, const struct table *t, const struct batch *b,
                      struct row *const *rows, size_t count, size_t *replaced, struct err *err)
{
    struct db_result result = {0};

    put_begin(s, t->pipeline);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(&s->sql, ',');
        put_row(s, t, b, rows[i]);
    }
    put_end(s, t->pipeline);
    if (store_run_sql(s, &result, err) != 0)
        return -1;
    *replaced += count_replaced(t->pipeline->insert, &result, count);
    db_result_free(&result);
    return 0;
}

int store_write_text(struct mysql_store *s, const struct table *table, const struct batch *batch,
                     struct row *const *rows, size_t count, size_t *replaced, struct err *err)
{
    size_t n;

    store_begin_sql(s);
    for (size_t i = 0; i < count; i += n) {
        n = rows_per_statement(s, table, rows + i, count - i);
        if (write_some(s, table, batch, rows + i, n, replaced, err) != 0) {
            err->row += err->row > 0 ? i : 0;
            return -1;
        }
    }
    return 0;
}

/* ------------------------------------------------------------------ the witness */

static void put_stored(struct mysql_store *s, const struct table *t, const struct db_result *stored)
{
    put_begin(s, t->pipeline);
    for (size_t c = 0; c < stored->columns; c++) {
        const char *text = stored->rows[0][c];
        buf_add_char(&s->sql, c > 0 ? ',' : '(');
        if (text == NULL)
            buf_add_text(&s->sql, "NULL");
        else
            sql_put_text(&s->sql, text, strlen(text));
    }
    buf_add_char(&s->sql, ')');
    put_end(s, t->pipeline);
}

int store_write_witness(struct store *store, const struct table *table, bool *ret_found, struct err *err)
{
    struct mysql_store *s = mysql_store_of(store);
    struct db_result stored = {0};

    store_begin_sql(s);
    buf_add_text(&s->sql, "SELECT ");
    store_put_columns(&s->sql, table->pipeline);
    buf_add_text(&s->sql, " FROM ");
    sql_put_table(&s->sql, table->pipeline->table);
    buf_add_text(&s->sql, " LIMIT 1");
    if (store_run_sql(s, &stored, err) != 0)
        return -1;
    *ret_found = stored.count > 0 && stored.columns == table->pipeline->column_count;
    if (*ret_found)
        put_stored(s, table, &stored);
    db_result_free(&stored);
    return *ret_found ? store_run_sql(s, NULL, err) : 0;
}
