/* The steps after the writing thread has finished with a batch: dead letters and offsets, or another try.
 * Shared by load.c and outcome.c; nobody else includes it. */
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
    struct pipeline_queue *queue; /* NULL: only check that the database answers */
    bool create_tables;
    struct apply_rules rules;
    struct apply_result result;
    struct err err;
    int rc;
    int64_t started_ms;
    double seconds;
};

/* A batch whose offsets are stored, not counted and freed yet: the writer gets its next batch first. */
struct finished_batch {
    struct batch *batch; /* NULL: none */
    struct apply_result result;
    double seconds;
};

struct loading {
    const struct load *l;
    struct stage stage;
    struct acks acks;
    struct pipeline_queue *queues; /* one a route */
    size_t count;
    size_t next; /* the queue to look at first, so that each gets its turn */
    struct worker *worker;
    struct write_job job;
    bool writing;
    struct finished_batch finished;
    struct buf sql;      /* the writing thread's memory for statements */
    bool greeted;        /* the database has answered once */
    int64_t greet_at_ms; /* monotonic */
    int64_t blocked_since_ms;
};

/* A dead letter that the broker refuses for its size goes without its value. -1: ERR_FATAL. */
int outcome_refused(void *arg, const struct sink_failure *failure, struct err *err);

/* End the pipeline's reasons to wait, except lost messages, which belong to the stage. Was it waiting? */
bool clear_pause(struct loading *w, const struct pipeline_queue *queue);

/* After the job's batch is committed in MySQL: send its dead letters, store its offsets, count. -1:
 * ERR_FATAL. */
int outcome_committed(struct loading *w, struct pipeline_queue *queue, struct err *err);
/* Count and free the batch that outcome_committed() left, if there is one. */
void outcome_finish(struct loading *w);

/* After the job's batch has failed: decide when to try again. -1: the program must end, and *err says why. */
int outcome_failed(struct loading *w, struct pipeline_queue *queue, struct err *err);

#endif
