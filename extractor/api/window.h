/* Which part of time a run reads, cut into slices. Pure. All instants in seconds since 1970 UTC. */
#ifndef JST_EXTRACTOR_API_WINDOW_H
#define JST_EXTRACTOR_API_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

/* Both ends belong to it, as the API has it. */
struct window {
    int64_t begin_s, end_s;
};

struct window_rules {
    int64_t overlap_s;    /* how far a run reaches back before the checkpoint */
    int64_t lag_s;        /* it ends so long before now */
    int64_t max_window_s; /* the longest slice; at least 1 */
};

/* Rules from milliseconds: overlap and lag rounded up, the slice rounded down, so that nothing promised
 * becomes less. */
struct window_rules window_rules(int64_t overlap_ms, int64_t lag_ms, int64_t max_window_ms);

/* What a run that starts at now_s reads.
 *   checkpoint_s  read up to here already; -1: never
 *   since_s       where a pipeline without a checkpoint begins
 *   until_s       read no further; -1: up to now - lag
 * False when there is nothing to read: the end is not beyond the checkpoint. */
bool window_plan(const struct window_rules *rules, int64_t checkpoint_s, int64_t since_s, int64_t until_s,
                 int64_t now_s, struct window *ret);

/* The slice of the plan that begins at begin_s. Neighbours share the second at which they meet: a document
 * that changed within it is in one of them, however the API rounds. */
struct window window_slice(const struct window_rules *rules, const struct window *plan, int64_t begin_s);

#endif
