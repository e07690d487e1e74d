/* What a column of the target table holds. Pure. */
#ifndef JST_COMMON_MYSQL_COLUMNS_H
#define JST_COMMON_MYSQL_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

enum column_kind {
    COLUMN_TEXT,    /* takes every text, "" too: CHAR, VARCHAR, TEXT and their binary relatives */
    COLUMN_INTEGER, /* here and below "" is NULL */
    COLUMN_DECIMAL,
    COLUMN_FLOAT,
    COLUMN_DOUBLE,
    COLUMN_DATE,
    COLUMN_DATETIME, /* TIMESTAMP, too */
    COLUMN_TIME,
    COLUMN_OTHER, /* JSON, ENUM, YEAR … */
};

/* What becomes of spaces at a text's end. */
enum text_form {
    TEXT_VARCHAR, /* length in characters: spaces beyond it are cut without an error */
    TEXT_CHAR,    /* length in characters: no space at the end is kept */
    TEXT_LONG,    /* TINYTEXT to LONGTEXT: length in bytes, spaces beyond it are cut without an error */
    TEXT_BINARY,  /* length in bytes: nothing is cut */
};

enum { SCALE_FREE = 255 /* a FLOAT or DOUBLE without a fixed number of decimals */ };

struct table_column {
    enum column_kind kind;
    enum text_form form; /* of COLUMN_TEXT */
    size_t length;       /* of COLUMN_TEXT, by its form */
    unsigned scale;      /* decimals of numbers (0 for integers, SCALE_FREE), digits of a second's fraction */
    bool nullable;
    bool positions; /* an ENUM or SET that takes digits for a member's position */
};

/* By the name of a data type in information_schema.COLUMNS. */
enum column_kind table_column_kind(const char *data_type);
/* Does this collation compare byte by byte, trailing spaces included? */
bool table_collation_is_exact(const char *collation);

#endif
