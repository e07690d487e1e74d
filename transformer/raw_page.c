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

/* Which one it is, for the flood: by its id and version, or by its text where the id could not be read. */
static uint64_t name_document(const struct mapped *m, struct span text)
{
    return m->key.len > 0 ? flood_document(m->key.data, m->key.len, m->version.data)
                          : flood_document(text.at, text.len, "");
}

/* Would the page's bad documents be a flood? Looks at all of them, before the first dead letter is sent. */
static bool is_flood(struct page_sender *w, const struct raw_page *page, const struct envelope *envelope,
                     const struct flood *flood)
{
    struct flood then = *flood;
    bool run = false;
    enum dead_class class;

    struct scan_iter it = scan_open(envelope->list);
    while (scan_next(&it)) {
        if (transform_document(w->mapper, page_route(w, page), w->rows_max_bytes, it.value, &w->mapped,
                               &class, NULL) == 0)
            flood_add(&then, 1, 0);
        else
            flood_add_bad(&then, name_document(&w->mapped, it.value));
        run = run || (flood_run(&then) >= FLOOD_RUN && flood_reached(&then, w->flood_limit));
    }
    return run || flood_reached(&then, w->flood_limit);
}

/* Send the bad document's dead letter. before: the flood as it was before the page, to be asked first, since
 * the first bad document decides for all of them; NULL: it was. */
static enum page_result take_bad_document(struct page_sender *w, struct raw_page *page,
                                          const struct envelope *envelope, const struct flood *before,
                                          struct failed *f, struct err *err)
{
    const struct mapped *m = &w->mapped;
    char *key = m->key.len > 0 ? mem_strdup(m->key.data) : NULL; /* is_flood() maps other documents */
    enum page_result result = PAGE_PUBLISHED;

    f->key = key;
    if (before != NULL)
        flood_first_set(&w->first, key, m->fault.column, m->fault.value, m->fault.len, f->why);
    if (before != NULL && is_flood(w, page, envelope, before))
        result = PAGE_FLOOD;
    else if (send_dead(w, page, f, err) != 0)
        result = PAGE_FAILED;
    free(key);
    return result;
}

static enum page_result take_documents(struct page_sender *w, struct raw_page *page,
                                       const struct envelope *envelope, struct flood *flood, struct err *err)
{
    struct scan_iter it = scan_open(envelope->list);
    struct flood then = *flood; /* it stays as it is unless all of the page is queued */
    bool judged = false;

    for (size_t index = 0; scan_next(&it); index++) {
        struct failed f = {.value = it.value, .index = index};
        struct err why = ERR_INIT;
        int rc = take_document(w, page, it.value, index, &f.class, &why, err);
        if (rc < 0)
            return PAGE_FAILED;
        if (rc == 0) {
            flood_add(&then, 1, 0);
            continue;
        }
        f.why = why.text;
        flood_add_bad(&then, name_document(&w->mapped, it.value));
        enum page_result result = take_bad_document(w, page, envelope, judged ? NULL : flood, &f, err);
        if (result != PAGE_PUBLISHED)
            return result;
        judged = true;
    }
    *flood = then;
    return PAGE_PUBLISHED;
}

/* A record that is not a page of documents becomes one dead letter, whole. */
static enum page_result take_foreign(struct page_sender *w, struct raw_page *page, struct flood *flood,
                                     const char *why, struct err *err)
{
    struct failed f = {
        .value = {.at = page->record.value, .len = page->record.value_len}, .class = DEAD_PARSE, .why = why};
    struct flood then = *flood;

    flood_add_bad(&then, flood_document(f.value.at, f.value.len, ""));
    flood_first_set(&w->first, NULL, NULL, NULL, 0, why);
    if (flood_reached(&then, w->flood_limit))
        return PAGE_FLOOD;
    page->foreign = true;
    if (send_dead(w, page, &f, err) != 0)
        return PAGE_FAILED;
    *flood = then;
    return PAGE_PUBLISHED;
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
    return PAGE_PUBLISHED;
}
