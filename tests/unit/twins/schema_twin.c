#include "tests/unit/twins/schema_twin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mysql/shape.h"

void schema_add_row(struct db_result *r, const char *const *cells, size_t columns)
{
    unsigned long lengths[16] = {0};

    r->columns = columns;
    for (size_t i = 0; i < columns; i++)
        lengths[i] = cells[i] != NULL ? strlen(cells[i]) : 0;
    if (db_result_add(r, cells, lengths) != 0)
        abort();
}

static const char *or_else(const char *text, const char *fallback)
{
    return text != NULL ? text : fallback;
}

static void answer_tables(const struct schema_table *t, struct db_result *ret)
{
    schema_add_row(
        ret,
        (const char *const[]){"here", t->name, or_else(t->type, "BASE TABLE"), or_else(t->engine, "InnoDB")},
        4);
}

static void answer_columns(const struct schema_table *t, struct db_result *ret)
{
    for (size_t i = 0; i < t->column_count; i++) {
        const struct schema_column *c = &t->columns[i];
        const char *length = table_column_kind(c->type) == COLUMN_TEXT ? "64" : NULL;
        char charset[32];
        snprintf(charset, sizeof charset, "%.*s", c->collation != NULL ? (int)strcspn(c->collation, "_") : 0,
                 or_else(c->collation, ""));
        schema_add_row(ret,
                       (const char *const[]){
                           c->name, c->type, or_else(c->full_type, c->type), or_else(c->nullable, "YES"),
                           c->fallback, or_else(c->extra, ""), or_else(c->expression, ""),
                           c->collation != NULL ? charset : NULL, c->collation, or_else(c->length, length),
                           c->scale, NULL, or_else(c->comment, "")},
                       13);
    }
}

static void answer_indexes(const struct schema_table *t, struct db_result *ret)
{
    for (size_t i = 0; i < t->index_count; i++) {
        const struct schema_index *x = &t->indexes[i];
        schema_add_row(
            ret,
            (const char *const[]){x->name, x->non_unique, x->column, x->prefix, or_else(x->type, "BTREE")},
            5);
    }
}

bool schema_answer(const struct schema_table *tables, size_t count, const char *sql, struct db_result *ret)
{
    const char *from = strstr(sql, " FROM information_schema.");

    if (from == NULL)
        return false;
    from += strlen(" FROM information_schema.");
    for (size_t i = 0; i < count; i++) {
        char asked[200];
        const char *name = or_else(tables[i].name, "");
        const char *dot = strchr(name, '.');
        snprintf(asked, sizeof asked, " AND TABLE_NAME='%s'", dot != NULL ? dot + 1 : name);
        if (strstr(sql, asked) == NULL)
            continue;
        if (strncmp(from, "TABLES ", 7) == 0)
            answer_tables(&tables[i], ret);
        else if (strncmp(from, "COLUMNS ", 8) == 0)
            answer_columns(&tables[i], ret);
        else if (strncmp(from, "STATISTICS ", 11) == 0)
            answer_indexes(&tables[i], ret);
    }
    return true;
}

static const char *collation_of(const char *type)
{
    return strchr(type, '@') != NULL           ? "utf8mb4_nopad_bin"
           : strstr(type, "ascii_bin") != NULL ? "ascii_bin"
                                               : NULL;
}

struct schema_table schema_of_own(const struct own_table *table, struct schema_room *room)
{
    *room = (struct schema_room){0};
    for (size_t i = 0; i < table->count; i++) {
        const struct own_column *c = &table->columns[i];
        const char *collation = collation_of(c->type);
        room->columns[i] = (struct schema_column){
            .name = c->name, .type = collation != NULL ? "varchar" : "bigint", .collation = collation};
    }
    for (size_t i = 0; i < table->key_count; i++)
        room->indexes[i] =
            (struct schema_index){.name = "PRIMARY", .non_unique = "0", .column = table->columns[i].name};
    return (struct schema_table){.name = table->name,
                                 .columns = room->columns,
                                 .column_count = table->count,
                                 .indexes = room->indexes,
                                 .index_count = table->key_count};
}

struct schema_table schema_of_pipeline(const struct pipeline *p, struct schema_room *room)
{
    size_t n = 0;

    *room = (struct schema_room){0};
    for (size_t i = 0; i < p->column_count; i++) {
        const struct column *c = &p->columns[i];
        room->columns[i] =
            (struct schema_column){.name = c->name,
                                   .type = c->type == VALUE_STRING ? "varchar"
                                           : c->type == VALUE_INT  ? "bigint"
                                                                   : "decimal",
                                   .collation = c->type == VALUE_STRING ? "utf8mb4_nopad_bin" : NULL,
                                   .scale = c->type == VALUE_FLOAT ? "6" : NULL};
    }
    for (size_t k = 0; k < p->key.count; k++) {
        struct schema_column *c = &room->columns[pipeline_column(p, p->key.names[k])];
        c->nullable = "NO";
        room->indexes[n++] = (struct schema_index){.name = "PRIMARY", .non_unique = "0", .column = c->name};
    }
    for (size_t i = 0; i < p->document_column_count; i++)
        room->indexes[n++] = (struct schema_index){
            .name = "jst_document", .non_unique = "1", .column = p->columns[p->document_columns[i]].name};
    return (struct schema_table){.name = p->table,
                                 .columns = room->columns,
                                 .column_count = p->column_count,
                                 .indexes = room->indexes,
                                 .index_count = n};
}
