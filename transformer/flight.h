/* The pages in flight: published, and waiting for the broker's acknowledgements. Each partition's offsets are
 * stored in its own order, so pages may overlap and one slow topic holds up no other pipeline. Pure but for
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

/* Take a record in. The page's address does not change until it leaves the flight. */
struct raw_page *flight_add(struct flight *f, const struct record *r, size_t route)
    __attribute__((returns_nonnull));
/* Take the newest page out again; the caller owns its record. */
struct record flight_take_back(struct flight *f, struct raw_page *page);
/* NULL: the page has left the flight. */
struct raw_page *flight_find(const struct flight *f, uint64_t id);

/* The part of its share that a pipeline uses, in per cent; above 100 when a page is larger than the share. */
int flight_share(const struct flight *f, size_t route);
bool flight_is_full(const struct flight *f);

/* Store the offset of each page that is done together with all pages before it in its partition. Call `done`
 * for the page and release its record. */
typedef void flight_done(void *arg, const struct raw_page *page);
void flight_settle(struct flight *f, struct source *in, flight_done *done, void *arg);

/* Forget all pages and release their records. */
void flight_drop(struct flight *f, struct source *in);

#endif
