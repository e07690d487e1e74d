#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "extractor/reading/split.h"

static void a_page_that_fits(void **state)
{
    struct split s;
    (void)state;

    split_start(&s, 3, 50);
    assert_int_equal(split_now(&s)->page, 3);
    assert_int_equal(split_now(&s)->size, 50);
    assert_false(split_next(&s));
    assert_int_equal(s.depth, 0);
}

/* The server gives at most `clamp` documents a page; pages with more bytes than fit are halved. Every
 * position of the page must have been given, or given up at size 1. */
static void check_covers(int64_t page, int64_t size, int64_t clamp, int64_t fits)
{
    enum { POSITIONS = 4096 };
    bool seen[POSITIONS] = {false};
    struct split s;
    int asked = 0;

    split_start(&s, page, size);
    do {
        for (;;) {
            int64_t real = split_now(&s)->size < clamp ? split_now(&s)->size : clamp;
            assert_true(++asked < 10000);
            if (real <= fits || !split_shrink(&s, real))
                break;
        }
        const struct split_level *now = split_now(&s);
        int64_t real = now->size < clamp ? now->size : clamp;
        for (int64_t i = (now->page - 1) * real; i < now->page * real && i < POSITIONS; i++)
            seen[i] = true;
    } while (split_next(&s));
    int64_t held = size < clamp ? size : clamp;
    for (int64_t i = (page - 1) * held; i < page * held; i++)
        assert_true(seen[i]);
}

static void covers_the_same_positions(void **state)
{
    (void)state;
    for (int64_t page = 1; page < 8; page++)
        for (int64_t size = 1; size <= 101; size++)
            for (int64_t fits = 0; fits < 12; fits += 3) {
                check_covers(page, size, 1000, fits);
                check_covers(page, size, 40, fits);
            }
}

static void goes_down(void **state)
{
    struct split s;
    char asked[256] = "";
    (void)state;

    split_start(&s, 2, 5); /* positions 5 to 9 */
    assert_true(split_shrink(&s, 0));
    do { /* pages of two, from the highest to the lowest */
        size_t len = strlen(asked);
        asked[len] = (char)('0' + split_now(&s)->page);
        asked[len + 1] = '\0';
    } while (split_next(&s));
    assert_string_equal(asked, "543");
}

static void comes_to_an_end(void **state)
{
    struct split s;
    int levels = 0;
    (void)state;

    split_start(&s, 1, 500000);
    while (split_shrink(&s, 0))
        levels++;
    assert_int_equal(split_now(&s)->size, 1);
    assert_int_equal(levels, 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_that_fits),
        cmocka_unit_test(covers_the_same_positions),
        cmocka_unit_test(goes_down),
        cmocka_unit_test(comes_to_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
