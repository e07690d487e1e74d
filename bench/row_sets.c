/* What the bench's sets of rows hold. */
#include "bench/rows.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct row_column receipt_columns[ROW_COLUMNS] = {
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

/* Edition 0 has all lines. Edition 1 is the same document later: a higher version, other values, the line
 * n % ROW_LINES gone. */
static void make_receipt(uint64_t n, unsigned edition, struct row_document *d)
{
    static const uint64_t edition_step = 10000000000;
    uint64_t r = row_mix(n);
    uint64_t content = edition == 0 ? r : row_mix(r + edition);
    int gone = edition == 0 ? ROW_LINES : (int)(n % ROW_LINES);
    int kept = 0;

    d->used = 0;
    d->id = keep(d, "%" PRIu64,
                 n % 200 == 7 ? 100000000000000000 + r % 899999999999 * 1000000 + n : 10000000 + n);
    d->version = keep(d, "%" PRIu64, 14919261607 + n + edition * edition_step);
    make_header(n, content, d, d->cells[0]);
    for (int line = 0; line < ROW_LINES; line++) {
        if (line == gone)
            continue;
        if (kept > 0)
            memcpy(d->cells[kept], d->cells[0], sizeof d->cells[0]);
        make_line(n, line, row_mix(content + (uint64_t)line), d, d->cells[kept++]);
    }
}

static void make_first(uint64_t n, struct row_document *d)
{
    make_receipt(n, 0, d);
}

static void make_newer(uint64_t n, struct row_document *d)
{
    make_receipt(n, 1, d);
}

/* ---- events: one line a document, no version ---- */

static const struct row_column event_columns[] = {
    {"id", true},
    {"category", false},
    {"value", true},
    {"ts", false},
};

static void make_event(uint64_t n, struct row_document *d)
{
    uint64_t r = row_mix(n);

    d->used = 0;
    d->id = keep(d, "%" PRIu64, n + 1);
    d->version = "";
    d->cells[0][0] = d->id;
    d->cells[0][1] = keep(d, "category-%u", (unsigned)(r % 20));
    d->cells[0][2] = keep(d, "%u.%02u", (unsigned)(r >> 8) % 10000, (unsigned)(r >> 40) % 100);
    d->cells[0][3] = moment(d, r);
}

static const struct row_set sets[] = {
    {"receipts", "purchasein_query", receipt_columns, ROW_COLUMNS, ROW_LINES, make_first},
    {"newer", "purchasein_query", receipt_columns, ROW_COLUMNS, ROW_LINES - 1, make_newer},
    {"events", "events", event_columns, sizeof event_columns / sizeof event_columns[0], 1, make_event},
};

const struct row_set *row_set_find(const char *name)
{
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        if (strcmp(sets[i].name, name) == 0)
            return &sets[i];
    return NULL;
}
