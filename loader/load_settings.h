/* The loader's connections and limits, as main() puts them together. */
#ifndef JST_LOADER_LOAD_SETTINGS_H
#define JST_LOADER_LOAD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mysql/db.h"
#include "common/wire/ports.h"
#include "common/wire/routes.h"
#include "loader/batch.h"

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

#endif
