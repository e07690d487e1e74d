/* The target table as the server has it, verified before a row is written: what each column of the pipeline
 * holds, and the index that finds a document. */
#ifndef JST_COMMON_MYSQL_SHAPE_H
#define JST_COMMON_MYSQL_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/mysql/columns.h"
#include "common/mysql/db.h"
#include "common/pipeline/pipeline.h"

struct err;

struct table {
    const struct pipeline *pipeline;
    char *name;                   /* "db.table", as the server names them */
    struct table_column *columns; /* of each of the pipeline's columns */
    char *document_index;         /* name of an index that begins with the document's column */
    bool created;                 /* by this call */
    bool empty;                   /* it had no row when it was looked at */
};

/* Look at the table, and at jst_heads and jst_offsets, and verify that no row can be lost or merged there
 * without an error:
 *   it is a table of InnoDB with all columns, none of ours generated or numbering itself or BIT, every text
 *   utf8mb4; NULL is stored as NULL;
 *   columns that the pipeline does not fill may be left out of a statement;
 *   a primary or unique index is over just the key's columns, whole, of types and collations that tell all
 *   texts apart (of integers, decimals and times those that column_keeps() tells, rounding.h); the document's
 *   column is an integer or such a text, and has an index;
 *   no other unique index can make documents replace one another; no foreign key deletes or empties rows of
 *   another table of the same database when a row is replaced;
 *   jst_heads and jst_offsets have all columns, their primary keys, and compare byte by byte.
 * create: CREATE TABLE what is missing, and ALTER TABLE … ADD COLUMN what jst_heads and jst_offsets lack.
 * ERR_PAUSE: one of these does not hold. The text names the table, each column with its fault, and one ALTER
 * TABLE that mends them all, ready to paste; what does not fit into the text is counted there. err->code:
 * 1146 a table, 1054 a column is missing, 1071 the key is too wide for this server; else the server's, or 0.
 * ERR_RETRY: as db_query(). */
int table_load(struct db *db, const struct pipeline *pipeline, bool create, struct table **ret,
               struct err *err) __attribute__((warn_unused_result));
void table_free(struct table *table); /* NULL ok */

#endif
