/* Do two rows of one document have the same key? Of them the table would keep one, and nobody would know.
 * Pure, with memory that is reused from document to document. */
#ifndef JST_TRANSFORMER_ROW_KEYS_H
#define JST_TRANSFORMER_ROW_KEYS_H

#include <stddef.h>

struct buf;
struct pipeline;
struct row_writer;
struct row_keys;

struct row_keys *row_keys_new(void) __attribute__((returns_nonnull));
void row_keys_free(struct row_keys *k); /* NULL ok */

/* A document begins, with about so many rows. p stays where it is until its last row was added. */
void row_keys_begin(struct row_keys *k, const struct pipeline *p, size_t rows);

/* Add the row that w has just put into `rows`; all rows of the document stand there. Returns the number (from
 * 1) of an earlier row with the same key, byte for byte as it stands in the message; 0: there is none. A row
 * with null in its key has none: the loader refuses it. */
size_t row_keys_add(struct row_keys *k, const struct row_writer *w, const struct buf *rows);

#endif
