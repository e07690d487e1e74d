/* A twin of the loader's store: several connections to one database in memory. Transactions see what is
 * committed and what they have changed themselves; a head is held until the transaction ends, and whoever
 * wants it waits. It fails as it is told to, and notes what must not happen. */
#ifndef JST_TESTS_FAKE_STORE_H
#define JST_TESTS_FAKE_STORE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "loader/store.h"
#include "tests/unit/twins/fake_data.h"

enum fake_step {
    STEP_CONNECT,
    STEP_ASK,
    STEP_LOOK,
    STEP_HAS_HEADS,
    STEP_READ_MARKS,
    STEP_BEGIN,
    STEP_HEADS,
    STEP_KEYS,
    STEP_DELETE,
    STEP_POINT,
    STEP_BACK,
    STEP_WRITE,
    STEP_WITNESS,
    STEP_MARKS,
    STEP_COMMIT,
    STEP_ROLLBACK,
    STEP_COUNT,
};

/* Calls of this step fail. */
struct fake_fault {
    enum fake_step step;
    const char *table;  /* only of the pipeline with this table; NULL: of any */
    int skip, times;    /* after so many that pass; so many that fail, -1: all */
    int code;           /* MySQL's; its class decides what kind of error it is */
    enum err_kind kind; /* ERR_NONE: by the code */
    size_t row;         /* that the error names */
    bool done;          /* the step is done, and only its answer is lost */
};

struct fake_lock {
    char *name;
    const struct store *owner;
};

struct fake_database {
    struct fake_data committed;
    pthread_mutex_t lock; /* of all that stands here, while load_run() works */
    pthread_cond_t changed;
    struct fake_lock *locks;
    size_t lock_count, lock_cap;
    bool fails_on_lock; /* whoever meets a lock gets 1205, instead of waiting */
    int patience_ms;    /* a wait for a lock beyond it is trouble */

    struct fake_fault faults[8];
    /* A row's fault: MySQL's error code, 0 none. Witnesses are asked about, too. */
    int (*row_fault)(const struct fake_row *row);
    bool numbered;       /* the error names the row */
    size_t wrong_number; /* the row that every such error names, as a trigger's would; 0: the right one */
    _Atomic bool dead;   /* the process is killed: no step does anything any more */
    bool refuses_load;   /* LOAD DATA is not taken */
    _Atomic bool hang;   /* steps do not come back until abort() */
    /* Before each step, on its thread, without the lock. table: NULL where the step has none. */
    void (*on_step)(struct fake_database *db, enum fake_step step, const char *table);
    void *arg;

    _Atomic size_t steps[STEP_COUNT]; /* calls */
    size_t commits, rollbacks;        /* that succeeded */
    size_t open;                      /* transactions */
    size_t disconnects;
    _Atomic size_t loads; /* calls with FORM_LOAD */
    char trouble[256];    /* what must not happen and did; "" */
};

/* fake_database_free() after all of its stores are freed. */
struct fake_database *fake_database_new(void);
void fake_database_free(struct fake_database *db);
struct store *fake_store_new(struct fake_database *db);

void fake_database_fail(struct fake_database *db, const struct fake_fault *fault);
/* Put a committed row or head there, as somebody else would. cells: as many as the pipeline has columns. */
void fake_database_put_row(struct fake_database *db, const struct pipeline *p, const char *const *cells);
void fake_database_put_head(struct fake_database *db, const char *pipeline, const char *document,
                            const struct stamp *stamp);

#endif
