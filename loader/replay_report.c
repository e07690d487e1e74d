#include "loader/replay_report.h"

#include "common/base/buf.h"

bool replay_report_due(struct replay_report *r, int64_t now_ms)
{
    if (now_ms - r->told_ms < REPLAY_TELLS_EVERY_MS)
        return false;
    r->told_ms = now_ms;
    return true;
}

void replay_report_progress(const struct replay_report *r, int64_t done, int64_t all, struct buf *out)
{
    buf_printf(out, "%lld %% of %lld messages are read, %zu rows written",
               (long long)(all > 0 ? done * 100 / all : 100), (long long)all, r->rows);
}

static const char *plural_ending(size_t n)
{
    return n == 1 ? "" : "s";
}

void replay_report_summary(const struct replay_report *r, int64_t done, int64_t all, int64_t now_ms,
                           struct buf *out)
{
    int64_t took_ms = now_ms - r->began_ms;

    if (done >= all)
        buf_printf(out, "all of %lld message%s are read", (long long)all, plural_ending((size_t)all));
    else
        buf_printf(out, "%lld of %lld messages are read", (long long)done, (long long)all);
    buf_printf(out,
               ": %zu document%s (%zu row%s) written, %zu older than what the table has, %zu dead letter%s, "
               "in %lld.%lld s",
               r->written, plural_ending(r->written), r->rows, plural_ending(r->rows), r->stale, r->letters,
               plural_ending(r->letters), (long long)(took_ms / 1000), (long long)(took_ms % 1000 / 100));
}
