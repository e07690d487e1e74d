/* What the transformer would make of a page: its envelope, its documents, their rows. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/skeleton/app.h"
#include "common/wire/envelope.h"
#include "common/wire/routes.h"
#include "jstctl/listing.h"
#include "jstctl/verbs.h"
#include "transformer/document.h"

enum { PAGE_MAX_BYTES = 256 * 1024 * 1024 };

struct preview {
    bool json;
    FILE *out;
    const struct route *route;
    size_t rows_max_bytes;
    struct mapper *mapper;
    struct mapped mapped; /* of the document in hand */
    size_t documents;     /* on the page */
    size_t number;        /* of the document in hand, from 1 */
    size_t fine, dead;
    int64_t rows;
};

/* ---- rows ---- */

static void print_row(struct span row, FILE *out)
{
    struct scan_iter it = scan_open(row);
    size_t width = 0;

    while (scan_next(&it)) {
        size_t own = text_width(it.key.at, it.key.len);
        width = own > width ? own : width;
    }
    for (it = scan_open(row); scan_next(&it);) {
        char *value = mem_strndup(it.value.at, it.value.len);
        fputs("    ", out);
        print_padded(it.key.at, it.key.len, width, out);
        fputs(" = ", out);
        print_plain(value, out);
        fputc('\n', out);
        free(value);
    }
}

/* The next line of NDJSON; false at the end. */
static bool next_line(const struct buf *text, size_t *at, struct span *ret)
{
    const char *line = text->data + *at;
    const char *end = memchr(line, '\n', text->len - *at);

    if (end == NULL)
        return false;
    *ret = (struct span){.at = line, .len = (size_t)(end - line)};
    *at += ret->len + 1;
    return true;
}

static void print_rows(const struct preview *v)
{
    const struct mapped *m = &v->mapped;
    struct span row;
    size_t at = 0;

    fprintf(v->out, "%sdocument %zu of %zu: ", v->number > 1 ? "\n" : "", v->number, v->documents);
    print_plain(m->key.data, v->out);
    if (m->version.len > 0) {
        fputs(", version ", v->out);
        print_plain(m->version.data, v->out);
    }
    fprintf(v->out, ", %lld row%s\n", (long long)m->rows, m->rows == 1 ? "" : "s");
    for (int64_t n = 1; next_line(&m->value, &at, &row); n++) {
        fprintf(v->out, "  row %lld of %lld\n", (long long)n, (long long)m->rows);
        print_row(row, v->out);
    }
}

static void print_rows_json(const struct preview *v)
{
    const struct mapped *m = &v->mapped;
    struct span row;
    size_t at = 0;

    fputs("{\"document\":", v->out);
    print_json(m->key.data, v->out);
    fputs(",\"version\":", v->out);
    print_json(m->version.len > 0 ? m->version.data : NULL, v->out);
    fputs(",\"rows\":[", v->out);
    while (next_line(&m->value, &at, &row)) {
        if (row.at != m->value.data)
            fputc(',', v->out);
        fwrite(row.at, 1, row.len, v->out);
    }
    fputs("]}\n", v->out);
}

/* ---- dead letters ---- */

/* key NULL: it could not be read. */
static void print_dead(struct preview *v, const char *key, enum dead_class class, const char *why)
{
    v->dead++;
    if (v->json) {
        fputs("{\"document\":", v->out);
        print_json(key, v->out);
        fprintf(v->out, ",\"dead\":{\"class\":\"%s\",\"text\":", dead_class_name(class));
        print_json(why, v->out);
        fputs("}}\n", v->out);
        return;
    }
    if (v->number == 0)
        fputs("the whole page", v->out);
    else
        fprintf(v->out, "%sdocument %zu of %zu", v->number > 1 ? "\n" : "", v->number, v->documents);
    if (key != NULL) {
        fputs(": ", v->out);
        print_plain(key, v->out);
    }
    fprintf(v->out, ": a dead letter, class %s: ", dead_class_name(class));
    print_plain(why, v->out);
    fputc('\n', v->out);
}

/* ---- the page ---- */

static void take_document(struct preview *v, struct span document)
{
    enum dead_class class;
    struct err why = ERR_INIT;
    struct mapped *m = &v->mapped;

    v->number++;
    if (transform_document(v->mapper, v->route, v->rows_max_bytes, document, m, &class, &why) != 0) {
        print_dead(v, m->key.len > 0 ? m->key.data : NULL, class, why.text);
        return;
    }
    v->fine++;
    v->rows += m->rows;
    if (v->json)
        print_rows_json(v);
    else
        print_rows(v);
}

static void print_summary(const struct preview *v)
{
    fprintf(v->out, "\n%zu document%s: %zu with %lld row%s", v->documents, v->documents == 1 ? "" : "s",
            v->fine, (long long)v->rows, v->rows == 1 ? "" : "s");
    if (v->dead > 0)
        fprintf(v->out, ", %zu dead letter%s", v->dead, v->dead == 1 ? "" : "s");
    fputc('\n', v->out);
}

/* A page that the extractor would not publish, or that looks as if the pipeline did not fit it. */
static int print_odd_page(const struct preview *v, const struct envelope *e)
{
    const char *list = v->route->pipeline->list;
    struct buf text;

    buf_init(&text, 4096);
    if (e->code != 0)
        buf_printf(&text, "the API answers with code %lld (%s): such a page is not published",
                   (long long)e->code, e->msg);
    else
        buf_printf(&text, "the page has no list%s%s: is the pipeline's option `list` right?",
                   list != NULL ? " " : " of documents", list != NULL ? list : "");
    if (v->json) {
        fprintf(v->out, "{\"page\":{\"code\":%lld,\"text\":", (long long)e->code);
        print_json(text.data, v->out);
        fputs("}}\n", v->out);
    } else {
        print_plain(text.data, v->out);
        fputc('\n', v->out);
    }
    buf_free(&text);
    return EXIT_FOUND;
}

static int preview_page(struct preview *v, const char *body, size_t len)
{
    struct envelope e;
    struct err why = ERR_INIT;

    if (envelope_read(body, len, v->route->pipeline->list, &e, &why) != 0) {
        print_dead(v, NULL, DEAD_PARSE, why.text);
        return EXIT_FOUND;
    }
    if (e.code != 0 || !e.has_list)
        return print_odd_page(v, &e);
    v->documents = e.documents;
    if (e.documents == 0 && !v->json)
        fputs("the page holds no documents: such a page is not published\n", v->out);
    if (e.documents == 0)
        return EXIT_DONE;
    struct scan_iter it = scan_open(e.list);
    while (scan_next(&it))
        take_document(v, it.value);
    if (!v->json)
        print_summary(v);
    return v->dead > 0 ? EXIT_FOUND : EXIT_DONE;
}

static int read_page(const char *path, char **ret, size_t *ret_len, struct err *err)
{
    bool standard = strcmp(path, "-") == 0;
    int rc = standard ? file_read_open(STDIN_FILENO, PAGE_MAX_BYTES, ret, ret_len, err)
                      : file_read(path, PAGE_MAX_BYTES, ret, ret_len, err);

    return rc == 0 ? 0 : err_prefix(err, "%s", standard ? "standard input" : path);
}

static const struct route *route_of(const struct routes *routes, const struct pipeline *p)
{
    const struct route *route = routes->list;

    while (route->pipeline != p)
        route++;
    return route;
}

int preview_run(const struct call *call, struct err *err)
{
    const struct app *app = call->app;
    const struct pipeline *p = verb_pipeline(call, call->args[0], err);
    struct routes routes;
    char *body;
    size_t len;

    if (p == NULL || read_page(call->args[1], &body, &len, err) != 0)
        return -1;
    routes_init(&routes, app->pipelines, app->topics);
    struct preview v = {
        .json = call->json,
        .out = call->out,
        .route = route_of(&routes, p),
        .rows_max_bytes = topic_max_bytes(app->topics, TOPIC_ROWS),
        .mapper = mapper_new(),
    };
    mapped_init(&v.mapped);
    int code = preview_page(&v, body, len);
    mapped_free(&v.mapped);
    mapper_free(v.mapper);
    routes_free(&routes);
    free(body);
    return code;
}
