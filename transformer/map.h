/* Maps one document to flat rows, as the pipeline's target says. Pure: text in, text out. */
#ifndef JST_TRANSFORMER_MAP_H
#define JST_TRANSFORMER_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/json/scan.h"
#include "common/pipeline/pipeline.h"
#include "common/wire/message.h"
#include "transformer/row.h"

struct err;

/* The rows message of a document, without the headers about its origin. */
struct mapped {
    struct buf key;           /* the document's id as text; empty while it could not be read */
    struct buf version;       /* as it came; empty when the pipeline names no version */
    struct buf value;         /* NDJSON */
    int64_t rows;             /* lines in value */
    struct value_fault fault; /* of the document that failed, where one value is to blame; else empty */
};

struct mapper; /* memory that is reused from document to document */

struct mapper *mapper_new(void) __attribute__((returns_nonnull));
void mapper_free(struct mapper *m); /* NULL ok */

enum { MAP_VALUE_MAX = 256 * 1024 * 1024 };
void mapped_init(struct mapped *m);
void mapped_free(struct mapped *m);

/* document: its exact JSON text. ret is overwritten; on failure its key stands if it could be read.
 * -1, ERR_REJECT: *ret_class is DEAD_PARSE (not strict JSON) or DEAD_CONVERT (a value does not fit its
 * target, or two rows have the same key). */
int map_document(struct mapper *m, const struct pipeline *p, struct span document, struct mapped *ret,
                 enum dead_class *ret_class, struct err *err) __attribute__((warn_unused_result));

#endif
