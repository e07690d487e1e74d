/* The pages in flight: published, and waiting for the broker's acknowledgements. Offsets follow them in each
 * partition's own order, so that pages overlap and one slow topic holds up no other pipeline. Pure but for
 * the source. */
#ifndef JST_TRANSFORMER_FLIGHT_H
#define JST_TRANSFORMER_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transformer/page_send.h"

enum {
    FLIGHT_PAGES = 256, /* of all pipelines */
    FLIGHT_BYTES = 16 * 1024 * 1024,
    FLIGHT_ROUTE_PAGES = 64, /* of one pipeline; one page may be larger than its share */
    FLIGHT_ROUTE_BYTES = 4 * 1024 * 1024,
};

struct flight {
    struct raw_page **pages; /* oldest first */
    size_t count, cap;
    size_t bytes; /* of their records */
    uint64_t last_id;
};

/* Take a record in. The page stays where it is in memory until it leaves. */
struct raw_page *flight_add(struct flight *f, const struct record *r, size_t route)
    __attribute__((returns_nonnull));
/* Take the newest page out again; its record is the caller's. */
struct record flight_take_back(struct flight *f, struct raw_page *page);
/* NULL: it has left. */
struct raw_page *flight_find(const struct flight *f, uint64_t id);

/* How much of its share a pipeline uses, in per cent; more than 100 with a page that is larger. */
int flight_share(const struct flight *f, size_t route);
bool flight_is_full(const struct flight *f);

/* Store the offset of each page that is done, with all before it in its partition; `done` is told of it, and
 * its record is given back. */
typedef void flight_done(void *arg, const struct raw_page *page);
void flight_settle(struct flight *f, struct source *in, flight_done *done, void *arg);

/* Give everything back. */
void flight_drop(struct flight *f, struct source *in);

#endif
