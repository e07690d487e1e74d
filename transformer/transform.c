/* Pages overlap: while the broker acknowledges the messages of some, the next ones are read and published. A
 * page leaves the flight when all its messages are acknowledged, and its offset is stored when all before it
 * in its partition have left. A kill in between costs the pages in flight again: their rows are published
 * twice, which the loader absorbs.
 *
 * The records in flight are kept, so that a document whose message the broker refuses for its size can still
 * be sent as a dead letter. */
#include "transformer/transform.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fault_point.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/monitor/health.h"
#include "common/skeleton/stage.h"
#include "transformer/flight.h"
#include "transformer/metrics.h"
#include "transformer/page_refused.h"
#include "transformer/raw_page.h"

enum {
    ACK_WAIT_MS = 10,      /* no record comes: wait for acknowledgements */
    FULL_WAIT_MS = 50,     /* the flight is full: wait for the broker */
    PAUSE_AFTER_MS = 1000, /* it is full for so long: pause the topic, and go on with the others */
    RESUME_SHARE = 50,     /* per cent of a pipeline's share: below it a full topic is resumed */
    FLOOD_RETRY_MS = 60 * 1000,
    STOP_WAIT_MS = 2000, /* asked to stop: wait so long for the acknowledgements of pages in flight */
};

/* A pipeline whose last page was a flood of dead letters waits with that page in hand. */
struct flood_state {
    struct flood recent;
    struct record held;
    bool has_held;
    int64_t retry_at_ms; /* monotonic */
};

struct transforming {
    const struct transform *t;
    struct stage stage;
    struct page_sender sender;
    struct flight flight;
    bool landed; /* a page may be done */
    bool moved;  /* the broker has answered since is_working() was asked */
    struct flood_state *floods;
    int64_t full_since_ms; /* monotonic; 0: there is room */
};

/* ---- acknowledgements ---- */

static void take_ack(void *arg, uint64_t ticket)
{
    struct transforming *w = arg;
    struct raw_page *page = flight_find(&w->flight, page_of_ticket(ticket));

    w->moved = true;
    w->sender.acks.heard_ms = clock_monotonic_ms();
    if (page == NULL) /* the partition was revoked, or the page is held as a flood */
        return;
    page->outstanding--;
    FAULT_POINT("rows-message-acknowledged");
    w->landed = w->landed || page->outstanding == 0;
}

static int take_failure(void *arg, const struct sink_failure *failure, struct err *err)
{
    struct transforming *w = arg;
    struct raw_page *page = flight_find(&w->flight, page_of_ticket(failure->ticket));

    w->moved = true;
    return page != NULL ? page_refused(&w->sender, page, failure, err) : 0;
}

static void count_page(void *arg, const struct raw_page *page)
{
    const struct transforming *w = arg;

    metrics_count_page(w->t->routes->list[page->route].pipeline->name, page);
}

/* Serve acknowledgements and refusals for at most timeout_ms. */
static int serve_acks(struct transforming *w, int timeout_ms, struct err *err)
{
    if (sink_serve(w->t->out, timeout_ms, err) != 0 || acks_refusals(&w->sender.acks, err) < 0)
        return -1;
    if (w->landed)
        flight_settle(&w->flight, w->t->in, count_page, w);
    w->landed = false;
    return 0;
}

/* ---- pages ---- */

static void tell_flood(struct transforming *w, size_t at)
{
    const struct route *route = &w->t->routes->list[at];
    char *first = flood_first_text(&w->sender.first);
    char *why =
        mem_printf("flood: too many documents would end in dead letters (--flood-limit), first %s", first);

    if (stage_pause(&w->stage, at, PAUSE_FLOOD, why))
        log_error(
            "%s: paused, tried again every minute: too many of its last %d documents, or %d in a row, would "
            "end in dead letters, first %s; look at topic %s, mend the mapping, or raise --flood-limit",
            route->pipeline->name, FLOOD_WINDOW, FLOOD_RUN, first, route->dead);
    free(why);
    free(first);
}

static int hold_flood(struct transforming *w, struct raw_page *page, struct err *err)
{
    size_t at = page->route;
    struct flood_state *state = &w->floods[at];

    state->held = flight_take_back(&w->flight, page);
    state->has_held = true;
    state->retry_at_ms = clock_monotonic_ms() + FLOOD_RETRY_MS;
    tell_flood(w, at);
    if (!w->t->bounded)
        return 0;
    return err_set(err, ERR_PAUSE, 0, "%s: a flood of dead letters (--flood-limit)",
                   w->t->routes->list[at].pipeline->name);
}

static int publish_record(struct transforming *w, size_t route, const struct record *record, struct err *err)
{
    struct raw_page *page = flight_add(&w->flight, record, route);

    FAULT_POINT("page-consumed");
    switch (page_publish(&w->sender, page, &w->floods[route].recent, err)) {
    case PAGE_PUBLISHED:
        FAULT_POINT("page-published");
        w->landed = w->landed || page->outstanding == 0;
        stage_resume(&w->stage, route, PAUSE_FLOOD);
        return 0;
    case PAGE_FLOOD:
        return hold_flood(w, page, err);
    case PAGE_FAILED:
        break;
    }
    return -1;
}

static int take_page(void *arg, size_t route, const struct record *r, struct err *err)
{
    struct transforming *w = arg;
    struct record dropped = *r;

    if (!w->floods[route].has_held)
        return publish_record(w, route, r, err);
    source_release(w->t->in, &dropped); /* its offset is not committed, so it will be read again */
    return err_set(err, ERR_FATAL, 0, "%s: a record came although its topic is paused", r->topic);
}

/* Try again the pages that were a flood a minute ago. */
static int retry_held(struct transforming *w, struct err *err)
{
    int64_t now = clock_monotonic_ms();

    for (size_t i = 0; i < w->t->routes->count; i++) {
        struct flood_state *state = &w->floods[i];
        if (!state->has_held || now < state->retry_at_ms)
            continue;
        state->has_held = false;
        if (publish_record(w, i, &state->held, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- room ---- */

/* Is the flight full, or the share of a pipeline whose topic is not paused? Then nothing may be read. */
static bool is_blocked(const struct transforming *w)
{
    if (flight_is_full(&w->flight))
        return true;
    for (size_t i = 0; i < w->t->routes->count; i++)
        if (!stage_is_paused(&w->stage, i, PAUSE_NONE) && flight_share(&w->flight, i) >= 100)
            return true;
    return false;
}

static void pause_full(struct transforming *w)
{
    for (size_t i = 0; i < w->t->routes->count; i++)
        if (flight_is_full(&w->flight) || flight_share(&w->flight, i) >= 100)
            stage_set_full(&w->stage, i, true);
}

static void resume_drained(struct transforming *w)
{
    for (size_t i = 0; i < w->t->routes->count; i++)
        if (stage_is_paused(&w->stage, i, PAUSE_NONE) && flight_share(&w->flight, i) <= RESUME_SHARE)
            stage_set_full(&w->stage, i, false);
}

/* Wait briefly for room before pausing: a pause throws away the records that were fetched ahead. */
static enum stage_next wait_for_room(struct transforming *w, struct err *err)
{
    int64_t now = clock_monotonic_ms();

    if (w->full_since_ms == 0)
        w->full_since_ms = now;
    bool waited_long = now - w->full_since_ms >= PAUSE_AFTER_MS;
    if (waited_long)
        pause_full(w);
    if (serve_acks(w, FULL_WAIT_MS, err) != 0)
        return STAGE_FAILED;
    return waited_long ? STAGE_POLL : STAGE_BUSY; /* a poll keeps the place in the group */
}

static enum stage_next take_turn(void *arg, bool quiet, int *timeout_ms, struct err *err)
{
    struct transforming *w = arg;
    bool waiting = w->flight.count > 0;

    if (serve_acks(w, quiet && waiting ? ACK_WAIT_MS : 0, err) != 0 || retry_held(w, err) != 0)
        return STAGE_FAILED;
    if (waiting)
        *timeout_ms = 0;
    if (is_blocked(w))
        return wait_for_room(w, err);
    w->full_since_ms = 0;
    resume_drained(w);
    return STAGE_POLL;
}

/* ---- the end ---- */

static void release_held(struct transforming *w)
{
    for (size_t i = 0; i < w->t->routes->count; i++) {
        if (w->floods[i].has_held)
            source_release(w->t->in, &w->floods[i].held);
        w->floods[i].has_held = false;
    }
}

static void forget_pages(void *arg)
{
    struct transforming *w = arg;

    flight_drop(&w->flight, w->t->in);
    release_held(w);
    for (size_t i = 0; i < w->t->routes->count; i++)
        stage_resume(&w->stage, i, PAUSE_FLOOD);
}

/* Pages in flight alone do not count: a broker that is gone never acknowledges them. */
static bool is_working(void *arg)
{
    struct transforming *w = arg;
    bool moved = w->moved;

    w->moved = false;
    return moved;
}

static bool is_done(void *arg)
{
    const struct transforming *w = arg;

    return w->flight.count == 0;
}

/* Wait for the pages in flight, so that their offsets go with the last commit. */
static int land_flight(struct transforming *w, struct err *err)
{
    int64_t deadline = clock_monotonic_ms() + STOP_WAIT_MS;

    while (w->flight.count > 0 && clock_monotonic_ms() < deadline)
        if (serve_acks(w, FULL_WAIT_MS, err) != 0)
            return -1;
    return 0;
}

void transform_metrics_init(const struct routes *routes)
{
    static const enum pause_reason reasons[] = {PAUSE_FLOOD, PAUSE_LOST};

    for (size_t i = 0; i < routes->count; i++)
        metrics_init_pipeline(routes->list[i].pipeline->name);
    stage_metrics_init(metrics_paused(), routes, reasons, sizeof reasons / sizeof reasons[0]);
}

static const struct stage_ops transform_ops = {
    .turn = take_turn,
    .record = take_page,
    .revoked = forget_pages,
    .working = is_working,
    .done = is_done,
};

static void open_run(struct transforming *w, const struct transform *t)
{
    w->t = t;
    w->floods = mem_zalloc(t->routes->count, sizeof *w->floods);
    w->stage = (struct stage){
        .in = t->in,
        .routes = t->routes,
        .role = TOPIC_RAW,
        .paused = metrics_paused(),
        .once = t->bounded,
        .stopping = t->stopping,
        .ops = &transform_ops,
        .arg = w,
    };
    w->sender = (struct page_sender){
        .acks = {.in = t->in,
                 .out = t->out,
                 .stopping = t->stopping,
                 .refused = take_failure,
                 .arg = w,
                 .patience_ms = t->bounded ? STAGE_PATIENCE_MS : 0},
        .routes = t->routes,
        .mapper = mapper_new(),
        .rows_max_bytes = t->rows_max_bytes,
        .flood_limit = t->flood_limit,
        .now_ms = t->now_ms,
    };
    mapped_init(&w->sender.mapped);
    t->out->acked = take_ack;
    t->out->arg = w;
}

static void close_run(struct transforming *w)
{
    w->t->out->acked = NULL;
    flight_drop(&w->flight, w->t->in);
    release_held(w);
    stage_free(&w->stage);
    mapped_free(&w->sender.mapped);
    mapper_free(w->sender.mapper);
    flood_first_free(&w->sender.first);
    free(w->floods);
    free(w);
}

int transform_run(const struct transform *t, struct err *err)
{
    struct transforming *w = mem_zalloc(1, sizeof *w);

    open_run(w, t);
    int rc = stage_run(&w->stage, err);
    if (rc == 0)
        rc = land_flight(w, err);
    close_run(w);
    return rc;
}
