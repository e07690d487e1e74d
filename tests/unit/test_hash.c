#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hash.h"

/* Add number n by a hash that n shares with others; false: it is there. */
static bool add(struct hash_table *t, uintptr_t n, uint64_t hashes)
{
    struct hash_probe probe = hash_probe(t, n % hashes);
    uintptr_t item;

    while (hash_next(t, &probe, &item))
        if (item == n)
            return false;
    hash_put(t, &probe, n);
    return true;
}

static void each_item_is_added_once(void **state)
{
    static const uint64_t hashes[] = {1, 7, 1000, UINT64_MAX};
    (void)state;

    for (size_t h = 0; h < sizeof hashes / sizeof *hashes; h++) {
        struct hash_table t = {0};
        for (uintptr_t n = 0; n < 1000; n++)
            assert_true(add(&t, n, hashes[h]));
        for (uintptr_t n = 0; n < 1000; n++)
            assert_false(add(&t, n, hashes[h]));
        assert_int_equal(t.count, 1000);
        hash_free(&t);
        assert_true(add(&t, 1, hashes[h]));
        hash_free(&t);
    }
    hash_free(NULL);
}

static void an_emptied_table_is_empty(void **state)
{
    static const size_t expected[] = {0, 3, 500, 0, 8, 2000};
    struct hash_table t = {0};
    (void)state;

    for (size_t round = 0; round < sizeof expected / sizeof *expected; round++) {
        hash_begin(&t, expected[round]);
        assert_int_equal(t.count, 0);
        for (uintptr_t n = 0; n < 600; n++)
            assert_true(add(&t, n, UINT64_MAX));
        assert_int_equal(t.count, 600);
    }
    hash_free(&t);
}

static void lengths_and_order_count(void **state)
{
    (void)state;
    assert_true(hash_text("12") == hash_bytes(0, "123", 2));
    assert_true(hash_text("12") != hash_text("21"));
    assert_true(hash_text("") != hash_bytes(0, "\0", 1));
    assert_true(hash_bytes(hash_bytes(0, "a", 1), "bc", 2) != hash_bytes(hash_bytes(0, "ab", 2), "c", 1));
    assert_true(hash_text("abcdefghi") != hash_text("abcdefghj"));
    assert_true(hash_text("abcdefgh") != hash_text("bbcdefgh"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_item_is_added_once),
        cmocka_unit_test(an_emptied_table_is_empty),
        cmocka_unit_test(lengths_and_order_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
