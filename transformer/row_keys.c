#include "transformer/row_keys.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/pipeline/pipeline.h"
#include "transformer/row.h"

struct row_keys {
    const struct pipeline *p;
    size_t *columns; /* of the key, as indexes */
    size_t column_cap;
    struct written *cells; /* the key's cells, row by row */
    size_t cell_count, cell_cap;
    struct hash_table rows; /* row numbers from 0, by their key */
    size_t row_count;
};

struct row_keys *row_keys_new(void)
{
    return mem_zalloc(1, sizeof(struct row_keys));
}

void row_keys_free(struct row_keys *k)
{
    if (k == NULL)
        return;
    free(k->columns);
    free(k->cells);
    hash_free(&k->rows);
    free(k);
}

void row_keys_begin(struct row_keys *k, const struct pipeline *p, size_t rows)
{
    k->p = p;
    for (size_t i = 0; i < p->key.count; i++) {
        k->columns = mem_grow(k->columns, &k->column_cap, i, sizeof *k->columns);
        k->columns[i] = pipeline_column(p, p->key.names[i]);
    }
    k->cell_count = 0;
    k->row_count = 0;
    hash_begin(&k->rows, rows);
}

/* A text ends with its quote, and a number with a digit. */
static bool is_null(const struct buf *rows, struct written cell)
{
    return cell.len > 0 && rows->data[cell.at + cell.len - 1] == 'l';
}

static bool same_key(const struct row_keys *k, const struct buf *rows, size_t a, size_t b)
{
    const struct written *x = &k->cells[a * k->p->key.count];
    const struct written *y = &k->cells[b * k->p->key.count];

    for (size_t i = 0; i < k->p->key.count; i++)
        if (x[i].len != y[i].len || memcmp(rows->data + x[i].at, rows->data + y[i].at, x[i].len) != 0)
            return false;
    return true;
}

/* Keep the places of the row's key cells. *ret_hash is that of their text; false: one is null. */
static bool keep_key(struct row_keys *k, const struct row_writer *w, const struct buf *rows,
                     uint64_t *ret_hash)
{
    bool whole = true;

    *ret_hash = 0;
    for (size_t i = 0; i < k->p->key.count; i++) {
        struct written cell = row_cell(w, k->columns[i]);
        k->cells = mem_grow(k->cells, &k->cell_cap, k->cell_count, sizeof *k->cells);
        k->cells[k->cell_count++] = cell;
        *ret_hash = hash_bytes(*ret_hash, rows->data + cell.at, cell.len);
        whole = whole && !is_null(rows, cell);
    }
    return whole;
}

size_t row_keys_add(struct row_keys *k, const struct row_writer *w, const struct buf *rows)
{
    size_t row = k->row_count++;
    uint64_t hash;
    uintptr_t other;

    if (!keep_key(k, w, rows, &hash))
        return 0;
    struct hash_probe probe = hash_probe(&k->rows, hash);
    while (hash_next(&k->rows, &probe, &other))
        if (same_key(k, rows, (size_t)other, row))
            return (size_t)other + 1;
    hash_put(&k->rows, &probe, row);
    return 0;
}
