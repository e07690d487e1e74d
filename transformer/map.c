#include "transformer/map.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/wire/version.h"
#include "transformer/row.h"
#include "transformer/row_keys.h"

enum { VERSION_MAX = 64, SCRATCH_MAX = MAP_VALUE_MAX };

struct mapper {
    struct json_doc *doc;
    struct row_writer *rows;
    struct row_keys *keys;
};

struct mapper *mapper_new(void)
{
    struct mapper *m = mem_zalloc(1, sizeof *m);

    m->doc = json_doc_new();
    m->rows = row_writer_new(m->doc, SCRATCH_MAX);
    m->keys = row_keys_new();
    return m;
}

void mapper_free(struct mapper *m)
{
    if (m == NULL)
        return;
    json_doc_free(m->doc);
    row_writer_free(m->rows);
    row_keys_free(m->keys);
    free(m);
}

void mapped_init(struct mapped *m)
{
    buf_init(&m->key, DOCUMENT_ID_MAX);
    buf_init(&m->version, VERSION_MAX);
    buf_init(&m->value, MAP_VALUE_MAX);
    m->rows = 0;
    m->fault = (struct value_fault){0};
}

void mapped_free(struct mapped *m)
{
    buf_free(&m->key);
    buf_free(&m->version);
    buf_free(&m->value);
}

/* The document's id: its fields as text, joined by '/'. */
static int read_key(const struct pipeline *p, const struct json_value *document, struct mapped *ret,
                    struct err *err)
{
    for (size_t i = 0; i < p->document.count; i++) {
        const char *name = p->document.names[i];
        const char *text = json_text(field_of(document, name));
        if (text == NULL || *text == '\0') {
            buf_reset(&ret->key);
            ret->fault.column = name;
            return err_set(err, ERR_REJECT, 0, "the document has no %s, which identifies it", name);
        }
        if (i > 0)
            buf_add_char(&ret->key, '/');
        buf_add_text(&ret->key, text);
    }
    if (ret->key.overflowed) {
        buf_reset(&ret->key);
        return err_set(err, ERR_REJECT, 0, "the document's id is longer than %d bytes", DOCUMENT_ID_MAX);
    }
    return 0;
}

static int read_version(const struct pipeline *p, const struct json_value *document, struct mapped *ret,
                        struct err *err)
{
    uint64_t version;

    if (p->version == NULL)
        return 0;
    const char *text = json_text(field_of(document, p->version));
    if (text != NULL && version_parse(text, &version) == 0 && buf_add_text(&ret->version, text) == 0)
        return 0;
    ret->fault.column = p->version;
    if (text == NULL)
        return err_set(err, ERR_REJECT, 0, "the document has no %s, which is its version", p->version);
    ret->fault.value = text;
    ret->fault.len = strlen(text);
    return err_set(err, ERR_REJECT, 0, "%s is neither a 64-bit number nor a datetime, but %zu bytes of text",
                   p->version, strlen(text));
}

static bool is_too_large(const struct mapper *m, const struct mapped *rows)
{
    return rows->value.overflowed || row_writer_overflowed(m->rows);
}

/* The row that was put last is ret->rows. */
static int check_row_key(struct mapper *m, const struct pipeline *p, const struct mapped *ret,
                         struct err *err)
{
    if (is_too_large(m, ret)) /* what is not whole cannot be compared */
        return 0;
    size_t other = row_keys_add(m->keys, m->rows, &ret->value);
    if (other == 0)
        return 0;
    char *key = names_join(&p->key);
    err_set(err, ERR_REJECT, 0, "rows %zu and %lld have the same key (%s): the table would keep only one",
            other, (long long)ret->rows, key);
    free(key);
    return -1;
}

static int put_row(struct mapper *m, const struct pipeline *p, const struct json_value *document,
                   const struct json_value *line, struct mapped *ret, struct err *err)
{
    if (row_put(m->rows, p, document, line, ret->rows++ == 0, &ret->value, err) == 0)
        return 0;
    ret->fault = row_fault(m->rows);
    return -1;
}

static int put_lines(struct mapper *m, const struct pipeline *p, const struct json_value *document,
                     const struct json_value *lines, struct mapped *ret, struct err *err)
{
    size_t count = json_count(lines);

    row_keys_begin(m->keys, p, count);
    for (const struct json_value *line = json_first(lines); line != NULL; line = json_next(line)) {
        if (json_type(line) != JSON_OBJECT)
            return err_set(err, ERR_REJECT, 0, "line %lld of %s is not an object", (long long)ret->rows + 1,
                           p->flatten);
        if (put_row(m, p, document, line, ret, err) != 0)
            return err_prefix(err, "line %lld", (long long)ret->rows);
        if (count > 1 && check_row_key(m, p, ret, err) != 0)
            return -1;
    }
    return 0;
}

static int put_rows(struct mapper *m, const struct pipeline *p, const struct json_value *document,
                    struct mapped *ret, struct err *err)
{
    const struct json_value *lines = p->flatten != NULL ? field_of(document, p->flatten) : NULL;

    if (json_type(lines) != JSON_NULL && json_type(lines) != JSON_ARRAY)
        return err_set(err, ERR_REJECT, 0, "%s is not an array", p->flatten);
    if (p->flatten != NULL && (json_first(lines) != NULL || p->empty_document == EMPTY_NONE))
        return put_lines(m, p, document, lines, ret, err);
    return put_row(m, p, document, NULL, ret, err);
}

int map_document(struct mapper *m, const struct pipeline *p, struct span document, struct mapped *ret,
                 enum dead_class *ret_class, struct err *err)
{
    const struct json_value *root;

    buf_reset(&ret->key);
    buf_reset(&ret->version);
    buf_reset(&ret->value);
    ret->rows = 0;
    ret->fault = (struct value_fault){0};
    *ret_class = DEAD_PARSE;
    if (json_parse(m->doc, document.at, document.len, &root, err) != 0)
        return -1;
    if (json_type(root) != JSON_OBJECT)
        return err_set(err, ERR_REJECT, 0, "the document is not an object");
    *ret_class = DEAD_CONVERT;
    if (read_key(p, root, ret, err) != 0 || read_version(p, root, ret, err) != 0 ||
        put_rows(m, p, root, ret, err) != 0)
        return -1;
    if (is_too_large(m, ret)) {
        *ret_class = DEAD_TOO_LARGE;
        return err_set(err, ERR_REJECT, 0, "the document's rows are larger than %d bytes", MAP_VALUE_MAX);
    }
    return 0;
}
