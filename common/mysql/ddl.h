/* The target table that a pipeline needs, as SQL. Pure; shared by the loader (--create-tables), the texts of
 * its pauses, and `jstctl ddl`. */
#ifndef JST_COMMON_MYSQL_DDL_H
#define JST_COMMON_MYSQL_DDL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/pipeline/pipeline.h"

struct buf;

enum { INDEX_BYTES = 3072 /* of InnoDB, with pages of 16 KiB */, CHARACTER_BYTES = 4 /* of utf8mb4 */ };

/* The collation that compares byte by byte and does not ignore trailing spaces: MySQL (8.0.17 and newer) and
 * MariaDB name it differently. */
const char *ddl_collation(bool mariadb);

/* CREATE TABLE IF NOT EXISTS for the pipeline's target table, without a final semicolon. Its types fit the
 * target's fields, its primary key is the pipeline's key, and the document's id has an index. */
void ddl_target(const struct pipeline *p, bool mariadb, struct buf *out);

/* One column of it for ALTER TABLE, which names the character set, since the table's may be another: with
 * name and comment, or just "BIGINT NOT NULL". */
void ddl_column(const struct pipeline *p, size_t index, bool mariadb, struct buf *out);
void ddl_type(const struct pipeline *p, size_t index, bool mariadb, struct buf *out);

/* Characters of each text column of the key, so that all columns of the key fit into one index. */
size_t ddl_key_width(const struct pipeline *p);

#endif
