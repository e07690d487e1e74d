/* The rows of the bench: the same ones for everybody, made from their number alone, in sets:
 *   receipts   documents of three lines; a row has 31 columns and 714 bytes on average as JSON; one document
 * in 200 has an id of 18 digits, one line in 200 an amount of 18 digits newer      the same documents in a
 * higher version: other values, and a line gone from each events     one line a document: id, category,
 * value, ts; no version */
#ifndef JST_BENCH_ROWS_H
#define JST_BENCH_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* At most, of any set; ROW_HEADER_COLUMNS is of receipts and newer. */
enum { ROW_COLUMNS = 31, ROW_LINES = 3, ROW_HEADER_COLUMNS = 22, ROW_BLOCK = 5000, ROW_MEMORY = 4096 };

struct row_column {
    const char *name; /* as in the table; columns of a line begin with items_ */
    bool number;      /* in JSON and SQL; else text */
};

struct row_document {
    const char *id;
    const char *version;                       /* "": none */
    const char *cells[ROW_LINES][ROW_COLUMNS]; /* NULL: null; into memory or static */
    char memory[ROW_MEMORY];
    size_t used;
};

struct row_set {
    const char *name;
    const char *table;
    /* In the table's order: id, then the document's columns up to ROW_HEADER_COLUMNS, then the line's. */
    const struct row_column *columns;
    size_t column_count;
    int lines; /* of each document */
    /* Document number n, complete. *ret must stay where it is while it is used. */
    void (*make)(uint64_t n, struct row_document *ret);
};

/* NULL when no set has this name. */
const struct row_set *row_set_find(const char *name);

/* A step of splitmix64: even neighbours give unlike numbers. */
uint64_t row_mix(uint64_t x);

/* The numbers 0 to count-1, shuffled within blocks of ROW_BLOCK. The caller frees them. */
uint64_t *row_order(uint64_t count) __attribute__((returns_nonnull));

/* One row as flat JSON, as the transformer writes it, without a line end. */
void row_put_json(struct buf *out, const struct row_set *set, const struct row_document *d, int line);
/* The document as the API sends it; receipts and newer only. */
void row_put_document(struct buf *out, const struct row_set *set, const struct row_document *d);
/* "(id, io_id, …)" values in parentheses, for a multi-row statement. */
void row_put_sql(struct buf *out, const struct row_set *set, const struct row_document *d, int line);
/* A line of LOAD DATA's default format, with its line end. */
void row_put_tsv(struct buf *out, const struct row_set *set, const struct row_document *d, int line);

#endif
