#include "transformer/raw_page.h"

#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/wire/envelope.h"
#include "transformer/document.h"

/* Map and queue one document. 1: it is bad and nothing is queued; *ret_class and *why say why. */
static int take_document(struct page_sender *w, struct raw_page *page, struct span document, size_t index,
                         enum dead_class *ret_class, struct err *why, struct err *err)
{
    if (transform_document(w->mapper, page_route(w, page), w->rows_max_bytes, document, &w->mapped, ret_class,
                           why) != 0)
        return 1;
    if (send_rows(w, page, index, err) == 0)
        return 0;
    if (err->kind != ERR_REJECT)
        return -1;
    *ret_class = DEAD_TOO_LARGE; /* the client's limit is below the topic's */
    *why = *err;
    return 1;
}

/* Read a page of the kind that the extractor publishes: with code 0, and with the list of documents. */
static int read_envelope(const struct pipeline *p, struct span page, struct envelope *ret, struct err *err)
{
    if (envelope_read(page.at, page.len, p->list, ret, err) != 0)
        return -1;
    if (ret->code != 0)
        return err_set(err, ERR_REJECT, 0, "the answer has code %lld: it is not a page",
                       (long long)ret->code);
    if (!ret->has_list)
        return err_set(err, ERR_REJECT, 0, "the answer has no list of documents%s%s",
                       p->list != NULL ? " named " : "", p->list != NULL ? p->list : "");
    return 0;
}

/* Would the page's bad documents be a flood? Counts all of them, before the first dead letter is sent. */
static bool is_flood(struct page_sender *w, const struct raw_page *page, const struct envelope *envelope,
                     const struct flood *flood)
{
    size_t bad = 0;
    enum dead_class class;

    struct scan_iter it = scan_open(envelope->list);
    while (scan_next(&it))
        bad += transform_document(w->mapper, page_route(w, page), w->rows_max_bytes, it.value, &w->mapped,
                                  &class, NULL) != 0;
    return flood_exceeds(flood, envelope->documents - bad, bad, w->flood_limit);
}

static enum page_result take_documents(struct page_sender *w, struct raw_page *page,
                                       const struct envelope *envelope, const struct flood *flood,
                                       struct err *err)
{
    struct scan_iter it = scan_open(envelope->list);
    bool judged = false;

    for (size_t index = 0; scan_next(&it); index++) {
        struct failed f = {.value = it.value, .index = index};
        struct err why = ERR_INIT;
        int rc = take_document(w, page, it.value, index, &f.class, &why, err);
        if (rc == 0)
            continue;
        if (rc < 0)
            return PAGE_FAILED;
        char *key = w->mapped.key.len > 0 ? mem_strdup(w->mapped.key.data)
                                          : NULL; /* copied: is_flood() maps the other documents */
        f.key = key;
        f.why = why.text;
        enum page_result result = PAGE_PUBLISHED;
        if (!judged && is_flood(w, page, envelope, flood))
            result = PAGE_FLOOD;
        else if (send_dead(w, page, &f, err) != 0)
            result = PAGE_FAILED;
        free(key);
        judged = true;
        if (result != PAGE_PUBLISHED)
            return result;
    }
    return PAGE_PUBLISHED;
}

/* A record that is not a page of documents becomes one dead letter, whole. */
static enum page_result take_foreign(struct page_sender *w, struct raw_page *page, const struct flood *flood,
                                     const char *why, struct err *err)
{
    struct failed f = {
        .value = {.at = page->record.value, .len = page->record.value_len}, .class = DEAD_PARSE, .why = why};

    if (flood_exceeds(flood, 0, 1, w->flood_limit))
        return PAGE_FLOOD;
    page->foreign = true;
    return send_dead(w, page, &f, err) == 0 ? PAGE_PUBLISHED : PAGE_FAILED;
}

static size_t dead_letters(const struct raw_page *page)
{
    size_t n = 0;

    for (int c = 0; c <= DEAD_TOO_LARGE; c++)
        n += (size_t)page->dead[c];
    return n;
}

enum page_result page_publish(struct page_sender *w, struct raw_page *page, struct flood *flood,
                              struct err *err)
{
    const struct pipeline *p = page_route(w, page)->pipeline;
    struct span whole = {.at = page->record.value, .len = page->record.value_len};
    struct raw_message raw;
    struct envelope envelope;
    struct err why = ERR_INIT;
    enum page_result result;

    if (raw_message_read(&page->record, p->name, &raw, &why) != 0 ||
        read_envelope(p, whole, &envelope, &why) != 0)
        result = take_foreign(w, page, flood, why.text, err);
    else
        result = envelope.documents > 0 ? take_documents(w, page, &envelope, flood, err) : PAGE_PUBLISHED;
    acks_go_on(&w->acks);
    if (result != PAGE_PUBLISHED)
        return result;
    page->published = true;
    flood_add(flood, (size_t)page->documents, dead_letters(page));
    return PAGE_PUBLISHED;
}
