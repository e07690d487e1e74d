#include "loader/judge.h"

#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "loader/transaction.h"

enum { TRIES_WITHOUT_PROOF = 20 /* rows that fail alone while none passes: then a witness is asked */ };

struct trial {
    struct transaction *t;
    size_t passed;    /* rows */
    size_t rejected;  /* rows */
    bool proved;      /* the table takes a row that it holds */
    bool hopeless;    /* it takes none: no more rows are tried */
    struct err first; /* why the first row was refused */
};

static void reject_row(struct trial *trial, struct row *row, const struct err *err)
{
    if (trial->rejected++ == 0)
        trial->first = *err;
    row->rejected = true;
    row->code = err->code;
    free(row->why);
    row->why = mem_strdup(err->text);
}

static int try_rows(struct trial *trial, struct row *const *rows, size_t count, struct err *err);

static int try_halves(struct trial *trial, struct row *const *rows, size_t count, struct err *err)
{
    size_t half = count / 2;

    if (try_rows(trial, rows, half, err) != 0)
        return -1;
    return try_rows(trial, rows + half, count - half, err);
}

/* Find the faulty row among these. The row number in the error counts only if that row also fails alone,
 * since an error inside a trigger numbers the trigger's rows. */
static int find_fault(struct trial *trial, struct row *const *rows, size_t count, size_t at, struct err *err)
{
    size_t rejected = trial->rejected;

    if (at == 0 || at > count)
        return try_halves(trial, rows, count, err);
    if (try_rows(trial, &rows[at - 1], 1, err) != 0)
        return -1;
    if (trial->rejected == rejected)
        return try_halves(trial, rows, count, err);
    if (try_rows(trial, rows, at - 1, err) != 0)
        return -1;
    /* halve the rest: if most rows are faulty, going from one to the next would cost the square of their
     * number */
    return try_halves(trial, rows + at, count - at, err);
}

static int write_text(struct transaction *t, struct row *const *rows, size_t count, struct err *err)
{
    size_t replaced;

    return t->store->ops->write_rows(t->store, t->table, t->batch, rows, count, FORM_TEXT, &replaced, err);
}

/* No row of the batch has passed. Does the table still take a row that it holds? */
static int ask_witness(struct trial *trial, struct err *err)
{
    struct transaction *t = trial->t;
    bool found;

    if (t->store->ops->set_point(t->store, err) != 0)
        return -1;
    int rc = t->store->ops->write_witness(t->store, t->table, &found, err);
    if (rc != 0 && !transaction_blames_row(t, err))
        return -1;
    trial->proved = rc == 0 && found;
    trial->hopeless = !trial->proved;
    return t->store->ops->back_to_point(t->store, err);
}

static bool lacks_proof(const struct trial *trial)
{
    return trial->rejected > 0 && trial->passed == 0 && !trial->proved && !trial->hopeless;
}

/* Write these rows. If one of them is at fault, find it, mark it, and go on with the others: one pass finds
 * all. */
static int try_rows(struct trial *trial, struct row *const *rows, size_t count, struct err *err)
{
    if (trial->rejected >= TRIES_WITHOUT_PROOF && lacks_proof(trial) && ask_witness(trial, err) != 0)
        return -1;
    if (count == 0 || trial->hopeless)
        return 0;
    if (write_text(trial->t, rows, count, err) == 0) {
        trial->passed += count;
        return 0;
    }
    if (!transaction_blames_row(trial->t, err))
        return -1;
    if (count > 1)
        return find_fault(trial, rows, count, err->row, err);
    reject_row(trial, rows[0], err);
    return 0;
}

static int blame_table(const struct trial *trial, struct err *err)
{
    const struct transaction *t = trial->t;

    for (size_t i = 0; i < t->good_count; i++)
        t->good[i]->rejected = false;
    return err_set(err, ERR_PAUSE, trial->first.code,
                   "table %s takes no row: the batch's %zu fail%s, and no row that it holds proves that the "
                   "fault is theirs; the first: %s",
                   t->p->table, trial->rejected, trial->rejected == 1 ? "s" : "", trial->first.text);
}

int judge_rows(struct transaction *t, struct err *err)
{
    struct trial trial = {.t = t};

    /* in the portions of one statement, so that the server's row numbers are ours */
    size_t portion = (size_t)t->p->statement_rows;
    for (size_t i = 0; i < t->good_count; i += portion) {
        size_t count = t->good_count - i < portion ? t->good_count - i : portion;
        if (try_rows(&trial, t->good + i, count, err) != 0)
            return -1;
    }
    if (lacks_proof(&trial) && ask_witness(&trial, err) != 0)
        return -1;
    return trial.hopeless ? blame_table(&trial, err) : 0;
}

int judge_overwritten(const struct transaction *t, struct err *err)
{
    return err_set(
        err, ERR_PAUSE, 0,
        "the key of table %s does not tell documents apart: %zu stored rows of other documents would "
        "be written over; name more columns in options.key",
        t->p->table, t->replaced - t->kept);
}
