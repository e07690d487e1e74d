#include "tests/unit/twins/fake_data.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

static char *copy(const char *text)
{
    return text != NULL ? mem_strdup(text) : NULL;
}

static void row_free(struct fake_row *row)
{
    for (size_t i = 0; i < FAKE_COLUMNS_MAX; i++)
        free(row->cells[i]);
}

void fake_data_free(struct fake_data *d)
{
    for (size_t i = 0; i < d->row_count; i++)
        row_free(&d->rows[i]);
    for (size_t i = 0; i < d->head_count; i++) {
        free(d->heads[i].document);
        free(d->heads[i].pipeline);
    }
    free(d->rows);
    free(d->heads);
    *d = (struct fake_data){0};
}

void fake_data_add_row(struct fake_data *d, const char *const *cells, size_t count)
{
    d->rows = mem_grow(d->rows, &d->row_cap, d->row_count, sizeof *d->rows);
    struct fake_row *row = &d->rows[d->row_count++];
    *row = (struct fake_row){0};
    for (size_t i = 0; i < count; i++)
        row->cells[i] = copy(cells[i]);
}

void fake_data_drop_row(struct fake_data *d, size_t i)
{
    row_free(&d->rows[i]);
    d->rows[i] = d->rows[--d->row_count];
}

struct fake_head *fake_data_head(const struct fake_data *d, const char *pipeline, const char *document)
{
    for (size_t i = 0; i < d->head_count; i++)
        if (strcmp(d->heads[i].document, document) == 0 && strcmp(d->heads[i].pipeline, pipeline) == 0)
            return &d->heads[i];
    return NULL;
}

void fake_data_add_head(struct fake_data *d, const struct fake_head *head)
{
    d->heads = mem_grow(d->heads, &d->head_cap, d->head_count, sizeof *d->heads);
    d->heads[d->head_count] = *head;
    d->heads[d->head_count].pipeline = mem_strdup(head->pipeline);
    d->heads[d->head_count++].document = mem_strdup(head->document);
}

void fake_data_copy(struct fake_data *to, const struct fake_data *from)
{
    fake_data_free(to);
    for (size_t i = 0; i < from->row_count; i++)
        fake_data_add_row(to, (const char *const *)from->rows[i].cells, FAKE_COLUMNS_MAX);
    for (size_t i = 0; i < from->head_count; i++)
        fake_data_add_head(to, &from->heads[i]);
}
