/* Rows by LOAD DATA LOCAL, from memory: about two thirds of the server's time. It says REPLACE, since LOCAL
 * alone means IGNORE, which cuts values with a warning; and any warning that is not a note is an error. */
#include <string.h>

#include "common/base/err.h"
#include "common/mysql/errors.h"
#include "common/mysql/sql.h"
#include "loader/row_check.h"
#include "loader/store_private.h"

/* The stream of rows: columns end with a tab, rows with a newline, "\N" is NULL. */
struct stream {
    const struct table *table;
    const struct batch *batch;
    struct row *const *rows;
    size_t count, next; /* row */
    struct buf *spill;  /* a row that had no room in what was asked for */
    size_t spilt;       /* of it, bytes that are sent already */
};

/* The letter to write behind a backslash; 0: none is needed. */
static char escape_of(char c)
{
    switch (c) {
    case '\0':
        return '0';
    case '\t':
        return 't';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\\':
        return '\\';
    default:
        return 0;
    }
}

static char *put_escaped(char *at, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char escape = escape_of(text[i]);
        if (escape != 0) {
            *at++ = '\\';
            *at++ = escape;
        } else {
            *at++ = text[i];
        }
    }
    return at;
}

/* at has room for row_size() bytes. Returns the end. */
static char *put_row(char *at, const struct stream *s, const struct row *row)
{
    size_t columns = s->table->pipeline->column_count;

    for (size_t c = 0; c < columns; c++) {
        size_t len;
        const char *text = batch_cell(s->batch, row, c, &len);
        if (table_is_null(s->table, c, text, len)) {
            memcpy(at, "\\N", 2);
            at += 2;
        } else if (batch_cell_is_plain(s->batch, row, c)) {
            memcpy(at, text, len);
            at += len;
        } else {
            at = put_escaped(at, text, len);
        }
        *at++ = c + 1 < columns ? '\t' : '\n';
    }
    return at;
}

/* A line's escapes become as many bytes at most, and a NULL is shorter than "null"; an absent column is not.
 */
static size_t row_size(const struct stream *s, const struct row *row)
{
    return row->line_len * 2 + s->table->pipeline->column_count * 3;
}

static size_t read_spill(struct stream *s, char *out, size_t size)
{
    size_t left = s->spill->len - s->spilt;
    size_t n = left < size ? left : size;

    memcpy(out, s->spill->data + s->spilt, n);
    s->spilt += n;
    if (s->spilt == s->spill->len) {
        buf_reset(s->spill);
        s->spilt = 0;
    }
    return n;
}

/* A row that may not fit into what is left of `out` goes through the spill. */
static size_t read_stream(void *arg, char *out, size_t size)
{
    struct stream *s = arg;
    char *at = out;

    if (s->spill->len > 0)
        return read_spill(s, out, size);
    while (s->next < s->count && row_size(s, s->rows[s->next]) <= size - (size_t)(at - out))
        at = put_row(at, s, s->rows[s->next++]);
    if (at > out || s->next == s->count)
        return (size_t)(at - out);
    const struct row *row = s->rows[s->next++];
    char *start = buf_reserve(s->spill, row_size(s, row));
    if (start == NULL)
        return 0; /* the row count then tells */
    s->spill->len = (size_t)(put_row(start, s, row) - start);
    return read_spill(s, out, size);
}

static void put_statement(struct buf *sql, const struct pipeline *p)
{
    buf_add_text(sql, "LOAD DATA LOCAL INFILE 'rows' REPLACE INTO TABLE ");
    sql_put_table(sql, p->table);
    buf_add_text(sql,
                 " CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY "
                 "'\\n' (");
    store_put_columns(sql, p);
    buf_add_char(sql, ')');
}

/* Notes are what strict mode lets pass (digits that a decimal has no room for). A warning means that a
 * value was changed without our asking. */
static int check_warnings(struct mysql_store *s, struct err *err)
{
    struct db_result list = {0};
    int rc = 0;

    if (db_query(s->db, "SHOW WARNINGS LIMIT 1000", strlen("SHOW WARNINGS LIMIT 1000"), &list, err) != 0)
        return -1;
    for (size_t i = 0; i < list.count && rc == 0; i++) {
        char **row = list.rows[i];
        if (list.columns < 3 || row[0] == NULL || row[2] == NULL)
            continue;
        if (strcmp(row[0], "Note") != 0)
            rc = err_set(err, ERR_REJECT, 1265, "LOAD DATA: %s", row[2]);
    }
    db_result_free(&list);
    return rc;
}

int store_write_load(struct mysql_store *s, const struct table *table, const struct batch *batch,
                     struct row *const *rows, size_t count, size_t *replaced, struct err *err)
{
    struct buf sql;
    struct db_result result = {0};
    struct stream stream = {.table = table, .batch = batch, .rows = rows, .count = count, .spill = &s->sql};
    struct db_feed feed = {.read = read_stream, .arg = &stream};

    buf_init(&sql, 1024 * 1024);
    put_statement(&sql, table->pipeline);
    store_begin_sql(s);
    int rc = db_load(s->db, sql.data, sql.len, &feed, &result, err);
    buf_free(&sql);
    if (rc != 0)
        return -1;
    if (result.warnings > 0 && check_warnings(s, err) != 0)
        return -1;
    if (result.affected < count)
        return err_set(err, ERR_REJECT, 0, "LOAD DATA: the server has taken %llu of %zu rows",
                       (unsigned long long)result.affected, count);
    *replaced += result.affected - count;
    db_result_free(&result);
    return 0;
}
