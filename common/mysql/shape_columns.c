#include <string.h>
#include <strings.h>

#include "common/base/buf.h"
#include "common/mysql/ddl.h"
#include "common/mysql/shape_parts.h"
#include "common/mysql/sql.h"

enum {
    KEY_NUMBER_BYTES = 12,                          /* of a column of a key that is not a text, at most */
    WIDEST_INDEXED = INDEX_BYTES / CHARACTER_BYTES, /* characters */
    WIDEST_VARCHAR = 65535 / CHARACTER_BYTES,
    DOCUMENT_WIDTH = 255,
};

static bool is_type(const struct catalog_column *c, const char *data_type)
{
    return strcasecmp(c->data_type, data_type) == 0;
}

static bool is_zero_filled(const struct catalog_column *c)
{
    return strcasestr(c->type, "zerofill") != NULL;
}

static bool is_document(const struct look *look, size_t i)
{
    return pipeline_is_document(look->p, i);
}

static const struct catalog_column *find_column(const struct look *look, size_t i)
{
    return catalog_find(look->catalog, look->p->columns[i].name);
}

bool shape_is_unfilled(const struct pipeline *p, const struct catalog_column *c)
{
    for (size_t i = 0; i < p->column_count; i++)
        if (strcasecmp(p->columns[i].name, c->name) == 0)
            return false;
    return !c->nullable && c->fallback == NULL && !c->auto_increment && !c->generated;
}

/* ------------------------------------------------------------------ what tells documents and rows apart */

/* Which texts become one in this column? NULL: none, or only those that column_keeps() tells. */
static const char *merge_fault(const struct catalog_column *c, bool document)
{
    if (is_type(c, "char"))
        return "loses the spaces at a text's end";
    if (is_type(c, "varchar"))
        return table_collation_is_exact(c->collation) ? NULL : "does not compare byte by byte";
    if (is_type(c, "varbinary"))
        return NULL;
    switch (table_column_kind(c->data_type)) {
    case COLUMN_INTEGER:
        return is_zero_filled(c) ? "gives other digits than it got" : NULL;
    case COLUMN_DECIMAL:
    case COLUMN_DATE:
    case COLUMN_DATETIME:
    case COLUMN_TIME:
        return document || is_zero_filled(c) ? "gives other characters than it got" : NULL;
    case COLUMN_TEXT:
        return "cannot be indexed whole";
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE:
    case COLUMN_OTHER:
        break;
    }
    return "does not tell all texts apart";
}

/* Bytes of an index over the key's columns, once all texts are utf8mb4. */
static size_t key_bytes(const struct look *look)
{
    size_t bytes = 0;

    for (size_t k = 0; k < look->p->key.count; k++) {
        const struct catalog_column *c = catalog_find(look->catalog, look->p->key.names[k]);
        if (c == NULL || table_column_kind(c->data_type) != COLUMN_TEXT)
            bytes += KEY_NUMBER_BYTES;
        else
            bytes += c->length * (c->charset != NULL ? CHARACTER_BYTES : 1);
    }
    return bytes;
}

/* The widest text, in characters, that the column may have; 0: it is not the text of a key or document. */
static size_t width_limit(const struct look *look, size_t i)
{
    if (shape_is_key(look->p, look->p->columns[i].name))
        return key_bytes(look) > INDEX_BYTES ? ddl_key_width(look->p) : WIDEST_INDEXED;
    return is_document(look, i) ? WIDEST_INDEXED / look->p->document_column_count : 0;
}

/* ------------------------------------------------------------------ the statement */

static void put_identity_type(const struct look *look, size_t i, const struct catalog_column *c,
                              struct buf *out)
{
    size_t most = width_limit(look, i);
    bool listed = is_type(c, "char") || is_type(c, "varchar") || is_type(c, "varbinary");
    size_t width = listed ? c->length : DOCUMENT_WIDTH;

    if (width > most)
        width = most < DOCUMENT_WIDTH ? most : DOCUMENT_WIDTH;
    buf_printf(out, "VARCHAR(%zu) CHARACTER SET utf8mb4 COLLATE %s", width, ddl_collation(look->mariadb));
}

/* The type without ZEROFILL, which only changes what is given back. */
static void put_plain_type(const struct catalog_column *c, struct buf *out)
{
    const char *fill = strcasestr(c->type, " zerofill");

    if (is_type(c, "bit"))
        buf_add_text(out, "BIGINT UNSIGNED");
    else if (is_type(c, "varchar") && c->charset != NULL && c->length > WIDEST_VARCHAR)
        buf_add_text(out, "MEDIUMTEXT CHARACTER SET utf8mb4");
    else
        buf_printf(out, "%.*s%s", fill != NULL ? (int)(fill - c->type) : (int)strlen(c->type), c->type,
                   c->charset != NULL ? " CHARACTER SET utf8mb4" : "");
}

static void put_fallback(const struct catalog_column *c, bool mariadb, struct buf *out)
{
    if (c->fallback == NULL || (c->fallback_is_expression && !mariadb))
        return;
    buf_add_text(out, " DEFAULT ");
    if (c->fallback_is_expression)
        buf_add_text(out, c->fallback);
    else
        sql_put_text(out, c->fallback, strlen(c->fallback));
}

static void put_comment(const struct catalog_column *c, struct buf *out)
{
    if (c->comment == NULL || *c->comment == '\0')
        return;
    buf_add_text(out, " COMMENT ");
    sql_put_text(out, c->comment, strlen(c->comment));
}

static void put_modify(const struct look *look, size_t i, const struct catalog_column *c)
{
    struct buf *out = &look->mend->clause;
    bool key = shape_is_key(look->p, c->name);
    bool identity = key || is_document(look, i);
    bool text = table_column_kind(c->data_type) == COLUMN_TEXT;

    buf_add_text(out, "MODIFY ");
    sql_put_name(out, c->name);
    buf_add_char(out, ' ');
    if (identity && !text && merge_fault(c, is_document(look, i)) != NULL && !is_zero_filled(c)) {
        ddl_type(look->p, i, look->mariadb, out);
    } else {
        if (identity && text)
            put_identity_type(look, i, c, out);
        else
            put_plain_type(c, out);
        bool null = c->nullable || (look->mariadb && is_type(c, "timestamp"));
        buf_add_text(out, key || !null ? " NOT NULL" : " NULL");
        put_fallback(c, look->mariadb, out);
    }
    put_comment(c, out);
}

/* ------------------------------------------------------------------ faults */

static void note_fault(struct mend *m, const char *name, const char *fault)
{
    if (m->why.len == 0)
        buf_printf(&m->why, "column %s %s", name, fault);
    else
        buf_printf(&m->why, ", %s", fault);
}

static void check_identity(const struct look *look, size_t i, const struct catalog_column *c)
{
    struct mend *m = look->mend;
    bool key = shape_is_key(look->p, c->name);

    if (!key && !is_document(look, i))
        return;
    const char *fault = merge_fault(c, is_document(look, i));
    if (fault != NULL) {
        note_fault(m, c->name,
                   is_document(look, i) ? "holds the document's id and" : "belongs to the key and");
        buf_printf(&m->why, " %s (%s%s%s)", fault, c->type, c->collation != NULL ? " " : "",
                   c->collation != NULL ? c->collation : "");
    }
    if (key && c->nullable)
        note_fault(m, c->name, "belongs to the key and may be NULL");
    bool text = table_column_kind(c->data_type) == COLUMN_TEXT;
    if (fault == NULL && text && c->length > width_limit(look, i))
        note_fault(m, c->name, "is too wide for an index");
}

static void check_values(const struct look *look, const struct catalog_column *c)
{
    struct mend *m = look->mend;

    if (c->charset != NULL && table_column_kind(c->data_type) == COLUMN_TEXT &&
        strcasecmp(c->charset, "utf8mb4") != 0) {
        note_fault(m, c->name, "takes");
        buf_printf(&m->why, " %s only, not utf8mb4", c->charset);
    }
    if (c->auto_increment)
        note_fault(m, c->name, "numbers itself (AUTO_INCREMENT) where it is given 0");
    /* MySQL's session has explicit_defaults_for_timestamp on; MariaDB does so whatever it says */
    if (look->mariadb && is_type(c, "timestamp") && !c->nullable)
        note_fault(m, c->name, "takes NULL for the present time");
    if (is_type(c, "bit"))
        note_fault(m, c->name, "is BIT, which takes digits for characters");
}

static void check_column(const struct look *look, size_t i, const struct catalog_column *c)
{
    struct mend *m = look->mend;

    if (c->generated) {
        note_fault(m, c->name, "is generated");
        buf_add_text(&m->clause, "DROP COLUMN ");
        sql_put_name(&m->clause, c->name);
        buf_add_text(&m->clause, ", ADD COLUMN ");
        ddl_column(look->p, i, look->mariadb, &m->clause);
    } else {
        check_identity(look, i, c);
        check_values(look, c);
        if (m->why.len > 0)
            put_modify(look, i, c);
    }
    if (m->why.len > 0)
        mend_add(m);
}

static void miss_column(const struct look *look, size_t i)
{
    struct mend *m = look->mend;

    bool first = m->code == 0;

    buf_printf(&m->why, "%s%s", first ? "no column " : "", look->p->columns[i].name);
    if (!first)
        m->between = ", ";
    buf_add_text(&m->clause, "ADD COLUMN ");
    ddl_column(look->p, i, look->mariadb, &m->clause);
    m->code = 1054;
    mend_add(m);
}

static void check_unfilled(const struct look *look, const struct catalog_column *c)
{
    struct mend *m = look->mend;

    if (!shape_is_unfilled(look->p, c))
        return;
    buf_printf(&m->why, "column %s is NOT NULL without a default, and the pipeline does not fill it",
               c->name);
    buf_add_text(&m->clause, "MODIFY ");
    sql_put_name(&m->clause, c->name);
    buf_printf(&m->clause, " %s", c->type);
    if (c->charset != NULL)
        buf_printf(&m->clause, " CHARACTER SET %s COLLATE %s", c->charset, c->collation);
    buf_add_text(&m->clause, " NULL");
    put_comment(c, &m->clause);
    mend_add(m);
}

/* ------------------------------------------------------------------ shape */

static enum text_form text_form(const struct catalog_column *c)
{
    if (c->charset == NULL)
        return TEXT_BINARY;
    return is_type(c, "varchar") ? TEXT_VARCHAR : is_type(c, "char") ? TEXT_CHAR : TEXT_LONG;
}

/* 2 is the second member of ENUM('a','b'), unless a member has that name. */
static bool takes_positions(const struct catalog_column *c)
{
    if (!is_type(c, "enum") && !is_type(c, "set"))
        return false;
    for (const char *member = strchr(c->type, '\''); member != NULL; member = strchr(member + 1, '\''))
        if (member[1] >= '0' && member[1] <= '9')
            return false;
    return true;
}

static void fill_column(const struct catalog_column *c, struct table_column *ret)
{
    *ret = (struct table_column){
        .kind = table_column_kind(c->data_type),
        .form = text_form(c),
        .length = c->length,
        .scale = c->scale,
        .nullable = c->nullable,
        .positions = takes_positions(c),
    };
}

void shape_check_columns(const struct look *look, struct table_column *columns)
{
    for (size_t i = 0; i < look->p->column_count; i++)
        if (find_column(look, i) == NULL)
            miss_column(look, i);
    for (size_t i = 0; i < look->p->column_count; i++) {
        const struct catalog_column *c = find_column(look, i);
        if (c == NULL)
            continue;
        fill_column(c, &columns[i]);
        check_column(look, i, c);
    }
    for (size_t i = 0; i < look->catalog->column_count; i++)
        check_unfilled(look, &look->catalog->columns[i]);
}
