/* The port db.h over libmysqlclient, or MariaDB's connector, which has the same interface. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fault_point.h"
#include "common/base/mem.h"
#include "common/mysql/connection_private.h"
#include "common/mysql/errors.h"
#include "common/options/options.h"

enum {
    CONNECT_TIMEOUT_S = 10,
    ANSWER_TIMEOUT_S = 120, /* of one read or write: after it the connection counts as lost */
    IDLE_MS =
        45 * 1000, /* below the session's wait_timeout of 60 s: a connection idle for longer is replaced */
    CR_REFUSED_PROOF = 5010, /* CR_PLUGIN_NOT_ALLOWED of MariaDB's connector */
    CR_TOO_LARGE = 2020,     /* CR_NET_PACKET_TOO_LARGE: the rest of the packet is still to come */
};

static struct db_mysql *mysql_of(struct db *db)
{
    return (struct db_mysql *)db;
}

static const struct db_mysql *mysql_of_const(const struct db *db)
{
    return (const struct db_mysql *)db;
}

/* ------------------------------------------------------------------ cutting off from another thread */

/* The client library closes its descriptor whenever it gives a connection up, and another thread may be given
 * the same number at once. So abort() shuts the socket down through a descriptor that only we close. */
static void watch_socket(struct db_mysql *m, int fd)
{
    pthread_mutex_lock(&m->abort_lock);
    if (m->abort_fd >= 0)
        close(m->abort_fd);
    m->abort_fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    pthread_mutex_unlock(&m->abort_lock);
}

static void mysql_abort(struct db *db)
{
    struct db_mysql *m = mysql_of(db);

    pthread_mutex_lock(&m->abort_lock);
    m->aborted = true;
    if (m->abort_fd >= 0)
        shutdown(m->abort_fd, SHUT_RDWR);
    pthread_mutex_unlock(&m->abort_lock);
}

static void forget_abort(struct db_mysql *m)
{
    pthread_mutex_lock(&m->abort_lock);
    m->aborted = false;
    pthread_mutex_unlock(&m->abort_lock);
}

static bool was_aborted(struct db_mysql *m)
{
    pthread_mutex_lock(&m->abort_lock);
    bool aborted = m->aborted;
    pthread_mutex_unlock(&m->abort_lock);
    return aborted;
}

/* ------------------------------------------------------------------ connecting */

static void mysql_disconnect(struct db *db)
{
    struct db_mysql *m = mysql_of(db);

    watch_socket(m, -1);
    if (m->mysql != NULL)
        mysql_close(m->mysql);
    m->mysql = NULL;
}

int connection_failed(struct db_mysql *m, struct err *err)
{
    int code = (int)mysql_errno(m->mysql);
    enum db_class class = db_error_class(code);
    size_t row = db_error_row(mysql_error(m->mysql));

    if (code == CR_REFUSED_PROOF) /* whose text shows memory that the client library has freed */
        return err_set(
            err, ERR_PAUSE, code,
            "the server wants the password in a way that only --mysql-tls verify allows, and it is "
            "%s (MySQL error %d)",
            m->tls, code);
    err_set(err, db_class_kind(class), code, "%s (MySQL error %d)", mysql_error(m->mysql), code);
    if (err != NULL)
        err->row = row;
    if (class == DB_CONNECTION || code == CR_TOO_LARGE)
        mysql_disconnect(&m->base);
    return -1;
}

static void set_client_options(const struct db_mysql *m, MYSQL *mysql)
{
    unsigned connect_timeout = CONNECT_TIMEOUT_S;
    unsigned answer_timeout = ANSWER_TIMEOUT_S;
    unsigned local_infile = 1; /* the server is told that we can; load_local_refuse() says when we do */
    size_t packet_max = DB_RESULT_MAX_BYTES; /* what the server may send at once */

    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &answer_timeout);
    mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &answer_timeout);
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &local_infile);
    mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet_max);
    load_local_refuse(mysql);
    tls_prepare(m, mysql);
}

static void forget_password(struct db_mysql *m)
{
    if (m->password != NULL)
        explicit_bzero(m->password, strlen(m->password));
    free(m->password);
    m->password = NULL;
}

/* A password is changed by writing its file: the next connection uses the new one. While the file cannot be
 * read the last one holds, and the server judges. */
static int read_password(struct db_mysql *m, struct err *err)
{
    char *password = NULL;

    if (m->password_file == NULL)
        return 0;
    if (secret_read(m->password_file, &password, err) != 0)
        return -1;
    forget_password(m);
    m->password = password;
    return 0;
}

static int log_in(struct db_mysql *m, struct err *err)
{
    struct err unread = ERR_INIT;
    int read = read_password(m, &unread);

    if (mysql_real_connect(m->mysql, m->host, m->user, m->password, m->database, m->port, m->socket, 0) !=
        NULL)
        return 0;
    connection_failed(m, err);
    if (read != 0)
        err_prefix(err, "the password's file %s", unread.text);
    return -1;
}

static int open_session(struct db_mysql *m, struct err *err)
{
    if (log_in(m, err) != 0)
        return -1;
    watch_socket(m, m->mysql->net.fd);
    m->used_ms = clock_monotonic_ms();
    if (was_aborted(m))
        return err_set(err, ERR_RETRY, 2013, "cut off while connecting");
    if (tls_check(m, err) != 0 || session_prepare(m, err) != 0)
        return -1;
    if (++m->generation > 1)
        FAULT_POINT("reconnected");
    return 0;
}

static int mysql_connect_to(struct db *db, struct err *err)
{
    struct db_mysql *m = mysql_of(db);

    if (m->mysql != NULL && clock_monotonic_ms() - m->used_ms < IDLE_MS)
        return 0;
    mysql_disconnect(db);
    forget_abort(m);
    m->mysql = mysql_init(NULL);
    if (m->mysql == NULL)
        return err_set(err, ERR_FATAL, 0, "no memory for a connection");
    set_client_options(m, m->mysql);
    if (open_session(m, err) != 0) {
        mysql_disconnect(db);
        return -1;
    }
    return 0;
}

/* ------------------------------------------------------------------ what is known of the server */

static bool mysql_can_load(const struct db *db)
{
    const struct db_mysql *m = mysql_of_const(db);

    return m->offers_load && !m->refuses_load;
}

static uint64_t mysql_generation(const struct db *db)
{
    return mysql_of_const(db)->generation;
}

static size_t mysql_max_statement(const struct db *db)
{
    return mysql_of_const(db)->max_statement;
}

static bool mysql_is_mariadb(const struct db *db)
{
    return mysql_of_const(db)->mariadb;
}

/* ------------------------------------------------------------------ the library */

/* The client library begins with the first db and ends with the last one. */
static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned library_users;

static int library_begin(struct err *err)
{
    pthread_mutex_lock(&library_lock);
    bool failed = library_users == 0 && mysql_library_init(0, NULL, NULL) != 0;
    library_users += !failed;
    pthread_mutex_unlock(&library_lock);
    return failed ? err_set(err, ERR_FATAL, 0, "the MySQL client library does not start") : 0;
}

static void library_end(void)
{
    pthread_mutex_lock(&library_lock);
    if (--library_users == 0)
        mysql_library_end();
    pthread_mutex_unlock(&library_lock);
}

void db_thread_end(void)
{
    mysql_thread_end();
}

static void mysql_free(struct db *db)
{
    struct db_mysql *m = mysql_of(db);

    mysql_disconnect(db);
    forget_password(m);
    free(m->password_file);
    free(m->host);
    free(m->socket);
    free(m->user);
    free(m->database);
    free(m->ca);
    free(m->tls);
    pthread_mutex_destroy(&m->abort_lock);
    free(m);
    library_end();
}

static const struct db_ops mysql_ops = {
    .connect = mysql_connect_to,
    .query = statement_query,
    .load = statement_load,
    .can_load = mysql_can_load,
    .generation = mysql_generation,
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

int db_mysql_new(const struct options *options, unsigned lock_wait_s, struct db **ret, struct err *err)
{
    if (library_begin(err) != 0)
        return -1;
    struct db_mysql *m = mem_zalloc(1, sizeof *m);
    m->base.ops = &mysql_ops;
    m->host = copy_text(options_text(options, "mysql-host"));
    m->socket = copy_text(options_text(options, "mysql-socket"));
    m->user = copy_text(options_text(options, "mysql-user"));
    m->password = copy_text(options_text(options, "mysql-password"));
    m->password_file = copy_text(options_secret_file(options, "mysql-password"));
    m->database = copy_text(options_text(options, "mysql-database"));
    m->ca = copy_text(options_text(options, "mysql-ca"));
    m->tls = mem_strdup(options_text(options, "mysql-tls"));
    m->port = (unsigned)options_number(options, "mysql-port");
    m->lock_wait_s = lock_wait_s;
    m->abort_fd = -1;
    pthread_mutex_init(&m->abort_lock, NULL);
    if (m->socket != NULL) {
        free(m->host);
        m->host = NULL; /* the client library takes the socket only for the local host */
    }
    *ret = &m->base;
    return 0;
}
