/* Lists of field names, and objects and requests in all the forms in which metadata writes them. */
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/pipeline/parse.h"

enum { SPECS_MAX = 32 };

/* ---- names ---- */

/* "io_id" or "{io_id}". */
static bool read_name(struct reader *r, const struct node *n, struct name_list *ret)
{
    struct template t = {0};
    const char *text;

    if (!read_text(r, n, &text))
        return false;
    const char *name = text;
    if (strchr(text, '{') != NULL)
        name = template_parse(text, &t, NULL) == 0 ? template_alone(&t) : NULL;
    else if (strpbrk(text, " ,;/}") != NULL)
        name = NULL;
    if (name != NULL)
        names_add(ret, name, strlen(name));
    else
        read_error(r, n, "\"%s\": the name of one field is expected (several are written as an array)", text);
    template_free(&t);
    return name != NULL;
}

static bool has_twins(struct reader *r, const struct node *n, const struct name_list *names)
{
    const char *twin = names_twin(names);

    if (twin != NULL)
        read_error(r, n, "\"%s\" is named twice", twin);
    return twin != NULL;
}

static bool read_name_array(struct reader *r, const struct node *n, struct name_list *ret)
{
    size_t count = json_count(n->v);
    bool good = true;
    size_t i = 0;

    if (count == 0 || count > COLUMNS_MAX) {
        read_error(r, n, "one to %d names are expected", COLUMNS_MAX);
        return false;
    }
    for (const struct json_value *v = json_first(n->v); v != NULL; v = json_next(v)) {
        struct node e = node_element(n, i++, v);
        good = read_name(r, &e, ret) && good;
    }
    return good;
}

bool read_names(struct reader *r, const struct node *n, struct name_list *ret)
{
    struct name_list names = {0};
    bool good = json_type(n->v) == JSON_ARRAY ? read_name_array(r, n, &names) : read_name(r, n, &names);

    if (!good || has_twins(r, n, &names)) {
        names_free(&names);
        return false;
    }
    names_free(ret);
    *ret = names;
    return true;
}

/* ---- objects ---- */

static void unknown_member(struct reader *r, const struct node *member, const char *name,
                           const struct member_spec *specs, size_t count, enum unknown_keys unknown)
{
    const char *names[SPECS_MAX];

    for (size_t i = 0; i < count; i++)
        names[i] = specs[i].name;
    if (unknown == UNKNOWN_ERROR) {
        read_unknown(r, member, "key", name, names, count);
        return;
    }
    const char *nearest = nearest_name(name, names, count);
    if (nearest != NULL)
        read_warning(r, member, "not used; did you mean \"%s\"?", nearest);
    else
        read_warning(r, member, "not used");
}

void read_object(struct reader *r, const struct node *n, const struct member_spec *specs, size_t count,
                 enum unknown_keys unknown)
{
    if (json_type(n->v) != JSON_OBJECT) {
        read_error(r, n, "an object is expected");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct node member = node_member(n, specs[i].name);
        if (node_given(&member) && specs[i].read != NULL)
            specs[i].read(r, &member);
    }
    for (const struct json_value *v = json_first(n->v); v != NULL; v = json_next(v)) {
        const char *name = json_name(v);
        bool known = false;
        for (size_t i = 0; i < count && !known; i++)
            known = strcmp(specs[i].name, name) == 0;
        struct node member = node_of_member(n, v);
        if (!known)
            unknown_member(r, &member, name, specs, count, unknown);
    }
}

/* ---- requests ---- */

static void not_used(struct reader *r, const struct node *n)
{
    if (!node_empty(n))
        read_warning(r, n, "not used");
}

static void parser_not_used(struct reader *r, const struct node *n)
{
    if (!node_empty(n))
        read_warning(r, n, "not used; where it makes a list of a text, write \"type\": \"array\"");
}

static const struct member_spec entry_specs[] = {
    {"field", NULL},        {"label", NULL},       {"type", NULL},       {"value", NULL},
    {"describe", NULL},     {"is_required", NULL}, {"parent", not_used}, {"parser", parser_not_used},
    {"children", not_used},
};

static const char *member_text(struct reader *r, const struct node *object, const char *name)
{
    struct node n = node_member(object, name);

    if (!node_given(&n))
        return NULL;
    if (json_type(n.v) != JSON_STRING)
        read_error(r, &n, "a text is expected");
    return json_type(n.v) == JSON_STRING ? json_text(n.v) : NULL;
}

/* {"field": "page_index", "label": "…", "type": "string", "value": "1"} */
static void read_entry(struct reader *r, const struct node *n, use_entry *use)
{
    struct node field = node_member(n, "field");
    struct entry entry = {.at = *n, .value = node_member(n, "value")};

    if (json_type(n->v) != JSON_OBJECT) {
        read_error(r, n, "an object with field and value is expected");
        return;
    }
    READ_OBJECT(r, n, entry_specs, UNKNOWN_WARN);
    if (!node_given(&field)) {
        read_error(r, &field, "missing: the field's name");
        return;
    }
    if (!read_text(r, &field, &entry.name))
        return;
    entry.label = member_text(r, n, "label");
    entry.type = member_text(r, n, "type");
    use(r, &entry);
}

static void read_plain(struct reader *r, const struct node *n, use_entry *use)
{
    for (const struct json_value *v = json_first(n->v); v != NULL; v = json_next(v)) {
        struct entry entry = {.name = json_name(v), .value = node_of_member(n, v)};
        entry.at = entry.value;
        if (entry.name[0] == '\0')
            read_error(r, n, "a field has no name");
        else
            use(r, &entry);
    }
}

void read_entries(struct reader *r, const struct node *n, use_entry *use)
{
    size_t i = 0;

    if (node_empty(n))
        return;
    if (json_count(n->v) > COLUMNS_MAX) {
        read_error(r, n, "at most %d fields are expected", COLUMNS_MAX);
        return;
    }
    if (json_type(n->v) == JSON_OBJECT) {
        if (json_member(n->v, "field") != NULL && json_member(n->v, "value") != NULL)
            read_entry(r, n, use);
        else
            read_plain(r, n, use);
        return;
    }
    if (json_type(n->v) != JSON_ARRAY) {
        read_error(r, n, "an array of {field, value}, or an object of names and values, is expected");
        return;
    }
    for (const struct json_value *v = json_first(n->v); v != NULL; v = json_next(v)) {
        struct node e = node_element(n, i++, v);
        read_entry(r, &e, use);
    }
}
