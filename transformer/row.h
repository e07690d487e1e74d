/* Writes one flat row of a document, as the pipeline's target says. Pure. */
#ifndef JST_TRANSFORMER_ROW_H
#define JST_TRANSFORMER_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/pipeline/pipeline.h"

struct err;
struct json_doc;
struct json_value;

struct row_writer; /* memory that is reused from row to row */

/* doc: the tree into which all documents are parsed. max_bytes: the limit of one value made of several parts.
 */
struct row_writer *row_writer_new(const struct json_doc *doc, size_t max_bytes)
    __attribute__((returns_nonnull));
void row_writer_free(struct row_writer *w); /* NULL ok */
bool row_writer_overflowed(const struct row_writer *w);

/* Append the row of this line, ended by a newline. line NULL: the document has no lines. first: this is the
 * document's first row; its other rows must follow in the same buffer. ERR_REJECT: a value does not fit its
 * column, and out holds a part of the row. */
int row_put(struct row_writer *w, const struct pipeline *p, const struct json_value *header,
            const struct json_value *line, bool first, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

/* The value that a column or field did not take: for people, and valid until the next document. */
struct value_fault {
    const char *column; /* the target's column, or the source's field; NULL: none is to blame alone */
    const char *value;  /* its text, len bytes; NULL: it is not there */
    size_t len;
};
/* Of the row_put() that has just failed. */
struct value_fault row_fault(const struct row_writer *w);

/* A column's "name":value in the buffer. */
struct written {
    size_t at, len; /* bytes */
};
/* Where that column (an index) stands in the row that was put last. Of no use once the buffer has overflowed.
 */
struct written row_cell(const struct row_writer *w, size_t column);

/* "a.b" below an object; a name that itself has a dot is found first. NULL: not there. */
const struct json_value *field_of(const struct json_value *object, const char *path);

#endif
