#include "common/skeleton/acks.h"

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/monitor/health.h"

enum { STEP_MS = 100, PAUSE_AFTER_MS = 1000, GIVE_UP_MS = 2000 };

/* Keep the place in the group. The source is paused first, so that only records already on the way can come.
 */
static int poll_paused(struct source *in, struct err *err)
{
    source_pause(in, NULL);
    return source_serve(in, 0, err);
}

/* since_ms: when the wait began. */
static int check_patience(const struct acks *a, int64_t since_ms, struct err *err)
{
    int64_t heard_ms = a->heard_ms > since_ms ? a->heard_ms : since_ms;

    if (a->patience_ms == 0 || clock_monotonic_ms() - heard_ms < a->patience_ms)
        return 0;
    return err_set(err, ERR_FATAL, 0, "given up: the broker has acknowledged nothing for %lld s",
                   (long long)(a->patience_ms / 1000));
}

int acks_room(struct acks *a, struct err *err)
{
    int64_t now_ms = clock_monotonic_ms();

    if (err->kind != ERR_RETRY)
        return -1;
    health_turn();
    if (a->stopping())
        return err_set(err, ERR_RETRY, 0, "asked to stop while the broker takes no messages");
    if (a->full_since_ms == 0)
        a->full_since_ms = now_ms;
    if (sink_serve(a->out, STEP_MS, err) != 0 || check_patience(a, a->full_since_ms, err) != 0)
        return -1;
    return now_ms - a->full_since_ms > PAUSE_AFTER_MS ? poll_paused(a->in, err) : 0;
}

void acks_go_on(struct acks *a)
{
    if (a->full_since_ms == 0)
        return;
    a->full_since_ms = 0;
    source_resume(a->in, NULL);
}

int acks_refusals(const struct acks *a, struct err *err)
{
    struct sink_failure failure;
    int count = 0;

    while (sink_failure(a->out, &failure)) {
        if (a->refused(a->arg, &failure, err) != 0)
            return -1;
        count++;
    }
    return count;
}

static int wait_loop(const struct acks *a, struct err *err)
{
    int64_t since = clock_monotonic_ms();
    int64_t give_up = INT64_MAX;

    for (;;) {
        int left = sink_wait(a->out, STEP_MS, err);
        int refused = left < 0 ? -1 : acks_refusals(a, err);
        if (refused < 0)
            return -1;
        if (left == 0 && refused == 0) /* handling a refusal may have sent another message */
            return 0;
        int64_t now = clock_monotonic_ms();
        health_turn();
        if (a->stopping() && give_up == INT64_MAX)
            give_up = now + GIVE_UP_MS;
        if (now > give_up)
            return 1;
        if (check_patience(a, since, err) != 0)
            return -1;
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
