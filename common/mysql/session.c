/* The session that every statement of the loader relies on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/mysql/connection_private.h"

enum { PACKET_RESERVE = 1024 };

static int run_text(struct db_mysql *m, const char *sql, struct db_result *ret, struct err *err)
{
    return db_query(&m->base, sql, strlen(sql), ret, err);
}

static int set_session(struct db_mysql *m, struct err *err)
{
    static const char *const session[] = {
        "SET NAMES utf8mb4",
        "SET SESSION sql_mode='STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
        "NO_ENGINE_SUBSTITUTION'",
        "SET SESSION time_zone='+08:00'",
        "SET SESSION wait_timeout=60",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    };
    char locks[128];

    for (size_t i = 0; i < sizeof session / sizeof session[0]; i++)
        if (run_text(m, session[i], NULL, err) != 0)
            return -1;
    snprintf(locks, sizeof locks, "SET SESSION innodb_lock_wait_timeout=%u, SESSION lock_wait_timeout=%u",
             m->lock_wait_s, m->lock_wait_s);
    return run_text(m, locks, NULL, err);
}

/* A false server may answer with anything. */
static int read_limits(struct db_mysql *m, const struct db_result *r, struct err *err)
{
    if (r->count != 1 || r->columns != 3 || r->rows[0][0] == NULL || r->rows[0][1] == NULL)
        return err_set(err, ERR_RETRY, 2027, "the server does not tell its limits");
    long long packet = strtoll(r->rows[0][0], NULL, 10);
    m->mariadb = strstr(r->rows[0][1], "MariaDB") != NULL;
    m->max_statement = packet > 2 * PACKET_RESERVE ? (size_t)packet - PACKET_RESERVE : PACKET_RESERVE;
    m->offers_load = r->rows[0][2] != NULL && strcmp(r->rows[0][2], "1") == 0;
    return 0;
}

int session_prepare(struct db_mysql *m, struct err *err)
{
    struct db_result r = {0};

    if (set_session(m, err) != 0 ||
        run_text(m, "SELECT @@max_allowed_packet, VERSION(), @@local_infile", &r, err) != 0)
        return -1;
    int rc = read_limits(m, &r, err);
    db_result_free(&r);
    return rc;
}
