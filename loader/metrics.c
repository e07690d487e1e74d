#include "loader/metrics.h"

#include <stddef.h>

static const double batch_buckets[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
static const double end_to_end_buckets[] = {0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400};

static const struct metric_family documents_family = {
    .name = "jst_loader_documents_total",
    .type = METRIC_COUNTER,
    .help = "Documents committed: written, or stale (a newer version is there).",
    .labels = {"pipeline", "result"},
};
static const struct metric_family rows_family = {
    .name = "jst_loader_rows_total",
    .type = METRIC_COUNTER,
    .help = "Rows written and committed.",
    .labels = {"pipeline"},
};
static const struct metric_family pruned_family = {
    .name = "jst_loader_pruned_rows_total",
    .type = METRIC_COUNTER,
    .help = "Stored rows deleted, since their document no longer has them.",
    .labels = {"pipeline"},
};
static const struct metric_family batches_family = {
    .name = "jst_loader_batches_total",
    .type = METRIC_COUNTER,
    .help = "Transactions: committed, or retried whole.",
    .labels = {"pipeline", "result"},
};
static const struct metric_family batch_seconds_family = {
    .name = "jst_loader_batch_seconds",
    .type = METRIC_HISTOGRAM,
    .help = "How long a committed transaction took.",
    .labels = {"pipeline"},
    .buckets = batch_buckets,
    .bucket_count = sizeof batch_buckets / sizeof batch_buckets[0],
};
static const struct metric_family rounded_family = {
    .name = "jst_loader_rounded_values_total",
    .type = METRIC_COUNTER,
    .help = "Values that the column holds otherwise than they came: digits lost, spaces at the end cut.",
    .labels = {"pipeline", "column"},
};
static const struct metric_family retries_family = {
    .name = "jst_loader_retries_total",
    .type = METRIC_COUNTER,
    .help = "Repeated batches: connection, lock, capacity, readonly, unknown.",
    .labels = {"pipeline", "class"},
};
static const struct metric_family paused_family = {
    .name = "jst_loader_paused",
    .type = METRIC_GAUGE,
    .help = "1 while it waits: database; schema, flood (for a person); lost (messages deleted unread).",
    .labels = {"pipeline", "reason"},
};
static const struct metric_family end_to_end_family = {
    .name = "jst_end_to_end_seconds",
    .type = METRIC_HISTOGRAM,
    .help = "From the API's answer to the COMMIT, for each document written.",
    .labels = {"pipeline"},
    .buckets = end_to_end_buckets,
    .bucket_count = sizeof end_to_end_buckets / sizeof end_to_end_buckets[0],
};

const struct metric_family *const loader_families[] = {
    &documents_family, &rows_family,   &pruned_family,     &batches_family, &batch_seconds_family,
    &retries_family,   &paused_family, &end_to_end_family, &rounded_family, NULL,
};

void load_metrics_pipeline(const char *pipeline)
{
    static const char *const classes[] = {"connection", "lock", "capacity", "readonly", "unknown"};

    metric_get(&documents_family, pipeline, "written", NULL);
    metric_get(&documents_family, pipeline, "stale", NULL);
    metric_get(&rows_family, pipeline, NULL);
    metric_get(&pruned_family, pipeline, NULL);
    metric_get(&batches_family, pipeline, "committed", NULL);
    metric_get(&batches_family, pipeline, "retried", NULL);
    metric_get(&batch_seconds_family, pipeline, NULL);
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        metric_get(&retries_family, pipeline, classes[i], NULL);
    metric_get(&end_to_end_family, pipeline, NULL);
}

void load_count_commit(const struct batch *b, const struct apply_result *r, double seconds, int64_t now_ms)
{
    const char *name = b->pipeline->name;

    metric_add(metric_get(&documents_family, name, "written", NULL), (double)r->written);
    metric_add(metric_get(&documents_family, name, "stale", NULL), (double)r->stale);
    metric_add(metric_get(&rows_family, name, NULL), (double)r->rows);
    metric_add(metric_get(&pruned_family, name, NULL), (double)r->pruned);
    metric_add(metric_get(&batches_family, name, "committed", NULL), 1);
    metric_observe(metric_get(&batch_seconds_family, name, NULL), seconds);
    struct metric *end_to_end = metric_get(&end_to_end_family, name, NULL);
    for (size_t i = 0; i < b->document_count; i++)
        if (b->documents[i].state == DOCUMENT_WANTED)
            metric_observe(end_to_end, (double)(now_ms - b->documents[i].stamp.received_ms) / 1000);
}

void load_count_rounded(const char *pipeline, const char *column, uint32_t values)
{
    metric_add(metric_get(&rounded_family, pipeline, column, NULL), values);
}

void load_count_retry(const char *pipeline, const char *class)
{
    metric_add(metric_get(&batches_family, pipeline, "retried", NULL), 1);
    metric_add(metric_get(&retries_family, pipeline, class, NULL), 1);
}

const struct metric_family *load_metrics_paused(void)
{
    return &paused_family;
}
