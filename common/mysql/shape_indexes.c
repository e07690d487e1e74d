#include <string.h>
#include <strings.h>

#include "common/base/buf.h"
#include "common/mysql/shape_parts.h"
#include "common/mysql/sql.h"

static bool is_primary(const struct catalog_index *x)
{
    return strcmp(x->name, "PRIMARY") == 0;
}

/* Does the index hold this column whole? */
static bool holds_whole(const struct catalog_index *x, const char *column)
{
    for (size_t i = 0; i < x->count; i++)
        if (x->columns[i] != NULL && x->prefixes[i] == NULL && strcasecmp(x->columns[i], column) == 0)
            return true;
    return false;
}

/* Rows that differ in the key differ in this index, too. */
static bool holds_key(const struct pipeline *p, const struct catalog_index *x)
{
    for (size_t k = 0; k < p->key.count; k++)
        if (!holds_whole(x, p->key.names[k]))
            return false;
    return true;
}

static bool is_key(const struct pipeline *p, const struct catalog_index *x)
{
    return x->unique && x->btree && x->count == p->key.count && holds_key(p, x);
}

/* Gets every row that does not name this column a value of its own, or NULL, which equals nothing? */
static bool differs_by_itself(const struct pipeline *p, const struct catalog_column *c)
{
    for (size_t i = 0; i < p->column_count; i++)
        if (strcasecmp(p->columns[i].name, c->name) == 0)
            return false;
    if (c->generated)
        return false;
    return c->auto_increment || (c->fallback == NULL && c->nullable) ||
           (c->fallback != NULL && strcasestr(c->fallback, "uuid(") != NULL);
}

/* Two documents that meet in a unique index replace each other's rows. */
static bool may_collide(const struct look *look, const struct catalog_index *x)
{
    if (!x->unique || holds_key(look->p, x))
        return false;
    for (size_t i = 0; i < x->count; i++) {
        const struct catalog_column *c =
            x->columns[i] != NULL ? catalog_find(look->catalog, x->columns[i]) : NULL;
        if (c != NULL && differs_by_itself(look->p, c))
            return false;
    }
    return true;
}

static bool has_unfilled(const struct look *look, const struct catalog_index *x)
{
    for (size_t i = 0; i < x->count; i++) {
        const struct catalog_column *c =
            x->columns[i] != NULL ? catalog_find(look->catalog, x->columns[i]) : NULL;
        if (c != NULL && shape_is_unfilled(look->p, c))
            return true;
    }
    return false;
}

/* ------------------------------------------------------------------ the statement */

static void put_key(const struct pipeline *p, struct buf *out)
{
    buf_add_char(out, '(');
    sql_put_names(out, (const char *const *)p->key.names, p->key.count);
    buf_add_char(out, ')');
}

/* Can the index stand as one that is not unique? An expression's text is not known here. */
static bool can_be_restated(const struct catalog_index *x)
{
    for (size_t i = 0; i < x->count; i++)
        if (x->columns[i] == NULL)
            return false;
    return x->btree;
}

static void put_columns(const struct catalog_index *x, struct buf *out)
{
    for (size_t i = 0; i < x->count; i++) {
        buf_add_char(out, i == 0 ? '(' : ',');
        sql_put_name(out, x->columns[i]);
        if (x->prefixes[i] != NULL)
            buf_printf(out, "(%s)", x->prefixes[i]);
    }
    buf_add_char(out, ')');
}

static void put_replacement(const struct look *look, const struct catalog_index *x)
{
    struct buf *out = &look->mend->clause;

    if (is_primary(x)) {
        buf_add_text(out, "DROP PRIMARY KEY, ADD PRIMARY KEY ");
        put_key(look->p, out);
        return;
    }
    buf_add_text(out, "DROP INDEX ");
    sql_put_name(out, x->name);
    if (!can_be_restated(x))
        return;
    buf_add_text(out, ", ADD INDEX ");
    sql_put_name(out, x->name);
    buf_add_char(out, ' ');
    put_columns(x, out);
}

/* ------------------------------------------------------------------ faults */

static void fault_of_unique(const struct look *look, const struct catalog_index *x)
{
    struct buf *why = &look->mend->why;

    if (may_collide(look, x))
        buf_printf(why, "the unique index %s lets documents replace one another", x->name);
    else
        buf_printf(why, "the index %s holds a column that the pipeline does not fill", x->name);
    put_replacement(look, x);
    mend_add(look->mend);
}

static void fault_of_key(const struct look *look, bool other_primary)
{
    struct mend *m = look->mend;

    buf_add_text(&m->why, "no primary or unique key over just ");
    put_key(look->p, &m->why);
    buf_add_text(&m->clause, other_primary ? "ADD UNIQUE KEY `jst_key` " : "ADD PRIMARY KEY ");
    put_key(look->p, &m->clause);
    mend_add(m);
}

static void put_document(const struct pipeline *p, struct buf *out, void (*put)(struct buf *, const char *))
{
    for (size_t i = 0; i < p->document_column_count; i++) {
        buf_add_text(out, i > 0 ? "," : "");
        put(out, p->columns[p->document_columns[i]].name);
    }
}

static void put_plain(struct buf *out, const char *text)
{
    buf_add_text(out, text);
}

static void fault_of_document(const struct look *look)
{
    struct mend *m = look->mend;
    const struct pipeline *p = look->p;
    const char *name =
        catalog_find_index(look->catalog, "jst_document") == NULL ? "jst_document" : "jst_document_whole";

    buf_add_text(&m->why, p->document_column_count > 1 ? "columns " : "column ");
    put_document(p, &m->why, put_plain);
    buf_add_text(&m->why, p->document_column_count > 1 ? " hold the document's id and have no index together"
                                                       : " holds the document's id and has no index");
    buf_add_text(&m->clause, "ADD INDEX ");
    sql_put_name(&m->clause, name);
    buf_add_text(&m->clause, " (");
    put_document(p, &m->clause, sql_put_name);
    buf_add_char(&m->clause, ')');
    mend_add(m);
}

static bool is_document_column(const struct pipeline *p, const char *column)
{
    for (size_t i = 0; i < p->document_column_count; i++)
        if (strcasecmp(p->columns[p->document_columns[i]].name, column) == 0)
            return true;
    return false;
}

/* Does the index begin with just the document's columns, whole? No index has a column twice. */
static bool finds_document(const struct pipeline *p, const struct catalog_index *x)
{
    if (!x->btree || x->count < p->document_column_count)
        return false;
    for (size_t i = 0; i < p->document_column_count; i++)
        if (x->columns[i] == NULL || x->prefixes[i] != NULL || !is_document_column(p, x->columns[i]))
            return false;
    return true;
}

/* Does the key that is to be made? */
static bool key_finds_document(const struct pipeline *p)
{
    if (p->key.count < p->document_column_count)
        return false;
    for (size_t i = 0; i < p->document_column_count; i++)
        if (!is_document_column(p, p->key.names[i]))
            return false;
    return true;
}

const char *shape_check_indexes(const struct look *look)
{
    const struct pipeline *p = look->p;
    bool by_document = p->document_column_count > 0;
    const char *found = NULL;
    bool keyed = false, replaced = false, other_primary = false;

    for (size_t i = 0; i < look->catalog->index_count; i++) {
        const struct catalog_index *x = &look->catalog->indexes[i];
        bool faulty = may_collide(look, x) || (is_primary(x) && has_unfilled(look, x));
        if (faulty)
            fault_of_unique(look, x);
        replaced = replaced || (faulty && is_primary(x));
        other_primary = other_primary || (!faulty && is_primary(x));
        keyed = keyed || is_key(p, x);
        if (by_document && found == NULL && finds_document(p, x) && !(faulty && is_primary(x)))
            found = x->name;
    }
    if (!keyed && !replaced)
        fault_of_key(look, other_primary);
    bool leads = key_finds_document(p) && !keyed;
    if (by_document && found == NULL && !leads)
        fault_of_document(look);
    return found;
}
