/* One table belongs to one pipeline, and to those that say whose table it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/faults.h"
#include "common/pipeline/tables.h"
#include "tests/unit/twins/twin_pipeline.h"

/* "a" and "b", as they are read from files. */
static struct pipelines two_pipelines(const char *table_a, const char *table_b)
{
    static struct pipeline *list[2];
    const char *const tables[] = {table_a, table_b};

    for (int i = 0; i < 2; i++) {
        char *sql = mem_printf("REPLACE INTO %s(id,io_id,note,qty) VALUES", tables[i]);
        list[i] = twin_pipeline(&(struct twin_spec){.name = i == 0 ? "a" : "b", .sql = sql});
        free(sql);
    }
    return (struct pipelines){.list = list, .count = 2};
}

static void set_table_of(struct pipeline *p, const char *name)
{
    free(p->table_of);
    p->table_of = mem_strdup(name);
    p->heads_name = p->table_of;
}

static void free_two(struct pipelines *all)
{
    pipeline_free(all->list[0]);
    pipeline_free(all->list[1]);
}

/* The only fault is of that level and says so; level -1: there is none. */
static void expect(const struct pipelines *all, const char *database, int level, const char *text)
{
    struct faults faults = FAULTS_INIT;

    pipelines_check_tables(all, database, &faults);
    if (faults.count != (size_t)(level >= 0))
        fail_msg("%s beside %s: %zu faults, first: %s", all->list[0]->table, all->list[1]->table,
                 faults.count, faults.count > 0 ? faults.list[0].text : "");
    if (level >= 0) {
        assert_int_equal(faults.list[0].level, level);
        if (strstr(faults.list[0].text, text) == NULL)
            fail_msg("%s instead of %s", faults.list[0].text, text);
    }
    faults_free(&faults);
}

static void a_table_of_two_pipelines_is_an_error(void **state)
{
    static const struct {
        const char *a, *b, *database;
        int level;
    } cases[] = {
        {"t", "t", NULL, FAULT_ERROR},
        {"t", "T", NULL, FAULT_ERROR},
        {"t", "`t`", "erp", FAULT_ERROR},
        {"erp.t", "erp.t", NULL, FAULT_ERROR},
        {"erp.t", "ERP.T", NULL, FAULT_ERROR},
        {"t", "erp.t", "erp", FAULT_ERROR},
        {"Erp.t", "t", "erP", FAULT_ERROR},
        {"t", "erp.t", NULL, FAULT_WARNING},
        {"t", "erp.t", "bi", -1},
        {"erp.t", "erp2.t", NULL, -1},
        {"erp2.t", "erp.t", "erp", -1},
        {"t", "t2", NULL, -1},
        {"a.t", "t.a", "t", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pipelines all = two_pipelines(cases[i].a, cases[i].b);
        expect(&all, cases[i].database, cases[i].level,
               cases[i].level == FAULT_ERROR ? "of pipeline a (twin.json) too"
                                             : "of pipeline a (twin.json), if that is");
        free_two(&all);
    }
}

static void table_of_shares_a_table(void **state)
{
    struct pipelines all = two_pipelines("t", "t");

    (void)state;
    assert_string_equal(all.list[1]->heads_name, "b");
    set_table_of(all.list[1], "a");
    expect(&all, NULL, -1, NULL);
    set_table_of(all.list[1], "b");
    set_table_of(all.list[0], "b"); /* in the other order, too */
    free(all.list[1]->table_of);
    all.list[1]->table_of = NULL;
    all.list[1]->heads_name = all.list[1]->name;
    expect(&all, NULL, -1, NULL);
    free_two(&all);
}

static void heads_are_kept_under_the_owner_s_name(void **state)
{
    struct pipeline *p = twin_pipeline(&(struct twin_spec){.name = "b", .options = ",\"table_of\":\"a\""});

    (void)state;
    assert_string_equal(p->table_of, "a");
    assert_string_equal(p->heads_name, "a");
    pipeline_free(p);
}

static void two_that_share_the_table_of_a_third_are_fine(void **state)
{
    struct pipelines ab = two_pipelines("t", "t");
    struct pipeline *c =
        twin_pipeline(&(struct twin_spec){.name = "c", .sql = "REPLACE INTO T(id,io_id,note,qty) VALUES"});
    struct pipeline *list[] = {ab.list[0], ab.list[1], c};
    struct pipelines all = {.list = list, .count = 3};

    (void)state;
    set_table_of(ab.list[0], "c");
    set_table_of(ab.list[1], "c");
    expect(&all, NULL, -1, NULL);
    pipeline_free(c);
    free_two(&ab);
}

static void table_of_names_another_pipeline_that_owns_its_table(void **state)
{
    struct pipelines all = two_pipelines("t", "t2");

    (void)state;
    set_table_of(all.list[1], "b");
    expect(&all, NULL, FAULT_ERROR, "b: the name of another pipeline is expected, whose table is its own");
    set_table_of(all.list[1], "purchasein");
    expect(&all, NULL, FAULT_ERROR, "no pipeline is named \"purchasein\"");
    set_table_of(all.list[1], "a");
    expect(&all, NULL, FAULT_ERROR,
           "the table cannot be that of a (twin.json): main_sql names another table");
    free_two(&all);
}

static void pipelines_of_one_table_agree(void **state)
{
    struct pipelines all = two_pipelines("t", "T");
    struct pipeline *b = all.list[1];

    (void)state;
    set_table_of(b, "a");
    b->columns[3].name[0] = 'Q'; /* qty */
    expect(&all, NULL, -1, NULL);
    b->columns[3].name[0] = 'x';
    expect(&all, NULL, FAULT_ERROR, "target.request names other columns");
    b->columns[3].name[0] = 'q';
    b->column_count--;
    expect(&all, NULL, FAULT_ERROR, "target.request names other columns");
    b->column_count++;
    b->key.names[0][1] = 'x';
    expect(&all, NULL, FAULT_ERROR, "options.key is another one");
    b->key.names[0][1] = 'd';
    b->write = WRITE_REPLACE;
    expect(&all, NULL, FAULT_ERROR, "options.write is another one");
    b->write = WRITE_DOCUMENT;
    b->document_columns[0] = 0;
    expect(&all, NULL, FAULT_ERROR, "the document's id stands in another column");
    free_two(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_of_two_pipelines_is_an_error),
        cmocka_unit_test(table_of_shares_a_table),
        cmocka_unit_test(heads_are_kept_under_the_owner_s_name),
        cmocka_unit_test(two_that_share_the_table_of_a_third_are_fine),
        cmocka_unit_test(table_of_names_another_pipeline_that_owns_its_table),
        cmocka_unit_test(pipelines_of_one_table_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
