/* The source: which endpoint is asked for what, and what of a document becomes rows. */
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/pipeline/parse.h"

enum { PAGE_SIZE_ASKED_MAX = 1000000, DAYS_AGO_MAX = 36500 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- templates of request fields ---- */

static const char *const filters[] = {"datetime", "date", "timestamp", "timestamp_ms"};
static const char *const variables[] = {"LAST_SYNC_TIME", "CURRENT_TIME", "DAYS_AGO_1",
                                        "PAGINATION_START_PAGE", "PAGINATION_PAGE_SIZE"};

static bool in_list(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

bool request_variable(const char *name)
{
    static const char days[] = "DAYS_AGO_";
    int64_t n;
    size_t len = sizeof days - 1;

    if (strncmp(name, days, len) == 0)
        return parse_int64(name + len, &n) == 0 && n >= 0 && n <= DAYS_AGO_MAX;
    return in_list(name, variables, COUNT(variables));
}

static void check_request_template(struct reader *r, const struct node *at, const struct template *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct template_part *part = &t->parts[i];
        if (!part->placeholder)
            continue;
        if (!request_variable(part->text))
            read_unknown(r, at, "variable", part->text, variables, COUNT(variables));
        if (part->filter != NULL && !in_list(part->filter, filters, COUNT(filters)))
            read_unknown(r, at, "filter", part->filter, filters, COUNT(filters));
    }
}

/* ---- request fields ---- */

/* Names that case studies use for the paging fields. */
static const char *canonical_name(struct reader *r, const struct entry *entry)
{
    static const char *const spellings[][2] = {{"page", FIELD_PAGE_INDEX},
                                               {"pageIndex", FIELD_PAGE_INDEX},
                                               {"limit", FIELD_PAGE_SIZE},
                                               {"pageSize", FIELD_PAGE_SIZE}};

    for (size_t i = 0; i < COUNT(spellings); i++) {
        if (strcmp(entry->name, spellings[i][0]) == 0) {
            read_warning(r, &entry->at, "the API calls it %s, and so it is sent", spellings[i][1]);
            return spellings[i][1];
        }
    }
    return entry->name;
}

static const char *type_of_value(const struct node *value)
{
    switch (json_type(value->v)) {
    case JSON_NUMBER:
        return strpbrk(json_text(value->v), ".eE") != NULL ? "float" : "int";
    case JSON_TRUE:
    case JSON_FALSE:
        return "bool";
    case JSON_ARRAY:
        return "array";
    case JSON_OBJECT:
        return "object";
    case JSON_NULL:
    case JSON_STRING:
        break;
    }
    return "string";
}

/* The JSON text of a value that is not text itself; NULL for text, null and nothing. */
static char *json_of_value(struct reader *r, const struct node *value)
{
    const char *raw;
    size_t len;

    if (!node_given(value) || json_type(value->v) == JSON_STRING)
        return NULL;
    if (json_raw(r->doc, value->v, &raw, &len))
        return mem_strndup(raw, len);
    return mem_strdup(node_text(value));
}

static void note_page_size(struct reader *r, const struct request_field *f, const struct node *value)
{
    int64_t size;
    bool template = f->value.count > 0 && (f->value.count > 1 || f->value.parts[0].placeholder);

    if (strcmp(f->name, FIELD_PAGE_SIZE) != 0 || r->into != &r->p->request || template || node_empty(value))
        return;
    if (!read_int(r, value, 1, PAGE_SIZE_ASKED_MAX, &size))
        return;
    r->asked_page_size = size;
    r->page_size_at = *value;
}

static void add_request_field(struct reader *r, const struct entry *entry)
{
    const char *name = canonical_name(r, entry);
    struct request *into = r->into;
    struct template value = {0};
    struct err err = ERR_INIT;

    for (size_t i = 0; i < into->count; i++) {
        if (strcmp(into->fields[i].name, name) == 0) {
            read_error(r, &entry->at, "the field %s is given twice", name);
            return;
        }
    }
    if (json_type(entry->value.v) == JSON_STRING &&
        template_parse(json_text(entry->value.v), &value, &err) != 0) {
        read_error(r, &entry->value, "%s", err.text);
        return;
    }
    check_request_template(r, &entry->value, &value);
    into->fields = mem_grow(into->fields, r->into_cap, into->count, sizeof *into->fields);
    struct request_field *f = &into->fields[into->count++];
    *f = (struct request_field){
        .name = mem_strdup(name),
        .type = mem_strdup(entry->type != NULL ? entry->type : type_of_value(&entry->value)),
        .value = value,
        .json = json_of_value(r, &entry->value)};
    note_page_size(r, f, &entry->value);
}

static void read_request(struct reader *r, const struct node *n)
{
    r->into = &r->p->request;
    r->into_cap = &r->request_cap;
    read_entries(r, n, add_request_field);
}

/* ---- the other keys ---- */

static void read_api(struct reader *r, const struct node *n)
{
    const char *text;

    if (!read_text(r, n, &text))
        return;
    if (text[0] != '/' || strpbrk(text, " ?#") != NULL) {
        read_error(r, n, "\"%s\": a path like /open/purchasein/query is expected", text);
        return;
    }
    r->p->api = mem_strdup(text);
    r->endpoint = endpoint_find(text);
}

static void read_method(struct reader *r, const struct node *n)
{
    const char *text;

    if (read_text(r, n, &text) && strcasecmp(text, "POST") != 0)
        read_warning(r, n, "\"%s\" is not followed: the API takes POST only", text);
}

static void read_effect(struct reader *r, const struct node *n)
{
    const char *text;

    if (read_text(r, n, &text) && strcasecmp(text, "QUERY") != 0)
        read_warning(r, n, "\"%s\" is not followed: a source is a QUERY", text);
}

void read_id_check(struct reader *r, const struct node *n)
{
    bool check = false;

    if (read_bool(r, n, &check) && check)
        read_warning(r, n, "true is not followed: it would skip later changes of a record; write false");
}

static void read_id(struct reader *r, const struct node *n)
{
    if (!node_empty(n))
        read_names(r, n, &r->source_id);
}

static void read_page_size(struct reader *r, const struct node *n)
{
    read_int(r, n, 1, PAGE_SIZE_ASKED_MAX, &r->pagination_size);
}

static void read_pagination(struct reader *r, const struct node *n)
{
    static const struct member_spec specs[] = {{"pageSize", read_page_size}};

    if (!node_empty(n))
        READ_OBJECT(r, n, specs, UNKNOWN_WARN);
}

static void read_beat_flat(struct reader *r, const struct node *n)
{
    struct name_list names = {0};

    if (node_empty(n) || !read_names(r, n, &names))
        return;
    if (names.count > 1)
        read_unsupported(r, n, UNSUPPORTED_SEVERAL_ARRAYS);
    if (strchr(names.names[0], '.') != NULL)
        read_error(r, n, "\"%s\": the name of an array of the document is expected", names.names[0]);
    else
        r->p->flatten = mem_strdup(names.names[0]);
    names_free(&names);
}

static void read_condition(struct reader *r, const struct node *n)
{
    if (!node_empty(n))
        read_unsupported(r, n, UNSUPPORTED_CONDITION);
}

static void read_format_response(struct reader *r, const struct node *n)
{
    if (!node_empty(n))
        read_unsupported(r, n, UNSUPPORTED_FORMAT_RESPONSE);
}

/* ---- omissionRemedy ---- */

static void read_sweep_cron(struct reader *r, const struct node *n)
{
    if (read_cron(r, n, &r->p->sweep_cron, &r->p->sweep_crontab))
        r->p->sweeps = true;
}

static void read_sweep_request(struct reader *r, const struct node *n)
{
    r->into = &r->p->sweep_request;
    r->into_cap = &r->sweep_cap;
    read_entries(r, n, add_request_field);
}

static void read_omission_remedy(struct reader *r, const struct node *n)
{
    static const struct member_spec specs[] = {{"crontab", read_sweep_cron},
                                               {"takeOverRequest", read_sweep_request}};
    struct node crontab = node_member(n, "crontab");

    if (node_empty(n))
        return;
    READ_OBJECT(r, n, specs, UNKNOWN_WARN);
    if (!node_given(&crontab))
        read_error(r, &crontab, "missing: when the sweep runs, like \"2 */2 * * *\"");
    read_warning(r, n, "checked, but sweeps are not run by this version");
}

/* ---- the whole ---- */

void read_source(struct reader *r, const struct node *n)
{
    static const struct member_spec specs[] = {
        {"api", read_api},
        {"method", read_method},
        {"effect", read_effect},
        {"type", read_effect},
        {"number", NULL},
        {"id", read_id},
        {"name", NULL},
        {"idCheck", read_id_check},
        {"pagination", read_pagination},
        {"beatFlat", read_beat_flat},
        {"request", read_request},
        {"params", read_request},
        {"otherRequest", read_request},
        {"condition", read_condition},
        {"formatResponse", read_format_response},
        {"omissionRemedy", read_omission_remedy},
    };
    struct node api = node_member(n, "api");

    READ_OBJECT(r, n, specs, UNKNOWN_WARN);
    if (json_type(n->v) == JSON_OBJECT && !node_given(&api))
        read_error(r, &api, "missing: the endpoint's path, like /open/purchasein/query");
}
