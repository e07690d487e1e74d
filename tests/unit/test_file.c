#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/file.h"
#include "common/base/mem.h"

/* A file of len times 'x' in a directory of its own. */
static char *make_file(size_t len)
{
    char *path = mem_strdup("/tmp/jst-test-file-XXXXXX");
    char *text = mem_alloc(len);
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    memset(text, 'x', len);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
    free(text);
    return path;
}

static void test_read(void **state)
{
    static const size_t sizes[] = {0, 1, 255, 256, 16384, 16385, 100000};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char *path = make_file(sizes[i]);
        struct err err = ERR_INIT;
        char *text;
        size_t len = 77;
        assert_int_equal(file_read(path, sizes[i], &text, &len, &err), 0);
        assert_int_equal(len, sizes[i]);
        assert_int_equal(strlen(text), sizes[i]);
        free(text);
        if (sizes[i] > 0) {
            assert_int_equal(file_read(path, sizes[i] - 1, &text, NULL, &err), -1);
            assert_int_equal(err.kind, ERR_CONFIG);
            assert_int_equal(err.code, 0);
        }
        unlink(path);
        free(path);
    }
}

static void test_unreadable(void **state)
{
    struct err err = ERR_INIT;
    char *text;

    (void)state;
    assert_int_equal(file_read("no/such/file", 100, &text, NULL, &err), -1);
    assert_int_equal(err.code, ENOENT);
    assert_string_equal(err.text, "cannot be read: No such file or directory");
    assert_int_equal(file_read("tests", 100, &text, NULL, &err), -1);
    assert_int_equal(err.code, EISDIR);
    assert_string_equal(err.text, "cannot be read: Is a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_unreadable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
