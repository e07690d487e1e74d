/* The loader's loop: rows messages in, transactions out, offsets after COMMIT. */
#ifndef JST_LOADER_LOAD_H
#define JST_LOADER_LOAD_H

#include "loader/load_settings.h"

struct err;

/* Run until asked to stop, or until a bounded source ends. Returns 0; -1 with ERR_FATAL or, when bounded,
 * with the error that did not pass; 1 with ERR_RETRY, or with an earlier error, when the writing thread
 * hangs. Then nothing that the thread uses can be freed, and the process must end without it. */
int load_run(const struct load *l, struct err *err) __attribute__((warn_unused_result));

/* Make the series of the known pipelines, with 0. */
void load_metrics_init(const struct routes *routes);

#endif
