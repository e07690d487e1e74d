/* The target table as the server has it: the kind of each column, and the index that finds a document. */
#ifndef JST_COMMON_MYSQL_SHAPE_H
#define JST_COMMON_MYSQL_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/mysql/db.h"
#include "common/pipeline/pipeline.h"

struct err;

enum column_kind {
    COLUMN_TEXT,    /* takes every text, "" too */
    COLUMN_INTEGER, /* "" is NULL */
    COLUMN_OTHER,   /* numbers, times, JSON …: "" is NULL */
};

struct table {
    const struct pipeline *pipeline;
    enum column_kind *kinds; /* of each of the pipeline's columns */
    char *document_index;    /* name of an index that begins with the document's column */
};

/* Read the table's shape and verify it: the table and jst_heads exist (`create` creates them), all columns
 * are there, the key is a primary or unique key, and the document's column is indexed and is an integer or
 * compares byte by byte without padding. ERR_PAUSE: one of these does not hold, and the text has the
 * statement that mends it. ERR_RETRY: as db_query(). */
int table_load(struct db *db, const struct pipeline *pipeline, bool create, struct table **ret,
               struct err *err) __attribute__((warn_unused_result));
void table_free(struct table *table); /* NULL ok */

/* By the name of a data type in information_schema.COLUMNS, lower case. */
enum column_kind table_column_kind(const char *data_type);
/* Does this collation compare byte by byte, trailing spaces included? */
bool table_collation_is_exact(const char *collation);

#endif
