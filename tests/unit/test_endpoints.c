#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/pipeline/endpoints.h"

static void test_table_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < endpoint_table_count; i++) {
        const struct endpoint *e = &endpoint_table[i];
        assert_int_equal(strncmp(e->path, "/open/", 6), 0);
        assert_ptr_equal(endpoint_find(e->path), e); /* each path once */
        assert_non_null(e->key[0]);
        assert_null(e->key[ENDPOINT_NAMES - 1]); /* room for the end */
        assert_null(e->nested[ENDPOINT_NAMES]);
        assert_in_range(e->page_size_max, 0, 500);
        assert_int_equal(e->window_begin != NULL, e->window_end != NULL);
        assert_int_equal(e->window_begin != NULL, e->window_max_ms > 0);
        assert_in_range(e->window_max_ms, 0, 7 * 86400000LL);
    }
}

static void test_find(void **state)
{
    const struct endpoint *e = endpoint_find("/open/purchasein/query");

    (void)state;
    assert_non_null(e);
    assert_int_equal(e->page_size_max, 50);
    assert_string_equal(e->window_begin, "modified_begin");
    assert_string_equal(e->key[0], "io_id");
    assert_string_equal(e->nested[0], "items");
    assert_null(endpoint_find("/open/purchasein/query/"));
    assert_null(endpoint_find(""));
    e = endpoint_find("/open/pack/query");
    assert_non_null(e);
    assert_string_equal(e->window_end, "end_time");
    assert_int_equal(e->window_max_ms, 86400000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_sound),
        cmocka_unit_test(test_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
