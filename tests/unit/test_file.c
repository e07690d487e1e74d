#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static void test_mark_is_dropped(void **state)
{
    static const char mark[] = "\xEF\xBB\xBF";
    static const struct {
        const char *content, *text;
    } cases[] = {{"\xEF\xBB\xBFx=1", "x=1"},
                 {"\xEF\xBB\xBF", ""},
                 {"\xEF\xBB", "\xEF\xBB"},
                 {"x\xEF\xBB\xBF", "x\xEF\xBB\xBF"},
                 {"\xEF\xBB\xBF\xEF\xBB\xBF", mark}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *path = make_file(0);
        char *text;
        size_t len;
        FILE *out = fopen(path, "w");
        assert_non_null(out);
        fputs(cases[i].content, out);
        fclose(out);
        assert_int_equal(file_read(path, 100, &text, &len, NULL), 0);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(len, strlen(cases[i].text));
        free(text);
        unlink(path);
        free(path);
    }
}

/* Neither a pipe that nobody writes to nor a device without an end holds a program up. */
static void test_pipes_and_devices_are_refused(void **state)
{
    char folder[] = "/tmp/jst-test-file-XXXXXX";
    struct err err = ERR_INIT;
    char *text = NULL;

    (void)state;
    assert_non_null(mkdtemp(folder));
    char *fifo = mem_printf("%s/fifo", folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    alarm(20); /* what hangs, fails */
    const char *const paths[] = {fifo, "/dev/zero", "/dev/null"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(file_read(paths[i], 100, &text, NULL, &err), -1);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_int_equal(err.code, EINVAL);
        assert_null(text);
    }
    alarm(0);
    unlink(fifo);
    rmdir(folder);
    free(fifo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_mark_is_dropped),
        cmocka_unit_test(test_pipes_and_devices_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
