/* The port db.h over libmysqlclient, or MariaDB's connector, which has the same interface. */
#include "common/mysql/db.h"

#include <mysql/mysql.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/mysql/errors.h"
#include "common/options/options.h"

enum {
    CONNECT_TIMEOUT_S = 10,
    ANSWER_TIMEOUT_S = 120, /* of one read or write: after it the connection counts as lost */
    IDLE_MS =
        45 * 1000, /* below the session's wait_timeout of 60 s: a connection idle for longer is replaced */
    PACKET_RESERVE = 1024,
};

struct db_mysql {
    struct db base;
    MYSQL *mysql; /* NULL: not connected */
    char *host, *socket, *user, *password, *database, *ca, *tls;
    unsigned port;
    size_t max_statement;
    bool mariadb;
    int64_t used_ms; /* monotonic */
    _Atomic int fd;  /* for abort() from another thread; -1: none */
};

static struct db_mysql *mysql_of(struct db *db)
{
    return (struct db_mysql *)db;
}

void db_result_free(struct db_result *result)
{
    if (result == NULL)
        return;
    for (size_t i = 0; i < result->count; i++) {
        for (size_t j = 0; j < result->columns; j++)
            free(result->rows[i][j]);
        free(result->rows[i]);
    }
    free(result->rows);
    *result = (struct db_result){0};
}

static void mysql_disconnect(struct db *db)
{
    struct db_mysql *m = mysql_of(db);

    m->fd = -1;
    if (m->mysql != NULL)
        mysql_close(m->mysql);
    m->mysql = NULL;
}

/* Turn the client library's last error into *err. A lost connection is closed. */
static int report_failure(struct db_mysql *m, struct err *err)
{
    int code = (int)mysql_errno(m->mysql);
    enum db_class class = db_error_class(code);

    err_set(err, db_class_kind(class), code, "%s (MySQL error %d)", mysql_error(m->mysql), code);
    if (class == DB_CONNECTION)
        mysql_disconnect(&m->base);
    return -1;
}

/* ------------------------------------------------------------------ connecting */

#ifdef MARIADB_BASE_VERSION
/* MariaDB's connector reads "enforce" as "if the server has it", unless the certificate is verified too. So
 * check_tls() looks at the connection afterwards. */
static void set_tls(const struct db_mysql *m, MYSQL *mysql)
{
    char on = 1;
    char verify = strcmp(m->tls, "verify") == 0;

    if (strcmp(m->tls, "off") == 0)
        return;
    mysql_ssl_set(mysql, NULL, NULL, m->ca, NULL, NULL);
    mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &on);
    mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}
#else
static void set_tls(const struct db_mysql *m, MYSQL *mysql)
{
    unsigned mode = strcmp(m->tls, "off") == 0        ? SSL_MODE_DISABLED
                    : strcmp(m->tls, "required") == 0 ? SSL_MODE_REQUIRED
                    : strcmp(m->tls, "verify") == 0   ? SSL_MODE_VERIFY_IDENTITY
                                                      : SSL_MODE_PREFERRED;
    bool public_key = true; /* caching_sha2_password without TLS asks for it */

    mysql_options(mysql, MYSQL_OPT_SSL_MODE, &mode);
    mysql_options(mysql, MYSQL_OPT_SSL_CA, m->ca);
    mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &public_key);
}
#endif

/* MariaDB's connector from 3.4 on also accepts a certificate that nobody signed: always when the host is
 * 127.0.0.1 or ::1, elsewhere when a MariaDB server vouches for it with the password. The connector remembers
 * what it found, so "verify" can demand a signature on every way to the server. */
static bool certificate_is_signed(MYSQL *mysql)
{
#ifdef MARIADB_TLS_VERIFY_OK
    unsigned found = MARIADB_TLS_VERIFY_ERROR;

    return mariadb_get_infov(mysql, MARIADB_TLS_VERIFY_STATUS, &found) == 0 && found == MARIADB_TLS_VERIFY_OK;
#else
    (void)mysql; /* the connection would not have come about */
    return true;
#endif
}

static int check_tls(struct db_mysql *m, struct err *err)
{
    bool verify = strcmp(m->tls, "verify") == 0;
    bool demanded = strcmp(m->tls, "required") == 0 || verify;

    if (demanded && mysql_get_ssl_cipher(m->mysql) == NULL)
        return err_set(err, ERR_RETRY, 2026, "the server offers no TLS, and --mysql-tls is %s", m->tls);
    if (verify && !certificate_is_signed(m->mysql))
        return err_set(err, ERR_RETRY, 2026,
                       "TLS: nobody known has signed the server's certificate, and --mysql-tls is verify");
    return 0;
}

/* The session settings that every statement of the loader relies on. */
static const char *const session[] = {
    "SET NAMES utf8mb4",
    "SET SESSION sql_mode='STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION'",
    "SET SESSION time_zone='+08:00'",
    "SET SESSION wait_timeout=60",
    "SET SESSION innodb_lock_wait_timeout=20",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
};

static int prepare_session(struct db_mysql *m, struct err *err)
{
    struct db_result r;

    for (size_t i = 0; i < sizeof session / sizeof session[0]; i++)
        if (db_query(&m->base, session[i], strlen(session[i]), NULL, err) != 0)
            return -1;
    static const char ask[] = "SELECT @@max_allowed_packet, VERSION()";
    if (db_query(&m->base, ask, sizeof ask - 1, &r, err) != 0)
        return -1;
    long long packet = r.count > 0 ? strtoll(r.rows[0][0], NULL, 10) : 0;
    m->mariadb = r.count > 0 && strstr(r.rows[0][1], "MariaDB") != NULL;
    m->max_statement = packet > 2 * PACKET_RESERVE ? (size_t)packet - PACKET_RESERVE : PACKET_RESERVE;
    db_result_free(&r);
    return 0;
}

static int mysql_connect_to(struct db *db, struct err *err)
{
    struct db_mysql *m = mysql_of(db);
    unsigned connect_timeout = CONNECT_TIMEOUT_S;
    unsigned answer_timeout = ANSWER_TIMEOUT_S;

    if (m->mysql != NULL && clock_monotonic_ms() - m->used_ms < IDLE_MS)
        return 0;
    mysql_disconnect(db);
    m->mysql = mysql_init(NULL);
    if (m->mysql == NULL)
        return err_set(err, ERR_FATAL, 0, "no memory for a connection");
    mysql_options(m->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
    mysql_options(m->mysql, MYSQL_OPT_READ_TIMEOUT, &answer_timeout);
    mysql_options(m->mysql, MYSQL_OPT_WRITE_TIMEOUT, &answer_timeout);
    mysql_options(m->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    set_tls(m, m->mysql);
    if (mysql_real_connect(m->mysql, m->host, m->user, m->password, m->database, m->port, m->socket, 0) ==
        NULL) {
        report_failure(m, err);
        mysql_disconnect(db);
        return -1;
    }
    m->fd = m->mysql->net.fd;
    m->used_ms = clock_monotonic_ms();
    if (check_tls(m, err) != 0 || prepare_session(m, err) != 0) {
        mysql_disconnect(db);
        return -1;
    }
    return 0;
}

/* ------------------------------------------------------------------ statements */

static void take_row(struct db_result *ret, size_t *cap, MYSQL_ROW row, const unsigned long *lengths)
{
    char **cells = mem_zalloc(ret->columns, sizeof *cells);

    for (size_t j = 0; j < ret->columns; j++)
        cells[j] = row[j] != NULL ? mem_strndup(row[j], lengths[j]) : NULL;
    ret->rows = mem_grow(ret->rows, cap, ret->count, sizeof *ret->rows);
    ret->rows[ret->count++] = cells;
}

/* "Records: 334  Duplicates: 0  Warnings: 0", in the server's language: the second number. */
static int64_t count_duplicates(const char *info)
{
    static const char digits[] = "0123456789";
    int64_t number = -1;

    for (int i = 0; i < 2; i++) {
        size_t skip = info != NULL ? strcspn(info, digits) : 0;
        if (info == NULL || info[skip] == '\0')
            return -1;
        char *end;
        number = strtoll(info + skip, &end, 10);
        info = end;
    }
    return number;
}

/* Read the whole result. A result set without a receiver (ret NULL) is read and dropped, so that the
 * connection is free for the next statement. */
static int take_result(struct db_mysql *m, struct db_result *ret, struct err *err)
{
    MYSQL_RES *set = mysql_store_result(m->mysql);
    struct db_result result = {.affected = mysql_affected_rows(m->mysql),
                               .duplicates = count_duplicates(mysql_info(m->mysql)),
                               .warnings = mysql_warning_count(m->mysql)};
    size_t cap = 0;

    if (set == NULL && mysql_field_count(m->mysql) > 0)
        return report_failure(m, err);
    if (set != NULL) {
        MYSQL_ROW row;
        result.columns = mysql_num_fields(set);
        while (ret != NULL && (row = mysql_fetch_row(set)) != NULL)
            take_row(&result, &cap, row, mysql_fetch_lengths(set));
        mysql_free_result(set);
    }
    if (ret != NULL)
        *ret = result;
    return 0;
}

static int mysql_run(struct db *db, const char *sql, size_t len, struct db_result *ret, struct err *err)
{
    struct db_mysql *m = mysql_of(db);

    if (m->mysql == NULL)
        return err_set(err, ERR_RETRY, 2006, "not connected");
    if (mysql_real_query(m->mysql, sql, len) != 0)
        return report_failure(m, err);
    m->used_ms = clock_monotonic_ms();
    return take_result(m, ret, err);
}

static size_t mysql_max_statement(const struct db *db)
{
    return ((const struct db_mysql *)db)->max_statement;
}

static bool mysql_is_mariadb(const struct db *db)
{
    return ((const struct db_mysql *)db)->mariadb;
}

static void mysql_abort(struct db *db)
{
    int fd = mysql_of(db)->fd;

    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
}

static void mysql_free(struct db *db)
{
    struct db_mysql *m = mysql_of(db);

    mysql_disconnect(db);
    if (m->password != NULL)
        explicit_bzero(m->password, strlen(m->password));
    free(m->host);
    free(m->socket);
    free(m->user);
    free(m->password);
    free(m->database);
    free(m->ca);
    free(m->tls);
    free(m);
    mysql_library_end();
}

static const struct db_ops mysql_ops = {
    .connect = mysql_connect_to,
    .query = mysql_run,
    .max_statement = mysql_max_statement,
    .is_mariadb = mysql_is_mariadb,
    .disconnect = mysql_disconnect,
    .abort = mysql_abort,
    .free = mysql_free,
};

static char *copy_text(const char *text)
{
    return text != NULL ? mem_strdup(text) : NULL;
}

int db_mysql_new(const struct options *options, struct db **ret, struct err *err)
{
    if (mysql_library_init(0, NULL, NULL) != 0)
        return err_set(err, ERR_FATAL, 0, "the MySQL client library does not start");
    struct db_mysql *m = mem_zalloc(1, sizeof *m);
    m->base.ops = &mysql_ops;
    m->host = copy_text(options_text(options, "mysql-host"));
    m->socket = copy_text(options_text(options, "mysql-socket"));
    m->user = copy_text(options_text(options, "mysql-user"));
    m->password = copy_text(options_text(options, "mysql-password"));
    m->database = copy_text(options_text(options, "mysql-database"));
    m->ca = copy_text(options_text(options, "mysql-ca"));
    m->tls = mem_strdup(options_text(options, "mysql-tls"));
    m->port = (unsigned)options_number(options, "mysql-port");
    m->fd = -1;
    if (m->socket != NULL) {
        free(m->host);
        m->host = NULL; /* the client library takes the socket only for the local host */
    }
    *ret = &m->base;
    return 0;
}
