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

/* Whatever an administrator has set for all sessions, or by init_connect, these hold for ours, in one
 * statement since every reconnect waits for it. Strict, or values would be cut; a 0 for a counting column is
 * a 0; without lc_messages no row could be read from an error; a sql_select_limit would hide stored rows from
 * us, and completion_type=1 begin a transaction behind each COMMIT. MySQL alone reads what stands in
 * "!80000", MariaDB alone what stands in "M!". IN lists of hundreds of values stay look-ups in the index, in
 * its order, which is that of locks: no join (MariaDB, from 1,000 values on), no scan for want of memory
 * (MySQL) or by statistics, which lag behind a load (both, from 200 values on). */
#define SQL_MODES                                                                                            \
    "STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,"      \
    "NO_AUTO_VALUE_ON_ZERO"
#define SET_SESSION                                                                                          \
    "SET NAMES utf8mb4, SESSION sql_mode='" SQL_MODES "', time_zone='+08:00', lc_messages='en_US',"          \
    " autocommit=1, completion_type=0, wait_timeout=60, net_read_timeout=30, net_write_timeout=60,"          \
    " innodb_lock_wait_timeout=%1$u, lock_wait_timeout=%1$u, foreign_key_checks=1, unique_checks=1,"         \
    " sql_safe_updates=0, sql_big_selects=1, max_join_size=18446744073709551615,"                            \
    " sql_select_limit=18446744073709551615, sql_auto_is_null=0, sql_notes=1"                                \
    " /*!80000 , max_execution_time=0, explicit_defaults_for_timestamp=1, range_optimizer_max_mem_size=0,"   \
    " eq_range_index_dive_limit=0 */"                                                                        \
    " /*M!100201 , max_statement_time=0, check_constraint_checks=1, max_error_count=1024 */"                 \
    " /*M!100300 , in_predicate_conversion_threshold=0 */"                                                   \
    " /*M!100500 , eq_range_index_dive_limit=0 */"                                                           \
    " /*M!101000 , explicit_defaults_for_timestamp=1 */"

static int set_session(struct db_mysql *m, struct err *err)
{
    char sql[sizeof SET_SESSION + 32];

    snprintf(sql, sizeof sql, SET_SESSION, m->lock_wait_s);
    if (run_text(m, sql, NULL, err) != 0)
        return -1;
    return run_text(m, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE", NULL, err);
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
