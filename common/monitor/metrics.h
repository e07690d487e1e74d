/* The numbers a program shows at /metrics, in Prometheus' text form. A registry of families; each family has
 * series, one for each combination of label values. Updating is atomic and never allocates; rendering may run
 * on another thread at any time. */
#ifndef JST_COMMON_MONITOR_METRICS_H
#define JST_COMMON_MONITOR_METRICS_H

#include <stdint.h>

struct buf;
struct metric; /* one series */

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* A family: one row of a program's table of metrics. */
struct metric_family {
    const char *name;
    enum metric_type type;
    const char *help;
    const char *labels[4]; /* names, NULL-ended; at most 3 */
    const double *buckets; /* histogram only: upper bounds, ascending, without +Inf */
    int bucket_count;
};

/* The series of these label values, one for each label of the family; they are copied. The first call makes
 * it with value 0, later calls return the same pointer, and it lives until the process ends. Thread-safe. The
 * family must have static storage. /metrics shows the families in the order in which they were first used. */
struct metric *metric_get(const struct metric_family *family, ...) __attribute__((returns_nonnull, sentinel));

void metric_add(struct metric *m, double n);         /* counter and gauge */
void metric_set(struct metric *m, double value);     /* gauge */
double metric_value(const struct metric *m);         /* of a histogram: the sum of the observed values */
void metric_observe(struct metric *m, double value); /* histogram */

/* Stop showing all series of a family, such as the lag of revoked partitions. Pointers to them stay valid; a
 * series is shown again after metric_get() is called for it. */
void metric_hide_all(const struct metric_family *family);

/* Append everything in the text exposition format 0.0.4. */
void metrics_render(struct buf *out);

/* For tests: forget everything. */
void metrics_forget(void);

#endif
