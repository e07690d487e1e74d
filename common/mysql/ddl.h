/* The tables a pipeline needs, as SQL. Pure; shared by the loader (--create-tables) and `jstctl ddl`. */
#ifndef JST_COMMON_MYSQL_DDL_H
#define JST_COMMON_MYSQL_DDL_H

#include <stdbool.h>

#include "common/pipeline/pipeline.h"

struct buf;

/* The collation that compares byte by byte and does not ignore trailing spaces: MySQL (8.0.17 and newer) and
 * MariaDB name it differently. */
const char *ddl_collation(bool mariadb);

/* CREATE TABLE IF NOT EXISTS for the pipeline's target table, without a final semicolon. Its types fit the
 * target's fields, its primary key is the pipeline's key, and the document's id has an index. */
void ddl_target(const struct pipeline *p, bool mariadb, struct buf *out);

/* CREATE TABLE IF NOT EXISTS for jst_heads. */
void ddl_heads(bool mariadb, struct buf *out);

#endif
