/* Text for people: aligned columns; and JSON strings for programs. */
#ifndef JST_JSTCTL_LISTING_H
#define JST_JSTCTL_LISTING_H

#include <stddef.h>
#include <stdio.h>

/* Columns that a terminal needs for UTF-8 text: 2 for a Chinese character or an emoji. */
size_t text_width(const char *text, size_t len);

/* Print text, then blanks up to `width` columns. */
void print_padded(const char *text, size_t len, size_t width, FILE *out);

/* Print rows of cells (rows * columns texts of any origin, shown by utf8_plain) below one another, two blanks
 * apart. */
void print_listing(const char *const *cells, size_t columns, size_t rows, FILE *out);

/* Text of any origin, as utf8_plain() shows it. */
void print_plain(const char *text, FILE *out);

/* A JSON string of text of any origin; NULL: null. */
void print_json(const char *text, FILE *out);
/* ,"name":"text" */
void print_json_member(const char *name, const char *text, FILE *out);

/* "s", or "" for one. */
const char *plural(size_t n);

#endif
