#include "common/mysql/catalog.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/mysql/columns.h"
#include "common/mysql/sql.h"

enum { SQL_MAX = 4096 };

void catalog_put_where(struct buf *sql, const char *schema_column, const char *name_column, const char *table)
{
    const char *dot = strchr(table, '.');
    const char *name = dot != NULL ? dot + 1 : table;

    buf_printf(sql, " WHERE %s=", schema_column);
    if (dot != NULL)
        sql_put_text(sql, table, (size_t)(dot - table));
    else
        buf_add_text(sql, "DATABASE()");
    buf_printf(sql, " AND %s=", name_column);
    sql_put_text(sql, name, strlen(name));
}

static int ask_catalog(struct db *db, const char *select, const char *table, const char *order,
                       struct db_result *ret, struct err *err)
{
    struct buf sql;

    buf_init(&sql, SQL_MAX);
    buf_add_text(&sql, select);
    catalog_put_where(&sql, "TABLE_SCHEMA", "TABLE_NAME", table);
    buf_add_text(&sql, order);
    int rc = db_query(db, sql.data, sql.len, ret, err);
    buf_free(&sql);
    return rc;
}

static int read_table(struct db *db, const char *table, struct catalog *c, struct err *err)
{
    struct db_result *r = &c->results[0];

    if (ask_catalog(db, "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE FROM information_schema.TABLES",
                    table, "", r, err) != 0)
        return -1;
    c->exists = r->count > 0;
    if (!c->exists)
        return 0;
    c->schema = r->rows[0][0];
    c->name = r->rows[0][1];
    c->type = r->rows[0][2];
    c->engine = r->rows[0][3];
    return 0;
}

static bool has_word(const char *text, const char *word)
{
    return text != NULL && strcasestr(text, word) != NULL;
}

static size_t number_or(const char *text, size_t fallback)
{
    int64_t value;

    return text != NULL && parse_int64(text, &value) == 0 && value >= 0 ? (size_t)value : fallback;
}

/* MariaDB stores a default as SQL, "'a'" or "NULL"; MySQL the bare text of a literal. */
static void set_fallback(struct catalog_column *c, bool mariadb, const char *text, const char *extra)
{
    bool null = mariadb && text != NULL && strcasecmp(text, "NULL") == 0;

    c->fallback = null ? NULL : text;
    c->fallback_is_expression = mariadb || has_word(extra, "DEFAULT_GENERATED") ||
                                has_word(text, "CURRENT_TIMESTAMP") || strncmp(c->type, "bit", 3) == 0;
}

static void set_column(struct catalog_column *c, bool mariadb, char **cells)
{
    const char *extra = cells[5];

    c->name = cells[0];
    c->data_type = cells[1];
    c->type = cells[2];
    c->nullable = strcasecmp(cells[3], "YES") == 0;
    set_fallback(c, mariadb, cells[4], extra);
    c->auto_increment = has_word(extra, "auto_increment");
    c->generated = cells[6] != NULL && cells[6][0] != '\0';
    c->charset = cells[7];
    c->collation = cells[8];
    c->length = number_or(cells[9], 0);
    c->scale = (unsigned)number_or(cells[10] != NULL ? cells[10] : cells[11], SCALE_FREE);
    c->comment = cells[12];
}

static int read_columns(struct db *db, const char *table, struct catalog *c, struct err *err)
{
    struct db_result *r = &c->results[1];

    if (ask_catalog(db,
                    "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, "
                    "GENERATION_EXPRESSION, CHARACTER_SET_NAME, COLLATION_NAME, CHARACTER_MAXIMUM_LENGTH, "
                    "NUMERIC_SCALE, DATETIME_PRECISION, COLUMN_COMMENT FROM information_schema.COLUMNS",
                    table, " ORDER BY ORDINAL_POSITION", r, err) != 0)
        return -1;
    c->columns = mem_zalloc(r->count + 1, sizeof *c->columns);
    c->column_count = r->count;
    for (size_t i = 0; i < r->count; i++)
        set_column(&c->columns[i], db_is_mariadb(db), r->rows[i]);
    return 0;
}

/* Rows of one index stand together, by position. */
static void add_index_row(struct catalog *c, char **cells)
{
    bool first = c->index_count == 0 || strcmp(c->indexes[c->index_count - 1].name, cells[0]) != 0;

    c->index_count += first;
    struct catalog_index *last = &c->indexes[c->index_count - 1];
    if (first) {
        last->name = cells[0];
        last->unique = strcmp(cells[1], "0") == 0;
        last->btree = strcasecmp(cells[4], "BTREE") == 0;
    }
    if (last->count < CATALOG_INDEX_COLUMNS) {
        last->columns[last->count] = cells[2];
        last->prefixes[last->count++] = cells[3];
    }
}

static int read_indexes(struct db *db, const char *table, struct catalog *c, struct err *err)
{
    struct db_result *r = &c->results[2];

    if (ask_catalog(db,
                    "SELECT INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART, INDEX_TYPE FROM "
                    "information_schema.STATISTICS",
                    table, " ORDER BY INDEX_NAME, SEQ_IN_INDEX", r, err) != 0)
        return -1;
    c->indexes = mem_zalloc(r->count + 1, sizeof *c->indexes);
    for (size_t i = 0; i < r->count; i++)
        add_index_row(c, r->rows[i]);
    return 0;
}

static bool has_longtext(const struct catalog *c)
{
    for (size_t i = 0; i < c->column_count; i++)
        if (strcasecmp(c->columns[i].data_type, "longtext") == 0)
            return true;
    return false;
}

/* MariaDB's JSON is a LONGTEXT with a CHECK (json_valid(…)) that bears the column's name; MySQL has a type.
 */
static int find_json(struct db *db, const char *table, struct catalog *c, struct err *err)
{
    struct buf sql;
    struct db_result r = {0};

    if (!db_is_mariadb(db) || !has_longtext(c))
        return 0;
    buf_init(&sql, SQL_MAX);
    buf_add_text(&sql, "SELECT CONSTRAINT_NAME FROM information_schema.CHECK_CONSTRAINTS");
    catalog_put_where(&sql, "CONSTRAINT_SCHEMA", "TABLE_NAME", table);
    buf_add_text(&sql, " AND CHECK_CLAUSE LIKE 'json_valid(%'");
    int rc = db_query(db, sql.data, sql.len, &r, err);
    for (size_t i = 0; i < c->column_count; i++)
        for (size_t j = 0; j < r.count; j++)
            if (strcasecmp(c->columns[i].name, r.rows[j][0]) == 0)
                c->columns[i].data_type = "json";
    db_result_free(&r);
    buf_free(&sql);
    return rc;
}

int catalog_read(struct db *db, const char *table, struct catalog *ret, struct err *err)
{
    *ret = (struct catalog){0};
    if (read_table(db, table, ret, err) != 0)
        return -1;
    if (!ret->exists)
        return 0;
    if (read_columns(db, table, ret, err) != 0 || find_json(db, table, ret, err) != 0)
        return -1;
    return read_indexes(db, table, ret, err);
}

void catalog_free(struct catalog *catalog)
{
    for (size_t i = 0; i < sizeof catalog->results / sizeof catalog->results[0]; i++)
        db_result_free(&catalog->results[i]);
    free(catalog->columns);
    free(catalog->indexes);
    *catalog = (struct catalog){0};
}

const struct catalog_column *catalog_find(const struct catalog *c, const char *column)
{
    for (size_t i = 0; i < c->column_count; i++)
        if (strcasecmp(c->columns[i].name, column) == 0)
            return &c->columns[i];
    return NULL;
}

const struct catalog_index *catalog_find_index(const struct catalog *c, const char *index)
{
    for (size_t i = 0; i < c->index_count; i++)
        if (strcasecmp(c->indexes[i].name, index) == 0)
            return &c->indexes[i];
    return NULL;
}

bool catalog_is_table(const struct catalog *c)
{
    return strcmp(c->type, "BASE TABLE") == 0 || strcmp(c->type, "SYSTEM VERSIONED") == 0;
}
