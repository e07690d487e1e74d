#include "loader/prune.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/fault_point.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "loader/transaction.h"

/* The good rows by their keys. */
struct wanted {
    const struct transaction *t;
    size_t *columns; /* of the key */
    size_t column_count;
    struct hash_table rows;
};

static const char *key_part(const struct wanted *w, const struct row *row, size_t k, size_t *ret_len)
{
    return batch_cell(w->t->batch, row, w->columns[k], ret_len);
}

static uint64_t hash_row(const struct wanted *w, const struct row *row)
{
    uint64_t hash = 0;

    for (size_t k = 0; k < w->column_count; k++) {
        size_t len;
        const char *text = key_part(w, row, k, &len);
        hash = hash_bytes(hash, text, text != NULL ? len : 0);
    }
    return hash;
}

static uint64_t hash_stored(const struct wanted *w, char *const *stored)
{
    uint64_t hash = 0;

    for (size_t k = 0; k < w->column_count; k++)
        hash = hash_bytes(hash, stored[k], strlen(stored[k]));
    return hash;
}

static bool is_same_key(const struct wanted *w, const struct row *row, char *const *stored)
{
    for (size_t k = 0; k < w->column_count; k++) {
        size_t len;
        const char *text = key_part(w, row, k, &len);
        if (text == NULL || len != strlen(stored[k]) || memcmp(text, stored[k], len) != 0)
            return false;
    }
    return true;
}

static void collect_wanted(struct wanted *w)
{
    const struct transaction *t = w->t;

    w->column_count = t->p->key.count;
    w->columns = mem_alloc(w->column_count * sizeof *w->columns);
    for (size_t k = 0; k < w->column_count; k++)
        w->columns[k] = pipeline_column(t->p, t->p->key.names[k]);
    hash_begin(&w->rows, t->good_count);
    for (size_t i = 0; i < t->good_count; i++) {
        struct hash_probe probe = hash_probe(&w->rows, hash_row(w, t->good[i]));
        uintptr_t other;
        while (hash_next(&w->rows, &probe, &other))
            ; /* rows of one hash stand one after the other */
        hash_put(&w->rows, &probe, i);
    }
}

static bool is_wanted(const struct wanted *w, char *const *stored)
{
    struct hash_probe probe = hash_probe(&w->rows, hash_stored(w, stored));
    uintptr_t i;

    while (hash_next(&w->rows, &probe, &i))
        if (is_same_key(w, w->t->good[i], stored))
            return true;
    return false;
}

static bool has_null(const struct wanted *w, char *const *stored)
{
    for (size_t k = 0; k < w->column_count; k++)
        if (stored[k] == NULL)
            return true;
    return false;
}

/* Move the stored rows that are not wanted to the front. Returns their number. A key that is NULL is left
 * alone: no statement would find just that row. */
static size_t select_unwanted(struct transaction *t, struct stored_keys *stored)
{
    struct wanted wanted = {.t = t};
    size_t unwanted = 0;

    collect_wanted(&wanted);
    for (size_t i = 0; i < stored->count; i++) {
        if (has_null(&wanted, stored->rows[i]))
            continue;
        if (is_wanted(&wanted, stored->rows[i])) {
            t->kept++;
            continue;
        }
        char **swap = stored->rows[unwanted];
        stored->rows[unwanted++] = stored->rows[i];
        stored->rows[i] = swap;
    }
    hash_free(&wanted.rows);
    free(wanted.columns);
    return unwanted;
}

static int delete_unwanted(struct transaction *t, struct stored_keys *stored, struct err *err)
{
    uint64_t deleted = 0;
    size_t unwanted = stored->count > 0 ? select_unwanted(t, stored) : 0;

    if (unwanted == 0)
        return 0;
    int rc = t->store->ops->delete_keys(t->store, t->table, stored->rows, unwanted, &deleted, err);
    t->pruned += deleted;
    FAULT_POINT("stored-rows-deleted");
    return rc;
}

int prune_stored_rows(struct transaction *t, struct err *err)
{
    struct stored_keys stored = {0};
    const char **documents = mem_alloc((t->count + 1) * sizeof *documents);
    size_t count = 0;

    for (size_t i = 0; i < t->count; i++)
        if (!t->lost[i])
            documents[count++] = transaction_document(t, i)->id;
    int rc = count > 0 ? t->store->ops->stored_keys(t->store, t->table, documents, count, &stored, err) : 0;
    free(documents);
    if (rc != 0)
        return -1;
    FAULT_POINT("stored-keys-read");
    rc = delete_unwanted(t, &stored, err);
    t->store->ops->free_keys(t->store, &stored);
    return rc;
}
