#include "loader/bad_documents.h"

#include <stdlib.h>
#include <string.h>

#include "common/mysql/errors.h"

static const struct row *rejected_row(const struct batch *b, const struct document *d)
{
    for (size_t i = 0; i < d->row_count; i++)
        if (b->rows[d->first_row + i].rejected)
            return &b->rows[d->first_row + i];
    return NULL;
}

bool bad_document(const struct batch *b, const struct document *d)
{
    return d->state == DOCUMENT_BROKEN ||
           (d->state == DOCUMENT_WANTED && !d->lost && rejected_row(b, d) != NULL);
}

size_t bad_documents_count(const struct batch *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->document_count; i++)
        n += bad_document(b, &b->documents[i]);
    return n;
}

/* One that could not be read may have no id: then its text says which one it is. */
static void feed_bad(const struct document *d, struct flood *f)
{
    const char *version = record_header(&d->record, H_VERSION);

    if (d->id != NULL)
        flood_add_bad(f, flood_document(d->id, strlen(d->id), version != NULL ? version : ""));
    else
        flood_add_bad(f, flood_document(d->record.value, d->record.value_len, ""));
}

static void feed_one(const struct batch *b, const struct document *d, struct flood *f)
{
    if (bad_document(b, d))
        feed_bad(d, f);
    else
        flood_add(f, 1, 0);
}

void bad_documents_feed(const struct batch *b, struct flood *f)
{
    for (size_t i = 0; i < b->document_count; i++)
        feed_one(b, &b->documents[i], f);
}

bool bad_documents_flood(const struct batch *b, const struct flood *f, int64_t limit)
{
    if (limit >= FLOOD_NEVER || bad_documents_count(b) == 0)
        return false;
    struct flood then = *f;
    bool run = false;

    for (size_t i = 0; i < b->document_count; i++) {
        feed_one(b, &b->documents[i], &then);
        run = run || flood_run(&then) >= FLOOD_RUN;
    }
    return run || flood_reached(&then, limit);
}

/* "Data too long for column 'note' at row 1": the column's index; SIZE_MAX: none is named. */
static size_t named_column(const struct batch *b, const char *text)
{
    static const char mark[] = "olumn '";
    const char *at = strstr(text, mark);

    if (at == NULL)
        return SIZE_MAX;
    at += sizeof mark - 1;
    size_t len = strcspn(at, "'");
    for (size_t i = 0; i < b->pipeline->column_count; i++) {
        const char *name = b->pipeline->columns[i].name;
        if (strlen(name) == len && strncmp(name, at, len) == 0)
            return i;
    }
    return SIZE_MAX;
}

/* The server's own text may quote other values than the one that is named, and longer: its name is enough. */
static void describe_row(const struct batch *b, const struct document *d, const struct row *row,
                         struct flood_first *ret)
{
    char brief[DB_BRIEF_MAX];
    const char *why = row->why != NULL ? row->why : "";
    size_t column = named_column(b, why);
    size_t len = 0;
    const char *value = column != SIZE_MAX ? batch_cell(b, row, column, &len) : NULL;

    flood_first_set(ret, d->id, column != SIZE_MAX ? b->pipeline->columns[column].name : NULL, value,
                    value != NULL ? len : 0,
                    row->code > 0 ? db_error_brief(row->code, brief, sizeof brief) : why);
}

void bad_documents_first(const struct batch *b, struct flood_first *ret)
{
    for (size_t i = 0; i < b->document_count; i++) {
        const struct document *d = &b->documents[i];
        if (!bad_document(b, d))
            continue;
        const struct row *row = rejected_row(b, d);
        if (row != NULL)
            describe_row(b, d, row, ret);
        else
            flood_first_set(ret, d->id, NULL, NULL, 0, d->why);
        return;
    }
}
