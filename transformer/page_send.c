#include "transformer/page_send.h"

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/wire/dead.h"

/* ---- tickets: the page, the document's place in it, what kind of message ---- */

enum { KIND_BITS = 2, INDEX_BITS = 24 };

static uint64_t make_ticket(const struct raw_page *page, size_t index, enum message_kind kind)
{
    return page->id << (KIND_BITS + INDEX_BITS) | (uint64_t)index << KIND_BITS | (uint64_t)kind;
}

uint64_t page_of_ticket(uint64_t ticket)
{
    return ticket >> (KIND_BITS + INDEX_BITS);
}

size_t index_of_ticket(uint64_t ticket)
{
    return (size_t)(ticket >> KIND_BITS) & ((1U << INDEX_BITS) - 1);
}

enum message_kind kind_of_ticket(uint64_t ticket)
{
    return (enum message_kind)(ticket & ((1U << KIND_BITS) - 1));
}

/* ---- messages ---- */

const struct route *page_route(const struct page_sender *w, const struct raw_page *page)
{
    return &w->routes->list[page->route];
}

static int send_letter(struct page_sender *w, struct raw_page *page, const struct failed *f,
                       enum message_kind kind, struct err *err)
{
    const struct route *route = page_route(w, page);
    struct dead_letter dead = {
        .stage = TRANSFORMER_STAGE, .class = f->class, .text = f->why, .failed_at_ms = w->now_ms()};
    struct dead_value value = {.key = f->key,
                               .value = f->value.at,
                               .value_len = f->value.len,
                               .ticket = make_ticket(page, f->index, kind)};
    int (*send)(struct sink *, const char *, const struct record *, const struct dead_value *,
                const struct dead_letter *, struct err *) =
        kind == MESSAGE_BARE ? dead_send_without_value : dead_send;

    page->outstanding++; /* counted first: acknowledgements are served while this message waits for room */
    while (send(w->acks.out, route->dead, &page->record, &value, &dead, err) != 0) {
        if (acks_room(&w->acks, err) == 0)
            continue;
        page->outstanding--;
        return err->kind == ERR_REJECT
                   ? err_set(err, ERR_FATAL, 0,
                             "topic %s takes not even the headers of a dead letter: raise its "
                             "max.message.bytes",
                             route->dead)
                   : -1;
    }
    return 0;
}

int send_dead(struct page_sender *w, struct raw_page *page, const struct failed *f, struct err *err)
{
    if (send_letter(w, page, f, MESSAGE_DEAD, err) != 0)
        return -1;
    page->dead[f->class]++;
    log_warn("%s: dead letter from %s/%d/%lld: %s: %s", page_route(w, page)->pipeline->name,
             page->record.topic, page->record.partition, (long long)page->record.offset,
             dead_class_name(f->class), f->why);
    return 0;
}

int send_dead_bare(struct page_sender *w, struct raw_page *page, const struct failed *f, struct err *err)
{
    return send_letter(w, page, f, MESSAGE_BARE, err);
}

static void rows_headers(const struct raw_page *page, const struct route *route, const struct mapped *m,
                         struct header_set *ret)
{
    const struct record *r = &page->record;

    headers_init(ret);
    headers_put(ret, H_PIPELINE, route->pipeline->name);
    headers_put(ret, H_DOCUMENT, m->key.data);
    headers_put(ret, H_VERSION, m->version.data);
    headers_printf(ret, H_ROWS, "%lld", (long long)m->rows);
    headers_printf(ret, H_SOURCE, "%s/%d/%lld", r->topic, r->partition, (long long)r->offset);
    headers_put(ret, H_RECEIVED_AT, record_header(r, H_FETCHED_AT)); /* not the broker's clock */
}

int send_rows(struct page_sender *w, struct raw_page *page, size_t index, struct err *err)
{
    const struct route *route = page_route(w, page);
    const struct mapped *m = &w->mapped;
    struct header_set headers;

    rows_headers(page, route, m, &headers);
    struct message message = {
        .topic = route->rows,
        .key = m->key.data,
        .key_len = m->key.len,
        .value = m->value.data,
        .value_len = m->value.len,
        .headers = headers.list,
        .header_count = headers.count,
        .ticket = make_ticket(page, index, MESSAGE_ROWS),
    };
    int rc;
    page->outstanding++;
    while ((rc = sink_send(w->acks.out, &message, err)) != 0)
        if (acks_room(&w->acks, err) != 0)
            break;
    headers_free(&headers);
    if (rc != 0) {
        page->outstanding--;
        return -1;
    }
    page->documents++;
    page->rows += m->rows;
    return 0;
}
