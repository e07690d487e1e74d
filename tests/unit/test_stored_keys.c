/* How the rows of documents are found whose ids are made of several fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "loader/store_mysql.h"
#include "tests/unit/twins/scripted_db.h"
#include "tests/unit/twins/twin_pipeline.h"

#define BEGIN "SELECT `id` FROM `t` FORCE INDEX (`jst_document`) WHERE "

static void assert_asked(const struct table *table, const char *const *documents, size_t count,
                         const char *expected)
{
    struct scripted_db db;
    struct stored_keys keys;
    struct err err = ERR_INIT;

    scripted_db_init(&db);
    struct store *store = store_mysql_new(&db.base);
    assert_int_equal(store->ops->stored_keys(store, table, documents, count, &keys, &err), 0);
    assert_string_equal(db.sql.data, expected);
    store->ops->free_keys(store, &keys);
    store_free(store);
}

/* An id falls apart at its first slashes; what a column cannot hold, or has too few fields, has no rows. */
static void each_field_is_compared_with_its_column(void **state)
{
    static struct table_column columns[] = {{.kind = COLUMN_TEXT, .length = 100},
                                            {.kind = COLUMN_INTEGER},
                                            {.kind = COLUMN_TEXT, .length = 100},
                                            {.kind = COLUMN_DECIMAL, .scale = 6}};
    static char index[] = "jst_document";
    static const char *const documents[] = {"1/a", "12x/a", "2", "-7/it's/b", "/a", "3/"};
    struct pipeline *p = twin_pipeline(&(struct twin_spec){.document = "[\"io_id\",\"note\"]"});
    const struct table table = {.pipeline = p, .columns = columns, .document_index = index};

    (void)state;
    assert_int_equal(p->document_column_count, 2);
    assert_int_equal(p->document_columns[0], 1);
    assert_asked(&table, documents, 6,
                 BEGIN "(`io_id`=1 AND `note`='a') OR (`io_id`=-7 AND `note`='it\\'s/b') OR (`io_id`=3 AND "
                       "`note`='')\n");
    assert_asked(&table, documents + 1, 2, "");
    pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_field_is_compared_with_its_column)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
