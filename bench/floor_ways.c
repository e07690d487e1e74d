/* Three ways to write the rows of a batch in one transaction. */
#include "bench/floor.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

enum { BATCH_BYTES = 64 << 20, SQL_MAX = 256 };

/* ---- one statement of text ---- */

static void text_begin(struct floor_batch *b)
{
    buf_init(&b->text, BATCH_BYTES);
    buf_printf(&b->text, "REPLACE INTO %s VALUES ", b->set->table);
}

static void text_add(struct floor_batch *b, const struct row_document *d, int line)
{
    if (b->rows > 0)
        buf_add_char(&b->text, ',');
    row_put_sql(&b->text, b->set, d, line);
}

static int text_send(MYSQL *db, MYSQL_STMT *stmt, struct floor_batch *b)
{
    (void)stmt;
    return mysql_real_query(db, b->text.data, b->text.len);
}

/* ---- LOAD DATA LOCAL, from memory ---- */

static void load_begin(struct floor_batch *b)
{
    buf_init(&b->text, BATCH_BYTES);
}

static void load_add(struct floor_batch *b, const struct row_document *d, int line)
{
    row_put_tsv(&b->text, b->set, d, line);
}

static int infile_init(void **ret, const char *name, void *batch)
{
    (void)name;
    *ret = batch;
    ((struct floor_batch *)batch)->read = 0;
    return 0;
}

static int infile_read(void *arg, char *out, unsigned int size)
{
    struct floor_batch *b = arg;
    size_t left = b->text.len - b->read;
    size_t n = left < size ? left : size;

    memcpy(out, b->text.data + b->read, n);
    b->read += n;
    return (int)n;
}

static void infile_end(void *arg)
{
    (void)arg;
}

static int infile_error(void *arg, char *text, unsigned int size)
{
    (void)arg, (void)text, (void)size;
    return 0;
}

static int load_send(MYSQL *db, MYSQL_STMT *stmt, struct floor_batch *b)
{
    char sql[SQL_MAX];
    int len = snprintf(sql, sizeof sql,
                       "LOAD DATA LOCAL INFILE 'memory' REPLACE INTO TABLE %s CHARACTER SET utf8mb4",
                       b->set->table);

    (void)stmt;
    mysql_set_local_infile_handler(db, infile_init, infile_read, infile_end, infile_error, b);
    return mysql_real_query(db, sql, (unsigned long)len);
}

/* ---- MariaDB's bulk protocol: one prepared statement, arrays of values; Oracle's client does not have it
 * ---- */

#ifdef MARIADB_BASE_VERSION

static void bulk_begin(struct floor_batch *b)
{
    b->values = mem_zalloc(b->room * b->set->column_count, sizeof *b->values);
    b->lengths = mem_zalloc(b->room * b->set->column_count, sizeof *b->lengths);
    b->indicators = mem_zalloc(b->room * b->set->column_count, sizeof *b->indicators);
}

static void bulk_add(struct floor_batch *b, const struct row_document *d, int line)
{
    for (size_t c = 0; c < b->set->column_count; c++) {
        const char *value = d->cells[line][c];
        size_t at = c * b->room + b->rows;
        b->indicators[at] = value == NULL ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE;
        b->lengths[at] = value != NULL ? strlen(value) : 0;
        b->values[at] = value != NULL ? mem_strdup(value) : NULL;
    }
}

static int bulk_connect(MYSQL *db, const struct row_set *set, MYSQL_STMT **ret)
{
    struct buf sql;

    buf_init(&sql, SQL_MAX);
    buf_printf(&sql, "REPLACE INTO %s VALUES (?", set->table);
    for (size_t c = 1; c < set->column_count; c++)
        buf_add_text(&sql, ",?");
    buf_add_char(&sql, ')');
    *ret = mysql_stmt_init(db);
    int rc = mysql_stmt_prepare(*ret, sql.data, sql.len);
    buf_free(&sql);
    return rc;
}

static int bulk_send(MYSQL *db, MYSQL_STMT *stmt, struct floor_batch *b)
{
    MYSQL_BIND bind[ROW_COLUMNS] = {0};
    unsigned int rows = (unsigned int)b->rows;

    (void)db;
    for (size_t c = 0; c < b->set->column_count; c++) {
        bind[c].buffer_type = MYSQL_TYPE_STRING;
        bind[c].buffer = &b->values[c * b->room];
        bind[c].length = &b->lengths[c * b->room];
        bind[c].u.indicator = &b->indicators[c * b->room];
    }
    mysql_stmt_attr_set(stmt, STMT_ATTR_ARRAY_SIZE, &rows);
    return mysql_stmt_bind_param(stmt, bind) != 0 || mysql_stmt_execute(stmt) != 0;
}

#endif

const struct floor_way floor_ways[] = {
    {"text", text_begin, text_add, NULL, text_send},
    {"load", load_begin, load_add, NULL, load_send},
#ifdef MARIADB_BASE_VERSION
    {"bulk", bulk_begin, bulk_add, bulk_connect, bulk_send},
#endif
};
const size_t floor_way_count = sizeof floor_ways / sizeof floor_ways[0];
