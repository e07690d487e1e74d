/* What the state topic says, as far as the extractor needs it: each pipeline's checkpoint. Pure: records come
 * from whoever reads the topic. */
#ifndef JST_EXTRACTOR_STATE_H
#define JST_EXTRACTOR_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"
#include "extractor/checkpoint.h"

struct pipelines;
struct record;

struct state_entry {
    const char *pipeline;
    struct checkpoint checkpoint; /* synced_to_s -1: none */
    struct err refused;           /* set: the checkpoint cannot be used, and why */
};

struct state {
    struct state_entry *entries; /* one a pipeline, in their order */
    size_t count;
};

void state_init(struct state *s, const struct pipelines *pipelines);
void state_free(struct state *s);   /* NULL ok */
void state_forget(struct state *s); /* another process may write now: everything is read again */

/* A record of the state topic. Keys that are not <pipeline>/live of a known pipeline are ignored (back-fills,
 * sweeps, pipelines that are not configured here). A tombstone forgets the checkpoint. */
void state_take(struct state *s, const struct record *r);

/* The key of a pipeline's checkpoint; the caller frees it. */
char *state_key(const char *pipeline) __attribute__((returns_nonnull));

#endif
