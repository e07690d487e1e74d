#include "tests/unit/twins/fake_store_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/mem.h"
#include "common/mysql/errors.h"

int fake_note_trouble(struct fake_database *db, const char *what)
{
    if (db->trouble[0] == '\0')
        snprintf(db->trouble, sizeof db->trouble, "%s", what);
    return -1;
}

/* ------------------------------------------------------------------ changes */

void fake_cut_changes(struct fake_store *s, size_t count)
{
    while (s->change_count > count)
        fake_data_free(&s->changes[--s->change_count].what);
}

struct fake_data *fake_add_change(struct fake_store *s, enum change_kind kind, const struct pipeline *p)
{
    s->changes = mem_grow(s->changes, &s->change_cap, s->change_count, sizeof *s->changes);
    struct change *c = &s->changes[s->change_count++];
    *c = (struct change){.kind = kind, .p = p};
    return &c->what;
}

static void apply_change(struct fake_data *d, const struct change *c)
{
    const struct fake_row *row = c->what.rows;
    const struct fake_mark *mark = c->what.marks;

    if (c->kind == PUT_ROW) {
        fake_data_put_row(d, c->p, (const char *const *)row->cells);
    } else if (c->kind == DROP_ROW) {
        size_t at = fake_data_find_row(d, c->p, (const char *const *)row->cells);
        if (at != SIZE_MAX)
            fake_data_drop_row(d, at);
    } else if (c->kind == PUT_HEAD) {
        fake_data_put_head(d, c->what.heads);
    } else if (c->kind == PUT_MARK) {
        fake_data_put_mark(d, mark);
    } else {
        fake_data_drop_mark(d, mark->pipeline, mark->topic, mark->partition);
    }
}

void fake_apply_changes(const struct fake_store *s, struct fake_data *d)
{
    for (size_t i = 0; i < s->change_count; i++)
        apply_change(d, &s->changes[i]);
}

/* What the transaction sees; the caller frees it. */
struct fake_data fake_see_data(const struct fake_store *s)
{
    struct fake_data view = {0};

    fake_data_copy(&view, &s->db->committed);
    fake_apply_changes(s, &view);
    return view;
}

/* ------------------------------------------------------------------ locks */

static struct fake_lock *find_lock(struct fake_database *db, const char *name)
{
    for (size_t i = 0; i < db->lock_count; i++)
        if (strcmp(db->locks[i].name, name) == 0)
            return &db->locks[i];
    return NULL;
}

static void drop_locks(struct fake_store *s)
{
    struct fake_database *db = s->db;

    for (size_t i = db->lock_count; i-- > 0;) {
        if (db->locks[i].owner != &s->base)
            continue;
        free(db->locks[i].name);
        db->locks[i] = db->locks[--db->lock_count];
    }
    pthread_cond_broadcast(&db->changed);
}

void fake_end_transaction(struct fake_store *s)
{
    s->db->open -= s->in_transaction;
    s->in_transaction = false;
    s->point = SIZE_MAX;
    fake_cut_changes(s, 0);
    drop_locks(s);
}

void fake_lose_connection(struct fake_store *s)
{
    fake_end_transaction(s);
    s->connected = false;
}

int fake_fail_step(struct fake_store *s, int code, size_t row, struct err *err)
{
    char text[64] = "Lost, locked or incorrect";

    if (row > 0)
        snprintf(text, sizeof text, "Incorrect value for column 'a' at row %zu", row);
    err_set(err, db_class_kind(db_error_class(code)), code, "%s (MySQL error %d)", text, code);
    if (err != NULL)
        err->row = row;
    if (code == 1213)
        fake_end_transaction(s);
    if (db_error_class(code) == DB_CONNECTION)
        fake_lose_connection(s);
    return -1;
}

static struct timespec real_time_in(int ms)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

/* Hold `name` until the transaction ends. */
int fake_take_lock(struct fake_store *s, const char *name, struct err *err)
{
    struct fake_database *db = s->db;
    struct timespec until = real_time_in(db->patience_ms);
    struct fake_lock *held;

    while ((held = find_lock(db, name)) != NULL && held->owner != &s->base) {
        if (s->aborted)
            return fake_fail_step(s, 2013, 0, err);
        if (db->fails_on_lock)
            return fake_fail_step(s, 1205, 0, err);
        if (pthread_cond_timedwait(&db->changed, &db->lock, &until) != 0) {
            fake_note_trouble(db, "a lock is held for ever");
            return fake_fail_step(s, 1205, 0, err);
        }
    }
    if (held != NULL)
        return 0;
    db->locks = mem_grow(db->locks, &db->lock_cap, db->lock_count, sizeof *db->locks);
    db->locks[db->lock_count++] = (struct fake_lock){.name = mem_strdup(name), .owner = &s->base};
    return 0;
}

/* ------------------------------------------------------------------ steps */

static const struct fake_fault *find_fault(struct fake_database *db, enum fake_step step, const char *table)
{
    for (size_t i = 0; i < sizeof db->faults / sizeof db->faults[0]; i++) {
        struct fake_fault *f = &db->faults[i];
        if (f->times == 0 || f->step != step ||
            (f->table != NULL && (table == NULL || strcmp(f->table, table) != 0)))
            continue;
        if (f->skip > 0) {
            f->skip--;
            continue;
        }
        f->times -= f->times > 0;
        return f;
    }
    return NULL;
}

static int fail_as_told(struct fake_store *s, const struct fake_fault *f, struct err *err)
{
    fake_fail_step(s, f->code, f->row, err);
    if (err != NULL && f->kind != ERR_NONE)
        err->kind = f->kind;
    return -1;
}

/* Each step begins here and, unless it fails, holds the lock until fake_leave_step(). *ret_fault: the fault
 * that follows when the step is done. */
int fake_enter_step(struct fake_store *s, enum fake_step step, const char *table,
                    const struct fake_fault **ret_fault, struct err *err)
{
    struct fake_database *db = s->db;

    db->steps[step]++;
    if (db->on_step != NULL)
        db->on_step(db, step, table);
    pthread_mutex_lock(&db->lock);
    while (db->hang && !s->aborted && !db->dead)
        pthread_cond_wait(&db->changed, &db->lock);
    const struct fake_fault *f = find_fault(db, step, table);
    int rc = 0;
    if (atomic_exchange(&s->aborted, false) || db->dead)
        rc = fake_fail_step(s, 2013, 0, err);
    else if (step != STEP_CONNECT && !s->connected)
        rc = fake_fail_step(s, 2006, 0, err);
    else if (step >= STEP_HEADS && !s->in_transaction && step != STEP_ROLLBACK)
        rc = fake_note_trouble(db, "a step outside of a transaction");
    else if (f != NULL && !f->done)
        rc = fail_as_told(s, f, err);
    *ret_fault = f;
    if (rc != 0)
        pthread_mutex_unlock(&db->lock);
    return rc;
}

int fake_leave_step(struct fake_store *s, const struct fake_fault *fault, int rc, struct err *err)
{
    if (rc == 0 && fault != NULL)
        rc = fail_as_told(s, fault, err);
    pthread_mutex_unlock(&s->db->lock);
    return rc;
}
