/* The loader at work. Shared by load.c and the files that are named below; nobody else includes it. */
#ifndef JST_LOADER_LOADING_H
#define JST_LOADER_LOADING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/skeleton/stage.h"
#include "loader/flow.h"
#include "loader/load_settings.h"
#include "loader/metrics.h"
#include "loader/replay_report.h"
#include "loader/writers.h"

enum job_kind {
    JOB_NONE,
    JOB_WRITE, /* a shipment */
    JOB_ASK,   /* of no flow: does the database still answer? */
    JOB_LOOK,  /* at a flow's table and marks */
    JOB_MARKS, /* write the marks that lag behind */
};

/* What a writer does. */
struct job {
    enum job_kind kind;
    struct flow *flow;         /* NULL: JOB_ASK */
    struct shipment *shipment; /* JOB_WRITE */
    struct mark_list marks;    /* JOB_MARKS */
    struct recent recent;      /* JOB_LOOK: what the table must have rows of */
    struct apply_rules rules;
    struct flood flood; /* for the rules */
    bool create_tables;
    int64_t started_ms;

    /* what came of it */
    struct table *table;        /* JOB_LOOK */
    struct stored_marks stored; /* JOB_LOOK */
    bool emptied;               /* JOB_LOOK: the table has nothing of what the marks say */
    int rc;
    struct err err;
    double seconds;
};

struct loading {
    const struct load *l;
    struct stage stage;
    struct flow *flows; /* one a route */
    size_t count;
    size_t next; /* the flow to look at first, so that each gets its turn */
    struct writers *writers;
    struct job *jobs;  /* one a writer; the last writer is the slow one */
    bool answers;      /* the database has answered the last connect */
    int64_t ask_at_ms; /* monotonic: while it does not answer, the next try */
    int64_t asked_ms;  /* monotonic: when it was last asked anything */
    int64_t silent_since_ms;
    int failures; /* connects in a row */
    int64_t blocked_since_ms;
    bool full;                   /* the batches have reached --buffer-bytes */
    size_t active;               /* flows that have something in hand */
    struct batch_limits limits;  /* of a batch, while so many are active */
    size_t letters_waiting;      /* sent, not acknowledged */
    bool letters_acked;          /* some were since the stage last asked */
    struct replay_report report; /* of a replay */
    struct err first_failure;    /* bounded: the first flow that was given up */
};

/* ---- work.c ---- */

/* Has a writer something in hand? */
bool work_is_under_way(const struct loading *w);
/* Give idle writers what is due. quiet: nothing has come lately, so what is there need not wait for more. */
void work_give(struct loading *w, bool quiet);
/* Act on the jobs that have ended. -1: the program must end, and *err says why. */
int work_take(struct loading *w, struct err *err) __attribute__((warn_unused_result));
/* Have the flow's marks written if they lag behind; else the job stays JOB_NONE. */
void work_start_marks(struct loading *w, struct job *job, struct flow *f);

/* ---- room.c ---- */

/* How much is held, and what a batch may take from now on. */
void room_measure(struct loading *w);
/* Has a flow no room while its topic is not paused? Then nothing may be read. */
bool room_is_blocked(const struct loading *w);
/* Pause the topics that have no room. */
void room_pause(struct loading *w);

/* ---- finish.c ---- */

/* Let the transactions under way finish and store their offsets. If one hangs, cut its connection: the server
 * then rolls it back. false: a thread does not return, and nothing that it uses may be freed. */
bool stop_writing(struct loading *w) __attribute__((warn_unused_result));

/* ---- job.c ---- */

/* Do it; for writers_start(). arg: a struct job. */
void job_run(struct store *store, void *arg);
/* For apply_rules.marks; arg: the shipment. */
void job_marks(void *arg, struct mark_list *ret);

/* ---- letters.c ---- */

/* Send the dead letters of shipments that are committed, as far as the sink has room, and take in what the
 * broker says of those sent. -1: ERR_FATAL. */
int letters_pump(struct loading *w, struct err *err) __attribute__((warn_unused_result));
/* The flow waits for no letters any more. */
void letters_forget(struct flow *f);
/* For sink->acked. */
void letters_acked(void *arg, uint64_t ticket);

/* ---- outcome.c ---- */

/* What follows from a job that has ended. -1: the program must end, and *err says why. */
int outcome_take(struct loading *w, struct job *job, struct err *err) __attribute__((warn_unused_result));
/* Store the offsets of what is done, in order. */
void outcome_settle(struct loading *w, struct flow *f);
/* The flow's partitions were taken away: what its last documents were counts no more. */
void outcome_forget(struct flow *f);
/* Of a replay: tell how far it is, if that is due; at its end, what it has done. */
void outcome_tell_progress(struct loading *w);
void outcome_tell_end(const struct loading *w);

/* ---- troubles.c ---- */

size_t flow_index(const struct loading *w, const struct flow *f);
const char *flow_name(const struct flow *f);
/* Nobody has asked the database for long, and now it does not answer; or it does. */
void trouble_of_silence(struct loading *w, const struct err *why);
/* The database has answered. */
void trouble_answers(struct loading *w);
/* Something of the flow has succeeded: its reasons to wait end. */
void trouble_ends(struct loading *w, struct flow *f);
/* The flow's partitions were taken away: its trouble is another process's now. */
void trouble_leaves(struct loading *w, struct flow *f);
/* Something has failed: decide when to try again. -1: the program must end, and *err says why. */
int trouble_begins(struct loading *w, struct flow *f, const struct err *why, struct err *err)
    __attribute__((warn_unused_result));
/* Has an unknown error lasted so long that a row may be at fault? */
bool trouble_is_unknown(const struct flow *f);
/* Bounded run: nothing more of this flow is tried. */
void trouble_gives_up(struct loading *w, struct flow *f, const struct err *why);
/* The flow's records are read again from where its database is. */
void flow_restart(struct loading *w, struct flow *f);

#endif
