/* The walk over a slice's pages that misses nothing while documents change. Pure: it says which page to ask
 * for and is told what came.
 *
 * With counts: page 1 tells how many pages there are, then the last down to page 2, then page 1 again. What
 * leaves the window meanwhile moves documents towards page 1, so they can only be seen twice. The slice is
 * done when the pass saw at least as many distinct documents as the last total says, and no total rose on the
 * way; otherwise something became visible late, and the slice is read again. A slice of one page is one
 * answer, and needs no second.
 * Without counts: forward to the end, again and again until a pass brings nothing new. A page that repeats
 * the one before it is the end, too: the interface does not know pages. */
#ifndef JST_EXTRACTOR_READING_WALK_H
#define JST_EXTRACTOR_READING_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/hash.h"

enum { WALK_PASSES_MAX = 10, WALK_PAGES_MAX = 1000000 };

enum walk_state {
    WALK_ASKS,     /* for walk->page */
    WALK_DONE,     /* everything has been seen */
    WALK_GIVES_UP, /* WALK_PASSES_MAX passes were not enough */
};

struct walk {
    enum walk_state state;
    int64_t page; /* to ask for, from 1 */
    int pass;     /* from 1 */
    /* of this pass */
    int64_t top;   /* the highest page of it; 0: not known yet */
    int64_t total; /* of the last answer; -1: none yet, or none given */
    bool rose;     /* a total was higher than the one before it */
    bool descending, counted, new_seen;
    uint64_t ids, ids_before; /* sums over the page in hand, and the page before it */
    /* Hashes of documents' ids; counted: in this pass, else in all passes. Two ids of one hash make the walk
     * read once more, never less. */
    struct hash_table seen;
};

/* What an answer said. */
struct walk_answer {
    int64_t page_count, data_count; /* -1: not given */
    int has_next;                   /* 1, 0; -1: not given */
    size_t documents;               /* on the page */
};

void walk_init(struct walk *w);
void walk_free(struct walk *w); /* NULL ok */

/* A document of the answer in hand, by the hash of its id (hash_bytes); to be told before walk_take(). */
void walk_see(struct walk *w, uint64_t id);
/* The answer to walk->page: decides what comes next. */
void walk_take(struct walk *w, const struct walk_answer *a);

#endif
