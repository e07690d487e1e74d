/* The loader's connections and limits, as main() puts them together. */
#ifndef JST_LOADER_LOAD_SETTINGS_H
#define JST_LOADER_LOAD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire/ports.h"
#include "common/wire/routes.h"
#include "loader/batch.h"
#include "loader/past_letters.h"
#include "loader/store.h"

struct load {
    struct source *in;
    struct sink *dead;
    struct store *const *stores; /* of the writers, one each; the last one waits longer for locks, and takes
                                    what met one */
    size_t store_count;          /* at least 2 */
    const struct routes *routes;
    struct past_letters *past;  /* one a route; NULL: nothing is known of the time before */
    struct batch_limits limits; /* of a transaction */
    size_t enough_rows;         /* a batch of so many rows need not wait for more */
    size_t buffer_bytes;        /* all batches together */
    int64_t batch_wait_ms;      /* how long a batch that is not full waits for more */
    bool create_tables;
    int64_t flood_limit;     /* hundredths of a per cent */
    int64_t person_retry_ms; /* what waits for a person is tried again so often */
    int64_t patience_ms;     /* a bounded run waits so long for an outage */
    int64_t idle_look_ms;    /* an idle pipeline's table is looked at so often */
    bool replay;             /* jst_offsets are left alone: what is read again says nothing of the rest */
    /* Of a replay: how many of its messages were handed out, and how many there are; false: not known yet.
     * NULL: nothing is told. */
    bool (*progress)(const struct source *source, int64_t *ret_done, int64_t *ret_all);
    bool bounded; /* --once: retries are limited */
    bool (*stopping)(void);
    int64_t (*now_ms)(void); /* wall clock */
};

#endif
