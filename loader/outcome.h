/* What comes of a batch that the writing thread has finished with: its offsets, its dead letters, or another
 * try. Shared by load.c (the loop) and outcome.c; nobody else includes it. */
#ifndef JST_LOADER_OUTCOME_H
#define JST_LOADER_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/skeleton/acks.h"
#include "loader/apply.h"
#include "loader/lane.h"
#include "loader/load.h"
#include "loader/metrics.h"
#include "loader/worker.h"

#define LOADER_STAGE "loader"

enum { RETRY_MOST_MS = 5000 };

struct job {
    struct db *db;
    struct lane *lane; /* NULL: only look whether the database is there */
    bool create_tables;
    struct apply_rules rules;
    struct apply_result result;
    struct err err;
    int rc;
    int64_t started_ms;
    double seconds;
};

struct work {
    const struct load *l;
    struct acks acks;
    struct lane *lanes;
    size_t count;
    size_t turn; /* the lane to look at first: every one gets its turn */
    struct worker *worker;
    struct job job;
    bool writing;
    bool greeted;        /* the database has answered once */
    int64_t greet_at_ms; /* monotonic */
    bool ended;          /* bounded: nothing more comes */
    int64_t blocked_since_ms;
    int64_t last_event_ms; /* monotonic */
};

/* What to do about a dead letter that the broker refuses: nothing can be done. */
int outcome_refused(void *arg, const struct sink_failure *failure, struct err *err);

/* Show what the pipeline waits for; LOAD_PAUSES: nothing any more. Lost partitions are shown apart. */
void outcome_waiting(struct lane *lane, enum load_pause pause, const char *why);

/* The batch of the job is committed in MySQL: dead letters, offsets, counts. -1: ERR_FATAL. */
int outcome_committed(struct work *w, struct lane *lane, struct err *err);

/* It is not: when to try again, or why not. -1: the program must end. */
int outcome_failed(struct work *w, struct lane *lane, struct err *err);

#endif
