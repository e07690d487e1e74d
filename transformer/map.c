#include "transformer/map.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/wire/version.h"
#include "transformer/number.h"

enum { VERSION_MAX = 64, SCRATCH_MAX = MAP_VALUE_MAX };

struct mapper {
    struct json_doc *doc;
    struct buf scratch; /* the text of a value that is put together */
};

struct mapper *mapper_new(void)
{
    struct mapper *m = mem_zalloc(1, sizeof *m);

    m->doc = json_doc_new();
    buf_init(&m->scratch, SCRATCH_MAX);
    return m;
}

void mapper_free(struct mapper *m)
{
    if (m == NULL)
        return;
    json_doc_free(m->doc);
    buf_free(&m->scratch);
    free(m);
}

void mapped_init(struct mapped *m)
{
    buf_init(&m->key, DOCUMENT_ID_MAX);
    buf_init(&m->version, VERSION_MAX);
    buf_init(&m->value, MAP_VALUE_MAX);
    m->rows = 0;
}

void mapped_free(struct mapped *m)
{
    buf_free(&m->key);
    buf_free(&m->version);
    buf_free(&m->value);
}

/* "a.b" below an object; a name that itself has a dot is found first. NULL: not there. */
static const struct json_value *follow(const struct json_value *object, const char *path)
{
    const struct json_value *v = json_member(object, path);
    const char *dot = strchr(path, '.');

    if (v != NULL || dot == NULL || json_type(object) != JSON_OBJECT)
        return v;
    char name[256];
    size_t len = (size_t)(dot - path);
    if (len >= sizeof name)
        return NULL;
    memcpy(name, path, len);
    name[len] = '\0';
    return follow(json_member(object, name), dot + 1);
}

/* Append a value as text: characters as they came, containers as their JSON text, null as nothing. */
static void put_text(const struct mapper *m, struct buf *out, const struct json_value *v)
{
    const char *at;
    size_t len;

    switch (json_type(v)) {
    case JSON_NULL:
        break;
    case JSON_TRUE:
        buf_add_text(out, "true");
        break;
    case JSON_FALSE:
        buf_add_text(out, "false");
        break;
    case JSON_NUMBER:
    case JSON_STRING:
        buf_add_text(out, json_text(v));
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        if (json_raw(m->doc, v, &at, &len))
            buf_add(out, at, len);
        break;
    }
}

static const struct json_value *part_value(const struct column_part *part, const struct json_value *header,
                                           const struct json_value *line)
{
    return follow(part->field.array != NULL ? line : header, part->field.path);
}

/* Literals and values, one after the other, into m->scratch. */
static void compose(struct mapper *m, const struct column *c, const struct json_value *header,
                    const struct json_value *line)
{
    buf_reset(&m->scratch);
    for (size_t i = 0; i < c->part_count; i++) {
        if (c->parts[i].literal != NULL)
            buf_add_text(&m->scratch, c->parts[i].literal);
        else
            put_text(m, &m->scratch, part_value(&c->parts[i], header, line));
    }
}

static int put_string(struct mapper *m, struct buf *out, const struct column *c,
                      const struct json_value *header, const struct json_value *line)
{
    if (c->alone) {
        const struct json_value *v = part_value(&c->parts[0], header, line);
        if (json_type(v) == JSON_NULL)
            return buf_add_text(out, "null");
        if (json_type(v) == JSON_STRING) {
            json_put_string(out, json_text(v), strlen(json_text(v)));
            return 0;
        }
    }
    compose(m, c, header, line);
    json_put_string(out, m->scratch.data, m->scratch.len);
    return 0;
}

static int put_number_text(struct buf *out, const struct column *c, const char *text, struct err *err)
{
    if (*text == '\0')
        return buf_add_text(out, "null");
    if (!number_valid(text))
        return err_set(err, ERR_REJECT, 0, "column %s: the text (%zu bytes) is no number", c->name,
                       strlen(text));
    if (number_put(out, text) != 0)
        return err_set(err, ERR_REJECT, 0, "column %s: the number's exponent is too large", c->name);
    return 0;
}

static int put_number(struct mapper *m, struct buf *out, const struct column *c,
                      const struct json_value *header, const struct json_value *line, struct err *err)
{
    if (c->alone) {
        const struct json_value *v = part_value(&c->parts[0], header, line);
        switch (json_type(v)) {
        case JSON_NULL:
            return buf_add_text(out, "null");
        case JSON_TRUE:
            return buf_add_char(out, '1');
        case JSON_FALSE:
            return buf_add_char(out, '0');
        case JSON_NUMBER:
        case JSON_STRING:
            return put_number_text(out, c, json_text(v), err);
        case JSON_ARRAY:
        case JSON_OBJECT:
            return err_set(err, ERR_REJECT, 0, "column %s: an object or array is no number", c->name);
        }
    }
    compose(m, c, header, line);
    return put_number_text(out, c, m->scratch.data, err);
}

static int put_row(struct mapper *m, const struct pipeline *p, const struct json_value *header,
                   const struct json_value *line, struct buf *out, struct err *err)
{
    buf_add_char(out, '{');
    for (size_t i = 0; i < p->column_count; i++) {
        const struct column *c = &p->columns[i];
        if (i > 0)
            buf_add_char(out, ',');
        json_put_string(out, c->name, strlen(c->name));
        buf_add_char(out, ':');
        int rc = c->type == VALUE_STRING ? put_string(m, out, c, header, line)
                                         : put_number(m, out, c, header, line, err);
        if (rc != 0)
            return -1;
    }
    buf_add_text(out, "}\n");
    return 0;
}

/* The document's id: its fields as text, joined by '/'. */
static int read_key(const struct pipeline *p, const struct json_value *document, struct buf *ret,
                    struct err *err)
{
    for (size_t i = 0; i < p->document.count; i++) {
        const struct json_value *v = follow(document, p->document.names[i]);
        const char *text = json_text(v);
        if (text == NULL || *text == '\0') {
            buf_reset(ret);
            return err_set(err, ERR_REJECT, 0, "the document has no %s, which identifies it",
                           p->document.names[i]);
        }
        if (i > 0)
            buf_add_char(ret, '/');
        buf_add_text(ret, text);
    }
    if (ret->overflowed) {
        buf_reset(ret);
        return err_set(err, ERR_REJECT, 0, "the document's id is longer than %d bytes", DOCUMENT_ID_MAX);
    }
    return 0;
}

static int read_version(const struct pipeline *p, const struct json_value *document, struct buf *ret,
                        struct err *err)
{
    uint64_t version;

    if (p->version == NULL)
        return 0;
    const char *text = json_text(follow(document, p->version));
    if (text == NULL)
        return err_set(err, ERR_REJECT, 0, "the document has no %s, which is its version", p->version);
    if (version_parse(text, &version) != 0 || buf_add_text(ret, text) != 0)
        return err_set(err, ERR_REJECT, 0,
                       "%s is neither a 64-bit number nor a datetime, but %zu bytes of text", p->version,
                       strlen(text));
    return 0;
}

static int put_rows(struct mapper *m, const struct pipeline *p, const struct json_value *document,
                    struct mapped *ret, struct err *err)
{
    const struct json_value *lines = p->flatten != NULL ? follow(document, p->flatten) : NULL;

    if (json_type(lines) != JSON_NULL && json_type(lines) != JSON_ARRAY)
        return err_set(err, ERR_REJECT, 0, "%s is no array", p->flatten);
    if (p->flatten == NULL || (json_count(lines) == 0 && p->empty_document == EMPTY_ROW)) {
        ret->rows = 1;
        return put_row(m, p, document, NULL, &ret->value, err);
    }
    for (const struct json_value *line = json_first(lines); line != NULL; line = json_next(line)) {
        ret->rows++;
        if (json_type(line) != JSON_OBJECT)
            return err_set(err, ERR_REJECT, 0, "line %lld of %s is no object", (long long)ret->rows,
                           p->flatten);
        if (put_row(m, p, document, line, &ret->value, err) != 0)
            return err_prefix(err, "line %lld", (long long)ret->rows);
    }
    return 0;
}

int map_document(struct mapper *m, const struct pipeline *p, struct span document, struct mapped *ret,
                 enum dead_class *ret_class, struct err *err)
{
    const struct json_value *root;

    buf_reset(&ret->key);
    buf_reset(&ret->version);
    buf_reset(&ret->value);
    ret->rows = 0;
    *ret_class = DEAD_PARSE;
    if (json_parse(m->doc, document.at, document.len, &root, err) != 0)
        return -1;
    if (json_type(root) != JSON_OBJECT)
        return err_set(err, ERR_REJECT, 0, "the document is no object");
    *ret_class = DEAD_CONVERT;
    if (read_key(p, root, &ret->key, err) != 0 || read_version(p, root, &ret->version, err) != 0 ||
        put_rows(m, p, root, ret, err) != 0)
        return -1;
    if (ret->value.overflowed || m->scratch.overflowed) {
        *ret_class = DEAD_TOO_LARGE;
        return err_set(err, ERR_REJECT, 0, "the document's rows are larger than %d bytes", MAP_VALUE_MAX);
    }
    return 0;
}
