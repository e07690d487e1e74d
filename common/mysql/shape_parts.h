/* Between shape.c and its parts: one look at a target table. */
#ifndef JST_COMMON_MYSQL_SHAPE_PARTS_H
#define JST_COMMON_MYSQL_SHAPE_PARTS_H

#include <stdbool.h>

#include "common/mysql/catalog.h"
#include "common/mysql/columns.h"
#include "common/mysql/mend.h"
#include "common/mysql/own_tables.h"
#include "common/pipeline/pipeline.h"

struct look {
    const struct pipeline *p;
    const struct catalog *catalog;
    struct mend *mend;
    bool mariadb;
};

/* shape_columns.c: the columns' faults; fills columns[] of those that are there. */
void shape_check_columns(const struct look *look, struct table_column *columns);
/* The pipeline does not fill it, and no statement may leave it out. */
bool shape_is_unfilled(const struct pipeline *p, const struct catalog_column *c);

/* shape_indexes.c: the key, other unique indexes, the document's index. Returns the latter's name, or NULL.
 */
const char *shape_check_indexes(const struct look *look);

/* shape_own.c: a table of ours is there with columns and key; create: make and complete it. Errors: as
 * table_load(). */
int shape_check_own(struct db *db, const struct own_table *table, const struct pipeline *p, bool create,
                    struct err *err) __attribute__((warn_unused_result));

/* shape.c: */
bool shape_is_key(const struct pipeline *p, const char *column);
/* The engine's fault. */
void shape_check_engine(const struct catalog *catalog, struct mend *mend);

#endif
