/* One flat row of a document, as the pipeline's target says. Pure. */
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

/* doc: the one that all documents are parsed into. max_bytes: of one value that is put together. */
struct row_writer *row_writer_new(const struct json_doc *doc, size_t max_bytes)
    __attribute__((returns_nonnull));
void row_writer_free(struct row_writer *w); /* NULL ok */
bool row_writer_overflowed(const struct row_writer *w);

/* Append the row of this line (NULL: of a document without lines), ended by a newline. first: the document's
 * first row; the others must follow it in the same buffer. ERR_REJECT: a value does not fit its column; out
 * then holds a part. */
int row_put(struct row_writer *w, const struct pipeline *p, const struct json_value *header,
            const struct json_value *line, bool first, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

/* "a.b" below an object; a name that itself has a dot is found first. NULL: not there. */
const struct json_value *field_of(const struct json_value *object, const char *path);

#endif
