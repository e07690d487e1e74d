#include "bench/rows.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/mysql/sql.h"

const struct row_column row_columns[ROW_COLUMNS] = {
    {"id", false},
    {"io_id", true},
    {"ts", true},
    {"warehouse", false},
    {"po_id", true},
    {"supplier_id", true},
    {"supplier_name", false},
    {"modified", false},
    {"so_id", false},
    {"out_io_id", false},
    {"status", false},
    {"io_date", false},
    {"wh_id", false},
    {"wms_co_id", true},
    {"remark", false},
    {"tax_rate", true},
    {"labels", false},
    {"archived", false},
    {"merge_so_id", false},
    {"type", false},
    {"creator_name", false},
    {"f_status", false},
    {"l_id", false},
    {"items_ioi_id", true},
    {"items_sku_id", false},
    {"items_i_id", false},
    {"items_unit", false},
    {"items_name", false},
    {"items_qty", true},
    {"items_cost_price", true},
    {"items_cost_amount", true},
};

static const char *const warehouses[] = {"上海主仓", "广州二仓", "杭州退仓", "成都仓"};
static const char *const suppliers[] = {"某某供应链公司", "华东针织服饰", "远山箱包制造厂"};
static const char *const statuses[] = {"Confirmed", "WaitConfirm", "Archive", "Delivery"};
static const char *const labels[] = {NULL, "加急", "加急,质检", "补货"};
static const char *const creators[] = {"李四", "王小明", "系统", "赵敏"};
static const char *const units[] = {"件", "双", "箱"};
static const char *const names[] = {"春季新款纯棉衬衫", "男士圆领短袖 T 恤", "双肩背包 \"A\" 型",
                                    "女式运动鞋"};
/* One document in four has a remark, so long that a row has 714 bytes on average. */
static const char remark_text[] = "please unload at gate 3, call the keeper half an hour before, boxes are "
                                  "numbered; pallets go back with the "
                                  "same lorry\\dock 7";

enum { REMARK_LEAST = 12, REMARK_SPAN = 67 };

/* A step of splitmix64: even neighbours give unlike numbers. */
static uint64_t mix(uint64_t x)
{
    x += 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
}

#define PICK(list, random) (list)[(random) % (sizeof(list) / sizeof(list)[0])]

__attribute__((format(printf, 2, 3))) static const char *keep(struct row_document *d, const char *format, ...)
{
    char *at = d->memory + d->used;
    va_list args;

    va_start(args, format);
    int len = vsnprintf(at, ROW_MEMORY - d->used, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= ROW_MEMORY - d->used)
        abort(); /* ROW_MEMORY is too small: a mistake in this file */
    d->used += (size_t)len + 1;
    return at;
}

static const char *moment(struct row_document *d, uint64_t random)
{
    return keep(d, "2026-%02u-%02u %02u:%02u:%02u", (unsigned)(random % 12) + 1,
                (unsigned)(random >> 8) % 28 + 1, (unsigned)(random >> 16) % 24,
                (unsigned)(random >> 24) % 60, (unsigned)(random >> 32) % 60);
}

static void make_header(uint64_t n, uint64_t r, struct row_document *d, const char **cell)
{
    cell[1] = d->id;
    cell[2] = d->version;
    cell[3] = PICK(warehouses, r);
    cell[4] = keep(d, "%" PRIu64, 40000000 + n / 2);
    cell[5] = keep(d, "%u", 1000 + (unsigned)(r >> 4) % 500);
    cell[6] = PICK(suppliers, r >> 6);
    cell[7] = moment(d, r);
    cell[8] = keep(d, "SO26%08" PRIu64, n);
    cell[9] = keep(d, "%" PRIu64, 70000000 + n);
    cell[10] = PICK(statuses, r >> 9);
    cell[11] = moment(d, r >> 3);
    cell[12] = keep(d, "%u", 1 + (unsigned)(r >> 11) % 4);
    cell[13] = "10042";
    cell[14] = r % 4 == 1 ? keep(d, "%.*s", REMARK_LEAST + (int)((r >> 13) % REMARK_SPAN), remark_text) : "";
    cell[15] = (r >> 15) % 3 == 0 ? "0.06" : "0.13";
    cell[16] = PICK(labels, r >> 17);
    cell[17] = (r >> 19) % 2 == 0 ? "0" : "1";
    cell[18] = (r >> 20) % 4 == 0 ? keep(d, "SO26%08" PRIu64 ",SO26%08" PRIu64, n, n + 1) : NULL;
    cell[19] = "采购入库";
    cell[20] = PICK(creators, r >> 23);
    cell[21] = "Wait";
    cell[22] = keep(d, "SF%010" PRIu64, r % 10000000000U);
}

static void make_line(uint64_t n, int line, uint64_t r, struct row_document *d, const char **cell)
{
    unsigned quantity = 1 + (unsigned)r % 200;
    unsigned price = 100 + (unsigned)(r >> 8) % 90000; /* hundredths */
    uint64_t number = n * ROW_LINES + (uint64_t)line;
    uint64_t amount = (uint64_t)quantity * price;

    cell[23] = keep(d, "%" PRIu64, 300000000 + number);
    cell[0] = keep(d, "%s-%s", d->id, cell[23]);
    cell[24] = keep(d, "SKU-%06u-%02u", (unsigned)(r >> 5) % 1000000, (unsigned)(r >> 30) % 40);
    cell[25] = keep(d, "I%06u", (unsigned)(r >> 5) % 1000000);
    cell[26] = PICK(units, r >> 36);
    cell[27] = PICK(names, r >> 38);
    cell[28] = keep(d, "%u", quantity);
    cell[29] = keep(d, "%u.%02u", price / 100, price % 100);
    if (number % 200 == 107) /* 14 digits and 4: more than a binary floating-point number keeps */
        cell[30] =
            keep(d, "%" PRIu64 ".%04u", 10000000000000 + r % 89999999999999, 1 + (unsigned)(r >> 7) % 9999);
    else
        cell[30] = keep(d, "%" PRIu64 ".%02u", amount / 100, (unsigned)(amount % 100));
}

void row_document_make(uint64_t n, struct row_document *ret)
{
    uint64_t r = mix(n);

    ret->used = 0;
    ret->id = keep(ret, "%" PRIu64,
                   n % 200 == 7 ? 100000000000000000 + r % 899999999999 * 1000000 + n : 10000000 + n);
    ret->version = keep(ret, "%" PRIu64, 14919261607 + n);
    make_header(n, r, ret, ret->cells[0]);
    for (int line = 0; line < ROW_LINES; line++) {
        if (line > 0)
            memcpy(ret->cells[line], ret->cells[0], sizeof ret->cells[0]);
        make_line(n, line, mix(r + (uint64_t)line), ret, ret->cells[line]);
    }
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
            uint64_t *b = &order[from + mix(from + i) % (i + 1)];
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

void row_put_json(struct buf *out, const struct row_document *d, int line)
{
    for (int c = 0; c < ROW_COLUMNS; c++) {
        buf_add_char(out, c == 0 ? '{' : ',');
        put_member(out, row_columns[c].name, row_columns[c].number, d->cells[line][c]);
    }
    buf_add_char(out, '}');
}

void row_put_document(struct buf *out, const struct row_document *d)
{
    const size_t prefix = strlen("items_");

    for (int c = 1; c <= ROW_HEADER_COLUMNS; c++) {
        buf_add_char(out, c == 1 ? '{' : ',');
        put_member(out, row_columns[c].name, row_columns[c].number, d->cells[0][c]);
    }
    for (int line = 0; line < ROW_LINES; line++) {
        buf_add_text(out, line == 0 ? ",\"items\":[" : "},");
        for (int c = ROW_HEADER_COLUMNS + 1; c < ROW_COLUMNS; c++) {
            buf_add_char(out, c == ROW_HEADER_COLUMNS + 1 ? '{' : ',');
            put_member(out, row_columns[c].name + prefix, row_columns[c].number, d->cells[line][c]);
        }
    }
    buf_add_text(out, "}]}");
}

void row_put_sql(struct buf *out, const struct row_document *d, int line)
{
    for (int c = 0; c < ROW_COLUMNS; c++) {
        const char *value = d->cells[line][c];
        buf_add_char(out, c == 0 ? '(' : ',');
        if (value == NULL)
            buf_add_text(out, "NULL");
        else if (row_columns[c].number)
            buf_add_text(out, value);
        else
            sql_put_text(out, value, strlen(value));
    }
    buf_add_char(out, ')');
}

void row_put_tsv(struct buf *out, const struct row_document *d, int line)
{
    for (int c = 0; c < ROW_COLUMNS; c++) {
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
