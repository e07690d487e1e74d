/* The extractor's metrics: a table of families, and the series of one pipeline. */
#ifndef JST_EXTRACTOR_METRICS_H
#define JST_EXTRACTOR_METRICS_H

#include "common/monitor/metrics.h"
#include "extractor/api/verdict.h"

enum { API_CLASSES = API_FATAL + 1 };

struct pipeline_metrics {
    struct metric *requests[API_CLASSES];
    struct metric *pages, *documents; /* run="live"; when acknowledged */
    struct metric *synced_to;
    struct metric *failed_runs;
    struct metric *paused[PAUSE_REASONS]; /* [PAUSE_NONE] is NULL */
};

extern const struct metric_family *const extractor_families[]; /* NULL-ended */

/* The series of a known pipeline, with 0 from the start; also its dead letters'. */
struct pipeline_metrics metrics_of(const char *pipeline);

struct metric *metrics_request_seconds(void);
struct metric *metrics_rate_wait(void);
struct metric *metrics_leader(void);

#endif
