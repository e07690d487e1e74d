#include "transformer/raw_page.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/monitor/metrics.h"
#include "common/wire/dead.h"
#include "common/wire/envelope.h"
#include "transformer/transform.h"

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

void page_metrics_init(const struct routes *routes)
{
    for (size_t i = 0; i < routes->count; i++) {
        const char *name = routes->list[i].pipeline->name;
        metric_get(&pages_family, name, NULL);
        metric_get(&documents_family, name, NULL);
        metric_get(&rows_family, name, NULL);
        dead_count_init(name, stage);
    }
}

static int send_dead(struct publisher *w, struct page *page, struct span value, const char *key,
                     enum dead_class class, const char *why, struct err *err)
{
    struct dead_letter dead = {.stage = stage, .class = class, .text = why, .failed_at_ms = w->now_ms()};

    while (dead_send(w->acks.out, page->route->dead, &page->record, key, value.at, value.len, &dead, err) !=
           0)
        if (acks_room(&w->acks, err) != 0)
            return err->kind == ERR_REJECT ? err_set(err, ERR_FATAL, 0,
                                                     "topic %s refuses a dead letter for its size: raise its "
                                                     "max.message.bytes",
                                                     page->route->dead)
                                           : -1;
    w->tickets++;
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

static int send_rows(struct publisher *w, struct page *page, struct err *err)
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
    while ((rc = sink_send(w->acks.out, &message, NULL, err)) != 0)
        if (acks_room(&w->acks, err) != 0)
            break;
    headers_free(&headers);
    if (rc != 0)
        return -1;
    w->tickets++;
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

/* One document. 1: it is bad, and nothing of it is queued; *ret_class and *why tell. */
static int take_document(struct publisher *w, struct page *page, struct span document,
                         enum dead_class *ret_class, struct err *why, struct err *err)
{
    if (transform_document(w->mapper, page->route, w->rows_max_bytes, document, &w->mapped, ret_class, why) !=
        0)
        return 1;
    if (send_rows(w, page, err) == 0)
        return 0;
    if (err->kind != ERR_REJECT)
        return -1;
    *ret_class = DEAD_TOO_LARGE; /* the client takes less than the topic */
    *why = *err;
    return 1;
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

/* Would the page's bad documents be a flood? They are counted before the first of them is sent. */
static bool floods(struct publisher *w, const struct page *page, const struct envelope *envelope,
                   const struct flood *flood, int64_t limit)
{
    size_t bad = 0;
    enum dead_class class;

    struct scan_iter it = scan_open(envelope->list);
    while (scan_next(&it))
        bad += transform_document(w->mapper, page->route, w->rows_max_bytes, it.value, &w->mapped, &class,
                                  NULL) != 0;
    return flood_exceeds(flood, envelope->documents - bad, bad, limit);
}

static int take_documents(struct publisher *w, struct page *page, const struct envelope *envelope,
                          const struct flood *flood, int64_t limit, struct err *err)
{
    struct scan_iter it = scan_open(envelope->list);
    bool judged = false;

    while (scan_next(&it)) {
        enum dead_class class;
        struct err why = ERR_INIT;
        int rc = take_document(w, page, it.value, &class, &why, err);
        if (rc == 0)
            continue;
        if (rc < 0)
            return -1;
        char *key =
            w->mapped.key.len > 0 ? mem_strdup(w->mapped.key.data) : NULL; /* counting maps the others */
        rc = !judged && floods(w, page, envelope, flood, limit)
                 ? 1
                 : send_dead(w, page, it.value, key, class, why.text, err);
        free(key);
        judged = true;
        if (rc != 0)
            return rc;
    }
    return 0;
}

int page_publish(struct publisher *w, struct page *page, struct flood *flood, int64_t flood_limit,
                 struct err *err)
{
    const struct pipeline *p = page->route->pipeline;
    struct raw_message raw;
    struct envelope envelope;
    struct err why = ERR_INIT;
    struct span whole = {.at = page->record.value, .len = page->record.value_len};
    int rc;

    page->first_ticket = w->tickets + 1;
    if (raw_message_read(&page->record, p->name, &raw, &why) != 0 ||
        read_envelope(p, whole, &envelope, &why) != 0) {
        if (flood_exceeds(flood, 0, 1, flood_limit))
            return 1;
        page->foreign = true;
        rc = send_dead(w, page, whole, NULL, DEAD_PARSE, why.text, err);
    } else {
        rc = envelope.documents > 0 ? take_documents(w, page, &envelope, flood, flood_limit, err) : 0;
    }
    if (rc != 0)
        return rc;
    size_t bad = 0;
    for (int c = 0; c <= DEAD_TOO_LARGE; c++)
        bad += (size_t)page->dead[c];
    flood_add(flood, (size_t)page->documents, bad);
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
int page_refused(struct publisher *w, struct page *pages, size_t count, const struct sink_failure *failure,
                 struct err *err)
{
    for (size_t i = count; i > 0; i--) {
        struct page *page = &pages[i - 1];
        struct span document;
        enum dead_class class;
        if (failure->ticket < page->first_ticket)
            continue;
        if (page->foreign || !find_document(page, failure->ticket, &document))
            break;
        if (transform_document(w->mapper, page->route, w->rows_max_bytes, document, &w->mapped, &class,
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

void page_count(const struct page *page)
{
    const char *name = page->route->pipeline->name;

    metric_add(metric_get(&pages_family, name, NULL), 1);
    metric_add(metric_get(&documents_family, name, NULL), (double)page->documents);
    metric_add(metric_get(&rows_family, name, NULL), (double)page->rows);
    for (int c = 0; c <= DEAD_TOO_LARGE; c++)
        for (int64_t i = 0; i < page->dead[c]; i++)
            dead_count(name, stage, (enum dead_class)c);
}
