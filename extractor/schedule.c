#include "extractor/schedule.h"

#include <stddef.h>

#include "common/pipeline/cron.h"
#include "extractor/checkpoint.h"

int64_t schedule_next(const struct cron *cron, int64_t began_s)
{
    int64_t next = cron != NULL ? cron_next(cron, began_s) : -1;

    return next >= 0 ? next : NEVER;
}

int64_t schedule_first(const struct cron *cron, const struct checkpoint *checkpoint, int64_t now_s)
{
    if (cron == NULL || checkpoint->synced_to_s < 0)
        return now_s;
    int64_t done_s = checkpoint->run_at_s >= 0 ? checkpoint->run_at_s : checkpoint->synced_to_s;
    int64_t last = cron_previous(cron, now_s);
    return last > done_s ? now_s : schedule_next(cron, now_s);
}
