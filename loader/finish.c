/* The end: what is under way is finished, within a limit. */
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fault_point.h"
#include "common/base/log.h"
#include "loader/loading.h"

enum {
    STOP_WRITE_MS = 3500, /* transactions under way have so long to finish */
    STOP_ABORT_MS = 1000, /* then their connections are cut, and the threads have so long to return */
    STOP_LETTERS_MS = 2000,
    STOP_MARKS_MS = 500,
    STEP_MS = 20,
};

static bool await_writers(struct loading *w, int limit_ms)
{
    int64_t until = clock_monotonic_ms() + limit_ms;

    for (size_t i = 0; i < w->l->store_count; i++)
        while (w->jobs[i].kind != JOB_NONE && writers_busy(w->writers, i)) {
            if (clock_monotonic_ms() >= until)
                return false;
            writers_wait(w->writers, STEP_MS);
        }
    return true;
}

static void abort_writers(struct loading *w)
{
    log_warn("MySQL does not answer: the batches in hand are abandoned");
    for (size_t i = 0; i < w->l->store_count; i++)
        if (w->jobs[i].kind != JOB_NONE && writers_busy(w->writers, i))
            writers_abort(w->writers, i);
}

/* Give the letters of what is committed some time, so that their offsets are stored. */
static void finish_letters(struct loading *w)
{
    int64_t until = clock_monotonic_ms() + STOP_LETTERS_MS;
    struct err err = ERR_INIT;

    while (letters_pump(w, &err) == 0 && w->letters_waiting > 0 && clock_monotonic_ms() < until)
        if (sink_serve(w->l->dead, STEP_MS, &err) != 0)
            return;
}

/* What lags in jst_offsets would be read again by the next process. false: a thread does not return. */
static bool write_last_marks(struct loading *w)
{
    struct err err = ERR_INIT;

    for (size_t i = 0; i < w->count && w->answers; i++) {
        struct flow *f = &w->flows[i];
        if (f->table == NULL || f->troubled || !flow_lags(f) || !flow_is_empty(f))
            continue;
        work_start_marks(w, &w->jobs[0], f);
        if (!await_writers(w, STOP_MARKS_MS)) {
            abort_writers(w);
            return await_writers(w, STOP_ABORT_MS);
        }
        if (work_take(w, &err) != 0)
            break;
    }
    return true;
}

bool stop_writing(struct loading *w)
{
    struct err err = ERR_INIT;

    FAULT_POINT("stopping");
    if (!await_writers(w, STOP_WRITE_MS)) {
        abort_writers(w);
        if (!await_writers(w, STOP_ABORT_MS))
            return false;
    }
    if (work_take(w, &err) != 0)
        log_warn("the last batch is not finished and will be repeated: %s", err.text);
    finish_letters(w);
    return write_last_marks(w);
}
