/* The inside of the twin of the store: shared by fake_store.c and fake_transaction.c; nobody else includes
 * it.
 */
#ifndef JST_TESTS_FAKE_STORE_PRIVATE_H
#define JST_TESTS_FAKE_STORE_PRIVATE_H

#include "tests/unit/twins/fake_store.h"

/* One change of a transaction. */
enum change_kind { PUT_ROW, DROP_ROW, PUT_HEAD, PUT_MARK, DROP_MARK };
struct change {
    enum change_kind kind;
    const struct pipeline *p; /* of a row */
    struct fake_data what;    /* just the one */
};

struct fake_store {
    struct store base;
    struct fake_database *db;
    bool connected, in_transaction;
    struct change *changes;
    size_t change_count, change_cap;
    size_t point; /* changes before the savepoint; SIZE_MAX: none is set */
    _Atomic bool aborted;
};

static inline struct fake_store *fake_of(struct store *store)
{
    return (struct fake_store *)store;
}

/* Keep the first of what must not happen. Returns -1. */
int fake_note_trouble(struct fake_database *db, const char *what);

/* A change to be filled in by the caller, and to be undone by cutting. */
struct fake_data *fake_add_change(struct fake_store *s, enum change_kind kind, const struct pipeline *p);
void fake_cut_changes(struct fake_store *s, size_t count);
void fake_apply_changes(const struct fake_store *s, struct fake_data *d);
/* What the transaction sees; the caller frees it. */
struct fake_data fake_see_data(const struct fake_store *s);

/* Hold `name` until the transaction ends. */
int fake_take_lock(struct fake_store *s, const char *name, struct err *err);
void fake_end_transaction(struct fake_store *s);
void fake_lose_connection(struct fake_store *s);

/* Fail as MySQL does with that number. Returns -1. */
int fake_fail_step(struct fake_store *s, int code, size_t row, struct err *err);
/* Each step begins here and, unless it fails, holds the lock until fake_leave_step(). *ret_fault: the fault
 * that follows when the step is done. */
int fake_enter_step(struct fake_store *s, enum fake_step step, const char *table,
                    const struct fake_fault **ret_fault, struct err *err);
int fake_leave_step(struct fake_store *s, const struct fake_fault *fault, int rc, struct err *err);

#endif
