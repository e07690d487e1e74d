/* The rows that the table holds of some documents: found by the columns of the document's id, deleted by
 * their keys. */
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/mysql/sql.h"
#include "loader/row_check.h"
#include "loader/store_private.h"

enum { KEYS_MAX = 500 /* in one DELETE */ };

/* The results that the keys point into. */
struct key_memory {
    struct db_result *list;
    size_t count, cap;
    size_t row_cap;
};

static const char *listed_document(const void *list, size_t i)
{
    return ((const char *const *)list)[i];
}

/* Append a value to compare a column with. An integer column gets bare digits; MySQL would compare a quoted
 * number as a double. */
static void put_comparand(struct buf *sql, const struct table *t, size_t column, const char *text, size_t len)
{
    if (table_is_integer(t, column) && row_check_is_integer(text, len))
        buf_add(sql, text, len);
    else
        sql_put_text(sql, text, len);
}

/* The field of a document's id at *at, which moves behind it: up to the next '/', the last one to the end.
 * NULL: it has none, or one that its column cannot hold: '12x' has no rows in an integer column, but MySQL
 * would compare it as 12. */
static const char *next_field(const struct table *t, size_t i, const char **at, size_t *ret_len)
{
    const struct pipeline *p = t->pipeline;
    const char *field = *at;
    const char *slash = strchr(field, '/');

    if (i + 1 < p->document_column_count && slash == NULL)
        return NULL;
    *ret_len = i + 1 < p->document_column_count ? (size_t)(slash - field) : strlen(field);
    *at = field + *ret_len + 1;
    if (table_is_integer(t, p->document_columns[i]) && !row_check_is_integer(field, *ret_len))
        return NULL;
    return field;
}

static bool has_fields(const struct table *t, const char *document)
{
    const char *at = document;
    size_t len;

    for (size_t i = 0; i < t->pipeline->document_column_count; i++)
        if (next_field(t, i, &at, &len) == NULL)
            return false;
    return true;
}

/* One column: `c` IN (1,2). */
static void put_simple(struct buf *sql, const struct table *t, const char *document, bool first)
{
    const struct pipeline *p = t->pipeline;

    if (first) {
        sql_put_name(sql, p->columns[p->document_columns[0]].name);
        buf_add_text(sql, " IN (");
    } else {
        buf_add_char(sql, ',');
    }
    put_comparand(sql, t, p->document_columns[0], document, strlen(document));
}

/* Several: (`a`=1 AND `b`='x') OR …, of which both servers make ranges of the index. */
static void put_composite(struct buf *sql, const struct table *t, const char *document, bool first)
{
    const struct pipeline *p = t->pipeline;

    buf_add_text(sql, first ? "(" : " OR (");
    for (size_t i = 0; i < p->document_column_count; i++) {
        size_t len = 0;
        const char *field = next_field(t, i, &document, &len);
        buf_add_text(sql, i > 0 ? " AND " : "");
        sql_put_name(sql, p->columns[p->document_columns[i]].name);
        buf_add_char(sql, '=');
        put_comparand(sql, t, p->document_columns[i], field, len);
    }
    buf_add_char(sql, ')');
}

/* SELECT the stored keys of these documents. false: the columns can hold none of their ids. */
static bool put_select(struct mysql_store *s, const struct table *t, const char *const *documents,
                       size_t count)
{
    const struct pipeline *p = t->pipeline;
    bool simple = p->document_column_count == 1;
    bool any = false;

    store_begin_sql(s);
    buf_add_text(&s->sql, "SELECT ");
    sql_put_names(&s->sql, (const char *const *)p->key.names, p->key.count);
    buf_add_text(&s->sql, " FROM ");
    sql_put_table(&s->sql, p->table);
    buf_add_text(&s->sql, " FORCE INDEX (");
    sql_put_name(&s->sql, t->document_index);
    buf_add_text(&s->sql, ") WHERE ");
    for (size_t i = 0; i < count; i++) {
        if (!has_fields(t, documents[i]))
            continue;
        (simple ? put_simple : put_composite)(&s->sql, t, documents[i], !any);
        any = true;
    }
    buf_add_text(&s->sql, simple ? ")" : "");
    return any;
}

/* The result now belongs to the keys. */
static void take_result(struct stored_keys *keys, const struct db_result *result)
{
    struct key_memory *m = keys->memory;

    m->list = mem_grow(m->list, &m->cap, m->count, sizeof *m->list);
    m->list[m->count++] = *result;
    while (keys->count + result->count > m->row_cap)
        keys->rows = mem_grow(keys->rows, &m->row_cap, m->row_cap, sizeof *keys->rows);
    for (size_t i = 0; i < result->count; i++)
        keys->rows[keys->count++] = result->rows[i];
}

int store_stored_keys(struct store *store, const struct table *table, const char *const *documents,
                      size_t count, struct stored_keys *ret, struct err *err)
{
    struct mysql_store *s = mysql_store_of(store);
    size_t n;

    *ret = (struct stored_keys){.memory = mem_zalloc(1, sizeof(struct key_memory))};
    store_begin_sql(s);
    for (size_t i = 0; i < count; i += n) {
        struct db_result result = {0};
        n = store_documents_per_statement(s, listed_document, documents + i, count - i);
        if (!put_select(s, table, documents + i, n))
            continue;
        if (store_run_sql(s, &result, err) != 0) {
            store_free_keys(store, ret);
            return -1;
        }
        take_result(ret, &result);
    }
    return 0;
}

void store_free_keys(struct store *store, struct stored_keys *keys)
{
    struct key_memory *m = keys->memory;

    (void)store;
    for (size_t i = 0; m != NULL && i < m->count; i++)
        db_result_free(&m->list[i]);
    free(m != NULL ? m->list : NULL);
    free(m);
    free(keys->rows);
    *keys = (struct stored_keys){0};
}

/* ------------------------------------------------------------------ deleting */

static void put_delete(struct mysql_store *s, const struct table *t, char **const *keys, size_t count)
{
    const struct pipeline *p = t->pipeline;

    store_begin_sql(s);
    buf_add_text(&s->sql, "DELETE FROM ");
    sql_put_table(&s->sql, p->table);
    buf_add_text(&s->sql, " WHERE (");
    sql_put_names(&s->sql, (const char *const *)p->key.names, p->key.count);
    buf_add_text(&s->sql, ") IN (");
    for (size_t i = 0; i < count; i++) {
        buf_add_text(&s->sql, i > 0 ? ",(" : "(");
        for (size_t k = 0; k < p->key.count; k++) {
            if (k > 0)
                buf_add_char(&s->sql, ',');
            put_comparand(&s->sql, t, pipeline_column(p, p->key.names[k]), keys[i][k], strlen(keys[i][k]));
        }
        buf_add_char(&s->sql, ')');
    }
    buf_add_char(&s->sql, ')');
}

static size_t keys_per_statement(const struct mysql_store *s, const struct table *t, char **const *keys,
                                 size_t count)
{
    size_t n = 0;
    size_t bytes = 0;

    while (n < count && n < KEYS_MAX) {
        for (size_t k = 0; k < t->pipeline->key.count; k++)
            bytes += strlen(keys[n][k]) * 2 + 4;
        if (n > 0 && bytes > s->aim / 2)
            break;
        n++;
    }
    return n;
}

int store_delete_keys(struct store *store, const struct table *table, char **const *keys, size_t count,
                      uint64_t *ret_deleted, struct err *err)
{
    struct mysql_store *s = mysql_store_of(store);
    size_t n;

    *ret_deleted = 0;
    store_begin_sql(s);
    for (size_t i = 0; i < count; i += n) {
        struct db_result result = {0};
        n = keys_per_statement(s, table, keys + i, count - i);
        put_delete(s, table, keys + i, n);
        if (store_run_sql(s, &result, err) != 0)
            return -1;
        *ret_deleted += result.affected;
        db_result_free(&result);
    }
    return 0;
}
