/* What connection.c, statement.c, session.c, tls.c and load_local.c share; nobody else includes it. */
#ifndef JST_COMMON_MYSQL_CONNECTION_PRIVATE_H
#define JST_COMMON_MYSQL_CONNECTION_PRIVATE_H

#include <mysql/mysql.h>

#include <pthread.h>

#include "common/mysql/db.h"

struct err;

struct db_mysql {
    struct db base;
    MYSQL *mysql; /* NULL: not connected */
    char *host, *socket, *user, *password, *database, *ca, *tls;
    char *password_file; /* read again at each connect; NULL: the password was given otherwise */
    unsigned port;
    unsigned lock_wait_s;
    size_t max_statement;
    bool mariadb;
    bool offers_load;  /* @@local_infile of this connection */
    bool refuses_load; /* a LOAD DATA LOCAL was refused, whatever @@local_infile says */
    uint64_t generation;
    int64_t used_ms; /* monotonic */

    pthread_mutex_t abort_lock; /* over what follows, for db_abort() */
    int abort_fd;               /* our own descriptor of the connection's socket; -1: not connected */
    bool aborted;               /* since connect() began */
};

/* ---- connection.c ---- */

/* Turn the client library's last error into *err; a lost connection is closed. Returns -1. */
int connection_failed(struct db_mysql *m, struct err *err);

/* ---- statement.c: as db_query() and db_load() ---- */

int statement_query(struct db *db, const char *sql, size_t len, struct db_result *ret, struct err *err);
int statement_load(struct db *db, const char *sql, size_t len, const struct db_feed *feed,
                   struct db_result *ret, struct err *err);

/* ---- tls.c ---- */

/* Before connecting: TLS as --mysql-tls says, and the ways to prove a password that the server may ask for.
 */
void tls_prepare(const struct db_mysql *m, MYSQL *mysql);
/* After connecting: is the connection as safe as --mysql-tls demands? ERR_RETRY. */
int tls_check(const struct db_mysql *m, struct err *err);

/* ---- session.c ---- */

/* Set what every statement relies on, and learn the server's limits. Errors as of db_query(). */
int session_prepare(struct db_mysql *m, struct err *err);

/* ---- load_local.c ---- */

/* No file is given to a server that asks for one. Before connecting. */
void load_local_refuse(MYSQL *mysql);
/* Until load_local_refuse(): what the server asks for is answered from feed; *ret_asked tells whether it
 * asked.
 */
struct load_local {
    const struct db_feed *feed;
    bool asked;
};
void load_local_serve(MYSQL *mysql, struct load_local *load);
/* Does this error mean that the server, or the client library, takes no LOAD DATA LOCAL? */
bool load_local_is_refusal(int code);

#endif
