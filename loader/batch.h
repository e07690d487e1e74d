/* A batch: whole documents for one transaction in MySQL. Of each document only the newest version is written;
 * row by row (WRITE_REPLACE) every version, in the order in which they came. Pure. */
#ifndef JST_LOADER_BATCH_H
#define JST_LOADER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/hash.h"
#include "common/pipeline/pipeline.h"
#include "common/wire/message.h"
#include "common/wire/ports.h"
#include "loader/row_reader.h"
#include "loader/stamp.h"

struct err;

struct row {
    size_t document;   /* index */
    size_t first_cell; /* index into cells; a cell for each column of the pipeline */
    const char *line;  /* the row's text in its record, without the newline */
    size_t line_len;
    bool rejected; /* its data does not fit the table: it is not written */
    int code;      /* MySQL's error number; 0: none */
    char *why;     /* NULL: not rejected */
};

enum document_state {
    DOCUMENT_WANTED, /* to be written */
    DOCUMENT_STALE,  /* a newer version is in the batch or in the table */
    DOCUMENT_BROKEN, /* its message could not be read: a dead letter, class parse */
};

struct document {
    struct record record; /* kept until the batch is freed */
    const char *id;       /* in the record's headers; NULL only if the document is broken */
    struct stamp stamp;
    const char *source; /* the raw message's position, from the headers */
    size_t first_row, row_count;
    size_t newest; /* of the first document of an id in the batch: the index of its newest one */
    enum document_state state;
    bool lost; /* a newer version is in the table; set within a transaction */
    char *why; /* why it is broken; else NULL */
};

/* The records of one partition in a batch: no other batch has records between them. */
struct batch_part {
    const char *topic; /* the record's */
    int32_t partition;
    int64_t first, last; /* offsets */
    int64_t written; /* what this process has put into jst_offsets for it; -1: nothing. Set by the loop. */
    bool reset;      /* jst_offsets may be lowered. Set by the loop. */
};

struct batch_limits {
    size_t rows;  /* the size that a transaction aims at */
    size_t bytes; /* of record values */
};

struct batch {
    struct row_reader *reader;
    const struct pipeline *pipeline;
    struct document *documents; /* in the order in which they came */
    size_t document_count, document_cap;
    struct row *rows;
    size_t row_count, row_cap;
    struct flat_value *cells;
    size_t cell_count, cell_cap;
    struct buf text; /* cells' characters that the lines do not have as they are */
    struct batch_part *parts;
    size_t part_count, part_cap;
    size_t bytes;  /* of record values */
    size_t wanted; /* documents to be written, so far */
    size_t wanted_rows;
    int64_t since_ms;        /* monotonic, when the first document came */
    struct hash_table index; /* the first document of each id: its index */
};

/* The reader must outlive the batch. */
struct batch *batch_new(struct row_reader *reader) __attribute__((returns_nonnull));
/* Releases every record to the source. NULL ok. */
void batch_free(struct batch *b, struct source *source);

/* Is there room for this record? An empty batch takes any record; a document with more rows than the limit
 * goes into an empty batch only. */
bool batch_has_room(const struct batch *b, const struct record *r, const struct batch_limits *limits);
bool batch_is_full(const struct batch *b, const struct batch_limits *limits);
/* Memory that the batch holds, its records included: bytes. */
size_t batch_memory(const struct batch *b);
/* Have they a document in common? Broken ones do not count. Row by row always, since any document may have a
 * row of the same key. */
bool batch_overlaps(const struct batch *a, const struct batch *b);

/* Take a record in; the batch owns it from now on, even if it cannot be read. A message that cannot be read
 * becomes a broken document. Of two versions of one document the older one becomes stale, but not row by row.
 */
void batch_add(struct batch *b, const struct record *r, int64_t now_monotonic_ms);

/* Take back the rejections, so that the rows are tried again. */
void batch_forget_rejections(struct batch *b);

/* The wanted documents' indices in the order of their ids, byte by byte, or row by row as they came; the
 * caller frees them. */
size_t *batch_sorted(const struct batch *b, size_t *ret_count);

static inline const char *batch_cell(const struct batch *b, const struct row *row, size_t column,
                                     size_t *ret_len)
{
    const struct flat_value *c = &b->cells[row->first_cell + column];
    *ret_len = c->len;
    if (c->len == FLAT_NULL)
        return NULL;
    return (c->at & CELL_IN_TEXT) != 0 ? b->text.data + (c->at & ~CELL_IN_TEXT) : row->line + c->at;
}

/* Is the cell a piece of its line as it came? Then it has no backslash and no control character. */
static inline bool batch_cell_is_plain(const struct batch *b, const struct row *row, size_t column)
{
    return (b->cells[row->first_cell + column].at & CELL_IN_TEXT) == 0;
}

#endif
