#include "tests/unit/twins/fake_data.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"

static char *copy_text(const char *text)
{
    return text != NULL ? mem_strdup(text) : NULL;
}

static void free_row(struct fake_row *row)
{
    free(row->table);
    for (size_t i = 0; i < FAKE_COLUMNS_MAX; i++)
        free(row->cells[i]);
}

static void free_head(struct fake_head *h)
{
    free(h->pipeline);
    free(h->document);
    free(h->source);
}

static void free_mark(struct fake_mark *m)
{
    free(m->pipeline);
    free(m->topic);
    free(m->target);
}

void fake_data_free(struct fake_data *d)
{
    for (size_t i = 0; i < d->row_count; i++)
        free_row(&d->rows[i]);
    for (size_t i = 0; i < d->head_count; i++)
        free_head(&d->heads[i]);
    for (size_t i = 0; i < d->mark_count; i++)
        free_mark(&d->marks[i]);
    free(d->rows);
    free(d->heads);
    free(d->marks);
    *d = (struct fake_data){0};
}

/* ------------------------------------------------------------------ rows */

static bool is_same_text(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool has_key(const struct fake_row *row, const struct pipeline *p, const char *const *cells)
{
    bool same = strcmp(row->table, p->table) == 0;

    for (size_t k = 0; k < p->key.count && same; k++) {
        size_t column = pipeline_column(p, p->key.names[k]);
        same = is_same_text(row->cells[column], cells[column]);
    }
    return same;
}

size_t fake_data_find_row(const struct fake_data *d, const struct pipeline *p, const char *const *cells)
{
    for (size_t i = 0; i < d->row_count; i++)
        if (has_key(&d->rows[i], p, cells))
            return i;
    return SIZE_MAX;
}

static void add_row(struct fake_data *d, const char *table, const char *const *cells, size_t count)
{
    d->rows = mem_grow(d->rows, &d->row_cap, d->row_count, sizeof *d->rows);
    struct fake_row *row = &d->rows[d->row_count++];
    *row = (struct fake_row){.table = mem_strdup(table)};
    for (size_t i = 0; i < count; i++)
        row->cells[i] = copy_text(cells[i]);
}

void fake_data_drop_row(struct fake_data *d, size_t i)
{
    free_row(&d->rows[i]);
    d->rows[i] = d->rows[--d->row_count];
}

static void update_row(struct fake_row *row, const struct pipeline *p, const char *const *cells)
{
    for (size_t i = 0; i < p->updated_count; i++) {
        size_t column = p->updated[i];
        char *new = copy_text(cells[column]);
        free(row->cells[column]);
        row->cells[column] = new;
    }
}

bool fake_data_put_row(struct fake_data *d, const struct pipeline *p, const char *const *cells)
{
    size_t old = fake_data_find_row(d, p, cells);

    if (old != SIZE_MAX && p->insert) {
        update_row(&d->rows[old], p, cells);
        return true;
    }
    if (old != SIZE_MAX)
        fake_data_drop_row(d, old);
    add_row(d, p->table, cells, p->column_count);
    return old != SIZE_MAX;
}

void fake_data_empty_table(struct fake_data *d, const char *table)
{
    for (size_t i = d->row_count; i-- > 0;)
        if (strcmp(d->rows[i].table, table) == 0)
            fake_data_drop_row(d, i);
}

/* ------------------------------------------------------------------ heads and marks */

struct fake_head *fake_data_head(const struct fake_data *d, const char *pipeline, const char *document)
{
    for (size_t i = 0; i < d->head_count; i++)
        if (strcmp(d->heads[i].document, document) == 0 && strcmp(d->heads[i].pipeline, pipeline) == 0)
            return &d->heads[i];
    return NULL;
}

static struct fake_head copy_head(const struct fake_head *head)
{
    struct fake_head copy = *head;

    copy.pipeline = mem_strdup(head->pipeline);
    copy.document = mem_strdup(head->document);
    copy.source = copy_text(head->source);
    return copy;
}

static void add_head(struct fake_data *d, const struct fake_head *head)
{
    d->heads = mem_grow(d->heads, &d->head_cap, d->head_count, sizeof *d->heads);
    d->heads[d->head_count++] = copy_head(head);
}

void fake_data_put_head(struct fake_data *d, const struct fake_head *head)
{
    struct fake_head *old = fake_data_head(d, head->pipeline, head->document);

    if (old == NULL) {
        add_head(d, head);
        return;
    }
    struct fake_head copy = copy_head(head);
    free_head(old);
    *old = copy;
}

struct fake_mark *fake_data_mark(const struct fake_data *d, const char *pipeline, const char *topic,
                                 int32_t partition)
{
    for (size_t i = 0; i < d->mark_count; i++)
        if (d->marks[i].partition == partition && strcmp(d->marks[i].topic, topic) == 0 &&
            strcmp(d->marks[i].pipeline, pipeline) == 0)
            return &d->marks[i];
    return NULL;
}

void fake_data_put_mark(struct fake_data *d, const struct fake_mark *mark)
{
    struct fake_mark copy = *mark;
    struct fake_mark *old = fake_data_mark(d, mark->pipeline, mark->topic, mark->partition);

    copy.pipeline = mem_strdup(mark->pipeline);
    copy.topic = mem_strdup(mark->topic);
    copy.target = mem_strdup(mark->target);
    if (old != NULL) {
        free_mark(old);
        *old = copy;
        return;
    }
    d->marks = mem_grow(d->marks, &d->mark_cap, d->mark_count, sizeof *d->marks);
    d->marks[d->mark_count++] = copy;
}

void fake_data_drop_mark(struct fake_data *d, const char *pipeline, const char *topic, int32_t partition)
{
    struct fake_mark *m = fake_data_mark(d, pipeline, topic, partition);

    if (m == NULL)
        return;
    free_mark(m);
    *m = d->marks[--d->mark_count];
}

/* ------------------------------------------------------------------ all of it */

void fake_data_copy(struct fake_data *to, const struct fake_data *from)
{
    fake_data_free(to);
    for (size_t i = 0; i < from->row_count; i++)
        add_row(to, from->rows[i].table, (const char *const *)from->rows[i].cells, FAKE_COLUMNS_MAX);
    for (size_t i = 0; i < from->head_count; i++)
        add_head(to, &from->heads[i]);
    for (size_t i = 0; i < from->mark_count; i++)
        fake_data_put_mark(to, &from->marks[i]);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *row_line(const struct fake_row *row, size_t columns)
{
    struct buf line;

    buf_init(&line, 1024 * 1024);
    for (size_t c = 0; c < columns; c++) {
        buf_add_text(&line, c > 0 ? "|" : "");
        buf_add_text(&line, row->cells[c] != NULL ? row->cells[c] : "~");
    }
    return buf_take(&line, NULL);
}

void fake_data_dump(const struct fake_data *d, const char *table, size_t columns, struct buf *out)
{
    char **lines = mem_alloc((d->row_count + 1) * sizeof *lines);
    size_t count = 0;

    for (size_t i = 0; i < d->row_count; i++)
        if (strcmp(d->rows[i].table, table) == 0)
            lines[count++] = row_line(&d->rows[i], columns);
    qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0; i < count; i++) {
        buf_add_text(out, lines[i]);
        buf_add_char(out, '\n');
        free(lines[i]);
    }
    free(lines);
    buf_add_text(out, "");
}
