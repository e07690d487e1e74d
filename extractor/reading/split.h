/* Asking for a page that is too large in ever smaller pages, which cover the same positions. Pure. */
#ifndef JST_EXTRACTOR_READING_SPLIT_H
#define JST_EXTRACTOR_READING_SPLIT_H

#include <stdbool.h>
#include <stdint.h>

enum { SPLIT_LEVELS = 20 }; /* page sizes of up to half a million */

struct split_level {
    int64_t size;  /* documents a page */
    int64_t page;  /* to ask for */
    int64_t first; /* the lowest page of this level: from the highest down, as the walk does */
};

struct split {
    struct split_level levels[SPLIT_LEVELS];
    int depth; /* 0: nothing to ask for */
};

void split_start(struct split *s, int64_t page, int64_t size);
const struct split_level *split_now(const struct split *s); /* what to ask for; depth > 0 */

/* What is asked for is too large: ask for its positions with half its size.
 *   held   documents that the page held, when the server is known to give fewer than asked for; 0: not known
 * False when a page holds one document already. */
bool split_shrink(struct split *s, int64_t held);

/* What was asked for is done. False when that was the last of it. */
bool split_next(struct split *s);

#endif
