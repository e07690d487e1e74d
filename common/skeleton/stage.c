#include "common/skeleton/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fault_point.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/monitor/health.h"
#include "common/monitor/metrics.h"

enum { KEY_TEXT = 160, WHY_TEXT = 4096 };

static const char *name_of(const struct stage *s, size_t route)
{
    return s->routes->list[route].pipeline->name;
}

/* ---- pauses ---- */

static unsigned bit_of(enum pause_reason reason)
{
    return 1U << (unsigned)reason;
}

/* The topic is paused as long as there is any reason. */
static bool set_reason(struct stage *s, size_t route, enum pause_reason reason, bool on)
{
    struct stage_pauses *pauses = &s->pauses[route];
    const char *topic = route_topic(&s->routes->list[route], s->role);
    unsigned before = pauses->reasons;

    pauses->reasons = on ? before | bit_of(reason) : before & ~bit_of(reason);
    if (before == 0 && pauses->reasons != 0)
        source_pause(s->in, topic);
    if (before != 0 && pauses->reasons == 0)
        source_resume(s->in, topic);
    return pauses->reasons != before;
}

static void show_reason(const struct stage *s, size_t route, enum pause_reason reason, const char *why)
{
    char key[KEY_TEXT];

    snprintf(key, sizeof key, "pipeline %s (%s)", name_of(s, route), pause_name(reason));
    health_reason(key, why);
    metric_set(metric_get(s->paused, name_of(s, route), pause_name(reason), NULL), why != NULL ? 1 : 0);
}

bool stage_pause(struct stage *s, size_t route, enum pause_reason reason, const char *why)
{
    show_reason(s, route, reason, why);
    return set_reason(s, route, reason, true);
}

bool stage_resume(struct stage *s, size_t route, enum pause_reason reason)
{
    if (!set_reason(s, route, reason, false))
        return false;
    show_reason(s, route, reason, NULL);
    return true;
}

void stage_set_full(struct stage *s, size_t route, bool full)
{
    set_reason(s, route, PAUSE_NONE, full);
}

bool stage_is_paused(const struct stage *s, size_t route, enum pause_reason reason)
{
    return (s->pauses[route].reasons & bit_of(reason)) != 0;
}

void stage_metrics_init(const struct metric_family *paused, const struct routes *routes,
                        const enum pause_reason *reasons, size_t count)
{
    for (size_t i = 0; i < routes->count; i++)
        for (size_t j = 0; j < count; j++)
            metric_get(paused, routes->list[i].pipeline->name, pause_name(reasons[j]), NULL);
}

/* ---- events ---- */

static char *cure_of(const struct stage *s, size_t route, const struct source_event *event)
{
    return s->ops->lost_cure != NULL
               ? s->ops->lost_cure(s->arg, route, event->lost.topic, event->lost.partition)
               : NULL;
}

static void lost_text(const struct stage *s, size_t route, const struct source_event *event, struct buf *out)
{
    const char *topic = event->lost.topic;
    int32_t partition = event->lost.partition;

    buf_printf(out, "%s/%d: messages %" PRId64 " to %" PRId64 " were deleted before they were read. ", topic,
               partition, event->lost.offset, event->lost.low - 1);
    if (event->lost.group[0] == '\0') {
        buf_add_text(out, "The topic's retention has overtaken the replay: start it again");
        return;
    }
    char *cure = cure_of(s, route, event);
    buf_printf(out,
               "To go on behind the gap, stop all processes of the group, "
               "run kafka-consumer-groups --bootstrap-server HOST:PORT --group %s --topic %s:%d "
               "--reset-offsets --to-earliest --execute, %s%sand start them again",
               event->lost.group, topic, partition, cure != NULL ? cure : "", cure != NULL ? ", " : "");
    free(cure);
}

/* Lost messages are never skipped in silence: the pipeline stands still until a person has decided. */
static int take_lost(struct stage *s, const struct source_event *event, struct err *err)
{
    const struct route *route = routes_by_topic(s->routes, s->role, event->lost.topic);
    struct buf why;

    if (route == NULL)
        return err_set(err, ERR_FATAL, 0, "%s is the topic of no pipeline", event->lost.topic);
    size_t at = (size_t)(route - s->routes->list);
    buf_init(&why, WHY_TEXT);
    lost_text(s, at, event, &why);
    stage_pause(s, at, PAUSE_LOST, why.data);
    log_error("pipeline %s is paused (lost): %s", route->pipeline->name, why.data);
    buf_free(&why);
    if (!s->once)
        return 0;
    return err_set(err, ERR_FATAL, 0, "%s/%d: messages were deleted unread", event->lost.topic,
                   event->lost.partition);
}

/* Without a program that decides, a partition is read from the group's offset. */
static int take_start(struct stage *s, const struct source_start *start, struct err *err)
{
    const struct route *route = routes_by_topic(s->routes, s->role, start->topic);

    if (route == NULL)
        return err_set(err, ERR_FATAL, 0, "%s is the topic of no pipeline", start->topic);
    if (s->ops->start != NULL)
        return s->ops->start(s->arg, (size_t)(route - s->routes->list), start, err);
    source_seek(s->in, start->topic, start->partition,
                start->recreated || start->committed < 0 ? SOURCE_BEGINNING : start->committed);
    return 0;
}

static void tell_recreated(const struct source_start *start)
{
    log_warn("%s/%d: the topic was made again, or its log was cut: it holds %" PRId64 " to %" PRId64
             " now, and is read from its start",
             start->topic, start->partition, start->low, start->high - 1);
}

static int take_record(struct stage *s, struct record *r, struct err *err)
{
    const struct route *route = routes_by_topic(s->routes, s->role, r->topic);

    if (route != NULL)
        return s->ops->record(s->arg, (size_t)(route - s->routes->list), r, err);
    err_set(err, ERR_FATAL, 0, "%s is the topic of no pipeline", r->topic);
    source_release(s->in, r);
    return -1;
}

/* The next assignment reports lost messages again. Records that were read and dropped are delivered again,
 * perhaps to this process. */
static void take_revoked(struct stage *s)
{
    s->ops->revoked(s->arg);
    FAULT_POINT("partitions-revoked");
    for (size_t i = 0; i < s->routes->count; i++)
        stage_resume(s, i, PAUSE_LOST);
    s->ended = false;
}

static int take_event(struct stage *s, struct source_event *event, struct err *err)
{
    switch (event->kind) {
    case SOURCE_RECORD:
        return take_record(s, &event->record, err);
    case SOURCE_REVOKED:
        take_revoked(s);
        break;
    case SOURCE_START:
        return take_start(s, &event->start, err);
    case SOURCE_RECREATED:
        tell_recreated(&event->start);
        break;
    case SOURCE_LOST:
        return take_lost(s, event, err);
    case SOURCE_END:
        s->ended = true;
        break;
    case SOURCE_NONE:
    case SOURCE_ASSIGNED:
        break;
    }
    return 0;
}

/* ---- the loop ---- */

/* A bounded run does not wait for ever for a broker that does not answer. */
static int check_patience(struct stage *s, bool quiet, struct err *err)
{
    int64_t now = clock_monotonic_ms();

    if (!quiet || s->ops->working(s->arg))
        s->heard_ms = now;
    if (!s->once || now - s->heard_ms < STAGE_PATIENCE_MS)
        return 0;
    return err_set(
        err, ERR_FATAL, 0,
        "given up: nothing has come from Kafka for a minute, and the topics' ends are not reached, or what "
        "was read is not acknowledged");
}

static int stage_turn(struct stage *s, bool *quiet, struct err *err)
{
    struct source_event event = {.kind = SOURCE_NONE};
    int timeout_ms = STAGE_IDLE_MS;

    health_turn();
    enum stage_next next = s->ops->turn(s->arg, *quiet, &timeout_ms, err);
    if (next != STAGE_POLL)
        return next == STAGE_BUSY ? 0 : -1;
    if (source_poll(s->in, timeout_ms, &event, err) != 0)
        return -1;
    *quiet = event.kind == SOURCE_NONE;
    return take_event(s, &event, err) != 0 ? -1 : check_patience(s, *quiet, err);
}

static bool is_done(const struct stage *s)
{
    return s->ended && s->ops->done(s->arg);
}

int stage_run(struct stage *s, struct err *err)
{
    bool quiet = false;
    int rc = 0;

    s->pauses = mem_zalloc(s->routes->count, sizeof *s->pauses);
    s->ended = false;
    s->heard_ms = clock_monotonic_ms();
    while (rc == 0 && !s->stopping() && !is_done(s))
        rc = stage_turn(s, &quiet, err);
    return rc;
}

void stage_free(struct stage *s)
{
    free(s->pauses);
    s->pauses = NULL;
}
