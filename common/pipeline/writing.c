/* How rows are written: whole documents or row by row, what a row that is there keeps, whose table it is. */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pipeline/parse.h"

/* The column whose value is just this field of the document; SIZE_MAX: none. */
static size_t column_of_field(const struct pipeline *p, const char *field)
{
    for (size_t i = 0; i < p->column_count; i++) {
        const struct column *c = &p->columns[i];
        if (c->alone && !c->of_line && strcmp(c->parts[0].field.path, field) == 0)
            return i;
    }
    return SIZE_MAX;
}

static void settle_document_columns(struct reader *r)
{
    struct pipeline *p = r->p;

    if (p->column_count == 0 || p->write != WRITE_DOCUMENT || r->failed_column)
        return;
    if (p->document.count > DOCUMENT_FIELDS_MAX) {
        read_error_at(r, "options.document", "at most %d fields identify a document", DOCUMENT_FIELDS_MAX);
        return;
    }
    for (size_t i = 0; i < p->document.count; i++) {
        const char *name = p->document.names[i];
        size_t column = column_of_field(p, name);
        if (column == SIZE_MAX)
            read_error_at(
                r, "target.request",
                "no column holds the document's %s, by which its rows are found again: add "
                "{\"field\": \"%s\", \"type\": \"string\", \"value\": \"{%s}\"} here and %s to main_sql",
                p->document.count == 1 ? "id" : name, name, name, name);
        else
            p->document_columns[p->document_column_count++] = column;
    }
}

/* ---- what a row that is there keeps ---- */

/* MySQL takes names without regard to case. */
static bool list_has(const struct name_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcasecmp(list->names[i], name) == 0)
            return true;
    return false;
}

static bool updates_are_columns(struct reader *r)
{
    for (size_t i = 0; i < r->sql_updates.count; i++)
        if (!list_has(&r->sql_columns, r->sql_updates.names[i])) {
            read_error(r, &r->main_sql_at,
                       "ON DUPLICATE KEY UPDATE names %s, which is not one of the columns",
                       r->sql_updates.names[i]);
            return false;
        }
    return true;
}

static void warn_kept(struct reader *r, const struct name_list *kept)
{
    char *names = names_join(kept);

    read_warning(r, &r->main_sql_at,
                 "ON DUPLICATE KEY UPDATE leaves out %s: a row keeps there what came first, even if a newer "
                 "version of its document came before an older one",
                 names);
    free(names);
}

static void settle_updates(struct reader *r)
{
    struct pipeline *p = r->p;
    struct name_list kept = {0};

    if (!p->insert || !updates_are_columns(r))
        return;
    p->updated = mem_zalloc(p->column_count + 1, sizeof *p->updated);
    for (size_t i = 0; i < p->column_count; i++) {
        const char *name = p->columns[i].name;
        if (r->sql_updates.count == 0 || pipeline_is_document(p, i) || list_has(&r->sql_updates, name))
            p->updated[p->updated_count++] = i;
        else if (!list_has(&p->key, name))
            names_add(&kept, name, strlen(name));
    }
    if (kept.count > 0)
        warn_kept(r, &kept);
    names_free(&kept);
}

/* ---- */

static void warn_row_by_row(struct reader *r)
{
    if (r->p->write == WRITE_REPLACE)
        read_warning_at(r, "options.write",
                        "rows are written one by one as they come: an older version of a document may "
                        "overwrite a newer one, and lines that it no longer has stay");
}

void writing_finish(struct reader *r)
{
    settle_document_columns(r);
    settle_updates(r);
    warn_row_by_row(r);
    r->p->heads_name = r->p->table_of != NULL ? r->p->table_of : r->p->name;
}
