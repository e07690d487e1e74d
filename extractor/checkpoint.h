/* The value of <pipeline>/live in the state topic: how far a pipeline has been read. Pure. */
#ifndef JST_EXTRACTOR_CHECKPOINT_H
#define JST_EXTRACTOR_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

struct checkpoint {
    int64_t synced_to_s; /* everything that changed up to here is in the raw topic; -1: nothing yet */
    int64_t run_at_s;    /* when the last complete run began; -1: not known */
};

/* {"v":1,"synced_to":"2026-08-13 11:05:00","run_at":"2026-08-13 11:06:00"}; run_at may be absent, further
 * members are ignored. ERR_PAUSE: another version, which is refused and not guessed, or no checkpoint at all.
 */
int checkpoint_read(const char *value, size_t len, struct checkpoint *ret, struct err *err)
    __attribute__((warn_unused_result));
void checkpoint_write(const struct checkpoint *c, struct buf *out);

#endif
