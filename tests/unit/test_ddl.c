#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/mysql/ddl.h"
#include "common/mysql/own_tables.h"
#include "tests/unit/twins/twin_pipeline.h"

/* The shipped pipeline's table; @ stands for the collation. */
static const char golden[] = "CREATE TABLE IF NOT EXISTS `purchasein_query` (\n"
                             "  `id` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE @ NOT NULL COMMENT '主键',\n"
                             "  `io_id` BIGINT NULL COMMENT '入库单号',\n"
                             "  `ts` BIGINT NULL COMMENT '数据库行版本号',\n"
                             "  `warehouse` VARCHAR(255) NULL COMMENT '仓库名称',\n"
                             "  `po_id` BIGINT NULL COMMENT '采购单号',\n"
                             "  `supplier_id` BIGINT NULL COMMENT '供应商内部编号',\n"
                             "  `supplier_name` VARCHAR(255) NULL COMMENT '供应商名称',\n"
                             "  `modified` DATETIME NULL COMMENT '修改时间',\n"
                             "  `so_id` VARCHAR(255) NULL COMMENT '线上单号',\n"
                             "  `out_io_id` VARCHAR(255) NULL COMMENT '外部单号',\n"
                             "  `status` VARCHAR(255) NULL COMMENT '状态',\n"
                             "  `io_date` DATETIME NULL COMMENT '入库日期',\n"
                             "  `wh_id` VARCHAR(255) NULL COMMENT '仓库编号',\n"
                             "  `wms_co_id` BIGINT NULL COMMENT '分仓编号',\n"
                             "  `remark` TEXT NULL COMMENT '备注',\n"
                             "  `tax_rate` DECIMAL(24,6) NULL COMMENT '税率',\n"
                             "  `labels` TEXT NULL COMMENT '标签',\n"
                             "  `archived` DATETIME NULL COMMENT '财务审核日期',\n"
                             "  `merge_so_id` VARCHAR(255) NULL COMMENT '预约单号',\n"
                             "  `type` VARCHAR(255) NULL COMMENT '进仓类型',\n"
                             "  `creator_name` VARCHAR(255) NULL COMMENT '制单人',\n"
                             "  `f_status` VARCHAR(255) NULL COMMENT '财审状态',\n"
                             "  `l_id` VARCHAR(255) NULL COMMENT '物流单号',\n"
                             "  `items_ioi_id` BIGINT NULL COMMENT '入库子单号',\n"
                             "  `items_sku_id` VARCHAR(255) NULL COMMENT '商品编码',\n"
                             "  `items_i_id` VARCHAR(255) NULL COMMENT '款式编码',\n"
                             "  `items_unit` VARCHAR(255) NULL COMMENT '单位',\n"
                             "  `items_name` VARCHAR(255) NULL COMMENT '商品名称',\n"
                             "  `items_qty` DECIMAL(24,6) NULL COMMENT '入库数量',\n"
                             "  `items_cost_price` DECIMAL(24,6) NULL COMMENT '单价',\n"
                             "  `items_cost_amount` DECIMAL(24,6) NULL COMMENT '金额',\n"
                             "  PRIMARY KEY (`id`),\n"
                             "  KEY `jst_document` (`io_id`)\n"
                             ") ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COMMENT "
                             "'聚水潭-采购入库单-->BI卡卡-采购入库表'";

static const char golden_heads[] =
    "CREATE TABLE IF NOT EXISTS `jst_heads` (\n"
    "  `pipeline` VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,\n"
    "  `document` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE @ NOT NULL,\n"
    "  `kind` TINYINT UNSIGNED NULL COMMENT 'of the version: 0 received, 1 datetime, 2 integer, NULL of an "
    "older "
    "loader',\n"
    "  `version` BIGINT UNSIGNED NOT NULL,\n"
    "  `received` BIGINT NULL COMMENT 'from the API, ms since 1970 UTC',\n"
    "  `published` BIGINT NOT NULL COMMENT 'timestamp of the rows message, ms since 1970 UTC',\n"
    "  `rows` INT UNSIGNED NOT NULL,\n"
    "  `source` VARCHAR(300) CHARACTER SET utf8mb4 COLLATE @ NULL COMMENT 'topic/partition/offset of the raw "
    "page',\n"
    "  `updated_at` DATETIME(3) NOT NULL,\n"
    "  PRIMARY KEY (`pipeline`,`document`)\n"
    ") ENGINE=InnoDB ROW_FORMAT=DYNAMIC COMMENT 'the version of each document that its table shows'";

static const char golden_offsets[] =
    "CREATE TABLE IF NOT EXISTS `jst_offsets` (\n"
    "  `pipeline` VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,\n"
    "  `topic` VARCHAR(249) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,\n"
    "  `partition` INT NOT NULL,\n"
    "  `target` VARCHAR(129) CHARACTER SET utf8mb4 COLLATE @ NOT NULL COMMENT 'database.table',\n"
    "  `next_offset` BIGINT NOT NULL COMMENT 'every message below it is committed in this database',\n"
    "  `updated_at` DATETIME(3) NOT NULL,\n"
    "  PRIMARY KEY (`pipeline`,`topic`,`partition`)\n"
    ") ENGINE=InnoDB ROW_FORMAT=DYNAMIC COMMENT 'how far each partition is committed in this database'";

/* expected, with the collation for each @ */
static void assert_sql(const char *sql, const char *expected, const char *collation)
{
    struct buf whole;

    buf_init(&whole, 65536);
    for (; *expected != '\0'; expected++)
        if (*expected == '@')
            buf_add_text(&whole, collation);
        else
            buf_add_char(&whole, *expected);
    assert_null(strchr(sql, ';')); /* files of statements are often split there */
    assert_string_equal(sql, whole.data);
    buf_free(&whole);
}

static void test_shipped(void **state)
{
    static const char *const paths[] = {"pipelines"};
    static const char *const collations[] = {"utf8mb4_0900_bin", "utf8mb4_nopad_bin"};
    struct pipelines all;
    struct faults faults = FAULTS_INIT;
    struct buf out;

    (void)state;
    pipelines_read(paths, 1, &all, &faults);
    buf_init(&out, 65536);
    for (int mariadb = 0; mariadb < 2; mariadb++) {
        assert_string_equal(ddl_collation(mariadb), collations[mariadb]);
        buf_reset(&out);
        ddl_target(pipelines_find(&all, "purchasein"), mariadb, &out);
        assert_sql(out.data, golden, collations[mariadb]);
        buf_reset(&out);
        own_table_put(&own_heads, mariadb, &out);
        assert_sql(out.data, golden_heads, collations[mariadb]);
        buf_reset(&out);
        own_table_put(&own_offsets, mariadb, &out);
        assert_sql(out.data, golden_offsets, collations[mariadb]);
    }
    buf_free(&out);
    pipelines_free(&all);
    faults_free(&faults);
}

#define F(name, type) "{\"field\":\"" name "\",\"type\":\"" type "\",\"value\":\"{" name "}\"}"

static bool has(const struct twin_spec *spec, const char *text)
{
    struct pipeline *p = twin_pipeline(spec);
    struct buf out;

    buf_init(&out, 65536);
    ddl_target(p, true, &out);
    bool found = strstr(out.data, text) != NULL;
    if (!found)
        print_message("%s\n", out.data);
    buf_free(&out);
    pipeline_free(p);
    return found;
}

static void test_keys(void **state)
{
    struct twin_spec spec = {
        .fields = F("io_id", "string") "," F("a", "string") "," F("b", "int") "," F("c", "string") "," F(
            "d", "string"),
        .sql = "REPLACE INTO db.t(io_id,a,b,c,d) VALUES",
    };

    (void)state;
    /* the document's column leads the key: no index of its own; it compares byte by byte all the same */
    spec.options = ",\"key\":[\"io_id\",\"b\"]";
    assert_true(has(&spec,
                    "`db`.`t` (\n  `io_id` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT "
                    "NULL,\n  `a` VARCHAR(255) NULL,\n  `b` BIGINT NOT NULL,\n"));
    assert_true(has(&spec, "  PRIMARY KEY (`io_id`,`b`)\n) ENGINE"));
    spec.options = ",\"key\":[\"b\",\"a\"]";
    assert_true(has(&spec, "  PRIMARY KEY (`b`,`a`),\n  KEY `jst_document` (`io_id`)\n)"));
    assert_true(has(&spec, "`io_id` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL,\n"));
    /* an index takes 3072 bytes: four texts of 255 characters would be more */
    spec.options = ",\"key\":[\"a\",\"c\",\"d\"]";
    assert_true(has(&spec, "`c` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL"));
    spec.options = ",\"key\":[\"a\",\"c\",\"d\",\"io_id\"]";
    assert_true(has(&spec, "`c` VARCHAR(192) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL"));
    spec.options = ",\"key\":[\"a\",\"b\",\"c\",\"io_id\"]";
    assert_true(has(&spec, "`c` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL"));
}

/* One index finds the rows of a document of several fields, unless the key begins with them. */
static void a_document_of_several_fields_has_an_index(void **state)
{
    struct twin_spec spec = {
        .fields = F("io_id", "string") "," F("a", "string") "," F("b", "int"),
        .sql = "REPLACE INTO db.t(io_id,a,b) VALUES",
        .document = "[\"io_id\",\"a\"]",
    };

    (void)state;
    spec.options = ",\"key\":[\"io_id\",\"b\"]";
    assert_true(has(&spec, "  PRIMARY KEY (`io_id`,`b`),\n  KEY `jst_document` (`io_id`,`a`)\n)"));
    assert_true(has(&spec, "`a` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL,\n"));
    spec.options = ",\"key\":[\"a\",\"io_id\",\"b\"]";
    assert_true(has(&spec, "  PRIMARY KEY (`a`,`io_id`,`b`)\n) ENGINE"));
}

/* More columns than a row of VARCHARs holds: texts. */
static void test_many_columns(void **state)
{
    struct buf fields;
    struct buf sql;

    (void)state;
    buf_init(&fields, 65536);
    buf_init(&sql, 65536);
    buf_add_text(&fields, F("io_id", "int"));
    buf_add_text(&sql, "REPLACE INTO t(io_id");
    for (int i = 0; i < 60; i++) {
        buf_printf(&fields, ",{\"field\":\"c%d\",\"type\":\"string\",\"value\":\"{c%d}\"}", i, i);
        buf_printf(&sql, ",c%d", i);
    }
    buf_add_text(&sql, ") VALUES");
    assert_true(
        has(&(struct twin_spec){.fields = fields.data, .sql = sql.data, .options = ",\"key\":\"io_id\""},
            "  `c59` TEXT NULL,\n"));
    buf_free(&fields);
    buf_free(&sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(a_document_of_several_fields_has_an_index),
        cmocka_unit_test(test_many_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
