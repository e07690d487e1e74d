/* Reads rows of a rows message into cells. One a pipeline: it keeps what is the same for all rows. */
#ifndef JST_LOADER_ROW_READER_H
#define JST_LOADER_ROW_READER_H

#include <stddef.h>

#include "common/base/buf.h"
#include "common/json/flat.h"
#include "common/pipeline/pipeline.h"

struct err;
struct row_reader;

struct row_reader *row_reader_new(const struct pipeline *p) __attribute__((returns_nonnull));
void row_reader_free(struct row_reader *r); /* NULL ok */
const struct pipeline *row_reader_pipeline(const struct row_reader *r);

/* The bit that says where a cell's piece is: in the text, else in its line. */
#define CELL_IN_TEXT 0x80000000U

/* Read one line, without its newline.
 *   cells   one for each column of the pipeline: a piece of the line, or, with CELL_IN_TEXT in `at`, of text;
 *           len FLAT_NULL: null or absent
 *   text    what the line does not have as it is (escapes, true) is appended
 * ERR_REJECT: broken JSON, not an object, a column that holds an object or array, or no known column at all.
 */
int row_read(struct row_reader *r, const char *line, size_t len, struct flat_value *cells, struct buf *text,
             struct err *err) __attribute__((warn_unused_result));

#endif
