/* A column that does not depend on the line is written once for each document; further rows copy its bytes.
 */
#include "transformer/row.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "transformer/number.h"

struct row_writer {
    const struct json_doc *doc;
    struct buf scratch;    /* the text of a value that is put together */
    struct written *first; /* each column in the document's first row */
    struct written *last;  /* and in the row that was put last */
    size_t column_cap;     /* of both */
    struct value_fault fault;
    const struct json_value *at_header, *at_line; /* the member found last; the next one is usually near it */
};

struct row_writer *row_writer_new(const struct json_doc *doc, size_t max_bytes)
{
    struct row_writer *w = mem_zalloc(1, sizeof *w);

    w->doc = doc;
    buf_init(&w->scratch, max_bytes);
    return w;
}

void row_writer_free(struct row_writer *w)
{
    if (w == NULL)
        return;
    buf_free(&w->scratch);
    free(w->first);
    free(w->last);
    free(w);
}

struct value_fault row_fault(const struct row_writer *w)
{
    return w->fault;
}

struct written row_cell(const struct row_writer *w, size_t column)
{
    return w->last[column];
}

bool row_writer_overflowed(const struct row_writer *w)
{
    return w->scratch.overflowed;
}

/* "a.b" below an object; a name that itself has a dot is found first. NULL: not there. */
static const struct json_value *find_member(const struct json_value *object, const char *path,
                                            const struct json_value **at)
{
    const struct json_value *v = json_member_near(object, path, at);
    const char *dot = strchr(path, '.');

    if (v != NULL || dot == NULL || json_type(object) != JSON_OBJECT)
        return v;
    char name[256];
    size_t len = (size_t)(dot - path);
    if (len >= sizeof name)
        return NULL;
    memcpy(name, path, len);
    name[len] = '\0';
    return field_of(json_member(object, name), dot + 1);
}

const struct json_value *field_of(const struct json_value *object, const char *path)
{
    const struct json_value *at = NULL;

    return find_member(object, path, &at);
}

/* Append a value as text: characters as they came, containers as their JSON text, null as nothing. */
static void put_text(const struct row_writer *w, struct buf *out, const struct json_value *v)
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
        if (json_raw(w->doc, v, &at, &len))
            buf_add(out, at, len);
        break;
    }
}

static const struct json_value *part_value(struct row_writer *w, const struct column_part *part,
                                           const struct json_value *header, const struct json_value *line)
{
    bool of_line = part->field.array != NULL;

    return find_member(of_line ? line : header, part->field.path, of_line ? &w->at_line : &w->at_header);
}

/* Put the column's literals and values together in w->scratch. */
static void compose_value(struct row_writer *w, const struct column *c, const struct json_value *header,
                          const struct json_value *line)
{
    buf_reset(&w->scratch);
    for (size_t i = 0; i < c->part_count; i++) {
        if (c->parts[i].literal != NULL)
            buf_add_text(&w->scratch, c->parts[i].literal);
        else
            put_text(w, &w->scratch, part_value(w, &c->parts[i], header, line));
    }
}

static int put_string(struct row_writer *w, struct buf *out, const struct column *c,
                      const struct json_value *header, const struct json_value *line)
{
    if (c->alone) {
        const struct json_value *v = part_value(w, &c->parts[0], header, line);
        if (json_type(v) == JSON_NULL)
            return buf_add_text(out, "null");
        if (json_type(v) == JSON_STRING) {
            json_put_string(out, json_text(v), strlen(json_text(v)));
            return 0;
        }
    }
    compose_value(w, c, header, line);
    json_put_string(out, w->scratch.data, w->scratch.len);
    return 0;
}

static int put_number_text(struct row_writer *w, struct buf *out, const struct column *c, const char *text,
                           struct err *err)
{
    if (*text == '\0')
        return buf_add_text(out, "null");
    w->fault = (struct value_fault){.column = c->name, .value = text, .len = strlen(text)};
    if (!number_valid(text))
        return err_set(err, ERR_REJECT, 0, "column %s: the text (%zu bytes) is not a number", c->name,
                       strlen(text));
    if (number_put(out, text) != 0)
        return err_set(err, ERR_REJECT, 0, "column %s: the number's exponent is too large", c->name);
    return 0;
}

static int refuse_container(struct row_writer *w, const struct column *c, const struct json_value *v,
                            struct err *err)
{
    w->fault = (struct value_fault){.column = c->name};
    json_raw(w->doc, v, &w->fault.value, &w->fault.len);
    return err_set(err, ERR_REJECT, 0, "column %s: an object or array is not a number", c->name);
}

static int put_number(struct row_writer *w, struct buf *out, const struct column *c,
                      const struct json_value *header, const struct json_value *line, struct err *err)
{
    if (c->alone) {
        const struct json_value *v = part_value(w, &c->parts[0], header, line);
        switch (json_type(v)) {
        case JSON_NULL:
            return buf_add_text(out, "null");
        case JSON_TRUE:
            return buf_add_char(out, '1');
        case JSON_FALSE:
            return buf_add_char(out, '0');
        case JSON_NUMBER:
        case JSON_STRING:
            return put_number_text(w, out, c, json_text(v), err);
        case JSON_ARRAY:
        case JSON_OBJECT:
            return refuse_container(w, c, v, err);
        }
    }
    compose_value(w, c, header, line);
    return put_number_text(w, out, c, w->scratch.data, err);
}

static int put_cell(struct row_writer *w, const struct column *c, const struct json_value *header,
                    const struct json_value *line, struct buf *out, struct err *err)
{
    json_put_string(out, c->name, strlen(c->name));
    buf_add_char(out, ':');
    return c->type == VALUE_STRING ? put_string(w, out, c, header, line)
                                   : put_number(w, out, c, header, line, err);
}

static bool depends_on_line(const struct column *c)
{
    for (size_t i = 0; i < c->part_count; i++)
        if (c->parts[i].literal == NULL && c->parts[i].field.array != NULL)
            return true;
    return false;
}

/* Append a copy of bytes that are in the buffer already. */
static void put_again(struct buf *out, struct written piece)
{
    char *end = buf_reserve(out, piece.len);

    if (end != NULL)
        buf_add(out, out->data + piece.at, piece.len); /* the room is reserved, so the data does not move */
}

static void make_room(struct row_writer *w, size_t columns)
{
    if (columns <= w->column_cap)
        return;
    w->first = mem_realloc(w->first, columns * sizeof *w->first);
    w->last = mem_realloc(w->last, columns * sizeof *w->last);
    w->column_cap = columns;
}

int row_put(struct row_writer *w, const struct pipeline *p, const struct json_value *header,
            const struct json_value *line, bool first, struct buf *out, struct err *err)
{
    make_room(w, p->column_count);
    w->at_line = NULL;
    if (first)
        w->at_header = NULL;
    buf_add_char(out, '{');
    for (size_t i = 0; i < p->column_count; i++) {
        const struct column *c = &p->columns[i];
        if (i > 0)
            buf_add_char(out, ',');
        size_t at = out->len;
        if (!first && !depends_on_line(c))
            put_again(out, w->first[i]);
        else if (put_cell(w, c, header, line, out, err) != 0)
            return -1;
        w->last[i] = (struct written){.at = at, .len = out->len - at};
        if (first)
            w->first[i] = w->last[i];
    }
    buf_add_text(out, "}\n");
    return 0;
}
