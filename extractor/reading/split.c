#include "extractor/reading/split.h"

void split_start(struct split *s, int64_t page, int64_t size)
{
    s->levels[0] = (struct split_level){.size = size, .page = page, .first = page};
    s->depth = 1;
}

const struct split_level *split_now(const struct split *s)
{
    return &s->levels[s->depth - 1];
}

bool split_shrink(struct split *s, int64_t held)
{
    const struct split_level *now = split_now(s);
    int64_t size = held > 0 && held < now->size ? held : now->size;
    int64_t half = size / 2;

    if (half < 1 || s->depth == SPLIT_LEVELS)
        return false;
    s->levels[s->depth++] = (struct split_level){
        .size = half,
        .page = (now->page * size + half - 1) / half,
        .first = (now->page - 1) * size / half + 1,
    };
    return true;
}

bool split_next(struct split *s)
{
    while (s->depth > 0) {
        struct split_level *now = &s->levels[s->depth - 1];
        if (now->page > now->first) {
            now->page--;
            return true;
        }
        s->depth--;
    }
    return false;
}
