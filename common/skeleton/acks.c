#include "common/skeleton/acks.h"

#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/monitor/health.h"

enum { STEP_MS = 100, PAUSE_AFTER_MS = 1000, GIVE_UP_MS = 2000 };

/* Serve the group. Records do not come: they are paused. */
static int poll_paused(struct source *in, struct err *err)
{
    source_pause(in, NULL);
    return source_serve(in, 0, err);
}

int acks_room(const struct acks *a, struct err *err)
{
    if (err->kind != ERR_RETRY)
        return -1;
    health_turn();
    if (a->stopping())
        return err_set(err, ERR_RETRY, 0, "asked to stop while the broker takes no messages");
    if (sink_wait(a->out, STEP_MS, err) < 0)
        return -1;
    return poll_paused(a->in, err);
}

static int wait_loop(const struct acks *a, struct err *err)
{
    int64_t since = clock_monotonic_ms();
    int64_t give_up = INT64_MAX;

    for (;;) {
        struct sink_failure failure;
        int left = sink_wait(a->out, STEP_MS, err);
        if (left < 0)
            return -1;
        bool refused = sink_failure(a->out, &failure);
        if (refused && a->refused(a->arg, &failure, err) != 0)
            return -1;
        if (left == 0 && !refused)
            return 0;
        int64_t now = clock_monotonic_ms();
        health_turn();
        if (a->stopping() && give_up == INT64_MAX)
            give_up = now + GIVE_UP_MS;
        if (now > give_up)
            return 1;
        if (now - since > PAUSE_AFTER_MS && poll_paused(a->in, err) != 0)
            return -1;
    }
}

int acks_wait(const struct acks *a, struct err *err)
{
    int rc = wait_loop(a, err);

    if (rc >= 0)
        source_resume(a->in, NULL);
    return rc;
}
