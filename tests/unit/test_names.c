#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/names.h"

static void assert_joined(const struct name_list *list, const char *text)
{
    char *joined = names_join(list);

    assert_string_equal(joined, text);
    free(joined);
}

static void texts_come_and_go(void **state)
{
    static const char *const more[] = {"c", "d"};
    struct name_list list = {0};
    (void)state;

    assert_joined(&list, "");
    assert_int_equal(names_find(&list, "a"), NO_NAME);
    names_add(&list, "abc", 1);
    names_take(&list, mem_strdup("入库"));
    names_copy(&list, more, 2);
    assert_joined(&list, "a, 入库, c, d");
    assert_int_equal(names_find(&list, "c"), 2);
    assert_null(names_twin(&list));
    names_add(&list, "c", 1);
    assert_string_equal(names_twin(&list), "c");
    assert_true(names_remove(&list, "c"));
    assert_null(names_twin(&list));
    assert_joined(&list, "a, 入库, d, c");
    assert_true(names_remove(&list, "a"));
    assert_false(names_remove(&list, "a"));
    assert_true(names_remove(&list, "c"));
    assert_joined(&list, "入库, d");
    names_free(&list);
    assert_int_equal(list.count, 0);
    assert_false(names_remove(&list, "d"));
    names_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
