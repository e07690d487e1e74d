#include "common/pipeline/endpoints.h"

#include <string.h>

#define DAYS(n)     ((int64_t)(n)*86400000)
#define MODIFIED(n) .window_begin = "modified_begin", .window_end = "modified_end", .window_max_ms = DAYS(n)
#define STARTED(n)  .window_begin = "start_time", .window_end = "end_time", .window_max_ms = DAYS(n)
#define NESTED(...) .nested = {__VA_ARGS__}

/* path, list, largest page, key; then the window and the nested arrays. */
const struct endpoint endpoint_table[] = {
    {"/open/purchasein/query", "datas", 50, .key = {"io_id"}, MODIFIED(7), NESTED("items", "batchs", "sns")},
    {"/open/webapi/wmsapi/purchasein/purchaseinquery", "datas", 50, .key = {"io_id"}, MODIFIED(7),
     NESTED("items", "batchs", "sns")},
    {"/open/purchase/query", "datas", 50, .key = {"po_id"}, MODIFIED(7), NESTED("items")},
    {"/open/purchaseout/query", "datas", 50, .key = {"io_id"}, MODIFIED(7), NESTED("items", "batchs", "sns")},
    {"/open/orders/single/query", "orders", 100, .key = {"o_id"}, MODIFIED(7),
     NESTED("items", "pays", "cb_finances")},
    {"/open/orders/out/simple/query", "datas", 50, .key = {"io_id"}, MODIFIED(7),
     NESTED("items", "batchs", "sns", "cluster_infos")},
    {"/open/refund/single/query", "datas", 50, .key = {"as_id"}, MODIFIED(7),
     NESTED("items", "batchs", "sns", "images")},
    {"/open/aftersale/received/query", "datas", 50, .key = {"io_id"}, MODIFIED(7),
     NESTED("items", "batchs", "sns")},
    {"/open/other/inout/query", "datas", 50, .key = {"io_id"}, MODIFIED(7), NESTED("items", "batchs", "sns")},
    {"/open/allocate/query", "datas", 50, .key = {"io_id"}, MODIFIED(7), NESTED("items", "batchs", "sns")},
    {"/open/inventory/query", "inventorys", 100, .key = {"sku_id"}, MODIFIED(7)},
    {"/open/inventory/count/query", "datas", 50, .key = {"io_id"}, MODIFIED(7),
     NESTED("items", "batchs", "sns")},
    {"/open/pack/query", "datas", 200, .key = {"pack_id", "sku_id"}, STARTED(1)},
    {"/open/sku/query", "datas", 50, .key = {"sku_id"}, MODIFIED(7)},
    {"/open/mall/item/query", "datas", 50, .key = {"i_id"}, MODIFIED(7), NESTED("skus", "ups")},
    {"/open/skumap/query", "datas", 50, .key = {"shop_id", "sku_id", "shop_sku_id"}, MODIFIED(7)},
    {"/open/combine/sku/query", "datas", 50, .key = {"sku_id"}, MODIFIED(7), NESTED("items")},
    {"/open/category/query", "datas", 0, .key = {"c_id"}, MODIFIED(7)},
    {"/open/supplier/query", "datas", 500, .key = {"supplier_id"}, MODIFIED(1)},
    {"/open/shops/query", NULL, 100, .key = {"shop_id"}},
    {"/open/wms/partner/query", "datas", 0, .key = {"wms_co_id"}},
    {"/open/logisticscompany/query", "datas", 50, .key = {"lc_id"}, MODIFIED(7)},
    {"/open/logistic/query", "orders", 50, .key = {"o_id"}, MODIFIED(7), NESTED("items")},
    {"/open/order/action/query", "datas", 500, .key = {"oa_id"}, MODIFIED(1)},
    {"/open/jushuitan/manufacture/query", "datas", 100, .key = {"po_id"}, STARTED(7),
     NESTED("items", "raws", "batchs")},
    {"/open/jushuitan/purchasebooking/query", "datas", 100, .key = {"po_id"}, STARTED(7), NESTED("items")},
};
const size_t endpoint_table_count = sizeof endpoint_table / sizeof endpoint_table[0];

const struct endpoint *endpoint_find(const char *path)
{
    for (size_t i = 0; i < endpoint_table_count; i++)
        if (strcmp(endpoint_table[i].path, path) == 0)
            return &endpoint_table[i];
    return NULL;
}
