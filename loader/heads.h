/* jst_heads holds the version of each document that the target table shows. Of two versions the newer one
 * wins. Pure: SQL text. */
#ifndef JST_LOADER_HEADS_H
#define JST_LOADER_HEADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* Is (version, published) a newer than b? Equal is not newer, so that a repeated message repairs the table.
 */
bool heads_newer(uint64_t a_version, uint64_t a_published, uint64_t b_version, uint64_t b_published);

/* One statement creates the missing heads and raises the lower ones; their locks are held until COMMIT. It
 * consists of heads_put_raise(), heads_put_values() for each document in the order of the ids, and
 * heads_put_raise_end(). */
void heads_put_raise(struct buf *sql);
void heads_put_values(struct buf *sql, bool first, const char *pipeline, const char *document,
                      uint64_t version, uint64_t published_ms, size_t rows);
void heads_put_raise_end(struct buf *sql);

/* "SELECT document, version, published … WHERE … document IN (": the caller adds the ids and ")". */
void heads_put_select(struct buf *sql, const char *pipeline);

#endif
