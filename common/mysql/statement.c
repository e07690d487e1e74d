/* Statements and their answers. */
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/mysql/connection_private.h"

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

/* What one row takes of DB_RESULT_MAX_BYTES when it is not kept. */
static size_t row_bytes(const unsigned long *lengths, size_t columns)
{
    size_t bytes = sizeof(char *);

    for (size_t j = 0; j < columns; j++)
        bytes += sizeof(char *) + lengths[j];
    return bytes;
}

/* Read the rows into result, or past it. false: they are more than a result takes. */
static bool read_rows(MYSQL_RES *set, struct db_result *result, bool keep)
{
    size_t dropped = 0;
    MYSQL_ROW row;

    while ((row = mysql_fetch_row(set)) != NULL) {
        const unsigned long *lengths = mysql_fetch_lengths(set);
        if (keep && db_result_add(result, (const char *const *)row, lengths) != 0)
            return false;
        if (!keep && (dropped += row_bytes(lengths, result->columns)) > DB_RESULT_MAX_BYTES)
            return false;
    }
    return true;
}

/* The rest of a result that is too large is not waited for: a false server has no end of it. */
static int refuse_result(struct db_mysql *m, MYSQL_RES *set, struct err *err)
{
    db_abort(&m->base); /* or mysql_free_result() reads on to the end */
    mysql_free_result(set);
    db_disconnect(&m->base);
    return err_set(err, ERR_RETRY, 0, "the server's answer is larger than %d MiB", DB_RESULT_MAX_BYTES >> 20);
}

static int take_rows(struct db_mysql *m, struct db_result *result, bool keep, struct err *err)
{
    MYSQL_RES *set = mysql_use_result(m->mysql);

    if (set == NULL)
        return connection_failed(m, err);
    result->columns = mysql_num_fields(set);
    if (!read_rows(set, result, keep))
        return refuse_result(m, set, err);
    bool failed = mysql_errno(m->mysql) != 0;
    mysql_free_result(set);
    return failed ? connection_failed(m, err) : 0;
}

/* Read the whole answer. A result set without a receiver (ret NULL) is read and dropped, so that the
 * connection is free for the next statement. */
static int take_result(struct db_mysql *m, struct db_result *ret, struct err *err)
{
    struct db_result result = {0};
    bool has_rows = mysql_field_count(m->mysql) > 0;

    if (has_rows && take_rows(m, &result, ret != NULL, err) != 0) {
        db_result_free(&result);
        return -1;
    }
    result.affected = has_rows ? 0 : mysql_affected_rows(m->mysql);
    result.duplicates = count_duplicates(mysql_info(m->mysql));
    result.warnings = mysql_warning_count(m->mysql);
    m->used_ms = clock_monotonic_ms();
    if (ret != NULL)
        *ret = result;
    return 0;
}

int statement_query(struct db *db, const char *sql, size_t len, struct db_result *ret, struct err *err)
{
    struct db_mysql *m = (struct db_mysql *)db;

    if (m->mysql == NULL)
        return err_set(err, ERR_RETRY, 2006, "not connected");
    if (mysql_real_query(m->mysql, sql, len) != 0)
        return connection_failed(m, err);
    return take_result(m, ret, err);
}

/* What the server did not ask for, it did not load, whatever it says. */
int statement_load(struct db *db, const char *sql, size_t len, const struct db_feed *feed,
                   struct db_result *ret, struct err *err)
{
    struct db_mysql *m = (struct db_mysql *)db;
    struct load_local load = {.feed = feed};
    struct err ignored = ERR_INIT;

    if (m->mysql == NULL)
        return err_set(err, ERR_RETRY, 2006, "not connected");
    err = err != NULL ? err : &ignored;
    load_local_serve(m->mysql, &load);
    int rc = statement_query(db, sql, len, ret, err);
    if (m->mysql != NULL)
        load_local_refuse(m->mysql);
    if (rc != 0) {
        if (load_local_is_refusal(err->code))
            m->refuses_load = true;
        return -1;
    }
    if (load.asked)
        return 0;
    if (ret != NULL)
        db_result_free(ret);
    m->refuses_load = true;
    return err_set(err, ERR_RETRY, 0, "the server took LOAD DATA LOCAL, but asked for no data");
}
