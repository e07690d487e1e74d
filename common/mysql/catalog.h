/* One table as information_schema describes it. For the checks of shape.h. */
#ifndef JST_COMMON_MYSQL_CATALOG_H
#define JST_COMMON_MYSQL_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/mysql/db.h"

struct buf;
struct err;

enum { CATALOG_INDEX_COLUMNS = 32 /* MariaDB's limit; MySQL has 16 */ };

struct catalog_column {
    const char *name;
    const char *data_type;           /* "varchar"; "json" on MariaDB, too */
    const char *type;                /* "varchar(255)", "int(10) unsigned zerofill" */
    const char *fallback;            /* its default as the server stores it; NULL: none */
    const char *charset, *collation; /* NULL: not a text */
    const char *comment;
    size_t length;  /* of texts; 0: not told */
    unsigned scale; /* of numbers, and of a second's fraction; SCALE_FREE: not told */
    bool nullable, generated, auto_increment;
    bool fallback_is_expression; /* not a literal */
};

struct catalog_index {
    const char *name;
    const char *columns[CATALOG_INDEX_COLUMNS];  /* NULL: an expression */
    const char *prefixes[CATALOG_INDEX_COLUMNS]; /* characters; NULL: the whole column */
    size_t count;
    bool unique, btree;
};

struct catalog {
    bool exists;
    const char *schema, *name; /* as the server has them */
    const char *type;          /* "BASE TABLE", "VIEW" … */
    const char *engine;        /* NULL: of a view, or the server cannot tell */
    struct catalog_column *columns;
    size_t column_count;
    struct catalog_index *indexes;
    size_t index_count;
    struct db_result results[3]; /* own the texts */
};

/* table: "name", of the connection's database, or "db.name". A table that is not there, or that this user has
 * no right to, has exists false. Errors: as db_query(). ret is to be freed in any case. */
int catalog_read(struct db *db, const char *table, struct catalog *ret, struct err *err)
    __attribute__((warn_unused_result));
void catalog_free(struct catalog *catalog); /* leaves an empty one */

/* NULL: it has no such column, or index. Columns compare without case, as the server's do. */
const struct catalog_column *catalog_find(const struct catalog *c, const char *column);
const struct catalog_index *catalog_find_index(const struct catalog *c, const char *index);
/* A system-versioned table is a table, too. */
bool catalog_is_table(const struct catalog *c);

/* `WHERE <schema_column>=… AND <name_column>=…`, for a table's name as in catalog_read(). */
void catalog_put_where(struct buf *sql, const char *schema_column, const char *name_column,
                       const char *table);

#endif
