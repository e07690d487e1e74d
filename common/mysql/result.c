#include "common/mysql/result.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

/* The first chunk is small, since most answers are one row; the stored keys of ten thousand documents take a
 * dozen chunks, not one allocation a cell. */
enum { FIRST_CHUNK = 1024, LARGEST_CHUNK = 256 * 1024 };

struct db_result_chunk {
    struct db_result_chunk *next; /* the one before it */
    size_t size, used;
    max_align_t room[];
};

/* The bytes of one row: its pointers, then its cells; whole pointers, so that the next row is aligned. */
static size_t row_size(size_t columns, const char *const *cells, const unsigned long *lengths)
{
    size_t size = columns * sizeof(char *);

    for (size_t j = 0; j < columns; j++) {
        if (cells[j] == NULL)
            continue;
        if (lengths[j] >= DB_RESULT_MAX_BYTES)
            return SIZE_MAX;
        size += lengths[j] + 1;
    }
    return (size + sizeof(char *) - 1) / sizeof(char *) * sizeof(char *);
}

/* Room for a row in the newest chunk, or in one twice as large. */
static char **take_room(struct db_result *result, size_t size)
{
    struct db_result_chunk *chunk = result->chunks;

    if (chunk == NULL || chunk->size - chunk->used < size) {
        size_t want = chunk == NULL ? FIRST_CHUNK : chunk->size * 2;
        want = want > LARGEST_CHUNK ? LARGEST_CHUNK : want;
        want = want < size ? size : want;
        chunk = mem_alloc(sizeof *chunk + want);
        *chunk = (struct db_result_chunk){.next = result->chunks, .size = want};
        result->chunks = chunk;
    }
    char *at = (char *)chunk->room + chunk->used;
    chunk->used += size;
    return (char **)(void *)at;
}

int db_result_add(struct db_result *result, const char *const *cells, const unsigned long *lengths)
{
    size_t size = row_size(result->columns, cells, lengths);
    size_t left = DB_RESULT_MAX_BYTES - result->bytes;

    if (size >= left || left - size < sizeof *result->rows)
        return -1;
    char **row = take_room(result, size);
    char *at = (char *)(row + result->columns);
    for (size_t j = 0; j < result->columns; j++) {
        row[j] = NULL;
        if (cells[j] == NULL)
            continue;
        row[j] = memcpy(at, cells[j], lengths[j]);
        at[lengths[j]] = '\0';
        at += lengths[j] + 1;
    }
    result->rows = mem_grow(result->rows, &result->cap, result->count, sizeof *result->rows);
    result->rows[result->count++] = row;
    result->bytes += size + sizeof *result->rows;
    return 0;
}

void db_result_free(struct db_result *result)
{
    if (result == NULL)
        return;
    while (result->chunks != NULL) {
        struct db_result_chunk *next = result->chunks->next;
        free(result->chunks);
        result->chunks = next;
    }
    free(result->rows);
    *result = (struct db_result){0};
}
