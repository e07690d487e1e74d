/* The process skeleton that all programs share: options, log, signals, metrics and health, exit code. */
#ifndef JST_COMMON_SKELETON_APP_H
#define JST_COMMON_SKELETON_APP_H

#include <stdbool.h>

#include "common/base/err.h"
#include "common/base/stop.h"
#include "common/options/options.h"

struct metric_family;
struct pipelines;
struct topics;

extern const struct metric_family app_build_info;

/* The configuration that app_init() has read and checked. Lives until app_exit(). */
struct app {
    enum program program;
    struct options *options;
    struct pipelines *pipelines;
    struct topics *topics;
    struct faults faults; /* everything that was found; where app_init() returned 0: a daemon's warnings (they
                             are logged), and jstctl's faults of pipelines, topics and Kafka properties, for
                             the verb to judge */
    size_t faults_logged; /* how many of them */
};

/* A program's own checks of the configuration; adds to *faults. */
typedef void app_check(const struct app *app, struct faults *faults);

/* Read and check everything: options, pipelines, topics, Kafka properties, then `check` (NULL ok); start log,
 * signals and the metrics server. Returns 0 to go on; 1 when the process has done what was asked (--help,
 * --version, --check without errors: "configuration is fine: 2 pipelines" on standard output); -1 when it
 * must not start: ERR_CONFIG - the faults have been printed to standard error - or ERR_FATAL. In every case
 * app_exit() follows.
 * jstctl gets neither signals nor server, and only wrong options stop it here. */
int app_init(enum program program, int argc, char **argv, app_check *check, struct app *ret, struct err *err)
    __attribute__((warn_unused_result));

/* The program is set up: Kafka has answered, the topics are there, source and sink are open. Logs the
 * warnings that app->faults got since the start. Until then /readyz says that the program is starting;
 * "ready" is logged once, when /readyz says so for the first time. */
void app_ready(struct app *app);

/* stop_requested(), for loops to ask in each turn: also logs that a SIGHUP came and is ignored. */
bool app_stopping(void);

/* Log how the process ends, and give its exit code: 0, 100 or 111. ERR_RETRY while stopping is not an
 * error: the next process repeats the work. Only for a process that cannot be cleaned up; others call
 * app_exit(). */
int app_end(const struct err *err);

/* app_end(); stops the metrics server and frees what *app holds. */
int app_exit(struct app *app, const struct err *err);

#endif
