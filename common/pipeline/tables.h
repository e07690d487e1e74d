/* Which pipelines write to one table, and whether they may. Pure. */
#ifndef JST_COMMON_PIPELINE_TABLES_H
#define JST_COMMON_PIPELINE_TABLES_H

struct faults;
struct pipelines;

/* A table belongs to one pipeline and to those that name it in table_of: anything else is an error, and so is
 * a table_of that names no other pipeline, or one with another table, key, document's column or columns.
 * Names are compared without case: two that differ only so are one table on many servers. database   of
 * tables without one of their own; NULL: not known, and "t" beside "db.t" is a warning */
void pipelines_check_tables(const struct pipelines *pipelines, const char *database, struct faults *faults);

#endif
