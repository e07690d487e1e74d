/* Numbers as text. Pure. */
#ifndef JST_TRANSFORMER_NUMBER_H
#define JST_TRANSFORMER_NUMBER_H

#include <stdbool.h>

struct buf;

/* Is the whole text a JSON number? */
bool number_valid(const char *text);

/* Append a valid JSON number with the digits that came, its exponent written out: "1.50e2" -> "150",
 * "12e-1" -> "1.2", "2.0000" unchanged. -1: the number would need more than 400 digits. */
int number_put(struct buf *out, const char *text);

#endif
