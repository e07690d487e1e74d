/* What a replay tells while it works, and at its end. Pure but for the clock that the caller reads. */
#ifndef JST_LOADER_REPLAY_REPORT_H
#define JST_LOADER_REPLAY_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum { REPLAY_TELLS_EVERY_MS = 10 * 1000 };

/* All zero, but for began_ms and told_ms: the start, monotonic. */
struct replay_report {
    int64_t began_ms, told_ms;
    size_t written, stale; /* documents */
    size_t rows;
    size_t letters;
};

/* Is it time for a line? Then the next one is due REPLAY_TELLS_EVERY_MS later. */
bool replay_report_due(struct replay_report *r, int64_t now_ms);
/* "45 % of 27000 messages are read, 3400 rows written". done, all: messages. */
void replay_report_progress(const struct replay_report *r, int64_t done, int64_t all, struct buf *out);
/* "all of 20 messages are read: 12 documents (40 rows) written, 7 older than what the table has, 1 dead
 * letter, in 0.4 s". */
void replay_report_summary(const struct replay_report *r, int64_t done, int64_t all, int64_t now_ms,
                           struct buf *out);

#endif
