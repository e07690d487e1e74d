#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/faults.h"
#include "common/pipeline.h"

static void assert_column(const struct pipeline *p, size_t i, const char *name, enum value_type type,
                          const char *array, const char *path)
{
    const struct column *c = &p->columns[i];
    assert_string_equal(c->name, name);
    assert_int_equal(c->type, type);
    assert_true(c->label[0] != '\0');
    assert_true(c->alone);
    assert_int_equal(c->part_count, 1);
    assert_null(c->parts[0].literal);
    assert_string_equal(c->parts[0].field.path, path);
    assert_int_equal(c->of_line, array != NULL);
    if (array != NULL)
        assert_string_equal(c->parts[0].field.array, array);
    else
        assert_null(c->parts[0].field.array);
}

static void assert_purchasein_source(const struct pipeline *p)
{
    assert_string_equal(p->api, "/open/purchasein/query");
    assert_int_equal(p->page_size, 50);
    assert_int_equal(p->request.count, 4);
    assert_string_equal(p->request.fields[0].name, "page_index");
    assert_string_equal(p->request.fields[2].value.parts[0].text, "LAST_SYNC_TIME");
    assert_string_equal(p->request.fields[2].value.parts[0].filter, "datetime");
    assert_string_equal(p->flatten, "items");
    assert_string_equal(p->window_begin, "modified_begin");
    assert_string_equal(p->window_end, "modified_end");
    assert_false(p->sweeps);
}

static void assert_purchasein_options(const struct pipeline *p)
{
    assert_true(p->scheduled);
    assert_int_equal(p->cron.minutes, 1);
    assert_int_equal(p->retry_count, 3);
    assert_int_equal(p->retry_interval_ms, 300000);
    assert_true(p->log_errors && p->notify_on_failure);
    assert_string_equal(p->list, "datas");
    assert_int_equal(p->key.count, 1);
    assert_string_equal(p->key.names[0], "id");
    assert_int_equal(p->document.count, 1);
    assert_string_equal(p->document.names[0], "io_id");
    assert_int_equal(p->document_column, 1);
    assert_string_equal(p->version, "ts");
    assert_string_equal(p->modified, "modified");
    assert_int_equal(p->overlap_ms, 600000);
    assert_int_equal(p->lag_ms, 60000);
    assert_int_equal(p->max_window_ms, 7 * 86400000LL);
}

static void test_shipped(void **state)
{
    static const char *const paths[] = {"pipelines"};
    struct pipelines all;
    struct faults faults = FAULTS_INIT;

    (void)state;
    pipelines_read(paths, 1, &all, &faults);
    faults_print(&faults, stderr);
    assert_int_equal(faults.count, 0);
    const struct pipeline *p = pipelines_find(&all, "purchasein");
    assert_non_null(p);
    assert_null(pipelines_find(&all, "purchasei"));
    assert_purchasein_source(p);
    assert_string_equal(p->table, "purchasein_query");
    assert_false(p->insert);
    assert_int_equal(p->column_count, 31);
    assert_int_equal(p->columns[0].part_count, 3);
    assert_string_equal(p->columns[0].parts[1].literal, "-");
    assert_false(p->columns[0].alone);
    assert_true(p->columns[0].of_line);
    assert_column(p, 1, "io_id", VALUE_INT, NULL, "io_id");
    assert_column(p, 3, "warehouse", VALUE_STRING, NULL, "warehouse");
    assert_column(p, 28, "items_qty", VALUE_FLOAT, "items", "qty");
    assert_int_equal(pipeline_column(p, "items_cost_amount"), 30);
    assert_int_equal(pipeline_column(p, "nothing"), SIZE_MAX);
    assert_int_equal(p->statement_rows, 1000);
    assert_purchasein_options(p);
    pipelines_free(&all);
    pipelines_free(NULL);
    pipeline_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
