/* What the source as a whole has to satisfy: the page size, and the fields of its time window. */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pipeline/parse.h"

enum { PAGE_SIZE_DEFAULT = 50 };

static void settle_page_size(struct reader *r)
{
    int64_t most = r->endpoint != NULL && r->endpoint->page_size_max > 0 ? r->endpoint->page_size_max
                                                                         : PAGE_SIZE_UNKNOWN_MAX;
    int64_t size = r->asked_page_size > 0 ? r->asked_page_size : r->pagination_size;
    struct node at = r->asked_page_size > 0 ? r->page_size_at : node_at(r, "source.pagination.pageSize");

    if (r->asked_page_size > 0 && r->pagination_size > 0 && r->asked_page_size != r->pagination_size)
        read_warning_at(r, "source.pagination.pageSize", "%lld is not followed: the request asks for %lld",
                        (long long)r->pagination_size, (long long)r->asked_page_size);
    if (size > most)
        read_warning(r, &at, "%lld is not followed: the page size is at most %lld here", (long long)size,
                     (long long)most);
    if (size == 0)
        size = PAGE_SIZE_DEFAULT;
    r->p->page_size = size < most ? size : most;
}

/* ---- window fields ---- */

static const struct request_field *find_field(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->count; i++)
        if (strcmp(request->fields[i].name, name) == 0)
            return &request->fields[i];
    return NULL;
}

/* The field whose value names this variable: where an endpoint is not listed, that shows its window. */
static const char *field_with(const struct request *request, const char *variable)
{
    for (size_t i = 0; i < request->count; i++) {
        const struct template *t = &request->fields[i].value;
        for (size_t k = 0; k < t->count; k++)
            if (t->parts[k].placeholder && strcmp(t->parts[k].text, variable) == 0)
                return request->fields[i].name;
    }
    return NULL;
}

static void name_window_fields(struct reader *r)
{
    const struct request *request = &r->p->request;
    const char *begin = "modified_begin", *end = "modified_end";

    if (r->endpoint != NULL) {
        begin = r->endpoint->window_begin;
        end = r->endpoint->window_end;
    } else if (find_field(request, begin) == NULL && find_field(request, end) == NULL) {
        const char *since = field_with(request, "LAST_SYNC_TIME");
        const char *until = field_with(request, "CURRENT_TIME");
        begin = since != NULL ? since : begin;
        end = until != NULL ? until : end;
    }
    r->p->window_begin = begin != NULL ? mem_strdup(begin) : NULL;
    r->p->window_end = end != NULL ? mem_strdup(end) : NULL;
}

static void add_window_field(struct reader *r, const char *name, const char *value)
{
    struct request *request = &r->p->request;
    struct template t = {0};

    if (template_parse(value, &t, NULL) != 0)
        return;
    request->fields = mem_grow(request->fields, &r->request_cap, request->count, sizeof *request->fields);
    request->fields[request->count++] =
        (struct request_field){.name = mem_strdup(name), .type = mem_strdup("string"), .value = t};
}

/* The window moves with the checkpoint: what stands there is a sign, not a value to send. */
static void check_window_value(struct reader *r, const struct request_field *f)
{
    bool moves = false;

    for (size_t i = 0; i < f->value.count; i++)
        moves = moves || f->value.parts[i].placeholder;
    if (!moves)
        read_warning_at(r, "source.request", "the value of %s is not used: the window follows the checkpoint",
                        f->name);
}

static void settle_window(struct reader *r)
{
    const struct pipeline *p = r->p;
    const struct request_field *begin = find_field(&p->request, p->window_begin);
    const struct request_field *end = find_field(&p->request, p->window_end);

    if (begin != NULL && end != NULL) {
        check_window_value(r, begin);
        check_window_value(r, end);
    } else if (begin != NULL || end != NULL) {
        read_error_at(r, "source.request", "%s is given without %s: the API needs both",
                      begin != NULL ? p->window_begin : p->window_end,
                      begin != NULL ? p->window_end : p->window_begin);
    } else if (r->endpoint == NULL) {
        read_error_at(r, "source.request",
                      "the fields of the time window are missing: add %s = {{LAST_SYNC_TIME|datetime}} and "
                      "%s = {{CURRENT_TIME|datetime}}, by the names that this endpoint has for them",
                      p->window_begin, p->window_end);
    } else {
        read_warning_at(r, "source.request",
                        "%s and %s are added, since this endpoint is asked by time windows", p->window_begin,
                        p->window_end);
        add_window_field(r, p->window_begin, "{{LAST_SYNC_TIME|datetime}}");
        add_window_field(r, p->window_end, "{{CURRENT_TIME|datetime}}");
    }
}

void source_finish(struct reader *r)
{
    settle_page_size(r);
    name_window_fields(r);
    if (r->p->window_begin != NULL) {
        settle_window(r);
        return;
    }
    struct node api = node_at(r, "source.api");
    read_unsupported(r, &api, UNSUPPORTED_NO_WINDOW);
}
