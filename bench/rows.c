#include "bench/rows.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/mysql/sql.h"

uint64_t row_mix(uint64_t x)
{
    x += 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
}

uint64_t *row_order(uint64_t count)
{
    uint64_t *order = mem_zalloc(count, sizeof *order);

    for (uint64_t i = 0; i < count; i++)
        order[i] = i;
    for (uint64_t from = 0; from < count; from += ROW_BLOCK) {
        uint64_t size = count - from < ROW_BLOCK ? count - from : ROW_BLOCK;
        for (uint64_t i = size - 1; i > 0; i--) {
            uint64_t *a = &order[from + i];
            uint64_t *b = &order[from + row_mix(from + i) % (i + 1)];
            uint64_t kept = *a;
            *a = *b;
            *b = kept;
        }
    }
    return order;
}

static void put_member(struct buf *out, const char *name, bool number, const char *value)
{
    buf_printf(out, "\"%s\":", name);
    if (value == NULL)
        buf_add_text(out, "null");
    else if (number)
        buf_add_text(out, value);
    else
        json_put_string(out, value, strlen(value));
}

void row_put_json(struct buf *out, const struct row_set *set, const struct row_document *d, int line)
{
    for (size_t c = 0; c < set->column_count; c++) {
        buf_add_char(out, c == 0 ? '{' : ',');
        put_member(out, set->columns[c].name, set->columns[c].number, d->cells[line][c]);
    }
    buf_add_char(out, '}');
}

void row_put_document(struct buf *out, const struct row_set *set, const struct row_document *d)
{
    const size_t prefix = strlen("items_");

    for (size_t c = 1; c <= ROW_HEADER_COLUMNS; c++) {
        buf_add_char(out, c == 1 ? '{' : ',');
        put_member(out, set->columns[c].name, set->columns[c].number, d->cells[0][c]);
    }
    for (int line = 0; line < set->lines; line++) {
        buf_add_text(out, line == 0 ? ",\"items\":[" : "},");
        for (size_t c = ROW_HEADER_COLUMNS + 1; c < set->column_count; c++) {
            buf_add_char(out, c == ROW_HEADER_COLUMNS + 1 ? '{' : ',');
            put_member(out, set->columns[c].name + prefix, set->columns[c].number, d->cells[line][c]);
        }
    }
    buf_add_text(out, "}]}");
}

void row_put_sql(struct buf *out, const struct row_set *set, const struct row_document *d, int line)
{
    for (size_t c = 0; c < set->column_count; c++) {
        const char *value = d->cells[line][c];
        buf_add_char(out, c == 0 ? '(' : ',');
        if (value == NULL)
            buf_add_text(out, "NULL");
        else if (set->columns[c].number)
            buf_add_text(out, value);
        else
            sql_put_text(out, value, strlen(value));
    }
    buf_add_char(out, ')');
}

void row_put_tsv(struct buf *out, const struct row_set *set, const struct row_document *d, int line)
{
    for (size_t c = 0; c < set->column_count; c++) {
        const char *value = d->cells[line][c];
        if (c > 0)
            buf_add_char(out, '\t');
        if (value == NULL)
            buf_add_text(out, "\\N");
        for (; value != NULL && *value != '\0'; value++) {
            if (*value == '\\')
                buf_add_char(out, '\\');
            buf_add_char(out, *value);
        }
    }
    buf_add_char(out, '\n');
}
