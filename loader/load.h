/* The loader's loop: rows messages in, transactions out, offsets after COMMIT. */
#ifndef JST_LOADER_LOAD_H
#define JST_LOADER_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mysql/db.h"
#include "common/wire/ports.h"
#include "common/wire/routes.h"
#include "loader/batch.h"

struct err;

struct load {
    struct source *in;
    struct sink *dead;
    struct db *db;
    const struct routes *routes;
    struct batch_limits limits;
    int64_t batch_wait_ms; /* how long a batch that is not full waits for more */
    bool create_tables;
    int64_t flood_limit; /* hundredths of a per cent */
    bool bounded;        /* --once: retries are limited */
    bool (*stopping)(void);
    int64_t (*now_ms)(void); /* wall clock */
};

/* Until asked to stop, or until a bounded source ends. Returns 0; -1 with ERR_FATAL, or, when bounded, with
 * the error that did not pass. */
int load_run(const struct load *l, struct err *err) __attribute__((warn_unused_result));

/* The series of the known pipelines, with 0. */
void load_metrics_init(const struct routes *routes);

#endif
