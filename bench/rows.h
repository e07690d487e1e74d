/* The rows of the bench: the same ones for everybody, made from their number alone. A document has three
 * lines, a row 31 columns and 714 bytes on average as JSON; one document in 200 has an id of 18 digits, one
 * line in 200 an amount of 18 digits. */
#ifndef JST_BENCH_ROWS_H
#define JST_BENCH_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum { ROW_COLUMNS = 31, ROW_LINES = 3, ROW_HEADER_COLUMNS = 22, ROW_BLOCK = 5000, ROW_MEMORY = 4096 };

struct row_column {
    const char *name; /* as in the table; columns of a line begin with items_ */
    bool number;      /* in JSON and SQL; else text */
};
/* In the table's order: id, then the document's columns up to ROW_HEADER_COLUMNS, then the line's. */
extern const struct row_column row_columns[ROW_COLUMNS];

struct row_document {
    const char *id; /* io_id as text */
    const char *version;
    const char *cells[ROW_LINES][ROW_COLUMNS]; /* NULL: null; into memory or static */
    char memory[ROW_MEMORY];
    size_t used;
};

/* Document number n, complete. Must stay where it is while it is used. */
void row_document_make(uint64_t n, struct row_document *ret);

/* The numbers 0 to count-1, shuffled within blocks of ROW_BLOCK. The caller frees them. */
uint64_t *row_order(uint64_t count) __attribute__((returns_nonnull));

/* One row as flat JSON, as the transformer writes it, without a line end. */
void row_put_json(struct buf *out, const struct row_document *d, int line);
/* The document as the API sends it. */
void row_put_document(struct buf *out, const struct row_document *d);
/* "(id, io_id, …)" values in parentheses, for a multi-row statement. */
void row_put_sql(struct buf *out, const struct row_document *d, int line);
/* A line of LOAD DATA's default format, with its line end. */
void row_put_tsv(struct buf *out, const struct row_document *d, int line);

#endif
