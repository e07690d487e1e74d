/* The loader's own tables beside the target: jst_heads and jst_offsets, as SQL. Pure.
 *
 * jst_heads: for each pipeline and document what its table shows, ordered by (kind, version, received,
 * published). A row whose `kind` is NULL was written by an older loader, which knew neither kind nor
 * received nor source: the next arrival of its document is compared with it by version and published alone,
 * as that loader did, and if it wins, or is equal, it fills all columns. jst_offsets: for each pipeline,
 * topic and partition the offset below which every message is committed in this database, and the table
 * ("db.table") that this was written to. */
#ifndef JST_COMMON_MYSQL_OWN_TABLES_H
#define JST_COMMON_MYSQL_OWN_TABLES_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

struct own_column {
    const char *name;
    const char *type; /* "BIGINT NOT NULL"; @ stands for the exact collation */
};

struct own_table {
    const char *name;
    const char *comment;
    const struct own_column *columns;
    size_t count;
    size_t key_count; /* so many first columns are the primary key */
};

extern const struct own_table own_heads, own_offsets;

/* CREATE TABLE IF NOT EXISTS, without a final semicolon. */
void own_table_put(const struct own_table *table, bool mariadb, struct buf *out);
/* "`kind` TINYINT UNSIGNED NULL" */
void own_column_put(const struct own_column *column, bool mariadb, struct buf *out);

#endif
