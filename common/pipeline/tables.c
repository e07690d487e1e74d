#include "common/pipeline/tables.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pipeline/pipeline.h"

/* ---- table_of ---- */

/* The pipeline to which the table belongs. */
static const char *owner_of(const struct pipeline *p)
{
    return p->heads_name;
}

static bool same_columns(const struct pipeline *a, const struct pipeline *b)
{
    bool same = a->column_count == b->column_count;

    for (size_t i = 0; same && i < a->column_count; i++)
        same = strcasecmp(a->columns[i].name, b->columns[i].name) == 0;
    return same;
}

static bool same_names(const struct name_list *a, const struct name_list *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++)
        same = strcasecmp(a->names[i], b->names[i]) == 0;
    return same;
}

static bool same_documents(const struct pipeline *a, const struct pipeline *b)
{
    bool same = a->document_column_count == b->document_column_count;

    for (size_t i = 0; same && i < a->document_column_count; i++)
        same = a->document_columns[i] == b->document_columns[i];
    return same;
}

/* What two pipelines of one table must have in common and have not; NULL: nothing. */
static const char *what_disagrees(const struct pipeline *a, const struct pipeline *b)
{
    if (strcasecmp(a->table, b->table) != 0)
        return "main_sql names another table";
    if (!same_columns(a, b))
        return "target.request names other columns, or in another order";
    if (!same_names(&a->key, &b->key))
        return "options.key is another one";
    if (a->write != b->write)
        return "options.write is another one";
    if (!same_documents(a, b))
        return "the document's id stands in another column";
    return NULL;
}

static void unknown_owner(const struct pipelines *pipelines, const struct pipeline *p, struct faults *faults)
{
    const char **names = mem_zalloc(pipelines->count + 1, sizeof *names);

    for (size_t i = 0; i < pipelines->count; i++)
        names[i] = pipelines->list[i]->name;
    const char *nearest = nearest_name(p->table_of, names, pipelines->count);
    fault_add(faults, FAULT_ERROR, p->table_of_place, "no pipeline is named \"%s\", or it has faults%s%s%s",
              p->table_of, nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
              nearest != NULL ? "\"?" : "");
    free(names);
}

static void check_table_of(const struct pipelines *pipelines, const struct pipeline *p, struct faults *faults)
{
    const struct pipeline *owner = pipelines_find(pipelines, p->table_of);

    if (owner == NULL) {
        unknown_owner(pipelines, p, faults);
        return;
    }
    if (owner == p || owner->table_of != NULL) {
        fault_add(faults, FAULT_ERROR, p->table_of_place,
                  "%s: the name of another pipeline is expected, whose table is its own", p->table_of);
        return;
    }
    const char *what = what_disagrees(p, owner);
    if (what != NULL)
        fault_add(faults, FAULT_ERROR, p->table_of_place, "the table cannot be that of %s (%s): %s here",
                  owner->name, owner->file, what);
}

/* ---- one table, one pipeline ---- */

enum sameness { TABLES_DIFFER, TABLES_MAY_BE_ONE, TABLES_ARE_ONE };

/* The name behind the dot. *ret_db: what is before it, ret_len bytes; without a dot the database, or NULL. */
static const char *split_table(const char *table, const char *database, const char **ret_db, size_t *ret_len)
{
    const char *dot = strchr(table, '.');

    *ret_db = dot != NULL ? table : database;
    *ret_len = dot != NULL ? (size_t)(dot - table) : database != NULL ? strlen(database) : 0;
    return dot != NULL ? dot + 1 : table;
}

static enum sameness compare_tables(const char *a, const char *b, const char *database)
{
    const char *db_a, *db_b;
    size_t len_a, len_b;

    if (strcasecmp(split_table(a, database, &db_a, &len_a), split_table(b, database, &db_b, &len_b)) != 0)
        return TABLES_DIFFER;
    if (db_a == NULL && db_b == NULL)
        return TABLES_ARE_ONE;
    if (db_a == NULL || db_b == NULL)
        return TABLES_MAY_BE_ONE;
    return len_a == len_b && strncasecmp(db_a, db_b, len_a) == 0 ? TABLES_ARE_ONE : TABLES_DIFFER;
}

/* Compare with the pipelines before it; one fault is enough. */
static void check_owner(const struct pipelines *pipelines, size_t at, const char *database,
                        struct faults *faults)
{
    const struct pipeline *p = pipelines->list[at];

    for (size_t i = 0; i < at; i++) {
        const struct pipeline *other = pipelines->list[i];
        enum sameness same = compare_tables(p->table, other->table, database);
        if (same == TABLES_DIFFER || strcmp(owner_of(p), owner_of(other)) == 0)
            continue;
        if (same == TABLES_ARE_ONE)
            fault_add(
                faults, FAULT_ERROR, p->table_place,
                "the table %s is that of pipeline %s (%s) too: each would delete and overwrite the rows "
                "of the other",
                p->table, other->name, other->file);
        else
            fault_add(faults, FAULT_WARNING, p->table_place,
                      "the table %s may be %s of pipeline %s (%s), if that is the loader's --mysql-database: "
                      "then it is an error",
                      p->table, other->table, other->name, other->file);
        return;
    }
}

void pipelines_check_tables(const struct pipelines *pipelines, const char *database, struct faults *faults)
{
    for (size_t i = 0; i < pipelines->count; i++) {
        if (pipelines->list[i]->table_of != NULL)
            check_table_of(pipelines, pipelines->list[i], faults);
        check_owner(pipelines, i, database, faults);
    }
}
