#include "tests/unit/twins/scripted_db.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/mysql/errors.h"

enum { MOST = 64 * 1024 * 1024, FEED_MAX = 4096, COLUMNS_MAX = 8 };

static struct scripted_db *scripted_of(struct db *db)
{
    return (struct scripted_db *)db;
}

static struct scripted_answer *find_answer(struct scripted_db *d, const char *sql)
{
    for (size_t i = 0; i < sizeof d->answers / sizeof d->answers[0]; i++) {
        struct scripted_answer *a = &d->answers[i];
        if (a->prefix != NULL && !a->given && strncmp(sql, a->prefix, strlen(a->prefix)) == 0)
            return a;
    }
    return NULL;
}

static void add_row(struct db_result *r, const char *const *cells)
{
    unsigned long lengths[COLUMNS_MAX] = {0};

    for (size_t i = 0; i < r->columns; i++)
        lengths[i] = cells[i] != NULL ? strlen(cells[i]) : 0;
    if (db_result_add(r, cells, lengths) != 0)
        abort();
}

static int give_answer(const struct scripted_answer *a, struct db_result *ret, struct err *err)
{
    if (a->code != 0) {
        err_set(err, db_class_kind(db_error_class(a->code)), a->code, "scripted");
        if (err != NULL)
            err->row = a->row;
        return -1;
    }
    ret->affected = a->affected;
    ret->duplicates = a->duplicates;
    ret->warnings = a->warnings;
    ret->columns = a->columns;
    for (size_t i = 0; i < a->count; i++)
        add_row(ret, a->cells + i * a->columns);
    return 0;
}

static int scripted_query(struct db *db, const char *sql, size_t len, struct db_result *ret, struct err *err)
{
    struct scripted_db *d = scripted_of(db);
    struct scripted_answer *a = find_answer(d, sql);
    struct db_result result = {.duplicates = -1};

    buf_add(&d->sql, sql, len);
    buf_add_char(&d->sql, '\n');
    d->longest = len > d->longest ? len : d->longest;
    if (a != NULL) {
        a->given = true;
        if (give_answer(a, &result, err) != 0)
            return -1;
    }
    if (ret != NULL)
        *ret = result;
    else
        db_result_free(&result);
    return 0;
}

static int scripted_load(struct db *db, const char *sql, size_t len, const struct db_feed *feed,
                         struct db_result *ret, struct err *err)
{
    struct scripted_db *d = scripted_of(db);
    char chunk[FEED_MAX];
    size_t n;

    while ((n = feed->read(feed->arg, chunk, d->feed_size)) > 0)
        buf_add(&d->fed, chunk, n);
    return scripted_query(db, sql, len, ret, err);
}

static bool scripted_can_load(const struct db *db)
{
    (void)db;
    return true;
}

static size_t scripted_max_statement(const struct db *db)
{
    return ((const struct scripted_db *)db)->max_statement;
}

static void scripted_disconnect(struct db *db)
{
    buf_add_text(&scripted_of(db)->sql, "(disconnected)\n");
}

static void scripted_free(struct db *db)
{
    buf_free(&scripted_of(db)->sql);
    buf_free(&scripted_of(db)->fed);
}

static const struct db_ops scripted_ops = {
    .query = scripted_query,
    .load = scripted_load,
    .can_load = scripted_can_load,
    .max_statement = scripted_max_statement,
    .disconnect = scripted_disconnect,
    .free = scripted_free,
};

void scripted_db_init(struct scripted_db *d)
{
    *d = (struct scripted_db){
        .base.ops = &scripted_ops, .max_statement = (size_t)16 * 1024 * 1024, .feed_size = FEED_MAX};
    buf_init(&d->sql, MOST);
    buf_init(&d->fed, MOST);
}

void scripted_db_answer(struct scripted_db *d, const struct scripted_answer *answer)
{
    for (size_t i = 0; i < sizeof d->answers / sizeof d->answers[0]; i++)
        if (d->answers[i].prefix == NULL || d->answers[i].given) {
            d->answers[i] = *answer;
            return;
        }
    abort();
}
