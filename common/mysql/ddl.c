#include "common/mysql/ddl.h"

#include <string.h>
#include <strings.h>

#include "common/base/buf.h"
#include "common/base/utf8.h"
#include "common/mysql/sql.h"

const char *ddl_collation(bool mariadb)
{
    return mariadb ? "utf8mb4_nopad_bin" : "utf8mb4_0900_bin";
}

static bool is_key(const struct pipeline *p, const char *name)
{
    for (size_t i = 0; i < p->key.count; i++)
        if (strcmp(p->key.names[i], name) == 0)
            return true;
    return false;
}

static bool ends_with(const char *name, const char *tail)
{
    size_t len = strlen(name);
    size_t tail_len = strlen(tail);

    return len >= tail_len && strcasecmp(name + len - tail_len, tail) == 0;
}

/* Is this free text without a limit? VARCHAR would reject a document for a long remark. */
static bool is_long_text(const char *name)
{
    static const char *const tails[] = {"remark",  "labels",  "memo",       "note",
                                        "message", "address", "description"};

    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++)
        if (ends_with(name, tails[i]))
            return true;
    return false;
}

static bool is_time(const char *name)
{
    static const char *const tails[] = {"modified", "_date", "_time", "created", "archived"};

    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++)
        if (ends_with(name, tails[i]))
            return true;
    return false;
}

/* MySQL allows 65,535 bytes a row: with more columns, VARCHAR(255) for each could exceed that. */
enum { VARCHAR_COLUMNS_MAX = 50 };

static const char *type_of(const struct pipeline *p, const struct column *c)
{
    switch (c->type) {
    case VALUE_INT:
        return "BIGINT";
    case VALUE_FLOAT:
        return "DECIMAL(24,6)";
    case VALUE_STRING:
        break;
    }
    if (is_time(c->name))
        return "DATETIME";
    return is_long_text(c->name) || p->column_count > VARCHAR_COLUMNS_MAX ? "TEXT" : "VARCHAR(255)";
}

enum { COLUMN_COMMENT_MAX = 1024, TABLE_COMMENT_MAX = 2048 /* characters */ };

enum { NUMBER_BYTES = 12, VARCHAR_MAX = 255 };

size_t ddl_key_width(const struct pipeline *p)
{
    size_t texts = 0;

    for (size_t i = 0; i < p->key.count; i++)
        texts += p->columns[pipeline_column(p, p->key.names[i])].type == VALUE_STRING;
    if (texts == 0)
        return VARCHAR_MAX;
    size_t width = (INDEX_BYTES - (p->key.count - texts) * NUMBER_BYTES) / texts / CHARACTER_BYTES;
    return width < VARCHAR_MAX ? width : VARCHAR_MAX;
}

static void put_comment(struct buf *out, const char *label, size_t max_chars)
{
    if (label == NULL || *label == '\0')
        return;
    buf_add_text(out, " COMMENT ");
    sql_put_text(out, label, utf8_first(label, strlen(label), max_chars));
}

static void put_type(const struct pipeline *p, size_t index, bool mariadb, bool alter, struct buf *out)
{
    const struct column *c = &p->columns[index];
    bool key = is_key(p, c->name);

    if (c->type == VALUE_STRING && (key || pipeline_is_document(p, index)))
        buf_printf(out, "VARCHAR(%zu) CHARACTER SET utf8mb4 COLLATE %s", key ? ddl_key_width(p) : VARCHAR_MAX,
                   ddl_collation(mariadb));
    else
        buf_printf(out, "%s%s", type_of(p, c),
                   alter && c->type == VALUE_STRING && !is_time(c->name) ? " CHARACTER SET utf8mb4" : "");
    buf_add_text(out, key ? " NOT NULL" : " NULL");
}

static void put_column(const struct pipeline *p, size_t index, bool mariadb, bool alter, struct buf *out)
{
    sql_put_name(out, p->columns[index].name);
    buf_add_char(out, ' ');
    put_type(p, index, mariadb, alter, out);
    put_comment(out, p->columns[index].label, COLUMN_COMMENT_MAX);
}

void ddl_type(const struct pipeline *p, size_t index, bool mariadb, struct buf *out)
{
    put_type(p, index, mariadb, true, out);
}

void ddl_column(const struct pipeline *p, size_t index, bool mariadb, struct buf *out)
{
    put_column(p, index, mariadb, true, out);
}

/* In any order; without columns of the document there is none to begin with. */
static bool key_begins_with_document(const struct pipeline *p)
{
    if (p->key.count < p->document_column_count)
        return false;
    for (size_t i = 0; i < p->document_column_count; i++)
        if (!pipeline_is_document(p, pipeline_column(p, p->key.names[i])))
            return false;
    return true;
}

static void put_document_index(const struct pipeline *p, struct buf *out)
{
    buf_add_text(out, ",\n  KEY ");
    sql_put_name(out, "jst_document");
    for (size_t i = 0; i < p->document_column_count; i++) {
        buf_add_text(out, i > 0 ? "," : " (");
        sql_put_name(out, p->columns[p->document_columns[i]].name);
    }
    buf_add_char(out, ')');
}

void ddl_target(const struct pipeline *p, bool mariadb, struct buf *out)
{
    buf_add_text(out, "CREATE TABLE IF NOT EXISTS ");
    sql_put_table(out, p->table);
    buf_add_text(out, " (\n");
    for (size_t i = 0; i < p->column_count; i++) {
        buf_add_text(out, "  ");
        put_column(p, i, mariadb, false, out);
        buf_add_text(out, ",\n");
    }
    buf_add_text(out, "  PRIMARY KEY (");
    sql_put_names(out, (const char *const *)p->key.names, p->key.count);
    buf_add_char(out, ')');
    if (!key_begins_with_document(p))
        put_document_index(p, out);
    buf_add_text(out, "\n) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4");
    put_comment(out, p->title, TABLE_COMMENT_MAX);
}
