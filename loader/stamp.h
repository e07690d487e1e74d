/* How new a state of a document is. Of two states the newer one wins, in the table and within a batch. Pure.
 */
#ifndef JST_LOADER_STAMP_H
#define JST_LOADER_STAMP_H

#include <stdbool.h>
#include <stdint.h>

/* What the version is made of: as jst_heads.kind has it. */
enum stamp_kind { STAMP_RECEIVED = 0, STAMP_DATETIME = 1, STAMP_INTEGER = 2 };

struct stamp {
    enum stamp_kind kind;
    uint64_t version;     /* an integer as it came; a datetime as yyyymmddhhmmss; a reception in ms */
    int64_t received_ms;  /* when the page came from the API */
    int64_t published_ms; /* the rows message's timestamp */
};

/* Read header jst-version; "" stands for the instant of reception. -1: neither number nor datetime. */
int stamp_read(const char *version, int64_t received_ms, int64_t published_ms, struct stamp *ret);

/* Is a newer than b? Versions of one kind are compared, then reception, then publication; where the kinds
 * differ, reception decides. Equal is not newer, so that a repeated message repairs the table. */
bool stamp_newer(const struct stamp *a, const struct stamp *b);

#endif
