/* When a pipeline's next run is due. Pure. Seconds since 1970 UTC. */
#ifndef JST_EXTRACTOR_SCHEDULE_H
#define JST_EXTRACTOR_SCHEDULE_H

#include <stdint.h>

struct checkpoint;
struct cron;

#define NEVER INT64_MAX

/* At the start of a daemon (or of leadership): now when a scheduled instant has passed since the pipeline's
 * last complete run, when it has no checkpoint, or when it has no crontab (cron NULL); else by its crontab.
 */
int64_t schedule_first(const struct cron *cron, const struct checkpoint *checkpoint, int64_t now_s);

/* After a run that began at began_s: the next instant of the crontab, which may have passed already while it
 * ran (then it is due at once, and only once). NEVER without a crontab. */
int64_t schedule_next(const struct cron *cron, int64_t began_s);

#endif
