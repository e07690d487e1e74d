/* Where a partition begins: never behind what the database holds, whatever Kafka's group says. Pure. */
#ifndef JST_LOADER_START_H
#define JST_LOADER_START_H

#include <stdbool.h>
#include <stdint.h>

#include "common/wire/ports.h"
#include "loader/store.h"

enum start_reason {
    START_GROUP,      /* where the group is */
    START_DATABASE,   /* the database is behind the group */
    START_NEW,        /* the database has no mark of it, or the group no offset: from the log's start */
    START_EMPTY,      /* the table is new, or was emptied, or is another one: from the log's start */
    START_MADE_AGAIN, /* the topic is: from the log's start */
};

struct start {
    int64_t offset;  /* for source_seek() */
    int64_t written; /* what jst_offsets holds and goes on from; -1: nothing of use */
    bool reset;      /* the next mark may be lower than the stored one */
    int64_t known;   /* the group or the database has had everything below: it is read again; -1: nothing */
    enum start_reason why;
};

/* mark: the stored one, NULL for none. target: the table's name. emptied: what marks say of the table no
 * longer holds. */
struct start start_decide(const struct source_start *log, const struct stored_mark *mark, const char *target,
                          bool emptied);

/* Where a pipeline begins that has no marks (WRITE_REPLACE): where the group is. */
struct start start_of_group(const struct source_start *log);

const char *start_reason_text(enum start_reason why);

#endif
