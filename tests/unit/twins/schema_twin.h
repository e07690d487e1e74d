/* A twin of information_schema: answers what catalog.c and shape.c ask, from tables that a test describes. */
#ifndef JST_TESTS_SCHEMA_TWIN_H
#define JST_TESTS_SCHEMA_TWIN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/mysql/db.h"
#include "common/mysql/own_tables.h"
#include "common/pipeline/pipeline.h"

enum { SCHEMA_COLUMNS_MAX = 64 };

/* NULL: what stands behind it. */
struct schema_column {
    const char *name, *type, *collation;
    const char *full_type;  /* as type */
    const char *nullable;   /* "YES" */
    const char *length;     /* "64" for texts */
    const char *scale;      /* none */
    const char *fallback;   /* none */
    const char *extra;      /* "" */
    const char *expression; /* "" */
    const char *comment;    /* "" */
};
struct schema_index {
    const char *name, *non_unique, *column, *prefix;
    const char *type; /* "BTREE" */
};
struct schema_table {
    const char *name;
    const char *type;   /* "BASE TABLE" */
    const char *engine; /* "InnoDB" */
    const struct schema_column *columns;
    size_t column_count;
    const struct schema_index *indexes;
    size_t index_count;
};

/* Answers a question about information_schema; a table whose name is NULL is not there. False: it is another
 * statement. */
bool schema_answer(const struct schema_table *tables, size_t count, const char *sql, struct db_result *ret);

/* As own_table_put() and ddl_target() make them; their columns and indexes stand in room. */
struct schema_room {
    struct schema_column columns[SCHEMA_COLUMNS_MAX];
    struct schema_index indexes[SCHEMA_COLUMNS_MAX];
};
struct schema_table schema_of_own(const struct own_table *table, struct schema_room *room);
struct schema_table schema_of_pipeline(const struct pipeline *p, struct schema_room *room);

/* Append a row of cells that may be NULL. */
void schema_add_row(struct db_result *r, const char *const *cells, size_t columns);

#endif
