/* What a column makes of a text that it takes without an error. Pure, and fast: asked for each cell. */
#ifndef JST_COMMON_MYSQL_ROUNDING_H
#define JST_COMMON_MYSQL_ROUNDING_H

#include <stdbool.h>
#include <stddef.h>

#include "common/mysql/columns.h"

enum rounding {
    ROUNDING_NONE,   /* kept as it is, or refused with an error */
    ROUNDING_DIGITS, /* digits are lost: decimals beyond the scale, a fraction of an integer or a second, a
                        time of a DATE, more than the 6 digits of FLOAT or the 15 of DOUBLE; an ENUM takes
                        them for a position */
    ROUNDING_SPACES, /* spaces at the end are lost */
};

/* Would the server, in strict mode, store this text changed and report no error? Zeros that are lost are not
 * a loss. text: UTF-8, may be NULL with len 0. Of a text that the column refuses nothing is said: the error
 * speaks. A DOUBLE that keeps a 16th digit by chance counts as rounded. YEAR and JSON are not looked into,
 * nor ENUM and SET where a member begins with a digit. */
enum rounding column_rounds(const struct table_column *c, const char *text, size_t len);

/* Would the server give back exactly this text? For columns that identify rows: a key 007 in an integer
 * column comes back as 7, and then meets another row. Integers without leading zeros or '+', decimals with
 * all digits of the scale, times as "2026-08-13 11:05:00" with all digits of the fraction, texts without
 * spaces that are cut. False for the kinds that tell no texts apart: FLOAT, DOUBLE, COLUMN_OTHER. */
bool column_keeps(const struct table_column *c, const char *text, size_t len);

#endif
