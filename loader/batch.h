/* A batch: whole documents for one transaction in MySQL. Of each document only the newest version is written.
 * Pure. */
#ifndef JST_LOADER_BATCH_H
#define JST_LOADER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/pipeline/pipeline.h"
#include "common/wire/message.h"
#include "common/wire/ports.h"

struct err;

enum { VALUE_NULL = UINT32_MAX };

/* A cell: a piece of the batch's text, or NULL. */
struct cell {
    uint32_t at, len; /* len == VALUE_NULL: NULL */
};

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
    uint64_t version;
    int64_t published_ms, received_at_ms;
    size_t first_row, row_count;
    enum document_state state;
    char *why; /* why it is broken; else NULL */
};

struct batch_limits {
    size_t rows;  /* the size that a transaction aims at */
    size_t bytes; /* of record values */
};

struct batch {
    const struct pipeline *pipeline;
    struct document *documents; /* in the order in which they came */
    size_t document_count, document_cap;
    struct row *rows;
    size_t row_count, row_cap;
    struct cell *cells;
    size_t cell_count, cell_cap;
    struct buf text; /* the cells' characters */
    size_t bytes;    /* of record values */
    size_t wanted;   /* documents to be written, so far */
    size_t wanted_rows;
    int64_t since_ms; /* monotonic, when the first document came */
    size_t *index;    /* hash of document ids: index + 1, 0 is free */
    size_t index_size;
};

struct batch *batch_new(const struct pipeline *pipeline) __attribute__((returns_nonnull));
/* Releases every record to the source. NULL ok. */
void batch_free(struct batch *b, struct source *source);

/* Is there room for this record? An empty batch takes any record; a document with more rows than the limit
 * goes into an empty batch only. */
bool batch_has_room(const struct batch *b, const struct record *r, const struct batch_limits *limits);
bool batch_is_full(const struct batch *b, const struct batch_limits *limits);

/* Take a record in; the batch owns it from now on, even if it cannot be read. A message that cannot be read
 * becomes a broken document. Of two versions of one document the older one becomes stale. */
void batch_add(struct batch *b, const struct record *r, int64_t now_monotonic_ms);

/* Count the documents that end in dead letters, whole or in part: broken ones, and those with a rejected row.
 * sorted: the wanted documents; lost: true for those that are not written after all. Both NULL: the
 * documents' states decide. */
size_t batch_bad_documents(const struct batch *b, const size_t *sorted, const bool *lost, size_t count);

/* Take back the rejections, so that the rows are tried again. */
void batch_forget_rejections(struct batch *b);

/* The wanted documents' indices in the order of their ids, byte by byte; the caller frees them. */
size_t *batch_sorted(const struct batch *b, size_t *ret_count);

static inline const char *batch_cell(const struct batch *b, const struct row *row, size_t column,
                                     size_t *ret_len)
{
    const struct cell *c = &b->cells[row->first_cell + column];
    *ret_len = c->len;
    return c->len == VALUE_NULL ? NULL : b->text.data + c->at;
}

#endif
