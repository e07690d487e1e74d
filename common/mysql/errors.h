/* The error numbers of MySQL and MariaDB, and their meaning for a batch, in one table. Pure. */
#ifndef JST_COMMON_MYSQL_ERRORS_H
#define JST_COMMON_MYSQL_ERRORS_H

#include <stddef.h>

#include "common/base/err.h"

enum db_class {
    DB_CONNECTION, /* wait, connect again, repeat the whole batch */
    DB_LOCK,       /* roll back, repeat the whole batch */
    DB_CAPACITY,
    DB_READONLY,
    DB_ROW,     /* the data of one row, unless every row is refused: find it, with proof that others pass */
    DB_SCHEMA,  /* the table, its files, the server's settings or a right: pause the pipeline */
    DB_UNKNOWN, /* may be any of them: repeat the whole batch for a while; then treat it as DB_ROW */
};

struct db_error {
    int code;
    enum db_class class;
    const char *name; /* the server's symbol, for documentation and tests */
};
extern const struct db_error db_errors[];
extern const size_t db_error_count;

enum db_class db_error_class(int code);         /* DB_UNKNOWN when it is not in the table */
const char *db_class_name(enum db_class class); /* "connection", "lock" … as in jst_loader_retries_total */
enum err_kind db_class_kind(enum db_class class);

enum { DB_BRIEF_MAX = 96 };
/* What may stand in a log or in readiness, since it quotes no value: "ER_DATA_TOO_LONG (1406)", or "MySQL
 * error 9999" for a number that the table does not know. Cut to fit. Returns out. */
const char *db_error_brief(int code, char *out, size_t size);

/* The row that an error text names at its end ("… for column 'id' at row 2 (MySQL error 1406)"), from 1; 0:
 * none. */
size_t db_error_row(const char *text);

#endif
