#include "loader/recent.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

static bool has_rows(const struct batch *b, const struct document *d)
{
    for (size_t i = 0; i < d->row_count; i++)
        if (!b->rows[d->first_row + i].rejected)
            return true;
    return false;
}

static size_t find_recent(const struct recent *r, const char *id)
{
    size_t at = 0;

    while (at < r->count && strcmp(r->ids[at], id) != 0)
        at++;
    return at;
}

static void put_recent(struct recent *r, const char *id)
{
    if (r->count < RECENT_MAX && find_recent(r, id) == r->count)
        r->ids[r->count++] = mem_strdup(id);
}

static void drop_at(struct recent *r, size_t at)
{
    free(r->ids[at]);
    r->count--;
    memmove(&r->ids[at], &r->ids[at + 1], (r->count - at) * sizeof r->ids[0]);
}

void recent_take(struct recent *r, const struct batch *b)
{
    for (size_t i = 0; i < b->document_count && (r->count > 0 || i < RECENT_MAX); i++) {
        const struct document *d = &b->documents[i];
        if (d->state != DOCUMENT_WANTED)
            continue;
        size_t at = has_rows(b, d) ? r->count : find_recent(r, d->id);
        if (at < r->count)
            drop_at(r, at);
        else if (has_rows(b, d))
            put_recent(r, d->id);
    }
}

void recent_renew(struct recent *r)
{
    while (r->count > RECENT_MAX - RECENT_MISSED)
        drop_at(r, 0);
}

void recent_clear(struct recent *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->ids[i]);
    *r = (struct recent){0};
}

void recent_copy(struct recent *to, const struct recent *from)
{
    recent_clear(to);
    *to = *from;
    for (size_t i = 0; i < to->count; i++)
        to->ids[i] = mem_strdup(from->ids[i]);
}

bool recent_suffices(const struct recent *r)
{
    return r->count >= RECENT_MISSED;
}
