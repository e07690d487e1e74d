#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "loader/row_check.h"
#include "tests/unit/twins/fake_store_private.h"

enum { PATIENCE_MS = 10000 };

/* ------------------------------------------------------------------ the session */

static int fake_connect(struct store *store, struct err *err)
{
    struct fake_store *s = fake_of(store);
    const struct fake_fault *fault;

    if (s->connected)
        return 0;
    if (fake_enter_step(s, STEP_CONNECT, NULL, &fault, err) != 0)
        return -1;
    s->connected = true;
    return fake_leave_step(s, fault, 0, err);
}

static int fake_ask(struct store *store, struct err *err)
{
    struct fake_store *s = fake_of(store);
    const struct fake_fault *fault;

    if (fake_enter_step(s, STEP_ASK, NULL, &fault, err) != 0)
        return -1;
    return fake_leave_step(s, fault, 0, err);
}

static bool has_rows(const struct fake_data *d, const char *table)
{
    for (size_t i = 0; i < d->row_count; i++)
        if (strcmp(d->rows[i].table, table) == 0)
            return true;
    return false;
}

static struct table *make_table(const struct pipeline *p, bool empty)
{
    static const enum column_kind kinds[] = {
        [VALUE_STRING] = COLUMN_TEXT, [VALUE_INT] = COLUMN_INTEGER, [VALUE_FLOAT] = COLUMN_DECIMAL};
    struct table *t = mem_zalloc(1, sizeof *t);

    t->pipeline = p;
    t->name = mem_printf("db.%s", p->table);
    t->columns = mem_zalloc(p->column_count, sizeof *t->columns);
    for (size_t c = 0; c < p->column_count; c++)
        t->columns[c] = (struct table_column){.kind = kinds[p->columns[c].type], .length = 65535};
    t->document_index = mem_strdup("jst_document");
    t->empty = empty;
    return t;
}

static int fake_look(struct store *store, const struct pipeline *p, bool create, struct table **ret,
                     struct err *err)
{
    struct fake_store *s = fake_of(store);
    const struct fake_fault *fault;

    (void)create;
    if (fake_enter_step(s, STEP_LOOK, p->table, &fault, err) != 0)
        return -1;
    bool empty = !has_rows(&s->db->committed, p->table);
    if (fake_leave_step(s, fault, 0, err) != 0)
        return -1;
    *ret = make_table(p, empty);
    return 0;
}

static int fake_has_heads(struct store *store, const char *heads_name, bool *ret, struct err *err)
{
    struct fake_store *s = fake_of(store);
    const struct fake_fault *fault;

    if (fake_enter_step(s, STEP_HAS_HEADS, NULL, &fault, err) != 0)
        return -1;
    *ret = false;
    for (size_t i = 0; i < s->db->committed.head_count; i++) {
        const struct fake_head *h = &s->db->committed.heads[i];
        *ret = *ret || (strcmp(h->pipeline, heads_name) == 0 && h->rows > 0);
    }
    return fake_leave_step(s, fault, 0, err);
}

static bool fake_can_load(const struct store *store)
{
    return !((const struct fake_store *)store)->db->refuses_load;
}

static void fake_disconnect(struct store *store)
{
    struct fake_store *s = fake_of(store);

    pthread_mutex_lock(&s->db->lock);
    s->db->disconnects++;
    fake_lose_connection(s);
    pthread_mutex_unlock(&s->db->lock);
}

static void fake_abort(struct store *store)
{
    struct fake_store *s = fake_of(store);

    pthread_mutex_lock(&s->db->lock);
    s->aborted = true;
    pthread_cond_broadcast(&s->db->changed);
    pthread_mutex_unlock(&s->db->lock);
}

static void fake_free(struct store *store)
{
    struct fake_store *s = fake_of(store);

    fake_end_transaction(s);
    free(s->changes);
    free(s);
}

/* ------------------------------------------------------------------ the transaction */

static int fake_begin(struct store *store, struct err *err)
{
    struct fake_store *s = fake_of(store);
    const struct fake_fault *fault;

    if (fake_enter_step(s, STEP_BEGIN, NULL, &fault, err) != 0)
        return -1;
    if (s->in_transaction)
        fake_note_trouble(s->db, "a transaction begins inside of another one");
    s->in_transaction = true;
    s->db->open++;
    return fake_leave_step(s, fault, 0, err);
}

/* As if it had never been; nothing is kept, whatever a fault does to the answer. */
static int fake_rollback(struct store *store)
{
    struct fake_store *s = fake_of(store);
    const struct fake_fault *fault;
    struct err err = ERR_INIT;

    if (!s->connected)
        return -1;
    if (fake_enter_step(s, STEP_ROLLBACK, NULL, &fault, &err) != 0) {
        fake_disconnect(store);
        return -1;
    }
    fake_end_transaction(s);
    s->db->rollbacks++;
    return fake_leave_step(s, fault, 0, &err);
}

static int fake_commit(struct store *store, struct err *err)
{
    struct fake_store *s = fake_of(store);
    const struct fake_fault *fault;

    if (fake_enter_step(s, STEP_COMMIT, NULL, &fault, err) != 0)
        return -1;
    fake_apply_changes(s, &s->db->committed);
    fake_end_transaction(s);
    s->db->commits++;
    return fake_leave_step(s, fault, 0, err);
}

static int fake_set_point(struct store *store, struct err *err)
{
    struct fake_store *s = fake_of(store);
    const struct fake_fault *fault;

    if (fake_enter_step(s, STEP_POINT, NULL, &fault, err) != 0)
        return -1;
    s->point = s->change_count;
    return fake_leave_step(s, fault, 0, err);
}

static int fake_back_to_point(struct store *store, struct err *err)
{
    struct fake_store *s = fake_of(store);
    const struct fake_fault *fault;

    if (fake_enter_step(s, STEP_BACK, NULL, &fault, err) != 0)
        return -1;
    if (s->point > s->change_count)
        fake_note_trouble(s->db, "no point to go back to");
    else
        fake_cut_changes(s, s->point);
    return fake_leave_step(s, fault, 0, err);
}

/* ------------------------------------------------------------------ heads and marks */

static bool raise_head(struct fake_store *s, const char *heads_name, const struct head *h)
{
    struct fake_data view = fake_see_data(s);
    const struct fake_head *old = fake_data_head(&view, heads_name, h->document);
    bool wins = old == NULL || !stamp_newer(&old->stamp, &h->stamp);

    fake_data_free(&view);
    if (wins)
        fake_data_put_head(fake_add_change(s, PUT_HEAD, NULL),
                           &(struct fake_head){.pipeline = (char *)(uintptr_t)heads_name,
                                               .document = (char *)(uintptr_t)h->document,
                                               .stamp = h->stamp,
                                               .rows = h->rows,
                                               .source = (char *)(uintptr_t)h->source});
    return wins;
}

static int lock_heads(struct fake_store *s, const char *heads_name, const struct head *heads, size_t count,
                      struct err *err)
{
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++) {
        char *name = mem_printf("%s/%s", heads_name, heads[i].document);
        if (i > 0 && strcmp(heads[i - 1].document, heads[i].document) >= 0)
            fake_note_trouble(s->db, "heads are not in order");
        rc = fake_take_lock(s, name, err);
        free(name);
    }
    return rc;
}

static int fake_raise_heads(struct store *store, const char *heads_name, const struct head *heads,
                            size_t count, bool *lost, struct err *err)
{
    struct fake_store *s = fake_of(store);
    const struct fake_fault *fault;

    if (fake_enter_step(s, STEP_HEADS, NULL, &fault, err) != 0)
        return -1;
    int rc = lock_heads(s, heads_name, heads, count, err);
    for (size_t i = 0; i < count && rc == 0; i++)
        lost[i] = !raise_head(s, heads_name, &heads[i]);
    return fake_leave_step(s, fault, rc, err);
}

static int lock_marks(struct fake_store *s, const char *pipeline, struct err *err)
{
    char *name = mem_printf("marks of %s", pipeline);
    int rc = fake_take_lock(s, name, err);

    free(name);
    return rc;
}

static void give_mark(struct stored_marks *ret, const struct fake_mark *m)
{
    ret->list[ret->count++] = (struct stored_mark){.pipeline = mem_strdup(m->pipeline),
                                                   .topic = mem_strdup(m->topic),
                                                   .partition = m->partition,
                                                   .next_offset = m->next_offset,
                                                   .target = mem_strdup(m->target)};
}

static int fake_read_marks(struct store *store, const char *pipeline, bool lock, struct stored_marks *ret,
                           struct err *err)
{
    struct fake_store *s = fake_of(store);
    const struct fake_fault *fault;

    if (fake_enter_step(s, STEP_READ_MARKS, NULL, &fault, err) != 0)
        return -1;
    if (lock && lock_marks(s, pipeline, err) != 0)
        return fake_leave_step(s, NULL, -1, err);
    struct fake_data view = fake_see_data(s);
    if (fake_leave_step(s, fault, 0, err) != 0) {
        fake_data_free(&view);
        return -1;
    }
    *ret = (struct stored_marks){.list = mem_zalloc(view.mark_count + 1, sizeof *ret->list)};
    for (size_t i = 0; i < view.mark_count; i++)
        if (strcmp(view.marks[i].pipeline, pipeline) == 0)
            give_mark(ret, &view.marks[i]);
    fake_data_free(&view);
    return 0;
}

static void put_mark(struct fake_store *s, const struct table *table, const struct mark *m)
{
    struct fake_data view = fake_see_data(s);
    struct fake_mark new = {.pipeline = table->pipeline->name,
                            .topic = (char *)(uintptr_t)m->topic,
                            .target = table->name,
                            .partition = m->partition,
                            .next_offset = m->next_offset};
    const struct fake_mark *old = fake_data_mark(&view, new.pipeline, m->topic, m->partition);

    if (old != NULL && !m->reset && strcmp(old->target, new.target) == 0 &&
        old->next_offset > new.next_offset)
        new.next_offset = old->next_offset;
    fake_data_put_mark(fake_add_change(s, PUT_MARK, NULL), &new);
    fake_data_free(&view);
}

static int fake_put_marks(struct store *store, const struct table *table, const struct mark *marks,
                          size_t count, struct err *err)
{
    struct fake_store *s = fake_of(store);
    const struct fake_fault *fault;

    if (fake_enter_step(s, STEP_MARKS, table->pipeline->table, &fault, err) != 0)
        return -1;
    int rc = lock_marks(s, table->pipeline->name, err);
    for (size_t i = 0; i < count && rc == 0; i++)
        put_mark(s, table, &marks[i]);
    return fake_leave_step(s, fault, rc, err);
}

/* ------------------------------------------------------------------ rows */

static bool is_among(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text != NULL && strcmp(list[i], text) == 0)
            return true;
    return false;
}

/* The columns of the document's id, joined by '/'; the caller frees it. NULL: one of them is NULL. */
static char *id_of_row(const struct fake_row *row, const struct pipeline *p)
{
    char *id = NULL;

    for (size_t i = 0; i < p->document_column_count; i++) {
        const char *cell = row->cells[p->document_columns[i]];
        char *longer =
            cell != NULL ? mem_printf("%s%s%s", id != NULL ? id : "", i > 0 ? "/" : "", cell) : NULL;
        free(id);
        id = longer;
        if (id == NULL)
            return NULL;
    }
    return id;
}

static bool is_of_documents(const struct fake_row *row, const struct pipeline *p,
                            const char *const *documents, size_t count)
{
    char *id = strcmp(row->table, p->table) == 0 ? id_of_row(row, p) : NULL;
    bool found = is_among(id, documents, count);

    free(id);
    return found;
}

static char **take_key(struct fake_row *row, const struct pipeline *p)
{
    char **key = mem_zalloc(p->key.count, sizeof *key);

    for (size_t k = 0; k < p->key.count; k++) {
        const char *text = row->cells[pipeline_column(p, p->key.names[k])];
        key[k] = text != NULL ? mem_strdup(text) : NULL;
    }
    return key;
}

static int fake_stored_keys(struct store *store, const struct table *table, const char *const *documents,
                            size_t count, struct stored_keys *ret, struct err *err)
{
    struct fake_store *s = fake_of(store);
    const struct pipeline *p = table->pipeline;
    const struct fake_fault *fault;

    if (fake_enter_step(s, STEP_KEYS, p->table, &fault, err) != 0)
        return -1;
    struct fake_data view = fake_see_data(s);
    int rc = fake_leave_step(s, fault, 0, err);
    if (rc == 0) {
        *ret = (struct stored_keys){.rows = mem_zalloc(view.row_count + 1, sizeof *ret->rows),
                                    .memory = (void *)(uintptr_t)p};
        for (size_t i = 0; i < view.row_count; i++)
            if (is_of_documents(&view.rows[i], p, documents, count))
                ret->rows[ret->count++] = take_key(&view.rows[i], p);
    }
    fake_data_free(&view);
    return rc;
}

static void fake_free_keys(struct store *store, struct stored_keys *keys)
{
    const struct pipeline *p = keys->memory;

    (void)store;
    for (size_t i = 0; i < keys->count; i++) {
        for (size_t k = 0; k < p->key.count; k++)
            free(keys->rows[i][k]);
        free(keys->rows[i]);
    }
    free(keys->rows);
    *keys = (struct stored_keys){0};
}

static int fake_delete_keys(struct store *store, const struct table *table, char **const *keys, size_t count,
                            uint64_t *ret_deleted, struct err *err)
{
    struct fake_store *s = fake_of(store);
    const struct pipeline *p = table->pipeline;
    const struct fake_fault *fault;

    if (fake_enter_step(s, STEP_DELETE, p->table, &fault, err) != 0)
        return -1;
    *ret_deleted = 0;
    struct fake_data view = fake_see_data(s);
    for (size_t i = 0; i < count; i++) {
        const char *cells[FAKE_COLUMNS_MAX] = {0};
        for (size_t k = 0; k < p->key.count; k++)
            cells[pipeline_column(p, p->key.names[k])] = keys[i][k];
        *ret_deleted += fake_data_find_row(&view, p, cells) != SIZE_MAX;
        fake_data_put_row(fake_add_change(s, DROP_ROW, p), p, cells);
    }
    fake_data_free(&view);
    return fake_leave_step(s, fault, 0, err);
}

/* The cells of a row as the table takes them; the caller frees them. */
static struct fake_row make_row(const struct table *t, const struct batch *b, const struct row *row)
{
    struct fake_row made = {.table = t->pipeline->table};

    for (size_t c = 0; c < t->pipeline->column_count; c++) {
        size_t len;
        const char *text = batch_cell(b, row, c, &len);
        if (!table_is_null(t, c, text, len))
            made.cells[c] = mem_strndup(text, len);
    }
    return made;
}

static void free_cells(struct fake_row *row)
{
    for (size_t c = 0; c < FAKE_COLUMNS_MAX; c++)
        free(row->cells[c]);
}

/* One statement: all of it, or nothing. */
static int write_statement(struct fake_store *s, const struct table *t, const struct batch *b,
                           struct row *const *rows, size_t count, size_t *replaced, struct err *err)
{
    struct fake_database *db = s->db;
    struct fake_data view = fake_see_data(s);
    size_t before = s->change_count;
    int code = 0;
    size_t i;

    for (i = 0; i < count && code == 0; i++) {
        struct fake_row row = make_row(t, b, rows[i]);
        const char *const *cells = (const char *const *)row.cells;
        code = db->row_fault != NULL ? db->row_fault(&row) : 0;
        *replaced += fake_data_put_row(&view, t->pipeline, cells);
        fake_data_put_row(fake_add_change(s, PUT_ROW, t->pipeline), t->pipeline, cells);
        free_cells(&row);
    }
    fake_data_free(&view);
    if (code == 0)
        return 0;
    fake_cut_changes(s, before);
    return fake_fail_step(s, code, !db->numbered ? 0 : db->wrong_number > 0 ? db->wrong_number : i, err);
}

static int fake_write_rows(struct store *store, const struct table *table, const struct batch *batch,
                           struct row *const *rows, size_t count, enum write_form form, size_t *ret_replaced,
                           struct err *err)
{
    struct fake_store *s = fake_of(store);
    size_t most = form == FORM_LOAD ? count : (size_t)table->pipeline->statement_rows;
    const struct fake_fault *fault;
    int rc = 0;

    s->db->loads += form == FORM_LOAD;
    if (fake_enter_step(s, STEP_WRITE, table->pipeline->table, &fault, err) != 0)
        return -1;
    *ret_replaced = 0;
    if (form == FORM_LOAD && s->db->refuses_load)
        rc = fake_note_trouble(s->db, "LOAD DATA although the server refuses it");
    for (size_t i = 0; i < count && rc == 0; i += most) {
        size_t n = count - i < most ? count - i : most;
        rc = write_statement(s, table, batch, rows + i, n, ret_replaced, err);
        if (rc != 0 && err->row > 0)
            err->row += i;
    }
    return fake_leave_step(s, fault, rc, err);
}

static int fake_write_witness(struct store *store, const struct table *table, bool *ret_found,
                              struct err *err)
{
    struct fake_store *s = fake_of(store);
    const struct fake_fault *fault;
    int code = 0;

    if (fake_enter_step(s, STEP_WITNESS, table->pipeline->table, &fault, err) != 0)
        return -1;
    struct fake_data view = fake_see_data(s);
    *ret_found = false;
    for (size_t i = 0; i < view.row_count && !*ret_found; i++) {
        *ret_found = strcmp(view.rows[i].table, table->pipeline->table) == 0;
        if (*ret_found && s->db->row_fault != NULL)
            code = s->db->row_fault(&view.rows[i]);
    }
    fake_data_free(&view);
    return fake_leave_step(s, fault, code != 0 ? fake_fail_step(s, code, 0, err) : 0, err);
}

static const struct store_ops fake_store_ops = {
    .connect = fake_connect,
    .ask = fake_ask,
    .look = fake_look,
    .has_heads = fake_has_heads,
    .read_marks = fake_read_marks,
    .begin = fake_begin,
    .raise_heads = fake_raise_heads,
    .stored_keys = fake_stored_keys,
    .free_keys = fake_free_keys,
    .delete_keys = fake_delete_keys,
    .set_point = fake_set_point,
    .back_to_point = fake_back_to_point,
    .write_rows = fake_write_rows,
    .write_witness = fake_write_witness,
    .put_marks = fake_put_marks,
    .commit = fake_commit,
    .rollback = fake_rollback,
    .can_load = fake_can_load,
    .disconnect = fake_disconnect,
    .abort = fake_abort,
    .free = fake_free,
};

struct store *fake_store_new(struct fake_database *db)
{
    struct fake_store *s = mem_zalloc(1, sizeof *s);

    s->base.ops = &fake_store_ops;
    s->db = db;
    s->point = SIZE_MAX;
    return &s->base;
}

/* ------------------------------------------------------------------ the database */

struct fake_database *fake_database_new(void)
{
    struct fake_database *db = mem_zalloc(1, sizeof *db);

    pthread_mutex_init(&db->lock, NULL);
    pthread_cond_init(&db->changed, NULL);
    db->patience_ms = PATIENCE_MS;
    return db;
}

void fake_database_free(struct fake_database *db)
{
    fake_data_free(&db->committed);
    free(db->locks);
    pthread_mutex_destroy(&db->lock);
    pthread_cond_destroy(&db->changed);
    free(db);
}

void fake_database_fail(struct fake_database *db, const struct fake_fault *fault)
{
    for (size_t i = 0; i < sizeof db->faults / sizeof db->faults[0]; i++)
        if (db->faults[i].times == 0) {
            db->faults[i] = *fault;
            return;
        }
    abort();
}

void fake_database_put_row(struct fake_database *db, const struct pipeline *p, const char *const *cells)
{
    pthread_mutex_lock(&db->lock);
    fake_data_put_row(&db->committed, p, cells);
    pthread_mutex_unlock(&db->lock);
}

void fake_database_put_head(struct fake_database *db, const char *pipeline, const char *document,
                            const struct stamp *stamp)
{
    pthread_mutex_lock(&db->lock);
    fake_data_put_head(&db->committed, &(struct fake_head){.pipeline = (char *)(uintptr_t)pipeline,
                                                           .document = (char *)(uintptr_t)document,
                                                           .stamp = *stamp});
    pthread_mutex_unlock(&db->lock);
}
