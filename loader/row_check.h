/* Rejects rows that the table could not identify later, before MySQL is asked. Pure. */
#ifndef JST_LOADER_ROW_CHECK_H
#define JST_LOADER_ROW_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/mysql/shape.h"
#include "loader/batch.h"

/* Marks wanted documents' rows as rejected, with code and text, when
 *   a key column would be NULL (1048, as a primary key says): each repetition would add a row;
 *   the document's column holds another text than the document's id, or is an integer column and the id is
 *   not an integer as MySQL writes it: a later version would not find the row. */
void row_check_batch(struct batch *batch, const struct table *table);

/* Is text an integer as MySQL writes it: no leading zero, no '+', no "-0"? */
bool row_check_is_integer(const char *text, size_t len);

/* Does the column take this text for NULL? text may be NULL itself. */
bool row_check_is_null(enum column_kind kind, const char *text, size_t len);

#endif
