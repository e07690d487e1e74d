/* The loader's numbers. */
#ifndef JST_LOADER_METRICS_H
#define JST_LOADER_METRICS_H

#include "common/monitor/metrics.h"
#include "loader/apply.h"
#include "loader/batch.h"

enum load_pause { PAUSE_DATABASE, PAUSE_SCHEMA, PAUSE_FLOOD, PAUSE_LOST, LOAD_PAUSES };

void load_metrics_pipeline(const char *pipeline); /* all its series, with 0 */
void load_count_commit(const struct batch *b, const struct apply_result *r, double seconds, int64_t now_ms);
void load_count_retry(const char *pipeline, const char *class);
void load_set_paused(const char *pipeline, enum load_pause why, bool paused);

#endif
