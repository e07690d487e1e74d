/* Counts how many of a pipeline's last documents ended in dead letters. Few: their data is wrong. Many: the
 * mapping, the table or the API is wrong, and the pipeline should pause. Pure. */
#ifndef JST_COMMON_WIRE_FLOOD_H
#define JST_COMMON_WIRE_FLOOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FLOOD_WINDOW = 1000, FLOOD_LEAST = 50 /* fewer bad documents are never a flood */ };

/* All zero: no document has come yet. */
struct flood {
    bool bad[FLOOD_WINDOW]; /* a ring of the last documents */
    size_t at, count, bad_count;
};

/* Documents that are done: `good` written, then `bad` in dead letters. */
void flood_add(struct flood *f, size_t good, size_t bad);

/* Would these pass the limit (hundredths of a per cent of the last FLOOD_WINDOW documents, and at least
 * FLOOD_LEAST of them)? */
bool flood_exceeds(const struct flood *f, size_t good, size_t bad, int64_t limit);

#endif
