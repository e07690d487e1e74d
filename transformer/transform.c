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
#include <string.h>

#include "common/acks.h"
#include "common/clock.h"
#include "common/dead.h"
#include "common/envelope.h"
#include "common/err.h"
#include "common/health.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/metrics.h"
#include "transformer/map.h"

enum {
    GROUP_PAGES = 64,
    GROUP_BYTES = 4 * 1024 * 1024,
    GROUP_AGE_MS = 100,
    IDLE_POLL_MS = 100,
};

static const char stage[] = "transformer";

static const struct metric_family pages_family = {
    .name = "jst_transformer_pages_total",
    .type = METRIC_COUNTER,
    .help = "Raw pages whose documents are all published or dead-lettered.",
    .labels = {"pipeline"},
};
static const struct metric_family documents_family = {
    .name = "jst_transformer_documents_total",
    .type = METRIC_COUNTER,
    .help = "Documents whose rows are published.",
    .labels = {"pipeline"},
};
static const struct metric_family rows_family = {
    .name = "jst_transformer_rows_total",
    .type = METRIC_COUNTER,
    .help = "Rows published.",
    .labels = {"pipeline"},
};

struct page {
    struct record record;
    const struct route *route;
    uint64_t first_ticket; /* of its first message */
    bool foreign;          /* it became one dead letter, whole */
    int64_t documents, rows;
    int64_t dead[DEAD_TOO_LARGE + 1];
};

struct group {
    struct page pages[GROUP_PAGES];
    size_t count;
    size_t bytes;
    int64_t since_ms; /* monotonic */
    uint64_t tickets; /* messages sent so far, over all groups */
};

struct work {
    const struct transform *t;
    struct acks acks;
    struct group group;
    struct mapper *mapper;
    struct mapped mapped;
};

void transform_metrics_init(const struct routes *routes)
{
    for (size_t i = 0; i < routes->count; i++) {
        const char *name = routes->list[i].pipeline->name;
        metric_get(&pages_family, name, NULL);
        metric_get(&documents_family, name, NULL);
        metric_get(&rows_family, name, NULL);
        dead_count_init(name, stage);
    }
}

static int send_dead(struct work *w, struct page *page, struct span value, const char *key,
                     enum dead_class class, const char *why, struct err *err)
{
    struct dead_letter dead = {.stage = stage, .class = class, .text = why, .failed_at_ms = w->t->now_ms()};

    while (dead_send(w->t->out, page->route->dead, &page->record, key, value.at, value.len, &dead, err) != 0)
        if (acks_room(&w->acks, err) != 0)
            return err->kind == ERR_REJECT ? err_set(err, ERR_FATAL, 0,
                                                     "topic %s refuses a dead letter for its size: raise its "
                                                     "max.message.bytes",
                                                     page->route->dead)
                                           : -1;
    w->group.tickets++;
    page->dead[class]++;
    log_warn("%s: dead letter from %s/%d/%lld: %s: %s", page->route->pipeline->name, page->record.topic,
             page->record.partition, (long long)page->record.offset, dead_class_name(class), why);
    return 0;
}

static void rows_headers(const struct page *page, const struct mapped *m, struct header_set *ret)
{
    const struct record *r = &page->record;
    char when[RFC3339_TEXT];

    headers_init(ret);
    headers_put(ret, H_PIPELINE, page->route->pipeline->name);
    headers_put(ret, H_DOCUMENT, m->key.data);
    headers_put(ret, H_VERSION, m->version.data);
    headers_printf(ret, H_ROWS, "%lld", (long long)m->rows);
    headers_printf(ret, H_SOURCE, "%s/%d/%lld", r->topic, r->partition, (long long)r->offset);
    headers_put(ret, H_RECEIVED_AT, rfc3339_format(r->timestamp_ms, when));
}

static int send_rows(struct work *w, struct page *page, struct err *err)
{
    const struct mapped *m = &w->mapped;
    struct header_set headers;

    rows_headers(page, m, &headers);
    struct message message = {
        .topic = page->route->rows,
        .key = m->key.data,
        .key_len = m->key.len,
        .value = m->value.data,
        .value_len = m->value.len,
        .headers = headers.list,
        .header_count = headers.count,
    };
    int rc;
    while ((rc = sink_send(w->t->out, &message, NULL, err)) != 0)
        if (acks_room(&w->acks, err) != 0)
            break;
    headers_free(&headers);
    if (rc != 0)
        return -1;
    w->group.tickets++;
    page->documents++;
    page->rows += m->rows;
    return 0;
}

enum { ROWS_OVERHEAD = 2048 /* headers and framing of a rows message */ };

int transform_document(struct mapper *m, const struct route *route, size_t rows_max_bytes,
                       struct span document, struct mapped *ret, enum dead_class *ret_class, struct err *err)
{
    if (map_document(m, route->pipeline, document, ret, ret_class, err) != 0)
        return -1;
    if (ret->value.len + ret->key.len + ROWS_OVERHEAD <= rows_max_bytes)
        return 0;
    *ret_class = DEAD_TOO_LARGE;
    return err_set(err, ERR_REJECT, 0, "its %lld rows have %zu bytes, more than topic %s takes",
                   (long long)ret->rows, ret->value.len, route->rows);
}

static int take_document(struct work *w, struct page *page, struct span document, struct err *err)
{
    enum dead_class class;
    struct err why = ERR_INIT;
    struct mapped *m = &w->mapped;

    if (transform_document(w->mapper, page->route, w->t->rows_max_bytes, document, m, &class, &why) == 0) {
        if (send_rows(w, page, err) == 0)
            return 0;
        if (err->kind != ERR_REJECT)
            return -1;
        class = DEAD_TOO_LARGE; /* the client takes less than the topic */
        why = *err;
    }
    return send_dead(w, page, document, m->key.len > 0 ? m->key.data : NULL, class, why.text, err);
}

/* A page that the extractor would publish: without a code against it, and with the list. */
static int read_envelope(const struct pipeline *p, struct span page, struct envelope *ret, struct err *err)
{
    if (envelope_read(page.at, page.len, p->list, ret, err) != 0)
        return -1;
    if (ret->code != 0)
        return err_set(err, ERR_REJECT, 0, "the answer has code %lld: it is no page", (long long)ret->code);
    if (!ret->has_list)
        return err_set(err, ERR_REJECT, 0, "the answer has no list of documents%s%s",
                       p->list != NULL ? " named " : "", p->list != NULL ? p->list : "");
    return 0;
}

static int take_page(struct work *w, struct page *page, struct err *err)
{
    const struct pipeline *p = page->route->pipeline;
    struct raw_message raw;
    struct envelope envelope;
    struct err why = ERR_INIT;
    struct span whole = {.at = page->record.value, .len = page->record.value_len};

    page->first_ticket = w->group.tickets + 1;
    if (raw_message_read(&page->record, p->name, &raw, &why) != 0 ||
        read_envelope(p, whole, &envelope, &why) != 0) {
        page->foreign = true;
        return send_dead(w, page, whole, NULL, DEAD_PARSE, why.text, err);
    }
    if (envelope.documents == 0)
        return 0;
    struct scan_iter it = scan_open(envelope.list);
    while (scan_next(&it))
        if (take_document(w, page, it.value, err) != 0)
            return -1;
    return 0;
}

/* The document that became the message of that ticket. */
static bool find_document(const struct page *page, uint64_t ticket, struct span *ret)
{
    struct envelope envelope;
    uint64_t at = page->first_ticket;

    if (envelope_read(page->record.value, page->record.value_len, page->route->pipeline->list, &envelope,
                      NULL) != 0)
        return false;
    struct scan_iter it = scan_open(envelope.list);
    while (scan_next(&it))
        if (at++ == ticket) {
            *ret = it.value;
            return true;
        }
    return false;
}

/* The broker takes less than topics.conf says: what it refused becomes a dead letter after all. */
static int take_failure(void *arg, const struct sink_failure *failure, struct err *err)
{
    struct work *w = arg;
    struct group *g = &w->group;

    for (size_t i = g->count; i > 0; i--) {
        struct page *page = &g->pages[i - 1];
        struct span document;
        enum dead_class class;
        if (failure->ticket < page->first_ticket)
            continue;
        if (page->foreign || !find_document(page, failure->ticket, &document))
            break;
        if (transform_document(w->mapper, page->route, w->t->rows_max_bytes, document, &w->mapped, &class,
                               NULL) != 0)
            break; /* it was a dead letter already */
        page->documents--;
        page->rows -= w->mapped.rows;
        return send_dead(w, page, document, w->mapped.key.data, DEAD_TOO_LARGE, failure->text, err);
    }
    return err_set(err, ERR_FATAL, 0,
                   "the broker refuses a dead letter for its size: raise max.message.bytes of "
                   "the dead-letter topic");
}

static void count_page(const struct page *page)
{
    const char *name = page->route->pipeline->name;

    metric_add(metric_get(&pages_family, name, NULL), 1);
    metric_add(metric_get(&documents_family, name, NULL), (double)page->documents);
    metric_add(metric_get(&rows_family, name, NULL), (double)page->rows);
    for (int c = 0; c <= DEAD_TOO_LARGE; c++)
        for (int64_t i = 0; i < page->dead[c]; i++)
            dead_count(name, stage, (enum dead_class)c);
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

    if (g->count == 0)
        return 0;
    int rc = acks_wait(&w->acks, err);
    if (rc == 0) {
        for (size_t i = 0; i < g->count; i++) {
            const struct record *r = &g->pages[i].record;
            source_store(w->t->in, r->topic, r->partition, r->offset);
            count_page(&g->pages[i]);
        }
        rc = source_commit(w->t->in, err) != 0 && err->kind != ERR_RETRY ? -1 : 0;
    }
    drop_group(w);
    return rc < 0 ? -1 : 0;
}

/* Add a record to the group, and publish what it holds. The group keeps the record. */
static int add_record(struct work *w, const struct record *record, struct err *err)
{
    struct group *g = &w->group;

    if (g->count == 0)
        g->since_ms = clock_monotonic_ms();
    struct page *page = &g->pages[g->count++];
    *page = (struct page){.record = *record, .route = routes_of_raw(w->t->routes, record->topic)};
    g->bytes += record->value_len;
    return take_page(w, page, err);
}

static bool group_is_due(const struct group *g)
{
    return g->count > 0 && (g->count == GROUP_PAGES || g->bytes >= GROUP_BYTES ||
                            clock_monotonic_ms() - g->since_ms >= GROUP_AGE_MS);
}

static int lost(const struct record *at)
{
    char key[300];

    snprintf(key, sizeof key, "lost %s/%d", at->topic, at->partition);
    health_reason(key, "messages were deleted before they were read: replay, or set the group's offset");
    log_error(
        "%s/%d: the committed offset is below the log's start: messages were deleted unread. Nothing of "
        "this partition is read until the group's offset is set (kafka-consumer-groups --reset-offsets)",
        at->topic, at->partition);
    return 0;
}

static int turn(struct work *w, bool *ret_ended, struct err *err)
{
    enum source_event event;
    struct record record;

    health_turn();
    /* what is there is taken at once; when nothing is, the group ends before the wait for more */
    int timeout = w->group.count > 0 ? 0 : IDLE_POLL_MS;
    if (source_poll(w->t->in, timeout, &event, &record, err) != 0)
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
        return lost(&record);
    case SOURCE_NONE:
    case SOURCE_REVOKED:
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
    w->acks =
        (struct acks){.in = t->in, .out = t->out, .stopping = t->stopping, .refused = take_failure, .arg = w};
    w->mapper = mapper_new();
    mapped_init(&w->mapped);
    while (rc == 0 && !ended && !t->stopping())
        rc = turn(w, &ended, err);
    if (rc == 0 && !ended)
        rc = end_group(w, err);
    if (rc != 0 && t->stopping() && err->kind == ERR_RETRY)
        rc = 0;
    if (rc == 0)
        err_clear(err); /* of what passed, or will be read again */
    drop_group(w);
    mapped_free(&w->mapped);
    mapper_free(w->mapper);
    free(w);
    return rc;
}
