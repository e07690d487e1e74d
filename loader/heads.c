/* jst_heads: which version of a document the target table shows. Raising a head is what decides between two
 * loaders: an INSERT … ON DUPLICATE KEY UPDATE that locks the heads until COMMIT. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/units.h"
#include "common/mysql/sql.h"
#include "loader/store_private.h"

static const char *head_document(const void *list, size_t i)
{
    return ((const struct head *)list)[i].document;
}

static void put_text(struct buf *sql, const char *text)
{
    sql_put_text(sql, text, strlen(text));
}

static void put_head(struct buf *sql, const char *heads_name, const struct head *h)
{
    buf_add_char(sql, '(');
    put_text(sql, heads_name);
    buf_add_char(sql, ',');
    put_text(sql, h->document);
    buf_printf(sql, ",%d,%" PRIu64 ",%" PRId64 ",%" PRId64 ",%zu,", (int)h->stamp.kind, h->stamp.version,
               h->stamp.received_ms, h->stamp.published_ms, h->rows);
    put_text(sql, h->source);
    buf_add_text(sql, ",NOW(3))");
}

/* Does the new state win? As stamp_newer() has it; the equal one wins, too. A head of an older jstpipe has no
 * kind and no reception: there version and publication decide. */
#define SAME_KIND "IFNULL(`kind`,VALUES(`kind`))=VALUES(`kind`)"
#define RECEIVED  "IFNULL(`received`,VALUES(`received`))"
#define LATER                                                                                                \
    "(VALUES(`received`)>" RECEIVED " OR (VALUES(`received`)=" RECEIVED                                      \
    " AND VALUES(`published`)>=`published`))"
#define WINS          "IF(" SAME_KIND " AND VALUES(`version`)<>`version`,VALUES(`version`)>`version`," LATER ")"
#define RAISE(column) "`" column "`=IF(" WINS ",VALUES(`" column "`),`" column "`)"

/* Assignments run from left to right, and each sees the results of the earlier ones. Whoever has won still
 * wins when some of the columns are its own already; whoever has lost changes nothing. */
static const char raise_end[] = " ON DUPLICATE KEY UPDATE " RAISE("rows") "," RAISE("source") "," RAISE(
    "updated_at") "," RAISE("published") "," RAISE("received") "," RAISE("version") "," RAISE("kind");

/* *ret_all: each of them is new or was raised, so there is none to lose against. */
static int raise_some(struct mysql_store *s, const char *heads_name, const struct head *heads, size_t count,
                      bool *ret_all, struct err *err)
{
    struct db_result result = {0};

    store_begin_sql(s);
    buf_add_text(&s->sql, "INSERT INTO `jst_heads` "
                          "(`pipeline`,`document`,`kind`,`version`,`received`,`published`,`rows`,`source`,"
                          "`updated_at`) VALUES ");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(&s->sql, ',');
        put_head(&s->sql, heads_name, &heads[i]);
    }
    buf_add_text(&s->sql, raise_end);
    if (store_run_sql(s, &result, err) != 0)
        return -1;
    /* An inserted row counts 1, a changed one 2 and once more as a duplicate, an unchanged one nothing. The
     * server tells the duplicates of several rows only. */
    if (count == 1)
        *ret_all = result.affected > 0;
    else
        *ret_all = result.duplicates >= 0 && result.affected - (uint64_t)result.duplicates == count;
    db_result_free(&result);
    return 0;
}

static int find_head(const struct head *heads, size_t count, const char *document, size_t *ret)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(heads[middle].document, document);
        if (order == 0) {
            *ret = middle;
            return 0;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

static int parse_number(const char *text, uint64_t *ret)
{
    return text != NULL ? parse_uint64(text, ret) : -1;
}

/* row: document, kind, version, received, published */
static int read_stamp(char *const *row, const struct stamp *own, struct stamp *ret)
{
    uint64_t kind = own->kind;
    uint64_t received = (uint64_t)own->received_ms;
    uint64_t published;

    if (parse_number(row[2], &ret->version) != 0 || parse_number(row[4], &published) != 0 ||
        (row[1] != NULL && parse_number(row[1], &kind) != 0) ||
        (row[3] != NULL && parse_number(row[3], &received) != 0) || kind > STAMP_INTEGER)
        return -1;
    ret->kind = (enum stamp_kind)kind;
    ret->received_ms = (int64_t)received;
    ret->published_ms = (int64_t)published;
    return 0;
}

static int judge_heads(const struct db_result *stored, const struct head *heads, size_t count, bool *lost,
                       struct err *err)
{
    if (stored->count != count)
        return err_set(
            err, ERR_PAUSE, 0,
            "jst_heads does not tell all document ids apart (%zu of %zu found): its column document must "
            "compare byte by byte, as `jstctl ddl` has it",
            stored->count, count);
    for (size_t i = 0; i < stored->count; i++) {
        size_t at;
        struct stamp stamp;
        char **row = stored->rows[i];
        if (row[0] == NULL || find_head(heads, count, row[0], &at) != 0 ||
            read_stamp(row, &heads[at].stamp, &stamp) != 0)
            return err_set(err, ERR_PAUSE, 0, "jst_heads holds values that the loader did not write");
        lost[at] = stamp_newer(&stamp, &heads[at].stamp);
    }
    return 0;
}

static int read_some(struct mysql_store *s, const char *heads_name, const struct head *heads, size_t count,
                     bool *lost, struct err *err)
{
    struct db_result stored = {0};

    store_begin_sql(s);
    buf_add_text(&s->sql, "SELECT `document`,`kind`,`version`,`received`,`published` FROM `jst_heads` FORCE "
                          "INDEX (PRIMARY) WHERE `pipeline`=");
    put_text(&s->sql, heads_name);
    buf_add_text(&s->sql, " AND `document` IN (");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(&s->sql, ',');
        put_text(&s->sql, heads[i].document);
    }
    buf_add_char(&s->sql, ')');
    if (store_run_sql(s, &stored, err) != 0)
        return -1;
    int rc = judge_heads(&stored, heads, count, lost, err);
    db_result_free(&stored);
    return rc;
}

/* All heads are raised, and so locked, before the first one is read. */
int store_raise_heads(struct store *store, const char *heads_name, const struct head *heads, size_t count,
                      bool *lost, struct err *err)
{
    struct mysql_store *s = mysql_store_of(store);
    bool all = true;
    bool raised;
    size_t n;

    store_begin_sql(s);
    for (size_t i = 0; i < count; i += n) {
        n = store_documents_per_statement(s, head_document, heads + i, count - i);
        if (raise_some(s, heads_name, heads + i, n, &raised, err) != 0)
            return -1;
        all = all && raised;
    }
    for (size_t i = 0; i < count && !all; i += n) {
        n = store_documents_per_statement(s, head_document, heads + i, count - i);
        if (read_some(s, heads_name, heads + i, n, lost + i, err) != 0)
            return -1;
    }
    return 0;
}

int store_has_heads(struct store *store, const char *heads_name, bool *ret, struct err *err)
{
    struct mysql_store *s = mysql_store_of(store);
    struct db_result found = {0};

    store_begin_sql(s);
    buf_add_text(&s->sql, "SELECT 1 FROM `jst_heads` WHERE `pipeline`=");
    put_text(&s->sql, heads_name);
    buf_add_text(&s->sql, " AND `rows`>0 LIMIT 1");
    if (store_run_sql(s, &found, err) != 0)
        return -1;
    *ret = found.count > 0;
    db_result_free(&found);
    return 0;
}
