/* A connection to the database, as the loader needs it: a small port with MySQL behind it (connection.c) and
 * a twin with a script in the unit tests (scripted_db).
 *
 * Each db belongs to one thread at a time; several may be used by several threads at once, each of which
 * calls db_thread_end() before it ends. Only db_abort() may come from another thread. */
#ifndef JST_COMMON_MYSQL_DB_H
#define JST_COMMON_MYSQL_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mysql/result.h"

struct err;
struct options;

struct db {
    const struct db_ops *ops;
};

/* Where LOAD DATA LOCAL takes its bytes from. */
struct db_feed {
    size_t (*read)(void *arg, char *out, size_t size); /* fill at most size bytes; 0: that was all */
    void *arg;
};

struct db_ops {
    int (*connect)(struct db *db, struct err *err);
    int (*query)(struct db *db, const char *sql, size_t len, struct db_result *ret, struct err *err);
    int (*load)(struct db *db, const char *sql, size_t len, const struct db_feed *feed, struct db_result *ret,
                struct err *err);
    bool (*can_load)(const struct db *db);
    uint64_t (*generation)(const struct db *db);
    size_t (*max_statement)(const struct db *db);
    bool (*is_mariadb)(const struct db *db);
    void (*disconnect)(struct db *db);
    void (*abort)(struct db *db);
    void (*free)(struct db *db);
};

/* Errors: err->code is MySQL's errno, or 0; err->kind by its class (errors.h): connection, lock, capacity,
 * read-only and unknown are ERR_RETRY, row data is ERR_REJECT, schema and rights are ERR_PAUSE; err->row is
 * the row that the server names, from 1, or 0. err->text is the server's and may quote values of the row: it
 * is for a dead letter, whose topic holds the row anyway. Logs and readiness take db_error_brief(). */

/* Connect unless connected: charset, sql_mode, time zone, isolation, timeouts are set. A connection that was
 * idle for longer than the server may have kept it is replaced. */
static inline int db_connect(struct db *db, struct err *err)
{
    return db->ops->connect(db, err);
}
/* Run one statement. ret may be NULL: a result set is read and dropped. A failed statement leaves the
 * transaction as the server leaves it. A lost connection is closed, and only db_connect() opens another; so
 * no statement runs outside its transaction. A result beyond DB_RESULT_MAX_BYTES is ERR_RETRY with code 0,
 * and the connection is closed. */
static inline int db_query(struct db *db, const char *sql, size_t len, struct db_result *ret, struct err *err)
{
    return db->ops->query(db, sql, len, ret, err);
}
/* Run LOAD DATA LOCAL INFILE '<any name>' …: the bytes come from feed, never from a file, and from nowhere at
 * any other time, whatever a server asks for. The statement names its CHARACTER SET. As db_query() otherwise.
 * A server that refuses it makes db_can_load() false: roll back, and write the rows by another statement. */
static inline int db_load(struct db *db, const char *sql, size_t len, const struct db_feed *feed,
                          struct db_result *ret, struct err *err)
{
    return db->ops->load(db, sql, len, feed, ret, err);
}
/* Does the server take LOAD DATA LOCAL? Asked at each connect; false for good once it has refused one. */
static inline bool db_can_load(const struct db *db)
{
    return db->ops->can_load(db);
}
/* The number of connections opened so far: another number means another session, which has locked, seen and
 * committed nothing yet. 0: none yet. */
static inline uint64_t db_generation(const struct db *db)
{
    return db->ops->generation(db);
}
/* The largest statement the server takes, bytes; and whether it is MariaDB. After db_connect(). */
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
/* From another thread: make a call that is under way fail soon, as if the connection were lost. (A connect
 * that has no connection yet ends at its own limit of 10 s.) */
static inline void db_abort(struct db *db)
{
    db->ops->abort(db);
}
static inline void db_free(struct db *db)
{
    if (db != NULL)
        db->ops->free(db);
}

/* MySQL or MariaDB, from the --mysql-* options, which may go away afterwards. Does not connect.
 *   lock_wait_s   how long a statement waits for a row's or a table's lock, seconds, at least 1
 * ERR_FATAL: the client library does not start. */
int db_mysql_new(const struct options *options, unsigned lock_wait_s, struct db **ret, struct err *err)
    __attribute__((warn_unused_result));

/* What the client library keeps for the calling thread is freed. Before a thread that used a db ends. */
void db_thread_end(void);

#endif
