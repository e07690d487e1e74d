/* Some documents that a flow has written, and that have rows. If the table lacks many of them it was emptied,
 * however many came since. Half of them are kept from one look at the table to the next. Pure. */
#ifndef JST_LOADER_RECENT_H
#define JST_LOADER_RECENT_H

#include <stdbool.h>
#include <stddef.h>

#include "loader/batch.h"

enum {
    RECENT_MAX = 20,
    RECENT_MISSED = RECENT_MAX / 2, /* fewer that are not there were deleted by hand */
};

/* All zero: none. */
struct recent {
    char *ids[RECENT_MAX]; /* oldest first */
    size_t count;
};

/* Take documents of a batch that was committed, if there is room; one without rows is no longer among them.
 */
void recent_take(struct recent *r, const struct batch *b);
/* The table was looked at: make room for new ones, the oldest go. */
void recent_renew(struct recent *r);
/* What stood in *to is forgotten. */
void recent_copy(struct recent *to, const struct recent *from);
void recent_clear(struct recent *r);
/* Are there enough to tell by? */
bool recent_suffices(const struct recent *r);

#endif
