/* What a writing thread does. */
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/fault_point.h"
#include "common/base/mem.h"
#include "loader/loading.h"

/* The shipment keeps a copy, so that the loop knows what is in jst_offsets. */
void job_marks(void *arg, struct mark_list *ret)
{
    struct shipment *s = arg;

    s->marks.count = 0;
    flow_marks(s, &s->marks);
    ret->count = s->marks.count;
    ret->list = mem_alloc((ret->count + 1) * sizeof *ret->list);
    if (ret->count > 0)
        memcpy(ret->list, s->marks.list, ret->count * sizeof *ret->list);
}

static int write_shipment(struct store *store, struct job *job)
{
    struct shipment *s = job->shipment;

    if (apply_batch(store, job->flow->table, s->batch, &job->rules, &s->result, &job->err) != 0)
        return -1;
    shipment_committed(s);
    return 0;
}

static int ask_for_one(struct store *store, struct job *job, const char *id, size_t *missed)
{
    struct stored_keys keys = {0};

    if (store->ops->stored_keys(store, job->table, &id, 1, &keys, &job->err) != 0)
        return -1;
    *missed += keys.count == 0;
    store->ops->free_keys(store, &keys);
    return 0;
}

/* Does the table lack what was written into it? */
static int ask_for_recent(struct store *store, struct job *job)
{
    size_t missed = 0;
    int rc = 0;

    if (!recent_suffices(&job->recent))
        return 0;
    if (store->ops->begin(store, &job->err) != 0)
        return -1;
    for (size_t i = 0; i < job->recent.count && rc == 0; i++)
        rc = ask_for_one(store, job, job->recent.ids[i], &missed);
    store->ops->rollback(store); /* nothing was written */
    job->emptied = job->emptied || missed >= RECENT_MISSED;
    return rc;
}

/* The table, the marks, and whether the marks still speak of what the table holds. */
static int look_at_table(struct store *store, struct job *job)
{
    const struct pipeline *p = job->flow->route->pipeline;
    bool has_heads = false;

    if (store->ops->look(store, p, job->create_tables, &job->table, &job->err) != 0)
        return -1;
    if (p->write == WRITE_REPLACE) /* neither heads nor marks, nor perhaps the tables for them */
        return 0;
    if (job->table->empty && store->ops->has_heads(store, p->heads_name, &has_heads, &job->err) != 0)
        return -1;
    job->emptied = job->table->empty && has_heads;
    if (ask_for_recent(store, job) != 0)
        return -1;
    FAULT_POINT("table-looked-at");
    return store->ops->read_marks(store, p->name, false, &job->stored, &job->err);
}

static int write_marks(struct store *store, struct job *job)
{
    if (store->ops->begin(store, &job->err) != 0)
        return -1;
    if (apply_marks(store, job->flow->table, &job->marks, &job->err) == 0 &&
        store->ops->commit(store, &job->err) == 0) {
        FAULT_POINT("lagging-marks-committed");
        return 0;
    }
    store->ops->rollback(store);
    return -1;
}

void job_run(struct store *store, void *arg)
{
    struct job *job = arg;

    job->rc = store_connect(store, &job->err);
    if (job->rc == 0 && job->kind == JOB_ASK)
        job->rc = store->ops->ask(store, &job->err);
    else if (job->rc == 0 && job->kind == JOB_WRITE)
        job->rc = write_shipment(store, job);
    else if (job->rc == 0 && job->kind == JOB_LOOK)
        job->rc = look_at_table(store, job);
    else if (job->rc == 0 && job->kind == JOB_MARKS)
        job->rc = write_marks(store, job);
    job->seconds = (double)(clock_monotonic_ms() - job->started_ms) / 1000;
}
