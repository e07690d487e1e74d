/* A connection to the database, as the loader needs it: a small port with MySQL behind it (connection.c) and
 * a scripted twin in the unit tests. Not thread-safe, but for db_abort(). */
#ifndef JST_COMMON_MYSQL_DB_H
#define JST_COMMON_MYSQL_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct options;

/* A result set, wholly read: text cells, NULL for SQL's NULL. */
struct db_result {
    char ***rows; /* rows[i][j], NUL-ended; rows[i][columns] does not exist */
    size_t count;
    size_t columns;
    uint64_t affected;  /* of a statement without a result set */
    int64_t duplicates; /* rows of an INSERT of several that were there and were changed; -1: not told */
    unsigned warnings;
};
void db_result_free(struct db_result *result); /* NULL ok; leaves an empty one */

struct db {
    const struct db_ops *ops;
};

struct db_ops {
    /* Connect unless connected: charset, sql_mode, time zone, isolation, timeouts are set. */
    int (*connect)(struct db *db, struct err *err);
    /* Run one statement. ret may be NULL. A failed statement leaves the transaction as the server leaves it.
     * A lost connection is closed, and only connect() opens another; so no statement runs outside its
     * transaction. */
    int (*query)(struct db *db, const char *sql, size_t len, struct db_result *ret, struct err *err);
    /* The largest statement the server takes, bytes; and whether it is MariaDB. After connect(). */
    size_t (*max_statement)(const struct db *db);
    bool (*is_mariadb)(const struct db *db);
    void (*disconnect)(struct db *db);
    /* From another thread: make a call that is under way fail soon, as if the connection were lost. */
    void (*abort)(struct db *db);
    void (*free)(struct db *db);
};

/* Errors: err->code is MySQL's errno; err->kind by its class (errors.h): connection, lock, capacity,
 * read-only and unknown are ERR_RETRY, row data is ERR_REJECT, schema and rights are ERR_PAUSE. */
static inline int db_connect(struct db *db, struct err *err)
{
    return db->ops->connect(db, err);
}
static inline int db_query(struct db *db, const char *sql, size_t len, struct db_result *ret, struct err *err)
{
    return db->ops->query(db, sql, len, ret, err);
}
static inline size_t db_max_statement(const struct db *db)
{
    return db->ops->max_statement(db);
}
static inline bool db_is_mariadb(const struct db *db)
{
    return db->ops->is_mariadb(db);
}
static inline void db_disconnect(struct db *db)
{
    db->ops->disconnect(db);
}
static inline void db_abort(struct db *db)
{
    db->ops->abort(db);
}
static inline void db_free(struct db *db)
{
    if (db != NULL)
        db->ops->free(db);
}

/* MySQL or MariaDB, from the --mysql-* options. Does not connect. ERR_FATAL: the client library does
 * not start. */
int db_mysql_new(const struct options *options, struct db **ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
