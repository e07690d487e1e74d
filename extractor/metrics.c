#include "extractor/metrics.h"

#include <stddef.h>

#include "common/wire/dead.h"

enum family {
    REQUESTS,
    REQUEST_SECONDS,
    PAGES,
    DOCUMENTS,
    SYNCED_TO,
    FAILED_RUNS,
    RATE_WAIT,
    SWEEP_UNSEEN,
    PAUSED,
    LEADER,
};

static const double seconds[] = {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120};

static const struct metric_family families[] = {
    [REQUESTS] = {.name = "jst_extractor_requests_total",
                  .type = METRIC_COUNTER,
                  .help = "Requests to the API: ok, rate_limited, token, transient, fatal.",
                  .labels = {"pipeline", "result"}},
    [REQUEST_SECONDS] = {.name = "jst_extractor_request_seconds",
                         .type = METRIC_HISTOGRAM,
                         .help = "From sending a request to the last byte of its answer.",
                         .buckets = seconds,
                         .bucket_count = sizeof seconds / sizeof seconds[0]},
    [PAGES] = {.name = "jst_extractor_pages_total",
               .type = METRIC_COUNTER,
               .help = "Pages that Kafka has acknowledged.",
               .labels = {"pipeline", "run"}},
    [DOCUMENTS] = {.name = "jst_extractor_documents_total",
                   .type = METRIC_COUNTER,
                   .help = "Documents on these pages.",
                   .labels = {"pipeline", "run"}},
    [SYNCED_TO] = {.name = "jst_extractor_synced_to_timestamp_seconds",
                   .type = METRIC_GAUGE,
                   .help = "All that changed up to here is in Kafka; 0: nothing yet, or standby.",
                   .labels = {"pipeline"}},
    [FAILED_RUNS] = {.name = "jst_extractor_failed_runs_total",
                     .type = METRIC_COUNTER,
                     .help = "Runs given up after all retries; their window stays due.",
                     .labels = {"pipeline"}},
    [RATE_WAIT] = {.name = "jst_extractor_rate_wait_seconds_total",
                   .type = METRIC_COUNTER,
                   .help = "Time that work waited for the API's quota."},
    [SWEEP_UNSEEN] = {.name = "jst_extractor_sweep_unseen_total",
                      .type = METRIC_COUNTER,
                      .help = "Documents that only a sweep found; 0, since sweeps are not run yet.",
                      .labels = {"pipeline"}},
    [PAUSED] = {.name = "jst_extractor_paused",
                .type = METRIC_GAUGE,
                .help = "1 while it waits: credentials, permission, clock, state (for a person), broker.",
                .labels = {"pipeline", "reason"}},
    [LEADER] = {.name = "jst_extractor_leader",
                .type = METRIC_GAUGE,
                .help = "1 in the process that reads the API, 0 in a standby."},
};

const struct metric_family *const extractor_families[] = {
    &families[REQUESTS],
    &families[REQUEST_SECONDS],
    &families[PAGES],
    &families[DOCUMENTS],
    &families[SYNCED_TO],
    &families[FAILED_RUNS],
    &families[RATE_WAIT],
    &families[SWEEP_UNSEEN],
    &families[PAUSED],
    &families[LEADER],
    NULL,
};

struct pipeline_metrics metrics_of(const char *pipeline)
{
    struct pipeline_metrics m = {
        .pages = metric_get(&families[PAGES], pipeline, "live", NULL),
        .documents = metric_get(&families[DOCUMENTS], pipeline, "live", NULL),
        .synced_to = metric_get(&families[SYNCED_TO], pipeline, NULL),
        .failed_runs = metric_get(&families[FAILED_RUNS], pipeline, NULL),
    };
    for (int c = API_OK; c < API_CLASSES; c++)
        m.requests[c] = metric_get(&families[REQUESTS], pipeline, api_class_name((enum api_class)c), NULL);
    for (int r = PAUSE_CREDENTIALS; r < PAUSE_REASONS; r++) /* those before are the loader's */
        m.paused[r] = metric_get(&families[PAUSED], pipeline, pause_name((enum pause_reason)r), NULL);
    metric_get(&families[SWEEP_UNSEEN], pipeline, NULL);
    dead_count_init(pipeline, "extractor");
    return m;
}

struct metric *metrics_request_seconds(void)
{
    return metric_get(&families[REQUEST_SECONDS], NULL);
}

struct metric *metrics_rate_wait(void)
{
    return metric_get(&families[RATE_WAIT], NULL);
}

struct metric *metrics_leader(void)
{
    return metric_get(&families[LEADER], NULL);
}
