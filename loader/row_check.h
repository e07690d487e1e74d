/* Rejects rows that the table could not identify later, before MySQL is asked. Pure. */
#ifndef JST_LOADER_ROW_CHECK_H
#define JST_LOADER_ROW_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/mysql/shape.h"
#include "loader/batch.h"

/* Marks wanted documents' rows as rejected, with code and text, when
 *   a key column would be NULL (1048, as a primary key says): each repetition would add a row;
 *   a key column would hold another form of the value, "7" for "007": it might meet another row;
 *   an earlier row of its document has the same key;
 *   the document's column holds another text than the document's id, or is an integer column and the id is
 *   not an integer as MySQL writes it: a later version would not find the row.
 * Row by row (WRITE_REPLACE) the last two are left out: the last row of a key stays. */
void row_check_batch(struct batch *batch, const struct table *table);

/* Is text an integer as MySQL writes it: no leading zero, no '+', no "-0"? */
bool row_check_is_integer(const char *text, size_t len);

static inline bool table_is_integer(const struct table *t, size_t column)
{
    return t->columns[column].kind == COLUMN_INTEGER;
}

/* Does the column take this text for NULL? text may be NULL itself. */
static inline bool table_is_null(const struct table *t, size_t column, const char *text, size_t len)
{
    return text == NULL || (len == 0 && t->columns[column].kind != COLUMN_TEXT);
}

#endif
