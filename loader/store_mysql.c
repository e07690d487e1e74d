#include "loader/store_mysql.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "loader/store_private.h"

enum {
    /* bytes; the server's own limit holds when it is lower */
    STATEMENT_AIM = 4 * 1024 * 1024,  /* of several rows */
    STATEMENT_MAX = 64 * 1024 * 1024, /* of one row: the largest rows message with every byte escaped */
    KEPT_MAX = 2 * 1024 * 1024,       /* memory that waits for the next statement */
    DOCUMENTS_MAX = 1000,             /* in one statement */
    DOCUMENT_BYTES = 320,             /* of one document in a statement, without its id */
};

/* ------------------------------------------------------------------ statements */

void store_begin_sql(struct mysql_store *s)
{
    size_t most = db_max_statement(s->db);

    if (s->sql.cap > KEPT_MAX)
        buf_free(&s->sql);
    buf_reset(&s->sql);
    s->sql.max = most < STATEMENT_MAX ? most : STATEMENT_MAX;
    s->aim = most < STATEMENT_AIM ? most : STATEMENT_AIM;
}

int store_run_sql(struct mysql_store *s, struct db_result *ret, struct err *err)
{
    if (s->sql.overflowed)
        return err_set(err, ERR_REJECT, 1153,
                       "a statement of this row is larger than the server takes (%zu bytes)", s->sql.max);
    return db_query(s->db, s->sql.data, s->sql.len, ret, err);
}

int store_run_text(struct mysql_store *s, const char *sql, struct err *err)
{
    return db_query(s->db, sql, strlen(sql), NULL, err);
}

size_t store_documents_per_statement(const struct mysql_store *s,
                                     const char *(*id)(const void *list, size_t i), const void *list,
                                     size_t count)
{
    size_t n = 0;
    size_t bytes = 0;

    while (n < count && n < DOCUMENTS_MAX) {
        bytes += strlen(id(list, n)) * 2 + DOCUMENT_BYTES;
        if (n > 0 && bytes > s->aim / 2)
            break;
        n++;
    }
    return n;
}

/* ------------------------------------------------------------------ the session */

static int store_open(struct store *store, struct err *err)
{
    return db_connect(mysql_store_of(store)->db, err);
}

static int store_ask(struct store *store, struct err *err)
{
    return store_run_text(mysql_store_of(store), "DO 0", err);
}

static int store_look(struct store *store, const struct pipeline *p, bool create, struct table **ret,
                      struct err *err)
{
    return table_load(mysql_store_of(store)->db, p, create, ret, err);
}

static bool store_can_load(const struct store *store)
{
    return db_can_load(((const struct mysql_store *)store)->db);
}

static void store_close(struct store *store)
{
    db_disconnect(mysql_store_of(store)->db);
}

static void store_cut(struct store *store)
{
    db_abort(mysql_store_of(store)->db);
}

static void store_end(struct store *store)
{
    struct mysql_store *s = mysql_store_of(store);

    buf_free(&s->sql);
    db_free(s->db);
    free(s);
}

/* ------------------------------------------------------------------ the transaction */

static int store_begin(struct store *store, struct err *err)
{
    return store_run_text(mysql_store_of(store), "START TRANSACTION", err);
}

static int store_set_point(struct store *store, struct err *err)
{
    return store_run_text(mysql_store_of(store), "SAVEPOINT jst", err);
}

static int store_back_to_point(struct store *store, struct err *err)
{
    return store_run_text(mysql_store_of(store), "ROLLBACK TO SAVEPOINT jst", err);
}

static int store_commit(struct store *store, struct err *err)
{
    return store_run_text(mysql_store_of(store), "COMMIT", err);
}

static int store_rollback(struct store *store)
{
    if (store_run_text(mysql_store_of(store), "ROLLBACK", NULL) == 0)
        return 0;
    store_close(store);
    return -1;
}

static int store_write_rows(struct store *store, const struct table *table, const struct batch *batch,
                            struct row *const *rows, size_t count, enum write_form form, size_t *ret_replaced,
                            struct err *err)
{
    struct mysql_store *s = mysql_store_of(store);

    *ret_replaced = 0;
    if (form == FORM_LOAD)
        return store_write_load(s, table, batch, rows, count, ret_replaced, err);
    return store_write_text(s, table, batch, rows, count, ret_replaced, err);
}

static const struct store_ops mysql_store_ops = {
    .connect = store_open,
    .ask = store_ask,
    .look = store_look,
    .has_heads = store_has_heads,
    .read_marks = store_read_marks,
    .begin = store_begin,
    .raise_heads = store_raise_heads,
    .stored_keys = store_stored_keys,
    .free_keys = store_free_keys,
    .delete_keys = store_delete_keys,
    .set_point = store_set_point,
    .back_to_point = store_back_to_point,
    .write_rows = store_write_rows,
    .write_witness = store_write_witness,
    .put_marks = store_put_marks,
    .commit = store_commit,
    .rollback = store_rollback,
    .can_load = store_can_load,
    .disconnect = store_close,
    .abort = store_cut,
    .free = store_end,
};

struct store *store_mysql_new(struct db *db)
{
    struct mysql_store *s = mem_zalloc(1, sizeof *s);

    s->base.ops = &mysql_store_ops;
    s->db = db;
    buf_init(&s->sql, STATEMENT_MAX);
    return &s->base;
}
