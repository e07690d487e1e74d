/* The business parameters of a query, as one JSON text. Pure. */
#ifndef JST_EXTRACTOR_API_QUERY_H
#define JST_EXTRACTOR_API_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "extractor/api/window.h"

struct buf;
struct err;
struct pipeline;

struct biz {
    struct window window; /* the slice: fills the window fields, whatever the metadata says they hold */
    int64_t page, page_size;
    int64_t now_s; /* for DAYS_AGO_n */
};

/* Append the JSON object. The fields stand in the metadata's order, then what it does not name: page_index,
 * page_size, the window fields, and for purchase receipts all six statuses (absent means Confirmed only).
 * LAST_SYNC_TIME and CURRENT_TIME are the slice's ends, DAYS_AGO_n is now_s less n days; filters datetime,
 * date, timestamp, timestamp_ms; without a filter seconds. A field whose value is empty is left out.
 * ERR_CONFIG: a template that cannot be filled in. */
int biz_write(const struct pipeline *p, const struct biz *biz, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

#endif
