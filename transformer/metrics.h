/* The transformer's metrics. */
#ifndef JST_TRANSFORMER_METRICS_H
#define JST_TRANSFORMER_METRICS_H

#include "transformer/page_send.h"

struct metric_family;

extern const struct metric_family *const transformer_families[]; /* NULL-ended */

/* jst_transformer_paused{pipeline,reason}. */
const struct metric_family *metrics_paused(void);

/* Make the series of a known pipeline, with 0. */
void metrics_init_pipeline(const char *pipeline);

/* Count a page whose messages are all acknowledged. */
void metrics_count_page(const char *pipeline, const struct raw_page *page);

#endif
