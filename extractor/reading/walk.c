#include "extractor/reading/walk.h"

/* ---- the set of documents ---- */

/* Returns whether it is new. */
static bool add_id(struct hash_table *seen, uint64_t id)
{
    struct hash_probe probe = hash_probe(seen, id);
    uintptr_t none;

    if (hash_next(seen, &probe, &none))
        return false;
    hash_put(seen, &probe, 0);
    return true;
}

/* ---- the walk ---- */

void walk_init(struct walk *w)
{
    *w = (struct walk){.state = WALK_ASKS, .page = 1, .pass = 1, .total = -1};
}

void walk_free(struct walk *w)
{
    if (w == NULL)
        return;
    hash_free(&w->seen);
}

void walk_see(struct walk *w, uint64_t id)
{
    w->ids += id;
    if (add_id(&w->seen, id))
        w->new_seen = true;
}

static void read_again(struct walk *w)
{
    if (w->pass == WALK_PASSES_MAX) {
        w->state = WALK_GIVES_UP;
        return;
    }
    if (w->counted)
        hash_begin(&w->seen, 0);
    w->pass++;
    w->page = 1;
    w->top = 0;
    w->total = -1;
    w->rose = w->descending = w->new_seen = false;
}

/* How many pages an answer promises. */
static int64_t pages_of(const struct walk_answer *a)
{
    int64_t pages = a->page_count;

    if (pages < 0 && a->documents > 0)
        pages = (a->data_count + (int64_t)a->documents - 1) / (int64_t)a->documents;
    if (pages < 1)
        pages = 1;
    return pages < WALK_PAGES_MAX ? pages : WALK_PAGES_MAX;
}

static void end_counted_pass(struct walk *w)
{
    if (!w->rose && (int64_t)w->seen.count >= w->total)
        w->state = WALK_DONE;
    else
        read_again(w);
}

static void take_counted(struct walk *w, const struct walk_answer *a, bool repeats)
{
    bool more = a->has_next == 1 && a->documents > 0 && !repeats;

    if (a->data_count >= 0) {
        w->rose = w->rose || (w->total >= 0 && a->data_count > w->total);
        w->total = a->data_count;
    }
    if (w->top == 0)
        w->top = pages_of(a);
    if (w->page == 1 && (w->descending || (w->top == 1 && !more))) {
        end_counted_pass(w);
    } else if (w->page == 1) { /* up to the last page */
        w->page = w->top > 1 ? w->top : 2;
        w->top = w->page;
        w->descending = true;
    } else if (w->page == w->top && more && w->top < WALK_PAGES_MAX) { /* the count was too low */
        w->page = ++w->top;
    } else {
        w->page--;
    }
}

static void take_uncounted(struct walk *w, const struct walk_answer *a, bool repeats)
{
    bool more = a->documents > 0 && a->has_next != 0 && w->page < WALK_PAGES_MAX && !repeats;

    if (more)
        w->page++;
    else if (!w->new_seen || (w->page == 1 && a->has_next == 0))
        w->state = WALK_DONE;
    else
        read_again(w);
}

void walk_take(struct walk *w, const struct walk_answer *a)
{
    bool repeats = w->page > 1 && a->documents > 0 && w->ids == w->ids_before;

    w->ids_before = w->ids;
    w->ids = 0;
    /* a total below what the page itself holds means nothing */
    if (w->page == 1 && w->top == 0 && a->data_count >= (int64_t)a->documents)
        w->counted = true;
    if (w->counted)
        take_counted(w, a, repeats);
    else
        take_uncounted(w, a, repeats);
}
