#include "common/mysql/shape.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/mysql/ddl.h"
#include "common/mysql/shape_parts.h"
#include "common/mysql/sql.h"

enum { SQL_MAX = 1024 * 1024, TOO_LONG_KEY = 1071 };

bool shape_is_key(const struct pipeline *p, const char *column)
{
    for (size_t i = 0; i < p->key.count; i++)
        if (strcasecmp(p->key.names[i], column) == 0)
            return true;
    return false;
}

void shape_check_engine(const struct catalog *catalog, struct mend *mend)
{
    if (catalog->engine == NULL || strcasecmp(catalog->engine, "InnoDB") == 0)
        return;
    buf_printf(&mend->why, "its engine %s has no transactions as InnoDB has them", catalog->engine);
    buf_add_text(&mend->clause, "ENGINE=InnoDB");
    mend_add(mend);
}

/* ------------------------------------------------------------------ there, and a table */

static int create_target(struct db *db, const struct pipeline *p, bool *ret_created, struct err *err)
{
    struct buf sql;
    struct db_result r = {0};

    buf_init(&sql, SQL_MAX);
    ddl_target(p, db_is_mariadb(db), &sql);
    int rc = db_query(db, sql.data, sql.len, &r, err);
    buf_free(&sql);
    if (rc == 0)
        *ret_created = r.warnings == 0; /* else another loader was faster (note 1050) */
    else if (err->code == TOO_LONG_KEY)
        err_prefix(err,
                   "the key of table %s is too wide for this server, whose innodb_page_size is below 16k; "
                   "create the table yourself, with shorter VARCHARs in its keys than `jstctl ddl %s` prints",
                   p->table, p->name);
    db_result_free(&r);
    return rc;
}

static int find_target(struct db *db, const struct pipeline *p, bool create, struct catalog *ret,
                       bool *ret_created, struct err *err)
{
    int rc = catalog_read(db, p->table, ret, err);

    if (rc == 0 && !ret->exists && create) {
        catalog_free(ret);
        rc = create_target(db, p, ret_created, err);
        if (rc == 0)
            rc = catalog_read(db, p->table, ret, err);
    }
    if (rc == 0 && !ret->exists)
        rc = err_set(
            err, ERR_PAUSE, 1146,
            "table %s does not exist, or this user has no right to it; `jstctl ddl %s` prints the statement "
            "that creates it (or start the loader with --create-tables on)",
            p->table, p->name);
    return rc;
}

static int refuse_view(const struct pipeline *p, const struct catalog *c, struct err *err)
{
    struct buf from, to;

    buf_init(&from, 512);
    buf_init(&to, 512);
    sql_put_table(&from, p->table);
    buf_add(&to, from.data, from.len - 1);
    buf_add_text(&to, "_view`");
    err_set(err, ERR_PAUSE, 0,
            "table %s is not a table but a %s; mend it with: RENAME TABLE %s TO %s; then `jstctl ddl %s` "
            "prints the statement that creates the table",
            p->table, c->type, from.data, to.data, p->name);
    buf_free(&from);
    buf_free(&to);
    return -1;
}

/* ------------------------------------------------------------------ as it should be */

static int verify_shape(struct db *db, const struct catalog *c, struct table *t, struct err *err)
{
    const struct pipeline *p = t->pipeline;
    struct mend mend;
    struct look look = {.p = p, .catalog = c, .mend = &mend, .mariadb = db_is_mariadb(db)};

    mend_init(&mend, p->table);
    shape_check_engine(c, &mend);
    shape_check_columns(&look, t->columns);
    const char *index = shape_check_indexes(&look);
    int rc = mend_result(&mend, err);
    mend_free(&mend);
    t->document_index = index != NULL ? mem_strdup(index) : NULL;
    t->name = mem_printf("%s.%s", c->schema, c->name);
    return rc;
}

/* REPLACE deletes the old row: what refers to it by such a foreign key goes, too. Only tables of the same
 * database are looked through; MariaDB opens each for this. */
static int check_references(struct db *db, const struct pipeline *p, const struct catalog *c, struct err *err)
{
    struct buf sql;
    struct db_result r = {0};

    buf_init(&sql, SQL_MAX);
    buf_add_text(&sql, "SELECT TABLE_NAME, CONSTRAINT_NAME, DELETE_RULE FROM "
                       "information_schema.REFERENTIAL_CONSTRAINTS");
    catalog_put_where(&sql, "CONSTRAINT_SCHEMA", "REFERENCED_TABLE_NAME", p->table);
    buf_add_text(&sql, " AND UNIQUE_CONSTRAINT_SCHEMA=CONSTRAINT_SCHEMA AND DELETE_RULE IN ('CASCADE','SET "
                       "NULL','SET DEFAULT')");
    int rc = db_query(db, sql.data, sql.len, &r, err);
    if (rc == 0 && r.count > 0) {
        char *child = mem_printf("%s.%s", c->schema, r.rows[0][0]);
        buf_reset(&sql);
        sql_put_table(&sql, child);
        buf_add_text(&sql, " DROP FOREIGN KEY ");
        sql_put_name(&sql, r.rows[0][1]);
        rc = err_set(err, ERR_PAUSE, 0,
                     "table %s: replacing a row would change rows of %s (foreign key %s, ON DELETE %s); mend "
                     "it with: ALTER TABLE %s",
                     p->table, child, r.rows[0][1], r.rows[0][2], sql.data);
        free(child);
    }
    db_result_free(&r);
    buf_free(&sql);
    return rc;
}

static int look_for_rows(struct db *db, const struct pipeline *p, bool *ret_empty, struct err *err)
{
    struct buf sql;
    struct db_result r = {0};

    buf_init(&sql, SQL_MAX);
    buf_add_text(&sql, "SELECT 1 FROM ");
    sql_put_table(&sql, p->table);
    buf_add_text(&sql, " LIMIT 1");
    int rc = db_query(db, sql.data, sql.len, &r, err);
    *ret_empty = r.count == 0;
    db_result_free(&r);
    buf_free(&sql);
    return rc;
}

static int load_target(struct db *db, bool create, struct table *t, struct err *err)
{
    const struct pipeline *p = t->pipeline;
    struct catalog c = {0};
    int rc = find_target(db, p, create, &c, &t->created, err);

    if (rc == 0 && !catalog_is_table(&c))
        rc = refuse_view(p, &c, err);
    if (rc == 0)
        rc = look_for_rows(db, p, &t->empty, err);
    if (rc == 0)
        rc = verify_shape(db, &c, t, err);
    if (rc == 0 && !p->insert)
        rc = check_references(db, p, &c, err);
    catalog_free(&c);
    return rc;
}

int table_load(struct db *db, const struct pipeline *pipeline, bool create, struct table **ret,
               struct err *err)
{
    struct table *t = mem_zalloc(1, sizeof *t);
    int rc = 0;

    t->pipeline = pipeline;
    t->columns = mem_zalloc(pipeline->column_count, sizeof *t->columns);
    if (pipeline->write == WRITE_DOCUMENT)
        rc = shape_check_own(db, &own_heads, pipeline, create, err);
    if (rc == 0 && pipeline->write == WRITE_DOCUMENT)
        rc = shape_check_own(db, &own_offsets, pipeline, create, err);
    if (rc == 0)
        rc = load_target(db, create, t, err);
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
    free(table->name);
    free(table->columns);
    free(table->document_index);
    free(table);
}
