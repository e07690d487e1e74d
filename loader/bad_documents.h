/* The documents of a batch that end in dead letters, whole or in part: those whose message could not be read,
 * and those with a rejected row that did not lose to a newer version. Pure. */
#ifndef JST_LOADER_BAD_DOCUMENTS_H
#define JST_LOADER_BAD_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire/flood.h"
#include "loader/batch.h"

bool bad_document(const struct batch *b, const struct document *d);
size_t bad_documents_count(const struct batch *b);

/* The batch's documents are done, in their order. */
void bad_documents_feed(const struct batch *b, struct flood *f);
/* Would they be a flood after those in f? limit: hundredths of a per cent. */
bool bad_documents_flood(const struct batch *b, const struct flood *f, int64_t limit);
/* The first of them: document, column, value and reason. The caller frees it by flood_first_free(). */
void bad_documents_first(const struct batch *b, struct flood_first *ret);

#endif
