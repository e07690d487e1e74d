#include "transformer/page_refused.h"

#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/wire/envelope.h"
#include "transformer/document.h"

/* The document with that index in the page. */
static bool find_document(const struct raw_page *page, const struct pipeline *p, size_t index,
                          struct span *ret)
{
    struct envelope envelope;

    if (envelope_read(page->record.value, page->record.value_len, p->list, &envelope, NULL) != 0)
        return false;
    struct scan_iter it = scan_open(envelope.list);
    while (scan_next(&it))
        if (index-- == 0) {
            *ret = it.value;
            return true;
        }
    return false;
}

static int send_foreign_bare(struct page_sender *w, struct raw_page *page, struct err *err)
{
    struct failed f = {.value = {.at = page->record.value, .len = page->record.value_len},
                       .class = DEAD_PARSE,
                       .why = "not a page of documents"};

    return send_dead_bare(w, page, &f, err);
}

/* Send a dead letter in place of the refused message. The document is mapped again, since its rows were not
 * kept. If it maps, its rows were too large for the topic; if not, the reason is the same as the first time.
 */
static int send_in_place(struct page_sender *w, struct raw_page *page, struct failed *f,
                         enum message_kind refused, const char *text, struct err *err)
{
    struct err why = ERR_INIT;
    int rc;

    if (transform_document(w->mapper, page_route(w, page), w->rows_max_bytes, f->value, &w->mapped, &f->class,
                           &why) == 0) {
        f->class = DEAD_TOO_LARGE;
        err_set(&why, ERR_REJECT, 0, "%s", text);
    }
    char *key = w->mapped.key.len > 0 ? mem_strdup(w->mapped.key.data) : NULL;
    f->key = key;
    f->why = why.text;
    if (refused == MESSAGE_ROWS) {
        page->documents--;
        page->rows -= w->mapped.rows;
        rc = send_dead(w, page, f, err);
    } else {
        rc = send_dead_bare(w, page, f, err);
    }
    free(key);
    return rc;
}

int page_refused(struct page_sender *w, struct raw_page *page, const struct sink_failure *failure,
                 struct err *err)
{
    enum message_kind refused = kind_of_ticket(failure->ticket);
    struct failed f = {.index = index_of_ticket(failure->ticket)};
    const struct route *route = page_route(w, page);
    int rc;

    if (refused != MESSAGE_BARE && page->foreign)
        rc = send_foreign_bare(w, page, err);
    else if (refused != MESSAGE_BARE && find_document(page, route->pipeline, f.index, &f.value))
        rc = send_in_place(w, page, &f, refused, failure->text, err);
    else
        return err_set(err, ERR_FATAL, 0,
                       "topic %s takes not even the headers of a dead letter: raise its max.message.bytes",
                       route->dead);
    acks_go_on(&w->acks);
    page->outstanding--; /* the refused message will not be acknowledged */
    return rc;
}
