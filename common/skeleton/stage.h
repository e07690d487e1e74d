/* The one consuming loop, shared by the transformer and the loader. It serves the group, hands out records,
 * and pauses the topics of single pipelines. It ends when it is asked to, or when all records of a bounded
 * source are done. The program does its work in callbacks, on this thread.
 *
 * A pipeline's topic is paused while any reason holds for it. Reasons that a person should see (enum
 * pause_reason) stand in readiness and in the program's paused metric; "full" is back-pressure and stands
 * nowhere. */
#ifndef JST_COMMON_SKELETON_STAGE_H
#define JST_COMMON_SKELETON_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/monitor/pause.h"
#include "common/wire/ports.h"
#include "common/wire/routes.h"
#include "common/wire/topics.h"

struct err;
struct metric_family;

enum {
    STAGE_IDLE_MS = 100,           /* the longest poll */
    STAGE_PATIENCE_MS = 60 * 1000, /* a bounded run gives up when nothing happens for so long */
};

enum stage_next {
    STAGE_FAILED = -1,
    STAGE_POLL, /* read on */
    STAGE_BUSY, /* nothing may be read yet: the next turn follows at once, so turn() must have waited */
};

struct stage_ops {
    /* Called first in each turn, for the program's own work. quiet: the last poll found nothing. *timeout_ms
     * is STAGE_IDLE_MS; the program lowers it when the poll must return sooner. On STAGE_FAILED *err is set.
     */
    enum stage_next (*turn)(void *arg, bool quiet, int *timeout_ms, struct err *err);
    /* A record of that route: the program owns it, and gives it back with source_release(). */
    int (*record)(void *arg, size_t route, const struct record *r, struct err *err);
    /* SOURCE_START of a partition of that route: the program answers with source_seek(), now or later; until
     * then the partition gives nothing. NULL: it is read from the group's offset. */
    int (*start)(void *arg, size_t route, const struct source_start *start, struct err *err);
    /* All partitions were taken away: forget the work in hand. Its records will be delivered again. */
    void (*revoked)(void *arg);
    /* After lost messages: what a person must do besides setting the group's offset, so that reading goes on
     * behind them: "run DELETE ... in MySQL". The caller frees it. NULL: nothing. */
    char *(*lost_cure)(void *arg, size_t route, const char *topic, int32_t partition);
    /* Is work under way that will end by itself (a transaction), or has some got on since the last call
     * (acknowledgements)? A bounded run then does not give up. */
    bool (*working)(void *arg);
    /* Is the work of all records done? Asked when a bounded source has ended. */
    bool (*done)(void *arg);
};

struct stage_pauses {
    unsigned reasons; /* bits, 1 << enum pause_reason; bit 0: full */
};

struct stage {
    /* set by the program before stage_run() */
    struct source *in;
    const struct routes *routes;
    enum topic_role role;               /* TOPIC_RAW or TOPIC_ROWS: the topic of each route that is read */
    const struct metric_family *paused; /* labels pipeline and reason */
    bool once;                          /* the source is bounded: a pause is an error instead of a wait */
    bool (*stopping)(void);
    const struct stage_ops *ops;
    void *arg;

    /* its own */
    struct stage_pauses *pauses; /* one a route */
    bool ended;                  /* bounded: nothing more comes */
    int64_t heard_ms;            /* monotonic, when something last happened */
};

/* Run until asked to stop, or until a bounded source has ended and its work is done. -1: ERR_FATAL, or the
 * error of a callback. ERR_RETRY of a program that is stopping is not an error: app_exit() decides so. */
int stage_run(struct stage *s, struct err *err) __attribute__((warn_unused_result));
/* Free what stage_run() made. Until then the program may ask about pauses. */
void stage_free(struct stage *s);

/* Pause the pipeline for `reason`; readiness shows `why`. True: it was not paused for that reason before, and
 * the program should log it. */
bool stage_pause(struct stage *s, size_t route, enum pause_reason reason, const char *why);
/* End that reason. True: the pipeline was paused for it. */
bool stage_resume(struct stage *s, size_t route, enum pause_reason reason);
/* Back-pressure: full stops the records of this pipeline until it is taken back. */
void stage_set_full(struct stage *s, size_t route, bool full);
/* Is the pipeline paused for that reason; PAUSE_NONE: by back-pressure? */
bool stage_is_paused(const struct stage *s, size_t route, enum pause_reason reason);

/* Make the paused series of the known pipelines, with 0, for the reasons that the program knows. */
void stage_metrics_init(const struct metric_family *paused, const struct routes *routes,
                        const enum pause_reason *reasons, size_t count);

#endif
