#include "transformer/metrics.h"

#include <stddef.h>

#include "common/monitor/metrics.h"
#include "common/wire/dead.h"

static const struct metric_family pages_family = {
    .name = "jst_transformer_pages_total",
    .type = METRIC_COUNTER,
    .help = "Pages whose documents are all published or dead-lettered.",
    .labels = {"pipeline"},
};
static const struct metric_family documents_family = {
    .name = "jst_transformer_documents_total",
    .type = METRIC_COUNTER,
    .help = "Documents published.",
    .labels = {"pipeline"},
};
static const struct metric_family rows_family = {
    .name = "jst_transformer_rows_total",
    .type = METRIC_COUNTER,
    .help = "Rows published.",
    .labels = {"pipeline"},
};

static const struct metric_family paused_family = {
    .name = "jst_transformer_paused",
    .type = METRIC_GAUGE,
    .help = "1 while it waits: flood (for a person); lost (messages deleted unread).",
    .labels = {"pipeline", "reason"},
};

const struct metric_family *const transformer_families[] = {
    &pages_family, &documents_family, &rows_family, &paused_family, NULL,
};

const struct metric_family *metrics_paused(void)
{
    return &paused_family;
}

void metrics_init_pipeline(const char *pipeline)
{
    metric_get(&pages_family, pipeline, NULL);
    metric_get(&documents_family, pipeline, NULL);
    metric_get(&rows_family, pipeline, NULL);
    dead_count_init(pipeline, TRANSFORMER_STAGE);
}

void metrics_count_page(const char *pipeline, const struct raw_page *page)
{
    metric_add(metric_get(&pages_family, pipeline, NULL), 1);
    metric_add(metric_get(&documents_family, pipeline, NULL), (double)page->documents);
    metric_add(metric_get(&rows_family, pipeline, NULL), (double)page->rows);
    for (int c = 0; c <= DEAD_TOO_LARGE; c++)
        for (int64_t i = 0; i < page->dead[c]; i++)
            dead_count(pipeline, TRANSFORMER_STAGE, (enum dead_class)c);
}
