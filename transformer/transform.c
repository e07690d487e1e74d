/* Pages are taken in groups. A group ends when it is large or old enough, or nothing more comes; then
 * everything that was queued must be acknowledged, and only then the offsets of its pages are stored and
 * committed. A kill in between costs the group again: the same rows are published twice, which the loader
 * absorbs.
 *
 * The records of a group are kept until its end: what the broker refuses for its size is then still at hand.
 * Each document is exactly one message, so the ticket of a message tells which document of which page it was.
 */
#include "transformer/transform.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/monitor/health.h"
#include "transformer/raw_page.h"

enum {
    GROUP_PAGES = 32,
    GROUP_BYTES = 2 * 1024 * 1024,
    GROUP_AGE_MS = 100,
    IDLE_POLL_MS = 100,
    FLOOD_RETRY_MS = 60 * 1000,
    ONCE_PATIENCE_MS = 60 * 1000, /* bounded: nothing at all comes for so long */
};

struct group {
    struct page pages[GROUP_PAGES];
    size_t count;
    size_t bytes;
    int64_t since_ms; /* monotonic */
};

/* A pipeline whose last pages were a flood of dead letters waits with the page in hand, its topic paused. */
struct lane {
    struct flood flood;
    struct record held;
    bool has_held;
    bool waiting;
    bool lost;           /* messages were deleted unread: its topic stays paused */
    int64_t retry_at_ms; /* monotonic */
};

struct work {
    const struct transform *t;
    struct publisher publisher;
    struct group group;
    struct lane *lanes;    /* of each route */
    int64_t last_event_ms; /* monotonic */
};

void transform_metrics_init(const struct routes *routes)
{
    page_metrics_init(routes);
}

static int take_failure(void *arg, const struct sink_failure *failure, struct err *err)
{
    struct work *w = arg;

    return page_refused(&w->publisher, w->group.pages, w->group.count, failure, err);
}

static void drop_group(struct work *w)
{
    for (size_t i = 0; i < w->group.count; i++)
        source_release(w->t->in, &w->group.pages[i].record);
    w->group.count = 0;
    w->group.bytes = 0;
}

static int end_group(struct work *w, struct err *err)
{
    struct group *g = &w->group;

    if (g->count == 0) {
        source_resume(w->t->in, NULL); /* a page that was taken back may have waited for room */
        return 0;
    }
    int rc = acks_wait(&w->publisher.acks, err);
    if (rc == 0) {
        for (size_t i = 0; i < g->count; i++) {
            const struct record *r = &g->pages[i].record;
            source_store(w->t->in, r->topic, r->partition, r->offset);
            page_count(&g->pages[i]);
        }
        rc = source_commit(w->t->in, err) != 0 && err->kind != ERR_RETRY ? -1 : 0;
    }
    w->last_event_ms = 0; /* a wait for acknowledgements is no silence of the source */
    drop_group(w);
    return rc < 0 ? -1 : 0;
}

static void set_flood(struct work *w, struct lane *lane, const struct route *route, bool waiting)
{
    char key[128];

    if (lane->waiting == waiting)
        return;
    lane->waiting = waiting;
    snprintf(key, sizeof key, "pipeline %s", route->pipeline->name);
    health_reason(key,
                  waiting ? "flood: too many documents would end in dead letters (--flood-limit)" : NULL);
    if (waiting) {
        source_pause(w->t->in, route->raw);
        log_error("%s: paused, tried again every minute: too many of its last %d documents would end in dead "
                  "letters; look at topic %s, mend the mapping, or raise --flood-limit",
                  route->pipeline->name, FLOOD_WINDOW, route->dead);
    } else {
        source_resume(w->t->in, route->raw);
    }
}

/* Take the page that was added last back out of the group, and wait with it. */
static int hold(struct work *w, struct lane *lane, struct err *err)
{
    struct group *g = &w->group;
    struct page *page = &g->pages[--g->count];

    g->bytes -= page->record.value_len;
    lane->held = page->record;
    lane->has_held = true;
    lane->retry_at_ms = clock_monotonic_ms() + FLOOD_RETRY_MS;
    set_flood(w, lane, page->route, true);
    if (!w->t->bounded)
        return 0;
    return err_set(err, ERR_PAUSE, 0, "%s: a flood of dead letters (--flood-limit)",
                   page->route->pipeline->name);
}

/* Add a record to the group, and publish what it holds. The group keeps the record. */
static int add_record(struct work *w, const struct record *record, struct err *err)
{
    struct group *g = &w->group;
    const struct route *route = routes_of_raw(w->t->routes, record->topic);
    struct lane *lane = &w->lanes[route - w->t->routes->list];

    if (lane->has_held) {
        struct record dropped = *record; /* it is not committed, and will be read again */
        source_release(w->t->in, &dropped);
        return err_set(err, ERR_FATAL, 0, "%s: a record came although its topic is paused", route->raw);
    }
    if (g->count == 0)
        g->since_ms = clock_monotonic_ms();
    struct page *page = &g->pages[g->count++];
    *page = (struct page){.record = *record, .route = route};
    g->bytes += record->value_len;
    int rc = page_publish(&w->publisher, page, &lane->flood, w->t->flood_limit, err);
    if (rc > 0)
        return hold(w, lane, err);
    if (rc == 0)
        set_flood(w, lane, route, false);
    return rc;
}

/* Try the pages again that were a flood a minute ago. */
static int retry_held(struct work *w, struct err *err)
{
    int64_t now = clock_monotonic_ms();

    for (size_t i = 0; i < w->t->routes->count; i++) {
        struct lane *lane = &w->lanes[i];
        if (!lane->has_held || now < lane->retry_at_ms)
            continue;
        struct record record = lane->held;
        lane->has_held = false;
        if (add_record(w, &record, err) != 0 || end_group(w, err) != 0)
            return -1;
    }
    return 0;
}

/* at: the partition; NULL: no longer. */
static void set_lost(struct work *w, const struct route *route, const struct record *at)
{
    struct lane *lane = &w->lanes[route - w->t->routes->list];
    char key[300];
    char why[400];

    if (at == NULL && !lane->lost)
        return;
    lane->lost = at != NULL;
    snprintf(key, sizeof key, "lost %s", route->raw);
    if (at != NULL)
        snprintf(why, sizeof why,
                 "%s/%d: messages were deleted before they were read; set the group's offsets", at->topic,
                 at->partition);
    health_reason(key, at != NULL ? why : NULL);
}

static void release_held(struct work *w)
{
    for (size_t i = 0; i < w->t->routes->count; i++) {
        if (w->lanes[i].has_held)
            source_release(w->t->in, &w->lanes[i].held);
        w->lanes[i].has_held = false;
    }
}

/* The partitions are gone: what waits comes again with the next assignment, which also tells again what is
 * lost. */
static void drop_held(struct work *w)
{
    release_held(w);
    for (size_t i = 0; i < w->t->routes->count; i++) {
        const struct route *route = &w->t->routes->list[i];
        if (w->lanes[i].lost)
            source_resume(w->t->in, route->raw);
        set_lost(w, route, NULL);
        set_flood(w, &w->lanes[i], route, false);
    }
}

static bool group_is_due(const struct group *g)
{
    return g->count > 0 && (g->count == GROUP_PAGES || g->bytes >= GROUP_BYTES ||
                            clock_monotonic_ms() - g->since_ms >= GROUP_AGE_MS);
}

/* The pipeline pauses: nothing is skipped in silence. */
static int lost(struct work *w, const struct record *at, struct err *err)
{
    const struct route *route = routes_of_raw(w->t->routes, at->topic);

    set_lost(w, route, at);
    source_pause(w->t->in, route->raw);
    log_error(
        "%s/%d: the committed offset is below the log's start: messages were deleted unread. Nothing of this "
        "pipeline is read until the group's offsets are set (kafka-consumer-groups --reset-offsets)",
        at->topic, at->partition);
    if (!w->t->bounded)
        return 0;
    return err_set(err, ERR_FATAL, 0, "%s/%d: messages were deleted unread", at->topic, at->partition);
}

/* A bounded run does not wait for ever for a broker that is away. */
static int check_patience(struct work *w, enum source_event event, struct err *err)
{
    int64_t now = clock_monotonic_ms();

    if (event != SOURCE_NONE || w->last_event_ms == 0)
        w->last_event_ms = now;
    if (!w->t->bounded || now - w->last_event_ms < ONCE_PATIENCE_MS)
        return 0;
    return err_set(
        err, ERR_FATAL, 0,
        "given up: nothing has come from Kafka for a minute, and the topics' ends are not reached");
}

static int turn(struct work *w, bool *ret_ended, struct err *err)
{
    enum source_event event;
    struct record record;

    health_turn();
    if (retry_held(w, err) != 0)
        return -1;
    /* what is there is taken at once; when nothing is, the group ends before the wait for more */
    int timeout = w->group.count > 0 ? 0 : IDLE_POLL_MS;
    if (source_poll(w->t->in, timeout, &event, &record, err) != 0 || check_patience(w, event, err) != 0)
        return -1;
    switch (event) {
    case SOURCE_RECORD:
        if (add_record(w, &record, err) != 0)
            return -1;
        return group_is_due(&w->group) ? end_group(w, err) : 0;
    case SOURCE_END:
        *ret_ended = true;
        return end_group(w, err);
    case SOURCE_LOST:
        return lost(w, &record, err);
    case SOURCE_REVOKED:
        drop_held(w);
        break;
    case SOURCE_NONE:
    case SOURCE_ASSIGNED:
        break;
    }
    return end_group(w, err);
}

int transform_run(const struct transform *t, struct err *err)
{
    struct work *w = mem_zalloc(1, sizeof *w);
    bool ended = false;
    int rc = 0;

    w->t = t;
    w->lanes = mem_zalloc(t->routes->count, sizeof *w->lanes);
    w->publisher = (struct publisher){
        .acks = {.in = t->in, .out = t->out, .stopping = t->stopping, .refused = take_failure, .arg = w},
        .mapper = mapper_new(),
        .rows_max_bytes = t->rows_max_bytes,
        .now_ms = t->now_ms,
    };
    mapped_init(&w->publisher.mapped);
    while (rc == 0 && !ended && !t->stopping())
        rc = turn(w, &ended, err);
    if (rc == 0 && !ended)
        rc = end_group(w, err);
    if (rc != 0 && t->stopping() && err->kind == ERR_RETRY)
        rc = 0;
    if (rc == 0)
        err_clear(err); /* of what passed, or will be read again */
    drop_group(w);
    release_held(w);
    mapped_free(&w->publisher.mapped);
    mapper_free(w->publisher.mapper);
    free(w->lanes);
    free(w);
    return rc;
}
