/* By what rules a batch is written, and what may be wrong with it. */
#ifndef JST_LOADER_APPLY_RULES_H
#define JST_LOADER_APPLY_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire/flood.h"
#include "loader/store.h"

struct mark_list {
    struct mark *list;
    size_t count, cap;
};

struct apply_rules {
    bool unknown_as_row; /* judge an error that the table of errors does not know like one of a row's data */
    const struct flood
        *flood;          /* the pipeline's last documents, good or bad; NULL: no limit to dead letters */
    int64_t flood_limit; /* hundredths of a per cent */
    /* The marks that the transaction may write at this instant, into an empty list. NULL: none. */
    void (*marks)(void *arg, struct mark_list *ret);
    void *arg;
};

/* err->code of what is not MySQL's */
enum {
    APPLY_FLOOD = -1,    /* ERR_PAUSE: too many documents would end in dead letters */
    APPLY_SET_BACK = -2, /* ERR_RETRY: the database lacks what this process has committed */
};

#endif
