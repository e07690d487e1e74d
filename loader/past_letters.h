/* The last dead letters of a pipeline, from before this process began: with them a run of bad documents
 * counts over restarts. A letter says where its document was; where the documents just before the one that is
 * read next all have letters, they are a run. Pure. */
#ifndef JST_LOADER_PAST_LETTERS_H
#define JST_LOADER_PAST_LETTERS_H

#include <stddef.h>
#include <stdint.h>

#include "common/wire/flood.h"
#include "common/wire/ports.h"

#define LOADER_STAGE "loader" /* in the letters */

/* All zero: none. */
struct past_letters {
    struct past_letter *list;
    size_t count, cap;
};
void past_letters_free(struct past_letters *past);

/* Note a record of a dead topic, if it is a letter of a loader about a message of this rows topic. */
void past_letters_add(struct past_letters *past, const char *rows_topic, const struct record *letter);

/* The partition is read from this offset on: feed the documents just before it whose letters are known, as
 * far as they lie without a gap and the run is shorter than a flood. Older ones than a good document of the
 * flood must not be fed: only before the first. */
void past_letters_feed(const struct past_letters *past, int32_t partition, int64_t offset,
                       struct flood *flood);

#endif
