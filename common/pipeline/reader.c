#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/base/utf8.h"
#include "common/pipeline/parse.h"

enum { LISTING_MAX = 2048, LISTED = 6 /* a nearest name is not enough to show so few */ };

/* Lifted one by one as they are built. */
static const char *const unsupported_text[] = {
    [UNSUPPORTED_SCRIPT] = "scripts are not supported by this version: leave script out",
    [UNSUPPORTED_QUALITY] = "quality rules are not supported by this version: leave quality out",
    [UNSUPPORTED_VERSION_MODE] = "mode \"version\" is not supported by this version: use \"window\"",
    [UNSUPPORTED_CONDITION] = "conditions are not supported by this version: leave condition empty",
    [UNSUPPORTED_FORMAT_RESPONSE] = "formats are not supported by this version: leave formatResponse empty",
    [UNSUPPORTED_SEVERAL_ARRAYS] =
        "expanding more than one array is not supported by this version: name one array",
    [UNSUPPORTED_NO_WINDOW] = "endpoints without a time window are not supported by this version",
    [UNSUPPORTED_FUNCTION] = "_function is not supported by this version: use placeholders and text",
    [UNSUPPORTED_FIND_COLLECTION] =
        "_findCollection is not supported by this version: use placeholders and text",
    [UNSUPPORTED_COLUMN_FILTER] = "filters in columns are not supported by this version: write {field} alone",
    [UNSUPPORTED_COLUMN_VARIABLE] =
        "variables of the request are not supported in columns by this version: use fields of the document",
};

/* ---- faults ---- */

static void add_fault(struct reader *r, enum fault_level level, const struct node *at, const char *format,
                      va_list args)
{
    char *text = NULL;

    if (vasprintf(&text, format, args) < 0)
        text = mem_strdup(format);
    char *place = node_place(r, at);
    fault_add(r->faults, level, place, "%s", text);
    free(place);
    free(text);
}

void read_fault(struct reader *r, enum fault_level level, const struct node *at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_fault(r, level, at, format, args);
    va_end(args);
}

void read_fault_at(struct reader *r, enum fault_level level, const char *path, const char *format, ...)
{
    struct node at = node_at(r, path);
    va_list args;

    va_start(args, format);
    add_fault(r, level, &at, format, args);
    va_end(args);
}

void read_unsupported(struct reader *r, const struct node *at, enum unsupported what)
{
    read_error(r, at, "%s", unsupported_text[what]);
}

static void list_names(struct buf *out, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " or ", names[i]);
}

void read_unknown(struct reader *r, const struct node *at, const char *what, const char *name,
                  const char *const *names, size_t count)
{
    const char *nearest = nearest_name(name, names, count);
    struct buf text;

    buf_init(&text, LISTING_MAX);
    buf_printf(&text, "unknown %s \"%s\"", what, name);
    if (nearest != NULL)
        buf_printf(&text, "; did you mean \"%s\"?", nearest);
    if (nearest == NULL || count <= LISTED) {
        buf_add_text(&text, nearest != NULL ? " known: " : "; known: ");
        list_names(&text, names, count);
    }
    read_error(r, at, "%s", text.data);
    buf_free(&text);
}

/* ---- nodes ---- */

/* Takes path. One that is too long is cut, on a whole character: it is still a place. */
static void set_path(struct node *n, char *path)
{
    size_t len = utf8_cut(path, strlen(path), sizeof n->path - 1);

    memcpy(n->path, path, len);
    n->path[len] = '\0';
    free(path);
}

struct node node_root(const struct json_value *v)
{
    return (struct node){.v = v, .near = v};
}

static struct node named_node(const struct node *object, const char *name, const struct json_value *v)
{
    struct node n = {.v = v, .near = v != NULL ? v : object->near};

    set_path(&n, mem_printf("%s%s%s", object->path, object->path[0] != '\0' ? "." : "", name));
    return n;
}

struct node node_member(const struct node *object, const char *name)
{
    return named_node(object, name, json_member(object->v, name));
}

struct node node_of_member(const struct node *object, const struct json_value *member)
{
    return named_node(object, json_name(member), member);
}

struct node node_element(const struct node *array, size_t index, const struct json_value *v)
{
    struct node n = {.v = v, .near = v};

    set_path(&n, mem_printf("%s[%zu]", array->path, index));
    return n;
}

struct node node_at(const struct reader *r, const char *path)
{
    struct node n = r->root;

    while (*path != '\0') {
        size_t len = strcspn(path, ".");
        char *name = mem_strndup(path, len);
        n = node_member(&n, name);
        free(name);
        path += len + (path[len] == '.' ? 1 : 0);
    }
    return n;
}

/* ---- places ---- */

char *text_place(struct reader *r, size_t at)
{
    struct text_place *p = &r->last;

    if (p->line == 0 || at < p->at)
        *p = (struct text_place){.line = 1, .column = 1};
    for (; p->at < at && p->at < r->len; p->at++) {
        if (r->text[p->at] == '\n') {
            p->line++;
            p->column = 1;
        } else if (utf8_begins(r->text[p->at])) {
            p->column++;
        }
    }
    return mem_printf("%s:%zu:%zu", r->file, p->line, p->column);
}

char *node_place(struct reader *r, const struct node *n)
{
    char *place = text_place(r, json_offset(r->doc, n->near));

    if (n->path[0] == '\0')
        return place;
    char *whole = mem_printf("%s: %s", place, n->path);
    free(place);
    return whole;
}

/* ---- what a node holds ---- */

bool node_given(const struct node *n)
{
    return n->v != NULL && json_type(n->v) != JSON_NULL;
}

static bool value_empty(const struct json_value *v)
{
    enum json_type type = json_type(v);

    if (v == NULL || type == JSON_NULL)
        return true;
    if (type == JSON_STRING)
        return json_text(v)[0] == '\0';
    if (type == JSON_OBJECT)
        return json_count(v) == 0;
    if (type != JSON_ARRAY)
        return false;
    for (const struct json_value *e = json_first(v); e != NULL; e = json_next(e))
        if (!value_empty(e))
            return false;
    return true;
}

bool node_empty(const struct node *n)
{
    return value_empty(n->v);
}

const char *node_text(const struct node *n)
{
    if (n->v == NULL)
        return NULL;
    if (json_type(n->v) == JSON_TRUE)
        return "true";
    if (json_type(n->v) == JSON_FALSE)
        return "false";
    return json_text(n->v);
}

/* ---- typed values ---- */

bool read_text(struct reader *r, const struct node *n, const char **ret)
{
    const char *text = json_type(n->v) == JSON_STRING ? json_text(n->v) : NULL;

    if (text == NULL || text[0] == '\0') {
        read_error(r, n, "a text is expected, and not an empty one");
        return false;
    }
    *ret = text;
    return true;
}

bool read_bool(struct reader *r, const struct node *n, bool *ret)
{
    const char *text = node_text(n);
    bool yes = text != NULL && strcmp(text, "true") == 0;

    if (!yes && (text == NULL || strcmp(text, "false") != 0)) {
        read_error(r, n, "true or false is expected");
        return false;
    }
    *ret = yes;
    return true;
}

bool read_int(struct reader *r, const struct node *n, int64_t min, int64_t max, int64_t *ret)
{
    const char *text = json_text(n->v);
    int64_t value;

    if (text == NULL || parse_int64(text, &value) != 0 || value < min || value > max) {
        read_error(r, n, "a whole number from %lld to %lld is expected", (long long)min, (long long)max);
        return false;
    }
    *ret = value;
    return true;
}

bool read_duration(struct reader *r, const struct node *n, int64_t min_ms, int64_t max_ms, int64_t *ret_ms)
{
    const char *text = json_text(n->v);
    char least[32], most[32];
    int64_t value;

    if (text == NULL || parse_duration(text, &value) != 0 || value < min_ms || value > max_ms ||
        value % 1000 != 0) {
        read_error(r, n,
                   "a duration in whole seconds from %s to %s is expected, with a unit: \"30s\", "
                   "\"10m\", \"2h\", \"7d\"",
                   format_duration(min_ms, least, sizeof least), format_duration(max_ms, most, sizeof most));
        return false;
    }
    *ret_ms = value;
    return true;
}

bool read_choice(struct reader *r, const struct node *n, const char *const *names, size_t count, size_t *ret)
{
    const char *text;

    if (!read_text(r, n, &text))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], text) == 0) {
            *ret = i;
            return true;
        }
    }
    read_unknown(r, n, "value", text, names, count);
    return false;
}

bool read_cron(struct reader *r, const struct node *n, struct cron *ret, char **ret_text)
{
    struct err err = ERR_INIT;
    const char *text;

    if (!read_text(r, n, &text))
        return false;
    if (cron_parse(text, ret, &err) == 0) {
        free(*ret_text);
        *ret_text = mem_strdup(text);
        return true;
    }
    read_error(r, n, "%s", err.text);
    return false;
}
