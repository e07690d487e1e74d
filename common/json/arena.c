#include "common/json/arena.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/base/mem.h"

enum { ARENA_ALIGN = 8, CHUNK_FIRST = 64 * 1024, CHUNK_LARGEST = 4 * 1024 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size, used;
    uint64_t data[]; /* aligned as all data shall be */
};

/* The next chunk with room for size bytes: one that is there already, or a new one before it. */
static struct arena_chunk *next_chunk(struct arena *a, size_t size)
{
    struct arena_chunk **place = a->current != NULL ? &a->current->next : &a->chunks;
    struct arena_chunk *chunk = *place;

    if (chunk == NULL || chunk->size < size) {
        size_t room = a->current != NULL ? a->current->size * 2 : CHUNK_FIRST;
        if (room > CHUNK_LARGEST)
            room = CHUNK_LARGEST;
        if (room < size)
            room = size;
        chunk = mem_alloc(sizeof *chunk + room);
        *chunk = (struct arena_chunk){.next = *place, .size = room};
        *place = chunk;
    }
    chunk->used = 0;
    return a->current = chunk;
}

void *arena_alloc(struct arena *a, size_t size)
{
    struct arena_chunk *chunk = a->current;

    size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if (chunk == NULL || chunk->size - chunk->used < size)
        chunk = next_chunk(a, size);
    void *at = (char *)chunk->data + chunk->used;
    chunk->used += size;
    return at;
}

void arena_reset(struct arena *a, size_t keep_max)
{
    struct arena_chunk **place = &a->chunks;
    size_t kept = 0;

    while (*place != NULL) {
        struct arena_chunk *chunk = *place;
        if (kept + chunk->size <= keep_max) {
            kept += chunk->size;
            place = &chunk->next;
        } else {
            *place = chunk->next;
            free(chunk);
        }
    }
    a->current = NULL;
}

void arena_free(struct arena *a)
{
    arena_reset(a, 0);
}
