#include "common/mysql/shape.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/mysql/ddl.h"
#include "common/mysql/sql.h"

enum { SQL_MAX = 1024 * 1024 };

enum column_kind table_column_kind(const char *data_type)
{
    static const char *const text[] = {"char",   "varchar",   "text", "tinytext", "mediumtext", "longtext",
                                       "binary", "varbinary", "blob", "tinyblob", "mediumblob", "longblob"};
    static const char *const integer[] = {"tinyint", "smallint", "mediumint", "int", "bigint"};

    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++)
        if (strcasecmp(data_type, text[i]) == 0)
            return COLUMN_TEXT;
    for (size_t i = 0; i < sizeof integer / sizeof integer[0]; i++)
        if (strcasecmp(data_type, integer[i]) == 0)
            return COLUMN_INTEGER;
    return COLUMN_OTHER;
}

bool table_collation_is_exact(const char *collation)
{
    size_t len = strlen(collation);
    bool binary = len > 4 && strcmp(collation + len - 4, "_bin") == 0;

    return strcmp(collation, "binary") == 0 ||
           (binary && (strstr(collation, "_0900_") != NULL || strstr(collation, "nopad") != NULL));
}

/* `WHERE TABLE_SCHEMA=… AND TABLE_NAME=…` of information_schema. */
static void put_where(struct buf *sql, const char *table)
{
    const char *dot = strchr(table, '.');

    buf_add_text(sql, " WHERE TABLE_SCHEMA=");
    if (dot != NULL)
        sql_put_text(sql, table, (size_t)(dot - table));
    else
        buf_add_text(sql, "DATABASE()");
    buf_add_text(sql, " AND TABLE_NAME=");
    const char *name = dot != NULL ? dot + 1 : table;
    sql_put_text(sql, name, strlen(name));
}

static int ask_server(struct db *db, struct buf *sql, struct db_result *ret, struct err *err)
{
    return db_query(db, sql->data, sql->len, ret, err);
}

static int create_tables(struct db *db, const struct pipeline *p, struct buf *sql, struct err *err)
{
    buf_reset(sql);
    ddl_heads(db_is_mariadb(db), sql);
    if (ask_server(db, sql, NULL, err) != 0)
        return -1;
    buf_reset(sql);
    ddl_target(p, db_is_mariadb(db), sql);
    return ask_server(db, sql, NULL, err);
}

static int check_heads(struct db *db, const struct pipeline *p, struct buf *sql, struct err *err)
{
    buf_reset(sql);
    buf_add_text(
        sql,
        "SELECT `pipeline`,`document`,`version`,`published`,`rows`,`updated_at` FROM `jst_heads` LIMIT 0");
    if (ask_server(db, sql, NULL, err) == 0)
        return 0;
    if (err->kind == ERR_PAUSE)
        err_prefix(err,
                   "table jst_heads cannot be read; `jstctl ddl %s` prints the statement that creates it (or "
                   "start the loader with --create-tables on)",
                   p->name);
    return -1;
}

/* ------------------------------------------------------------------ columns */

/* The table's name with back-quotes, for a statement in an error text. */
struct quoted {
    char text[300];
};
static const char *quote_table(const char *table, struct quoted *out)
{
    struct buf name;

    buf_init(&name, sizeof out->text - 1);
    sql_put_table(&name, table);
    memcpy(out->text, name.data, name.len + 1);
    buf_free(&name);
    return out->text;
}

static int check_document_column(const struct table *t, bool mariadb, char **row, struct err *err)
{
    const struct pipeline *p = t->pipeline;
    const char *name = p->columns[p->document_column].name;
    struct quoted quoted;

    if (t->kinds[p->document_column] == COLUMN_INTEGER || strcasecmp(row[1], "varbinary") == 0)
        return 0;
    if (row[2] != NULL && table_collation_is_exact(row[2]))
        return 0;
    return err_set(
        err, ERR_PAUSE, 0,
        "column %s of %s holds the document's id, and its type %s%s%s does not compare byte by byte; mend it "
        "with: ALTER TABLE %s MODIFY `%s` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE %s",
        name, p->table, row[1], row[2] != NULL ? " " : "", row[2] != NULL ? row[2] : "",
        quote_table(p->table, &quoted), name, ddl_collation(mariadb));
}

static int read_columns(struct db *db, struct table *t, struct buf *sql, struct err *err)
{
    const struct pipeline *p = t->pipeline;
    struct db_result r;
    int rc = 0;

    buf_reset(sql);
    buf_add_text(sql, "SELECT COLUMN_NAME, DATA_TYPE, COLLATION_NAME FROM information_schema.COLUMNS");
    put_where(sql, p->table);
    if (ask_server(db, sql, &r, err) != 0)
        return -1;
    if (r.count == 0)
        rc = err_set(
            err, ERR_PAUSE, 1146,
            "table %s does not exist, or this user has no right to it; `jstctl ddl %s` prints the statement "
            "that creates it (or start the loader with --create-tables on)",
            p->table, p->name);
    for (size_t i = 0; i < p->column_count && rc == 0; i++) {
        char **found = NULL;
        for (size_t j = 0; j < r.count && found == NULL; j++)
            if (strcasecmp(r.rows[j][0], p->columns[i].name) == 0)
                found = r.rows[j];
        if (found == NULL) {
            rc = err_set(err, ERR_PAUSE, 1054, "table %s has no column %s; `jstctl ddl %s` shows its type",
                         p->table, p->columns[i].name, p->name);
            break;
        }
        t->kinds[i] = table_column_kind(found[1]);
        if (i == p->document_column)
            rc = check_document_column(t, db_is_mariadb(db), found, err);
    }
    db_result_free(&r);
    return rc;
}

/* ------------------------------------------------------------------ indexes */

static bool is_key_column(const struct pipeline *p, const char *name)
{
    for (size_t i = 0; i < p->key.count; i++)
        if (strcasecmp(p->key.names[i], name) == 0)
            return true;
    return false;
}

/* Rows of one index stand together, by name and position. Is it unique, over just the key's columns, whole?
 */
static bool index_is_key(const struct pipeline *p, char **const *rows, size_t count)
{
    if (count != p->key.count || strcmp(rows[0][1], "0") != 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (rows[i][2] == NULL /* an expression */ || !is_key_column(p, rows[i][2]) || rows[i][3] != NULL)
            return false;
    return true;
}

static void put_key_names(const struct pipeline *p, struct buf *out)
{
    sql_put_names(out, (const char *const *)p->key.names, p->key.count);
}

static int missing_key(const struct pipeline *p, struct err *err)
{
    struct buf names;
    struct quoted quoted;

    buf_init(&names, 1024);
    put_key_names(p, &names);
    err_set(err, ERR_PAUSE, 0,
            "table %s has no primary or unique key over just (%s); mend it with: ALTER TABLE %s ADD PRIMARY "
            "KEY (%s)",
            p->table, names.data, quote_table(p->table, &quoted), names.data);
    buf_free(&names);
    return -1;
}

static int read_indexes(struct db *db, struct table *t, struct buf *sql, struct err *err)
{
    const struct pipeline *p = t->pipeline;
    const char *document = p->columns[p->document_column].name;
    struct db_result r;
    struct quoted quoted;
    bool keyed = false;

    buf_reset(sql);
    buf_add_text(sql,
                 "SELECT INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS");
    put_where(sql, p->table);
    buf_add_text(sql, " AND INDEX_TYPE='BTREE' ORDER BY INDEX_NAME, SEQ_IN_INDEX");
    if (ask_server(db, sql, &r, err) != 0)
        return -1;
    for (size_t i = 0, n; i < r.count; i += n) {
        for (n = 1; i + n < r.count && strcmp(r.rows[i][0], r.rows[i + n][0]) == 0;)
            n++;
        keyed = keyed || index_is_key(p, &r.rows[i], n);
        bool finds = r.rows[i][2] != NULL && strcasecmp(r.rows[i][2], document) == 0 && r.rows[i][3] == NULL;
        if (finds && t->document_index == NULL)
            t->document_index = mem_strdup(r.rows[i][0]);
    }
    db_result_free(&r);
    if (!keyed)
        return missing_key(p, err);
    if (t->document_index == NULL)
        return err_set(err, ERR_PAUSE, 0,
                       "column %s of %s holds the document's id and has no index; mend it with: ALTER TABLE "
                       "%s ADD INDEX `jst_document` (`%s`)",
                       document, p->table, quote_table(p->table, &quoted), document);
    return 0;
}

int table_load(struct db *db, const struct pipeline *pipeline, bool create, struct table **ret,
               struct err *err)
{
    struct table *t = mem_zalloc(1, sizeof *t);
    struct buf sql;

    buf_init(&sql, SQL_MAX);
    t->pipeline = pipeline;
    t->kinds = mem_zalloc(pipeline->column_count, sizeof *t->kinds);
    int rc = create ? create_tables(db, pipeline, &sql, err) : 0;
    if (rc == 0)
        rc = check_heads(db, pipeline, &sql, err);
    if (rc == 0)
        rc = read_columns(db, t, &sql, err);
    if (rc == 0)
        rc = read_indexes(db, t, &sql, err);
    buf_free(&sql);
    if (rc != 0) {
        table_free(t);
        return -1;
    }
    *ret = t;
    return 0;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    free(table->kinds);
    free(table->document_index);
    free(table);
}
