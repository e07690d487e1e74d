#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/faults.h"
#include "common/base/mem.h"
#include "common/pipeline/pipeline.h"

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
    assert_string_equal(p->crontab, "0 * * * *");
    assert_null(p->sweep_crontab);
    assert_int_equal(p->cron.minutes, 1);
    assert_int_equal(p->retry_count, 3);
    assert_int_equal(p->retry_interval_ms, 300000);
    assert_true(p->log_errors && p->notify_on_failure);
    assert_string_equal(p->list, "datas");
    assert_int_equal(p->key.count, 1);
    assert_string_equal(p->key.names[0], "id");
    assert_int_equal(p->document.count, 1);
    assert_string_equal(p->document.names[0], "io_id");
    assert_int_equal(p->document_column_count, 1);
    assert_int_equal(p->document_columns[0], 1);
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

/* ---- the spellings of the case and of exports; their faults: test_pipeline_faults.c ---- */

static const struct pipeline *load(struct pipelines *all, const char *name)
{
    static const char *const paths[] = {"tests/unit/data/pipelines/"};
    struct faults faults = FAULTS_INIT;

    pipelines_read(paths, 1, all, &faults);
    faults_free(&faults);
    const struct pipeline *p = pipelines_find(all, name);
    assert_non_null(p);
    return p;
}

static const struct request_field *field(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->count; i++)
        if (strcmp(request->fields[i].name, name) == 0)
            return &request->fields[i];
    fail_msg("no field %s", name);
    return NULL;
}

static void test_params(void **state)
{
    struct pipelines all;
    const struct pipeline *p = load(&all, "case-params");

    (void)state;
    assert_int_equal(p->page_size, 50);
    assert_int_equal(p->request.count, 4);
    assert_string_equal(field(&p->request, "page_index")->json, "1");
    assert_string_equal(field(&p->request, "page_size")->json, "1000");
    assert_string_equal(field(&p->request, "page_size")->type, "int");
    assert_string_equal(field(&p->request, "modified_end")->value.parts[0].text, "CURRENT_TIME");
    assert_string_equal(p->window_begin, "modified_begin");
    assert_int_equal(p->statement_rows, 1000);
    assert_int_equal(p->retry_count, 3);
    assert_int_equal(p->retry_interval_ms, 300000);
    assert_string_equal(p->key.names[0], "id");
    assert_string_equal(p->document.names[0], "io_id");
    assert_int_equal(p->document_column_count, 1);
    assert_int_equal(p->document_columns[0], 1);
    assert_null(p->list);
    assert_null(p->version);
    assert_string_equal(p->modified, "modified");
    assert_string_equal(p->title, "");
    assert_int_equal(p->overlap_ms, 600000);
    assert_int_equal(p->lag_ms, 60000);
    assert_int_equal(p->max_window_ms, 7 * 86400000LL);
    assert_int_equal(p->mode, READ_WINDOW);
    assert_int_equal(p->write, WRITE_DOCUMENT);
    assert_int_equal(p->empty_document, EMPTY_ROW);
    pipelines_free(&all);
}

static void test_plain_objects(void **state)
{
    struct pipelines all;
    const struct pipeline *p = load(&all, "case-window");

    (void)state;
    assert_int_equal(p->page_size, 30);
    assert_int_equal(p->statement_rows, 500);
    assert_int_equal(p->retry_count, 5);
    assert_int_equal(p->column_count, 7);
    assert_string_equal(p->columns[2].parts[0].field.array, "items");
    assert_string_equal(p->columns[2].parts[0].field.path, "sku_id");
    assert_string_equal(p->columns[3].parts[0].field.path, "a.b");
    assert_true(p->columns[3].of_line);
    assert_string_equal(p->columns[5].parts[0].literal, "聚水潭");
    assert_true(p->columns[4].of_line && !p->columns[4].alone);
    assert_false(p->columns[5].alone || p->columns[5].of_line);
    assert_string_equal(p->columns[6].parts[0].literal, "0");
    assert_string_equal(p->columns[6].label, "");
    pipelines_free(&all);
}

static void test_single_field(void **state)
{
    struct pipelines all;
    const struct pipeline *p = load(&all, "case-single-field");
    const struct request_field *f = field(&p->request, "statuss");

    (void)state;
    assert_string_equal(f->json, "[\"Confirmed\", \"Archive\"]");
    assert_string_equal(f->type, "array");
    assert_int_equal(f->value.count, 0);
    assert_string_equal(field(&p->request, "modified_begin")->type, "string");
    assert_null(field(&p->request, "modified_begin")->json);
    assert_string_equal(p->table, "erp.purchasein_query");
    assert_true(p->insert);
    assert_int_equal(p->column_count, 1);
    assert_string_equal(p->key.names[0], "io_id");
    assert_int_equal(p->retry_count, 3);
    assert_int_equal(p->retry_interval_ms, 300000);
    assert_true(p->log_errors && p->notify_on_failure);
    assert_int_equal(p->statement_rows, 1000);
    assert_int_equal(p->page_size, 50);
    assert_null(p->flatten);
    pipelines_free(&all);
}

static void test_export(void **state)
{
    struct pipelines all;
    const struct pipeline *p = load(&all, "export");

    (void)state;
    assert_int_equal(p->page_size, 40);
    assert_int_equal(p->request.count, 6);
    assert_int_equal(field(&p->request, "so_ids")->value.count, 0);
    assert_null(field(&p->request, "so_ids")->json);
    assert_true(p->sweeps);
    assert_true(p->sweep_cron.minutes == 1U << 2);
    assert_int_equal(p->sweep_request.count, 1);
    assert_string_equal(p->sweep_request.fields[0].value.parts[0].text, "DAYS_AGO_2");
    pipelines_free(&all);
}

static void test_unlisted_endpoint(void **state)
{
    struct pipelines all;
    const struct pipeline *p = load(&all, "unlisted-endpoint");

    (void)state;
    assert_int_equal(p->page_size, 500);
    assert_string_equal(p->window_begin, "begin");
    assert_string_equal(p->window_end, "end");
    assert_null(p->columns[1].parts[0].field.array);
    assert_string_equal(p->columns[1].parts[0].field.path, "items_v");
    assert_int_equal(p->overlap_ms, 0);
    assert_int_equal(p->lag_ms, 120000);
    assert_int_equal(p->max_window_ms, 5400000);
    assert_int_equal(p->empty_document, EMPTY_NONE);
    pipelines_free(&all);
}

/* ---- files and folders ---- */

static void test_sorted_by_name(void **state)
{
    static const char *const paths[] = {
        "tests/unit/data/pipelines/export.json", "tests/unit/data/pipelines/case-window.json",
        "pipelines/purchasein.json", "tests/unit/data/pipelines/case-params.json"};
    static const char *const names[] = {"case-params", "case-window", "export", "purchasein"};
    struct faults faults = FAULTS_INIT;
    struct pipelines all;

    (void)state;
    pipelines_read(paths, 4, &all, &faults);
    assert_int_equal(all.count, 4);
    for (size_t i = 0; i < all.count; i++)
        assert_string_equal(all.list[i]->name, names[i]);
    faults_free(&faults);
    pipelines_free(&all);
}

static void put_file(const char *folder, const char *name)
{
    char *path = mem_printf("%s/%s", folder, name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs("no json", f);
    fclose(f);
    free(path);
}

/* Which files of a folder are read, and how they are called. */
static void test_folder(void **state)
{
    static const char *const files[] = {".hidden.json", "b.json", "c.json~", "json", "a.json", "d.conf"};
    char folder[] = "/tmp/jst-test-pipelines-XXXXXX";
    struct faults faults = FAULTS_INIT;
    struct pipelines all;

    (void)state;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < 6; i++)
        put_file(folder, files[i]);
    char *slashes = mem_printf("%s//", folder);
    pipelines_read((const char *const[]){slashes}, 1, &all, &faults);
    assert_int_equal(faults.count, 2);
    for (size_t i = 0; i < 2; i++) {
        char *place = mem_printf("%s/%c.json:1:1", folder, i == 0 ? 'a' : 'b');
        assert_string_equal(faults.list[i].place, place);
        free(place);
    }
    for (size_t i = 0; i < 6; i++) {
        char *path = mem_printf("%s/%s", folder, files[i]);
        unlink(path);
        free(path);
    }
    rmdir(folder);
    free(slashes);
    faults_free(&faults);
}

#define NAME63 "a23456789012345678901234567890123456789012345678901234567890123"

static void test_names(void **state)
{
    static const struct {
        const char *name;
        bool good;
    } cases[] = {
        {"a", true},   {"0", true},   {"a-b_c9", true}, {NAME63, true}, {NAME63 "4", false}, {"", false},
        {"_a", false}, {"-a", false}, {"A", false},     {"a.b", false}, {"a b", false},      {"入库", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct faults faults = FAULTS_INIT;
        char *text = mem_printf("{\"name\": \"%s\"}", cases[i].name);
        assert_null(pipeline_parse("p", text, strlen(text), &faults));
        if ((strcmp(faults.list[0].place, "p:1:10: name") != 0) != cases[i].good)
            fail_msg("\"%s\": %s: %s", cases[i].name, faults.list[0].place, faults.list[0].text);
        faults_free(&faults);
        free(text);
    }
}

static void test_paths(void **state)
{
    static const struct {
        const char *paths[2];
        size_t count, pipelines;
        const char *place, *fault;
    } cases[] = {
        {{"pipelines/purchasein.json"}, 1, 1, NULL, NULL},
        {{"pipelines", "pipelines/purchasein.json"},
         2,
         1,
         "pipelines/purchasein.json:2:11: name",
         "\"purchasein\" is the name of pipelines/purchasein.json too"},
        {{"pipelines", "no-such.json"}, 2, 1, "no-such.json", "cannot be read: No such file"},
        {{"no-such"}, 1, 0, "no-such", "cannot be read: No such file"},
        {{"common"}, 1, 0, "common", "no pipeline is here"},
        {{NULL}, 0, 0, "--pipelines", "no pipeline is here"},
        {{"topics.conf"}, 1, 0, "topics.conf:1:1", "a value is expected here"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pipelines all;
        struct faults faults = FAULTS_INIT;
        pipelines_read(cases[i].paths, cases[i].count, &all, &faults);
        assert_int_equal(all.count, cases[i].pipelines);
        assert_int_equal(faults.errors, cases[i].fault != NULL);
        if (cases[i].fault != NULL) {
            assert_string_equal(faults.list[0].place, cases[i].place);
            assert_non_null(strstr(faults.list[0].text, cases[i].fault));
        }
        pipelines_free(&all);
        faults_free(&faults);
    }
}

/* Lists have a written limit, so that no file, however long, takes long to check. */
static void test_lists_are_bounded(void **state)
{
    static const struct {
        const char *before, *element, *rest, *after, *place;
    } cases[] = {
        {"{\"source\": {\"request\": {", "\"f", "\": 1", "}}}", "p:1:24: source.request"},
        {"{\"target\": {\"request\": [", "{\"field\": \"f", "\"}", "]}}", "p:1:24: target.request"},
        {"{\"options\": {\"key\": [", "\"f", "\"", "]}}", "p:1:21: options.key"},
        {"{\"target\": {\"main_sql\": \"REPLACE INTO t (", "f", "", ") VALUES\"}}",
         "p:1:25: target.main_sql"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct faults faults = FAULTS_INIT;
        struct buf text;
        size_t refused = 0;
        buf_init(&text, 1024 * 1024);
        buf_add_text(&text, cases[i].before);
        for (size_t k = 0; k < 1018; k++)
            buf_printf(&text, "%s%s%zu%s", k > 0 ? "," : "", cases[i].element, k, cases[i].rest);
        buf_add_text(&text, cases[i].after);
        assert_null(pipeline_parse("p", text.data, text.len, &faults));
        for (size_t k = 0; k < faults.count; k++)
            refused += strcmp(faults.list[k].place, cases[i].place) == 0 &&
                       strstr(faults.list[k].text, "1017") != NULL;
        if (refused != 1)
            fail_msg("%s: %zu faults", cases[i].place, faults.count);
        faults_free(&faults);
        buf_free(&text);
    }
}

static void row_by_row_needs_no_column_of_the_document(void **state)
{
    struct pipelines all;
    const struct pipeline *p = load(&all, "write-replace");

    (void)state;
    assert_int_equal(p->write, WRITE_REPLACE);
    assert_int_equal(p->document.count, 2);
    assert_int_equal(p->document_column_count, 0);
    assert_int_equal(p->updated_count, 1);
    assert_int_equal(p->updated[0], 1);
    pipelines_free(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_params),
        cmocka_unit_test(row_by_row_needs_no_column_of_the_document),
        cmocka_unit_test(test_plain_objects),
        cmocka_unit_test(test_single_field),
        cmocka_unit_test(test_export),
        cmocka_unit_test(test_unlisted_endpoint),
        cmocka_unit_test(test_sorted_by_name),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_lists_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
