/* One pipeline's file: the top level, and where broken JSON is broken. */
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/pipeline/parse.h"

enum { NAME_MAX_LEN = 63 };

static void read_name(struct reader *r, const struct node *n)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    const char *text;

    if (!read_text(r, n, &text))
        return;
    if (strspn(text, letters) != strlen(text) || strlen(text) > NAME_MAX_LEN || text[0] == '_' ||
        text[0] == '-')
        read_error(r, n, "\"%s\": at most %d of a-z, 0-9, _ and - are expected, with a letter or digit first",
                   text, NAME_MAX_LEN);
    else
        r->p->name = mem_strdup(text);
}

static void read_title(struct reader *r, const struct node *n)
{
    if (json_type(n->v) != JSON_STRING) {
        read_error(r, n, "a text is expected");
        return;
    }
    free(r->p->title);
    r->p->title = mem_strdup(json_text(n->v));
}

static void read_quality(struct reader *r, const struct node *n)
{
    if (!node_empty(n))
        read_unsupported(r, n, UNSUPPORTED_QUALITY);
}

/* In this order, since columns need the source's array, and windows the endpoint. */
static const struct member_spec top_specs[] = {
    {"name", read_name},
    {"title", read_title},
    {"source", read_source},
    {"options", read_options},
    {"target", read_target},
    {"schedule", read_schedule},
    {"error_handling", read_error_handling},
    {"retry_count", read_retry_count},
    {"retry_interval", read_retry_interval},
    {"log_errors", read_log_errors},
    {"notify_on_failure", read_notify_on_failure},
    {"quality", read_quality},
};

/* Is it there, and an object? */
static bool section_present(struct reader *r, const struct node *root, const char *name, const char *what)
{
    struct node n = node_member(root, name);

    if (!node_given(&n))
        read_error(r, &n, "missing: %s", what);
    return json_type(n.v) == JSON_OBJECT;
}

static void read_top(struct reader *r, const struct node *root)
{
    READ_OBJECT(r, root, top_specs, UNKNOWN_ERROR);
    if (json_type(root->v) != JSON_OBJECT)
        return;
    section_present(r, root, "name", "the pipeline's name, of which topics and metrics are made");
    bool source = section_present(r, root, "source", "what is read");
    bool target = section_present(r, root, "target", "what is written");
    if (source && r->p->api != NULL)
        source_finish(r);
    if (target)
        target_finish(r);
    if (source && target) {
        options_finish(r);
        writing_finish(r);
    }
    struct node schedule = node_member(root, "schedule");
    struct node crontab = node_member(&schedule, "crontab");
    schedule_finish(r,
                    node_given(&crontab) || (node_given(&schedule) && json_type(schedule.v) != JSON_OBJECT));
}

/* json_parse says "byte 123: what". Returns what, or NULL when it says something else. */
static const char *error_position(const char *error, size_t *ret_at)
{
    static const char head[] = "byte ";
    const char *colon = strstr(error, ": ");
    int64_t at = -1;

    if (strncmp(error, head, strlen(head)) != 0 || colon == NULL)
        return NULL;
    char *digits = mem_strndup(error + strlen(head), (size_t)(colon - error) - strlen(head));
    bool good = parse_int64(digits, &at) == 0 && at >= 0;
    free(digits);
    *ret_at = (size_t)at;
    return good ? colon + 2 : NULL;
}

/* People look for lines and columns. */
static void broken_json(struct reader *r, const struct err *err)
{
    size_t at = 0;
    const char *what = error_position(err->text, &at);
    char *place = what != NULL ? text_place(r, at) : mem_strdup(r->file);

    fault_add(r->faults, FAULT_ERROR, place, "%s", what != NULL ? what : err->text);
    free(place);
}

/* Faults that are found later, by others, name the same places. */
static void keep_places(struct reader *r)
{
    struct node name = node_at(r, "name");
    struct node request = node_at(r, "source.request");
    struct node remedy = node_at(r, "source.omissionRemedy");
    struct node table_of = node_at(r, "options.table_of");

    r->p->name_place = node_place(r, &name);
    r->p->request_place = node_place(r, &request);
    r->p->sweep_place = node_place(r, &remedy);
    r->p->table_place = node_place(r, r->has_main_sql ? &r->main_sql_at : &r->root);
    r->p->table_of_place = node_place(r, &table_of);
}

struct pipeline *pipeline_parse(const char *file, const char *text, size_t len, struct faults *faults)
{
    struct reader r = {.file = file, .text = text, .len = len, .faults = faults, .doc = json_doc_new()};
    size_t errors = faults->errors;
    struct err err = ERR_INIT;
    const struct json_value *root;

    r.p = mem_zalloc(1, sizeof *r.p);
    r.p->file = mem_strdup(file);
    options_defaults(r.p);
    if (json_parse(r.doc, text, len, &root, &err) == 0) {
        r.root = node_root(root);
        read_top(&r, &r.root);
        keep_places(&r);
    } else {
        broken_json(&r, &err);
    }
    names_free(&r.source_id);
    names_free(&r.sql_columns);
    names_free(&r.sql_updates);
    json_doc_free(r.doc);
    if (faults->errors > errors) {
        pipeline_free(r.p);
        return NULL;
    }
    return r.p;
}
