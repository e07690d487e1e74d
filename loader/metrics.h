/* The loader's metrics. */
#ifndef JST_LOADER_METRICS_H
#define JST_LOADER_METRICS_H

#include "common/monitor/metrics.h"
#include "loader/apply.h"
#include "loader/batch.h"

extern const struct metric_family *const loader_families[]; /* NULL-ended */

void load_metrics_pipeline(const char *pipeline); /* makes all its series, with 0 */
void load_count_commit(const struct batch *b, const struct apply_result *r, double seconds, int64_t now_ms);
/* Values of that column were stored otherwise than they came. */
void load_count_rounded(const char *pipeline, const char *column, uint32_t values);
void load_count_retry(const char *pipeline, const char *class);
const struct metric_family *load_metrics_paused(void); /* jst_loader_paused{pipeline,reason} */

#endif
