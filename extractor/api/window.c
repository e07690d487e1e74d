#include "extractor/api/window.h"

enum { SECOND_MS = 1000 };

struct window_rules window_rules(int64_t overlap_ms, int64_t lag_ms, int64_t max_window_ms)
{
    struct window_rules rules = {
        .overlap_s = (overlap_ms + SECOND_MS - 1) / SECOND_MS,
        .lag_s = (lag_ms + SECOND_MS - 1) / SECOND_MS,
        .max_window_s = max_window_ms / SECOND_MS,
    };
    if (rules.max_window_s < 1)
        rules.max_window_s = 1;
    return rules;
}

bool window_plan(const struct window_rules *rules, int64_t checkpoint_s, int64_t since_s, int64_t until_s,
                 int64_t now_s, struct window *ret)
{
    struct window plan = {
        .begin_s = checkpoint_s >= 0 ? checkpoint_s - rules->overlap_s : since_s,
        .end_s = now_s - rules->lag_s,
    };
    if (until_s >= 0 && until_s < plan.end_s)
        plan.end_s = until_s;
    if (plan.begin_s < 0)
        plan.begin_s = 0;
    if (plan.end_s < plan.begin_s || (checkpoint_s >= 0 && plan.end_s <= checkpoint_s))
        return false;
    *ret = plan;
    return true;
}

struct window window_slice(const struct window_rules *rules, const struct window *plan, int64_t begin_s)
{
    int64_t end_s = begin_s + rules->max_window_s;

    return (struct window){.begin_s = begin_s, .end_s = end_s < plan->end_s ? end_s : plan->end_s};
}
