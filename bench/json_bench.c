/* MB/s of the JSON modules on a page of 50 documents. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/buf.h"
#include "common/json/json.h"
#include "common/json/scan.h"
#include "common/wire/envelope.h"

/* cJSON as it comes, to compare with; its header belongs to common/json*.c alone. */
void *cJSON_ParseWithLength(const char *text, size_t len);
void cJSON_Delete(void *tree);

enum { DOCUMENTS = 50, LINES = 4, PAGE_MAX = 1 << 20 };

struct page {
    struct buf body;
    struct buf prepared;
    struct json_doc *doc;
};

static void add_document(struct buf *b, int n)
{
    buf_printf(
        b,
        "%s{\"io_id\":%d,\"ts\":149192616071800%04d,\"po_id\":%d,\"so_id\":\"EXT-%d\",\"supplier_id\":8,"
        "\"supplier_name\":\"某某供应链管理有限公司\",\"wms_co_id\":10,\"warehouse\":\"主仓\","
        "\"status\":\"Confirmed\",\"io_date\":\"2026-08-13 11:00:00\",\"modified\":\"2026-08-13 11:05:00\","
        "\"type\":\"采购入库\",\"tax_rate\":13.00,\"remark\":\"\",\"labels\":null,\"archived\":null,"
        "\"merge_so_id\":\"\",\"f_status\":\"WaitConfirm\",\"l_id\":\"SF%d\",\"items\":[",
        n > 0 ? "," : "", 1000000 + n, n, 200000 + n, n, 70000000 + n);
    for (int i = 0; i < LINES; i++)
        buf_printf(
            b,
            "%s{\"ioi_id\":%d,\"sku_id\":\"SKU-%d-%d\",\"i_id\":\"I%d\",\"unit\":\"件\",\"name\":\"春季新款"
            "纯棉衬衫 \\\"A\\\"\",\"qty\":\"%d.0000\",\"cost_price\":99.9900,\"cost_amount\":199.98,"
            "\"remark\":null,\"batch_no\":\"\"}",
            i > 0 ? "," : "", 3000000 + n * LINES + i, n, i, n, i + 1);
    buf_add_text(b, "],\"batchs\":null,\"sns\":[]}");
}

static void make_page(struct buf *b)
{
    buf_add_text(b, "{\"code\":0,\"msg\":\"\",\"data\":{\"page_index\":1,\"page_size\":50,\"data_count\":123,"
                    "\"page_count\":3,\"has_next\":true,\"datas\":[");
    for (int n = 0; n < DOCUMENTS; n++)
        add_document(b, n);
    buf_add_text(b, "]}}");
}

static int run_prepare(struct page *p)
{
    return json_prepare(p->body.data, p->body.len, &p->prepared, NULL, NULL);
}

static int run_parse(struct page *p)
{
    const struct json_value *root;
    return json_parse(p->doc, p->body.data, p->body.len, &root, NULL);
}

static int run_cjson(struct page *p)
{
    void *tree = cJSON_ParseWithLength(p->body.data, p->body.len);
    cJSON_Delete(tree);
    return tree != NULL ? 0 : -1;
}

static int run_scan(struct page *p)
{
    struct span whole;
    return scan_value(p->body.data, p->body.len, &whole) == p->body.len ? 0 : -1;
}

static int run_envelope(struct page *p)
{
    struct envelope e;
    return envelope_read(p->body.data, p->body.len, NULL, &e, NULL);
}

static int run_put_string(struct page *p)
{
    buf_reset(&p->prepared);
    json_put_string(&p->prepared, p->body.data, p->body.len);
    return p->prepared.overflowed ? -1 : 0;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The best of five rounds of some 0.2 s. */
static void measure(const char *name, int (*run)(struct page *), struct page *p)
{
    double best = 0;

    for (int round = 0; round < 5; round++) {
        double start = now_s(), spent;
        size_t bytes = 0;
        do {
            if (run(p) != 0) {
                fprintf(stderr, "%s fails\n", name);
                exit(111);
            }
            bytes += p->body.len;
            spent = now_s() - start;
        } while (spent < 0.2);
        if ((double)bytes / spent > best)
            best = (double)bytes / spent;
    }
    printf("%-24s %7.0f MB/s %8.3f ms a page\n", name, best / 1e6, (double)p->body.len / best * 1e3);
}

int main(void)
{
    struct page p = {0};

    buf_init(&p.body, PAGE_MAX);
    buf_init(&p.prepared, 4 * (size_t)PAGE_MAX);
    make_page(&p.body);
    printf("a page of %d documents, %zu bytes\n", DOCUMENTS, p.body.len);
    measure("cJSON_ParseWithLength", run_cjson, &p); /* first: json_doc_new() changes cJSON's allocator */
    p.doc = json_doc_new();
    measure("json_parse", run_parse, &p);
    measure("json_prepare", run_prepare, &p);
    measure("scan_value", run_scan, &p);
    measure("envelope_read", run_envelope, &p);
    measure("json_put_string", run_put_string, &p);
    json_doc_free(p.doc);
    buf_free(&p.prepared);
    buf_free(&p.body);
    return 0;
}
