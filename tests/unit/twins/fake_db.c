#include "tests/unit/twins/fake_db.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/mysql/errors.h"
#include "tests/unit/twins/fake_data.h"
#include "tests/unit/twins/schema_twin.h"

enum { DEFAULT_STATEMENT = 16 * 1024 * 1024, VALUES_MAX = FAKE_COLUMNS_MAX };

static struct fake_db *of(struct db *db)
{
    return (struct fake_db *)db;
}

static int trouble(struct fake_db *f, const char *what, const char *sql)
{
    if (f->trouble[0] == '\0')
        snprintf(f->trouble, sizeof f->trouble, "%s: %.120s", what, sql);
    return -1;
}

static void roll_back(struct fake_db *f)
{
    if (f->in_transaction)
        fake_data_copy(&f->now, &f->committed);
    f->in_transaction = false;
}

/* ---- reading SQL ---- */

static bool eat(const char **at, const char *word)
{
    size_t len = strlen(word);

    if (strncmp(*at, word, len) != 0)
        return false;
    *at += len;
    return true;
}

/* 'text', digits, NULL or NOW(3); the caller frees it. */
static bool eat_value(const char **at, const char *end, char **ret)
{
    *ret = NULL;
    if (eat(at, "NULL") || eat(at, "NOW(3)"))
        return true;
    struct buf text;
    buf_init(&text, DEFAULT_STATEMENT);
    const char *p = *at;
    if (*p == '\'') {
        for (p++; p < end && *p != '\''; p++) {
            if (*p == '\\' && p++)
                buf_add_char(&text, *p == '0'   ? '\0'
                                    : *p == 'n' ? '\n'
                                    : *p == 'r' ? '\r'
                                    : *p == 'Z' ? '\x1A'
                                                : *p);
            else
                buf_add_char(&text, *p);
        }
        p++;
    } else {
        while (p < end && (*p == '-' || (*p >= '0' && *p <= '9')))
            buf_add_char(&text, *p++);
    }
    bool some = p > *at && p <= end;
    *at = p;
    *ret = buf_take(&text, NULL);
    if (!some)
        free(*ret);
    return some;
}

/* (value,value,…); how many, 0: not understood. */
static size_t eat_tuple(const char **at, const char *end, char **values)
{
    size_t n = 0;

    if (!eat(at, "("))
        return 0;
    do {
        if (n == VALUES_MAX || !eat_value(at, end, &values[n])) {
            while (n > 0)
                free(values[--n]);
            return 0;
        }
        n++;
    } while (eat(at, ","));
    return eat(at, ")") ? n : 0;
}

static void values_free(char **values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(values[i]);
}

/* ---- results ---- */

static void add_result(struct db_result *r, const char *const *cells, size_t columns)
{
    unsigned long lengths[64];

    r->columns = columns;
    for (size_t i = 0; i < columns; i++)
        lengths[i] = cells[i] != NULL ? strlen(cells[i]) : 0;
    if (db_result_add(r, cells, lengths) != 0)
        abort();
}

static int fail(struct fake_db *f, int code, const char *text, struct err *err)
{
    enum db_class class = db_error_class(code);

    err_set(err, db_class_kind(class), code, "%s (MySQL error %d)", text, code);
    if (code == 1213)
        roll_back(f);
    if (class == DB_CONNECTION) {
        roll_back(f);
        f->connected = false;
    }
    return -1;
}

/* ---- statements ---- */

/* Counts as MySQL does: 1 for an inserted row, 2 and a duplicate for a changed one, nothing for an unchanged
 * one. */
static int run_heads_insert(struct fake_db *f, const char *at, const char *end, struct db_result *ret)
{
    char *v[VALUES_MAX];

    do {
        size_t n = eat_tuple(&at, end, v);
        if (n != 6)
            return trouble(f, "heads", at);
        struct fake_head new = {.pipeline = v[0], .document = v[1]};
        new.version = strtoull(v[2], NULL, 10);
        new.published = strtoull(v[3], NULL, 10);
        new.rows = strtoull(v[4], NULL, 10);
        struct fake_head *old = fake_data_head(&f->now, v[0], v[1]);
        if (old == NULL) {
            fake_data_add_head(&f->now, &new);
            ret->affected++;
        } else if (new.version > old->version ||
                   (new.version == old->version &&new.published >= old->published)) {
            *old = (struct fake_head){old->pipeline, old->document, new.version, new.published, new.rows};
            ret->affected += 2;
            ret->duplicates++;
        }
        values_free(v, n);
    } while (eat(&at, ","));
    return eat(&at, " ON DUPLICATE KEY UPDATE `rows`=IF(") ? 0 : trouble(f, "heads' end", at);
}

static int run_heads_select(struct fake_db *f, const char *at, const char *end, struct db_result *ret)
{
    char *v[1];
    char pipeline[64];
    char version[32];
    char published[32];

    at = strstr(at, " WHERE `pipeline`='") + strlen(" WHERE `pipeline`='");
    snprintf(pipeline, sizeof pipeline, "%.*s", (int)strcspn(at, "'"), at);
    at = strstr(at, " IN (");
    at += strlen(" IN (");
    do {
        if (!eat_value(&at, end, v))
            return trouble(f, "heads' ids", at);
        const struct fake_head *h = fake_data_head(&f->now, pipeline, v[0]);
        if (h != NULL) {
            snprintf(version, sizeof version, "%" PRIu64, h->version);
            snprintf(published, sizeof published, "%" PRIu64, h->published);
            add_result(ret, (const char *const[]){h->document, version, published}, 3);
        }
        free(v[0]);
    } while (eat(&at, ","));
    return 0;
}

static size_t key_column(const struct fake_db *f, size_t k)
{
    return pipeline_column(f->pipeline, f->pipeline->key.names[k]);
}

/* The keys of stored rows whose document is asked for. */
static int run_keys_select(struct fake_db *f, const char *at, const char *end, struct db_result *ret)
{
    char *v[1];
    const char *key[VALUES_MAX];

    at = strstr(at, " IN (");
    at += strlen(" IN (");
    do {
        if (!eat_value(&at, end, v))
            return trouble(f, "documents", at);
        for (size_t i = 0; i < f->now.row_count; i++) {
            const struct fake_row *row = &f->now.rows[i];
            const char *document = row->cells[f->pipeline->document_column];
            if (document == NULL || strcmp(document, v[0]) != 0)
                continue;
            for (size_t k = 0; k < f->pipeline->key.count; k++)
                key[k] = row->cells[key_column(f, k)];
            add_result(ret, key, f->pipeline->key.count);
        }
        free(v[0]);
    } while (eat(&at, ","));
    return 0;
}

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* The row with that key (a NULL is equal to nothing); -1: none. */
static long find_key(const struct fake_db *f, char *const *key)
{
    for (size_t i = 0; i < f->now.row_count; i++) {
        bool equal = true;
        for (size_t k = 0; k < f->pipeline->key.count && equal; k++)
            equal = same(f->now.rows[i].cells[key_column(f, k)], key[k]);
        if (equal)
            return (long)i;
    }
    return -1;
}

static int run_delete(struct fake_db *f, const char *at, const char *end, struct db_result *ret)
{
    char *v[VALUES_MAX];

    at = strstr(at, " IN (");
    at += strlen(" IN (");
    do {
        size_t n = eat_tuple(&at, end, v);
        if (n != f->pipeline->key.count)
            return trouble(f, "keys", at);
        long i = find_key(f, v);
        if (i >= 0) {
            fake_data_drop_row(&f->now, (size_t)i);
            ret->affected++;
        }
        values_free(v, n);
    } while (eat(&at, ","));
    return 0;
}

static int check_row(struct fake_db *f, char *const *values, size_t n, size_t number, struct err *err)
{
    struct fake_row row = {0};
    char text[128] = "Incorrect value";

    if (f->row_fault == NULL)
        return 0;
    memcpy(row.cells, values, n * sizeof *values);
    int code = f->row_fault(f, &row);
    if (code == 0)
        return 0;
    if (f->numbered)
        snprintf(text, sizeof text, "Incorrect value: 'x at row 99' for column 'a' at row %zu",
                 f->wrong_number > 0 ? f->wrong_number : number);
    return fail(f, code, text, err);
}

static void write_row(struct fake_db *f, char *const *values, size_t n)
{
    char *key[VALUES_MAX];

    for (size_t k = 0; k < f->pipeline->key.count; k++)
        key[k] = values[key_column(f, k)];
    long old = find_key(f, key);
    if (old >= 0)
        fake_data_drop_row(&f->now, (size_t)old);
    fake_data_add_row(&f->now, (const char *const *)values, n);
}

/* Strict mode: a statement with a fault writes nothing. */
static int run_write(struct fake_db *f, const char *at, const char *end, struct err *err)
{
    char *v[VALUES_MAX];
    int rc = 0;
    size_t number = 1;

    at = strstr(at, ") VALUES ");
    if (at == NULL)
        return trouble(f, "write", "no VALUES");
    at += strlen(") VALUES ");
    for (int pass = 0; pass < 2 && rc == 0; pass++) {
        const char *p = at;
        do {
            size_t n = eat_tuple(&p, end, v);
            if (n != f->pipeline->column_count)
                return trouble(f, "row", p);
            if (pass == 0)
                rc = check_row(f, v, n, number++, err);
            else
                write_row(f, v, n);
            values_free(v, n);
        } while (rc == 0 && eat(&p, ","));
    }
    return rc;
}

static bool describe(const struct fake_db *f, const char *sql, struct db_result *ret)
{
    static struct schema_room rooms[3];
    const struct schema_table tables[] = {schema_of_own(&own_heads, &rooms[0]),
                                          schema_of_own(&own_offsets, &rooms[1]),
                                          schema_of_pipeline(f->pipeline, &rooms[2])};

    return schema_answer(tables, 3, sql, ret);
}

static int run_transaction(struct fake_db *f, const char *sql)
{
    if (strcmp(sql, "START TRANSACTION") == 0) {
        if (f->in_transaction)
            return trouble(f, "a transaction inside another", sql);
        f->in_transaction = true;
    } else if (strcmp(sql, "COMMIT") == 0) {
        if (!f->in_transaction)
            return trouble(f, "COMMIT of nothing", sql);
        f->in_transaction = false;
        fake_data_copy(&f->committed, &f->now);
        f->commits++;
    } else {
        roll_back(f);
        f->rollbacks++;
    }
    return 0;
}

static int run(struct fake_db *f, const char *sql, size_t len, struct db_result *ret, struct err *err)
{
    const char *end = sql + len;
    const char *at = sql;
    char from[128];

    snprintf(from, sizeof from, " FROM `%s`", f->pipeline->table);
    if (eat(&at, "START TRANSACTION") || eat(&at, "COMMIT") || eat(&at, "ROLLBACK"))
        return run_transaction(f, sql);
    if (eat(&at, "CREATE TABLE IF NOT EXISTS ") || eat(&at, "SELECT 1 FROM ") || eat(&at, "SELECT @@") ||
        describe(f, sql, ret))
        return 0;
    if (!f->in_transaction)
        return trouble(f, "outside a transaction", sql);
    else if (eat(&at, "INSERT INTO `jst_heads` (`pipeline`,`document`,`version`,`published`,`rows`,"
                      "`updated_at`) VALUES "))
        return run_heads_insert(f, at, end, ret);
    else if (eat(&at, "SELECT `document`,`version`,`published` FROM `jst_heads`"))
        return run_heads_select(f, at, end, ret);
    else if (eat(&at, "SELECT "))
        return run_keys_select(f, at, end, ret);
    else if (eat(&at, "DELETE FROM "))
        return run_delete(f, at, end, ret);
    else if (eat(&at, "REPLACE INTO ") || eat(&at, "INSERT INTO "))
        return run_write(f, at, end, err);
    else
        return trouble(f, "not understood", sql);
    return 0;
}

static const struct fake_fault *due_fault(struct fake_db *f, const char *sql)
{
    for (size_t i = 0; i < sizeof f->faults / sizeof f->faults[0]; i++) {
        struct fake_fault *x = &f->faults[i];
        if (x->prefix == NULL || x->times == 0 || strncmp(sql, x->prefix, strlen(x->prefix)) != 0)
            continue;
        if (x->skip > 0) {
            x->skip--;
            continue;
        }
        x->times -= x->times > 0;
        return x;
    }
    return NULL;
}

static int fake_query(struct db *db, const char *sql, size_t len, struct db_result *ret, struct err *err)
{
    struct fake_db *f = of(db);
    struct db_result result = {0};

    if (f->on_query != NULL)
        f->on_query(f, sql);
    while (f->hang)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    if (!f->connected)
        return err_set(err, ERR_RETRY, 2006, "not connected");
    f->queries++;
    f->longest = len > f->longest ? len : f->longest;
    if (f->log != NULL)
        buf_printf(f->log, "%s\n", sql);
    if (len > f->max_statement)
        trouble(f, "larger than the server takes", sql);
    const struct fake_fault *fault = due_fault(f, sql);
    if (fault != NULL)
        return fail(f, fault->code, fault->text, err);
    int rc = run(f, sql, len, &result, err);
    if (f->trouble[0] != '\0')
        rc = err_set(err, ERR_FATAL, 0, "%s", f->trouble);
    if (rc == 0 && ret != NULL)
        *ret = result;
    else
        db_result_free(&result);
    return rc;
}

static int fake_connect(struct db *db, struct err *err)
{
    struct fake_db *f = of(db);

    if (f->connect_fails)
        return fail(f, 2003, "Can't connect to server", err);
    f->connects += !f->connected;
    f->connected = true;
    return 0;
}

static void fake_disconnect(struct db *db)
{
    roll_back(of(db));
    of(db)->connected = false;
    of(db)->disconnects++;
}

static void fake_abort(struct db *db)
{
    of(db)->connected = false;
    of(db)->hang = false;
}

static int fake_load(struct db *db, const char *sql, size_t len, const struct db_feed *feed,
                     struct db_result *ret, struct err *err)
{
    (void)db;
    (void)sql;
    (void)len;
    (void)feed;
    (void)ret;
    return err_set(err, ERR_RETRY, 1148, "LOAD DATA LOCAL is off");
}

static bool fake_can_load(const struct db *db)
{
    (void)db;
    return false;
}

static uint64_t fake_generation(const struct db *db)
{
    return (uint64_t)((const struct fake_db *)db)->connects;
}

static size_t fake_max_statement(const struct db *db)
{
    return ((const struct fake_db *)db)->max_statement;
}

static bool fake_is_mariadb(const struct db *db)
{
    return ((const struct fake_db *)db)->mariadb;
}

static void fake_free(struct db *db)
{
    fake_data_free(&of(db)->now);
    fake_data_free(&of(db)->committed);
    free(db);
}

static const struct db_ops fake_ops = {
    .connect = fake_connect,
    .query = fake_query,
    .load = fake_load,
    .can_load = fake_can_load,
    .generation = fake_generation,
    .max_statement = fake_max_statement,
    .is_mariadb = fake_is_mariadb,
    .disconnect = fake_disconnect,
    .abort = fake_abort,
    .free = fake_free,
};

struct fake_db *fake_db_new(const struct pipeline *pipeline)
{
    struct fake_db *f = mem_zalloc(1, sizeof *f);

    f->base.ops = &fake_ops;
    f->pipeline = pipeline;
    f->max_statement = DEFAULT_STATEMENT;
    f->mariadb = true;
    return f;
}

/* ---- for the tests ---- */

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void fake_db_dump(const struct fake_db *f, struct buf *out)
{
    size_t count = f->committed.row_count;
    char **lines = mem_zalloc(count, sizeof *lines);

    for (size_t i = 0; i < count; i++) {
        struct buf line;
        buf_init(&line, DEFAULT_STATEMENT);
        for (size_t c = 0; c < f->pipeline->column_count; c++) {
            const char *cell = f->committed.rows[i].cells[c];
            buf_printf(&line, "%s%s", c > 0 ? "|" : "", cell != NULL ? cell : "~");
        }
        lines[i] = buf_take(&line, NULL);
    }
    if (count > 0)
        qsort(lines, count, sizeof *lines, compare_lines);
    buf_reset(out);
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "%s\n", lines[i]);
        free(lines[i]);
    }
    free(lines);
}

const struct fake_head *fake_db_head(const struct fake_db *f, const char *document)
{
    return fake_data_head(&f->committed, f->pipeline->name, document);
}

void fake_db_put_row(struct fake_db *f, const char *const *cells)
{
    fake_data_add_row(&f->now, cells, f->pipeline->column_count);
    fake_data_add_row(&f->committed, cells, f->pipeline->column_count);
}

void fake_db_put_head(struct fake_db *f, const char *document, uint64_t version, uint64_t published)
{
    struct fake_head head = {.pipeline = f->pipeline->name,
                             .document = (char *)(uintptr_t)document,
                             .version = version,
                             .published = published};

    fake_data_add_head(&f->now, &head);
    fake_data_add_head(&f->committed, &head);
}

void fake_db_fail(struct fake_db *f, const char *prefix, int skip, int times, int code, const char *text)
{
    for (size_t i = 0; i < sizeof f->faults / sizeof f->faults[0]; i++) {
        if (f->faults[i].prefix != NULL && f->faults[i].times != 0)
            continue;
        f->faults[i] = (struct fake_fault){prefix, skip, times, code, text};
        return;
    }
}
