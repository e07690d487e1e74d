/* Memory that is given out in small pieces and taken back as a whole. */
#ifndef JST_COMMON_JSON_ARENA_H
#define JST_COMMON_JSON_ARENA_H

#include <stddef.h>

struct arena_chunk;
struct arena {
    struct arena_chunk *chunks; /* in the order of use; zeroed struct: an empty arena */
    struct arena_chunk *current;
};

/* Aligned for pointers and doubles; never NULL. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull));
/* Everything given out is void. Keeps its chunks up to keep_max bytes, frees the rest. */
void arena_reset(struct arena *a, size_t keep_max);
void arena_free(struct arena *a);

#endif
