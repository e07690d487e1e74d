/* What everything else stands on: errors, buffers, faults, memory that grows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/faults.h"
#include "common/base/mem.h"

/* A text that is too long is cut on a whole character, whichever byte of it would be the last. */
static void test_err_is_cut_on_a_character(void **state)
{
    static const char *const characters[] = {"a", "\xC3\xA4", "\xE5\x8D\x95", "\xF0\x9F\x98\x80"};

    (void)state;
    for (size_t c = 0; c < 4; c++) {
        size_t len = strlen(characters[c]);
        for (size_t before = 0; before < 4; before++) {
            struct err err = ERR_INIT;
            char text[2 * ERR_TEXT_MAX];
            memset(text, 'x', before);
            for (size_t at = before; at + len < sizeof text; at += len)
                memcpy(text + at, characters[c], len + 1);
            assert_int_equal(err_set(&err, ERR_REJECT, 7, "%s", text), -1);
            size_t whole = (ERR_TEXT_MAX - 1 - before) / len * len + before;
            assert_int_equal(strlen(err.text), whole);
            assert_memory_equal(err.text, text, whole);
        }
    }
}

static void test_err(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(err_set(NULL, ERR_FATAL, 0, "nobody asks"), -1);
    err_set(&err, ERR_RETRY, 1213, "deadlock");
    assert_int_equal(err_prefix(&err, "batch %d", 3), -1);
    assert_string_equal(err.text, "batch 3: deadlock");
    assert_int_equal(err.kind, ERR_RETRY);
    assert_int_equal(err.code, 1213);
    err_clear(&err);
    assert_int_equal(err.kind, ERR_NONE);
}

static void test_buf(void **state)
{
    struct buf b;
    size_t len;

    (void)state;
    buf_init(&b, 10);
    assert_string_equal(b.data, "");
    assert_int_equal(buf_add_text(&b, "12345"), 0);
    assert_int_equal(buf_printf(&b, "%d", 6789), 0);
    assert_int_equal(buf_add(&b, "ab", 2), -1); /* refused whole */
    assert_true(b.overflowed);
    assert_string_equal(b.data, "123456789");
    assert_int_equal(buf_printf(&b, "%s", "ab"), -1);
    assert_string_equal(b.data, "123456789");
    buf_reset(&b);
    assert_false(b.overflowed);
    assert_int_equal(buf_add_text(&b, "1234567890"), 0); /* just the limit */
    buf_cut(&b, 3);
    buf_cut(&b, 5);
    assert_string_equal(b.data, "123");
    char *text = buf_take(&b, &len);
    assert_string_equal(text, "123");
    assert_int_equal(len, 3);
    assert_int_equal(b.len, 0);
    free(text);
    buf_free(&b);
    buf_free(NULL);
}

static void test_buf_grows(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100000);
    for (size_t i = 0; i < 100000; i++)
        assert_int_equal(buf_add_char(&b, (char)('a' + i % 26)), 0);
    assert_int_equal(buf_add_char(&b, 'x'), -1);
    assert_int_equal(strlen(b.data), 100000);
    assert_null(buf_reserve(&b, SIZE_MAX));
    buf_free(&b);
}

static void test_nearest_name(void **state)
{
    static const char *const names[] = {"brokers", "batch-rows", "batch-bytes", "once"};
    static const struct {
        const char *name, *nearest;
    } cases[] = {{"broker", "brokers"},   {"batch-row", "batch-rows"}, {"bacth-bytes", "batch-bytes"},
                 {"ones", "once"},        {"something-else", NULL},    {"", NULL},
                 {"mysql-database", NULL}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *found = nearest_name(cases[i].name, names, 4);
        if (cases[i].nearest == NULL)
            assert_null(found);
        else
            assert_string_equal(found, cases[i].nearest);
    }
    assert_null(nearest_name("once", names, 0));
}

static void test_faults(void **state)
{
    struct faults faults = FAULTS_INIT;
    char *text = NULL;
    size_t size = 0;

    (void)state;
    fault_add(&faults, FAULT_WARNING, "a.json: source", "key %s is not used", "x");
    fault_add(&faults, FAULT_ERROR, "--once", "is wrong");
    fault_add(&faults, FAULT_WARNING, "b\n.json", "looks \033[31m odd");
    assert_int_equal(faults.count, 3);
    assert_int_equal(faults.errors, 1);
    FILE *out = open_memstream(&text, &size);
    faults_print(&faults, out);
    fclose(out);
    assert_string_equal(text, "warning: a.json: source: key x is not used\nerror: --once: is wrong\n"
                              "warning: b\\n.json: looks \\u001b[31m odd\n");
    free(text);
    faults_free(&faults);
    assert_int_equal(faults.count, 0);
    faults_free(NULL);
}

static void test_mem_grow(void **state)
{
    int *list = NULL;
    size_t cap = 0;

    (void)state;
    for (size_t n = 0; n < 1000; n++) {
        list = mem_grow(list, &cap, n, sizeof *list);
        assert_true(cap > n);
        list[n] = (int)n;
    }
    assert_int_equal(list[999], 999);
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_err_is_cut_on_a_character),
        cmocka_unit_test(test_err),
        cmocka_unit_test(test_buf),
        cmocka_unit_test(test_buf_grows),
        cmocka_unit_test(test_nearest_name),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_mem_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
