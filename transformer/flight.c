#include "transformer/flight.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/fault_point.h"
#include "common/base/mem.h"

struct raw_page *flight_add(struct flight *f, const struct record *r, size_t route)
{
    struct raw_page *page = mem_alloc(sizeof *page);

    *page = (struct raw_page){.id = ++f->last_id, .record = *r, .route = route};
    f->pages = mem_grow(f->pages, &f->cap, f->count, sizeof(struct raw_page *));
    f->pages[f->count++] = page;
    f->bytes += r->value_len;
    return page;
}

/* The index of the page with that id, or the index it would have; ids ascend. */
static size_t place_of(const struct flight *f, uint64_t id)
{
    size_t low = 0;
    size_t high = f->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (f->pages[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct raw_page *flight_find(const struct flight *f, uint64_t id)
{
    size_t i = place_of(f, id);

    return i < f->count && f->pages[i]->id == id ? f->pages[i] : NULL;
}

struct record flight_take_back(struct flight *f, struct raw_page *page)
{
    size_t i = place_of(f, page->id);
    struct record record = page->record;

    f->bytes -= record.value_len;
    free(page);
    memmove(&f->pages[i], &f->pages[i + 1], (--f->count - i) * sizeof(struct raw_page *));
    return record;
}

int flight_share(const struct flight *f, size_t route)
{
    size_t pages = 0;
    size_t bytes = 0;

    for (size_t i = 0; i < f->count; i++) {
        if (f->pages[i]->route != route)
            continue;
        pages++;
        bytes += f->pages[i]->record.value_len;
    }
    size_t by_pages = pages * 100 / FLIGHT_ROUTE_PAGES;
    size_t by_bytes = bytes * 100 / FLIGHT_ROUTE_BYTES;
    return (int)(by_pages > by_bytes ? by_pages : by_bytes);
}

bool flight_is_full(const struct flight *f)
{
    return f->count >= FLIGHT_PAGES || f->bytes >= FLIGHT_BYTES;
}

/* Is an older page of the same partition among the first n? Then this one has to wait. */
static bool is_behind(const struct flight *f, size_t n, const struct raw_page *page)
{
    for (size_t i = 0; i < n; i++)
        if (f->pages[i]->route == page->route && f->pages[i]->record.partition == page->record.partition)
            return true;
    return false;
}

void flight_settle(struct flight *f, struct source *in, flight_done *done, void *arg)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->count; i++) {
        struct raw_page *page = f->pages[i];
        if (!page->published || page->outstanding > 0 || is_behind(f, kept, page)) {
            f->pages[kept++] = page;
            continue;
        }
        source_store(in, page->record.topic, page->record.partition, page->record.offset);
        FAULT_POINT("page-offset-stored");
        done(arg, page);
        f->bytes -= page->record.value_len;
        source_release(in, &page->record);
        free(page);
    }
    f->count = kept;
}

void flight_drop(struct flight *f, struct source *in)
{
    for (size_t i = 0; i < f->count; i++) {
        source_release(in, &f->pages[i]->record);
        free(f->pages[i]);
    }
    free(f->pages);
    *f = (struct flight){.last_id = f->last_id};
}
