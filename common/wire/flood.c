#include "common/wire/flood.h"

static void add_one(struct flood *f, bool bad)
{
    if (f->count == FLOOD_WINDOW)
        f->bad_count -= f->bad[f->at];
    else
        f->count++;
    f->bad[f->at] = bad;
    f->bad_count += bad;
    f->at = (f->at + 1) % FLOOD_WINDOW;
}

void flood_add(struct flood *f, size_t good, size_t bad)
{
    for (size_t i = 0; i < good; i++)
        add_one(f, false);
    for (size_t i = 0; i < bad; i++)
        add_one(f, true);
}

bool flood_exceeds(const struct flood *f, size_t good, size_t bad, int64_t limit)
{
    struct flood then = *f;

    flood_add(&then, good, bad);
    return then.bad_count >= FLOOD_LEAST && (int64_t)then.bad_count * 10000 > limit * (int64_t)then.count;
}
