/* The extractor's loop: which pipeline's turn it is, whether this process is the one that reads, and what
 * becomes of a failure. */
#ifndef JST_EXTRACTOR_EXTRACT_H
#define JST_EXTRACTOR_EXTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "extractor/api/client.h"
#include "extractor/publish.h"
#include "extractor/reading/sync.h"
#include "extractor/state.h"

struct err;
struct pipelines;
struct routes;
struct source;

/* A pipeline's place in the loop. */
struct pipeline_job {
    struct sync sync;
    struct state_entry *state;
    int64_t due_s;       /* wall clock; NEVER */
    int64_t retry_at_ms; /* monotonic: not before; of a run that failed or a pipeline that pauses */
    int64_t turn;        /* when it last had its turn */
    enum pause_reason paused;
    bool given_up; /* --once: its run failed or pauses */
    bool finished; /* --once: it has been read */
};

struct extract {
    struct source *state_source; /* the state topic, bounded and from the beginning: its assignment elects */
    struct client *client;
    struct publisher publisher; /* keep_waiting is set by extract_run() */
    const struct routes *routes;
    const struct pipelines *pipelines;
    bool once;
    int64_t once_patience_ms; /* with `once`: to wait for the leadership; 0: for ever */
    int64_t since_s, until_s;
    bool (*stopping)(void);
    int64_t (*contact_ms)(const struct source *source); /* kafka_source_contact_ms() */

    /* its own */
    struct state state;
    struct pipeline_job *jobs;
    size_t job_count;
    bool leader;            /* assigned, and the state topic has been read to its end */
    int64_t assigned_at_ms; /* monotonic; 0: not assigned */
    bool broker_away;
    int64_t idle_since_ms; /* monotonic: with `once`, when it last might read; 0: it may */
    int64_t turns;
    struct err source_err;
};

/* The series of all known pipelines, with 0. */
void extract_metrics_init(const struct routes *routes);

/* Until the program is asked to stop; with `once`, until every pipeline has been read. ERR_FATAL; with `once`
 * also ERR_RETRY when a pipeline could not be read. */
int extract_run(struct extract *x, struct err *err) __attribute__((warn_unused_result));

#endif
