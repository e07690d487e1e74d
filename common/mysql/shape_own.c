#include <string.h>
#include <strings.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/mysql/shape_parts.h"
#include "common/mysql/sql.h"

enum { SQL_MAX = 16384, TRIES = 3, DUPLICATE_COLUMN = 1060 };

static void check_own_column(const struct own_table *t, size_t i, const struct catalog *c, bool mariadb,
                             struct mend *m)
{
    const struct own_column *column = &t->columns[i];
    const struct catalog_column *found = catalog_find(c, column->name);

    if (found == NULL) {
        buf_printf(&m->why, "no column %s", column->name);
        buf_add_text(&m->clause, "ADD COLUMN ");
        m->code = 1054;
    } else if (found->collation != NULL && i < t->key_count && strstr(found->collation, "_bin") == NULL) {
        buf_printf(&m->why, "column %s does not compare byte by byte", column->name);
        buf_add_text(&m->clause, "MODIFY ");
    } else if (found->collation != NULL && strchr(column->type, '@') != NULL && i < t->key_count &&
               !table_collation_is_exact(found->collation)) {
        buf_printf(&m->why, "column %s ignores spaces at a text's end", column->name);
        buf_add_text(&m->clause, "MODIFY ");
    } else {
        return;
    }
    own_column_put(column, mariadb, &m->clause);
    mend_add(m);
}

static bool has_primary_key(const struct own_table *t, const struct catalog *c)
{
    const struct catalog_index *x = catalog_find_index(c, "PRIMARY");

    if (x == NULL || x->count != t->key_count)
        return false;
    for (size_t i = 0; i < t->key_count; i++)
        if (strcasecmp(x->columns[i], t->columns[i].name) != 0 || x->prefixes[i] != NULL)
            return false;
    return true;
}

static void check_own_key(const struct own_table *t, const struct catalog *c, struct mend *m)
{
    if (has_primary_key(t, c))
        return;
    buf_add_text(&m->why, "the primary key is another one");
    if (catalog_find_index(c, "PRIMARY") != NULL)
        buf_add_text(&m->clause, "DROP PRIMARY KEY, ");
    buf_add_text(&m->clause, "ADD PRIMARY KEY (");
    for (size_t i = 0; i < t->key_count; i++) {
        buf_add_text(&m->clause, i > 0 ? "," : "");
        sql_put_name(&m->clause, t->columns[i].name);
    }
    buf_add_char(&m->clause, ')');
    mend_add(m);
}

/* Describes the faults; how many are not just missing columns? */
static size_t check_own(const struct own_table *t, const struct catalog *c, bool mariadb, struct mend *m)
{
    size_t missing = 0;

    for (size_t i = 0; i < t->count; i++) {
        check_own_column(t, i, c, mariadb, m);
        missing += catalog_find(c, t->columns[i].name) == NULL;
    }
    shape_check_engine(c, m);
    check_own_key(t, c, m);
    return m->count - missing;
}

static int create_own(struct db *db, const struct own_table *t, struct err *err)
{
    struct buf sql;

    buf_init(&sql, SQL_MAX);
    own_table_put(t, db_is_mariadb(db), &sql);
    int rc = db_query(db, sql.data, sql.len, NULL, err);
    buf_free(&sql);
    return rc;
}

/* Another loader that starts at the same time may have added the columns meanwhile. */
static int complete_own(struct db *db, const struct mend *m, struct err *err)
{
    struct buf sql;

    buf_init(&sql, SQL_MAX);
    mend_put_statement(m, &sql);
    int rc = db_query(db, sql.data, sql.len, NULL, err);
    buf_free(&sql);
    if (rc == 0 || err->code != DUPLICATE_COLUMN)
        return rc;
    err_clear(err);
    return 0;
}

static int refuse_own(const struct own_table *t, const struct pipeline *p, const struct catalog *c,
                      struct err *err)
{
    if (!c->exists)
        return err_set(err, ERR_PAUSE, 1146,
                       "table %s does not exist, or this user has no right to it; `jstctl ddl %s` prints the "
                       "statement that creates it (or start the loader with --create-tables on)",
                       t->name, p->name);
    return err_set(err, ERR_PAUSE, 0, "%s is not a table but a %s; `jstctl ddl %s` prints the table", t->name,
                   c->type, p->name);
}

/* One look. Returns 1 when something was made and it is to be looked at again. */
static int look_at_own(struct db *db, const struct own_table *t, const struct pipeline *p, bool create,
                       struct err *err)
{
    struct catalog c;
    struct mend m;
    int rc = catalog_read(db, t->name, &c, err);

    mend_init(&m, t->name);
    if (rc == 0 && !c.exists && create)
        rc = create_own(db, t, err) == 0 ? 1 : -1;
    else if (rc == 0 && (!c.exists || !catalog_is_table(&c)))
        rc = refuse_own(t, p, &c, err);
    else if (rc == 0 && check_own(t, &c, db_is_mariadb(db), &m) == 0 && m.count > 0 && create)
        rc = complete_own(db, &m, err) == 0 ? 1 : -1;
    else if (rc == 0)
        rc = mend_result(&m, err);
    mend_free(&m);
    catalog_free(&c);
    return rc;
}

int shape_check_own(struct db *db, const struct own_table *table, const struct pipeline *p, bool create,
                    struct err *err)
{
    int rc = 1;

    for (int i = 0; i < TRIES && rc == 1; i++)
        rc = look_at_own(db, table, p, create && i + 1 < TRIES, err);
    return rc;
}
