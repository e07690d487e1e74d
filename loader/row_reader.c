#include "loader/row_reader.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/json/json.h"

struct row_reader {
    const struct pipeline *pipeline;
    struct flat_names *names;
    struct json_doc *doc;
};

struct row_reader *row_reader_new(const struct pipeline *p)
{
    struct row_reader *r = mem_zalloc(1, sizeof *r);
    const char **names = mem_alloc((p->column_count + 1) * sizeof *names);

    for (size_t i = 0; i < p->column_count; i++)
        names[i] = p->columns[i].name;
    r->pipeline = p;
    r->names = flat_names_new(names, p->column_count);
    r->doc = json_doc_new();
    free(names);
    return r;
}

void row_reader_free(struct row_reader *r)
{
    if (r == NULL)
        return;
    flat_names_free(r->names);
    json_doc_free(r->doc);
    free(r);
}

const struct pipeline *row_reader_pipeline(const struct row_reader *r)
{
    return r->pipeline;
}

static struct flat_value put_cell(const struct json_value *v, struct buf *text)
{
    const char *value = json_text(v);

    if (json_type(v) == JSON_TRUE || json_type(v) == JSON_FALSE)
        value = json_type(v) == JSON_TRUE ? "1" : "0";
    if (value == NULL)
        return (struct flat_value){.len = FLAT_NULL};
    struct flat_value cell = {.at = (uint32_t)text->len | CELL_IN_TEXT, .len = (uint32_t)strlen(value)};
    buf_add(text, value, cell.len);
    return cell;
}

static int read_object(const struct row_reader *r, const struct json_value *object, struct flat_value *cells,
                       struct buf *text, struct err *err)
{
    const struct pipeline *p = r->pipeline;
    const struct json_value *at = NULL; /* a row has its columns in order, unless an older mapping made it */
    size_t known = 0;

    for (size_t i = 0; i < p->column_count; i++) {
        const struct json_value *v = json_member_near(object, p->columns[i].name, &at);
        if (json_type(v) == JSON_OBJECT || json_type(v) == JSON_ARRAY)
            return err_set(err, ERR_REJECT, 0, "column %s is an object or array", p->columns[i].name);
        known += v != NULL;
        cells[i] = put_cell(v, text);
    }
    return known > 0 ? 0 : err_set(err, ERR_REJECT, 0, "a row has none of the pipeline's columns");
}

int row_read(struct row_reader *r, const char *line, size_t len, struct flat_value *cells, struct buf *text,
             struct err *err)
{
    const struct json_value *object;

    if (flat_read(line, len, r->names, cells) == 0)
        return 0;
    if (json_parse(r->doc, line, len, &object, err) != 0)
        return -1;
    if (json_type(object) != JSON_OBJECT)
        return err_set(err, ERR_REJECT, 0, "a row is not an object");
    return read_object(r, object, cells, text, err);
}
