/* What comes of a batch that the writing thread has finished with: its offsets, its dead letters, or another
 * try. Shared by load.c (the work in the
 * stage) and outcome.c; nobody else includes it. */
#ifndef JST_LOADER_OUTCOME_H
#define JST_LOADER_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/skeleton/acks.h"
#include "common/skeleton/stage.h"
#include "loader/apply.h"
#include "loader/load_settings.h"
#include "loader/metrics.h"
#include "loader/queue.h"
#include "loader/worker.h"

#define LOADER_STAGE "loader"

enum { RETRY_MOST_MS = 5000 };

struct write_job {
    struct db *db;
    struct pipeline_queue *queue; /* NULL: only look whether the database is there */
    bool create_tables;
    struct apply_rules rules;
    struct apply_result result;
    struct err err;
    int rc;
    int64_t started_ms;
    double seconds;
};

struct loading {
    const struct load *l;
    struct stage stage;
    struct acks acks;
    struct pipeline_queue *queues; /* one a route */
    size_t count;
    size_t next; /* the queue to look at first: every one gets its turn */
    struct worker *worker;
    struct write_job job;
    bool writing;
    bool greeted;        /* the database has answered once */
    int64_t greet_at_ms; /* monotonic */
    int64_t blocked_since_ms;
};

/* A dead letter that the broker refuses for its size goes without its value. -1: ERR_FATAL. */
int outcome_refused(void *arg, const struct sink_failure *failure, struct err *err);

/* The pipeline waits for nothing any more. Lost partitions are told apart, by the stage. Was it waiting? */
bool clear_pause(struct loading *w, const struct pipeline_queue *queue);

/* The batch of the job is committed in MySQL: dead letters, offsets, counts. -1: ERR_FATAL. */
int outcome_committed(struct loading *w, struct pipeline_queue *queue, struct err *err);

/* It is not: when to try again, or why not. -1: the program must end. */
int outcome_failed(struct loading *w, struct pipeline_queue *queue, struct err *err);

#endif
