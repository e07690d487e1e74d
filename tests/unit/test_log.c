#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "tests/unit/capture.h"

static struct capture capture;

static const char *logged(bool json, const char *message)
{
    capture_begin(&capture);
    log_setup("loader", LOG_INFO, json);
    log_info("%s", message);
    return capture_end(&capture);
}

/* First of all tests: nothing has been set up. */
static void before_setup(void **state)
{
    (void)state;

    capture_begin(&capture);
    log_debug("not this");
    log_info("early");
    capture_end(&capture);
    assert_non_null(strstr(capture.text, "Z INFO  jstpipe: early\n"));
    assert_null(strstr(capture.text, "not this"));
}

static void the_time_stands_first(void **state)
{
    char time[RFC3339_TEXT];
    int64_t ms = 0;
    (void)state;

    int64_t before = clock_now_ms();
    logged(false, "x");
    memcpy(time, capture.text, sizeof time - 1);
    time[sizeof time - 1] = '\0';
    assert_int_equal(rfc3339_parse(time, &ms), 0);
    assert_true(ms >= before && ms <= clock_now_ms());
    assert_string_equal(capture.text + 24, " INFO  loader: x\n");
}

static void levels(void **state)
{
    static const char *const names[] = {"ERROR loader: e\n", "WARN  loader: w\n", "INFO  loader: i\n",
                                        "DEBUG loader: d\n"};
    (void)state;

    for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
        capture_begin(&capture);
        log_setup("loader", (enum log_level)level, false);
        log_error("e");
        log_warn("w");
        log_info("i");
        log_debug("d");
        capture_end(&capture);
        for (int i = LOG_ERROR; i <= LOG_DEBUG; i++) {
            assert_int_equal(strstr(capture.text, names[i]) != NULL, i <= level);
            assert_int_equal(log_enabled((enum log_level)i), i <= level);
        }
    }
}

static void messages(void **state)
{
    static const struct {
        const char *message, *text, *json;
    } cases[] = {
        {"plain", "plain", "plain"},
        {"采购 😀", "采购 😀", "采购 😀"},
        {"a\nb\r\tc", "a\\nb\\r\\tc", "a\\nb\\r\\tc"},
        {"\033[31mred", "\\u001b[31mred", "\\u001b[31mred"},
        {"del\x7F", "del\\u007f", "del\\u007f"},
        {"\xC2\x85next", "\\u0085next", "\\u0085next"},
        {"say \"a\\b\"", "say \"a\\b\"", "say \\\"a\\\\b\\\""},
        {"bad \xFF byte", "bad \xEF\xBF\xBD byte", "bad \xEF\xBF\xBD byte"},
        {"cut \xE9\x87", "cut \xEF\xBF\xBD\xEF\xBF\xBD", "cut \xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xE0\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", "\xEF\xBF\xBD"},
        {"\xF0\x8F\xBF\xBF", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", "\xEF\xBF\xBD"},
        {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", "\xEF\xBF\xBD"},
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xF5\x80\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", "\xEF\xBF\xBD"},
    };
    char line[256];
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(line, sizeof line, " INFO  loader: %s\n", cases[i].text);
        if (strcmp(logged(false, cases[i].message) + 24, line) != 0)
            fail_msg("case %zu: %s", i, capture.text);
        snprintf(line, sizeof line, "\",\"level\":\"info\",\"proc\":\"loader\",\"msg\":\"%s", cases[i].json);
        logged(true, cases[i].message);
        if (strncmp(capture.text, "{\"time\":\"", 9) != 0 ||
            strncmp(capture.text + 33, line, strlen(line)) != 0 ||
            strcmp(capture.text + strlen(capture.text) - 3, "\"}\n") != 0)
            fail_msg("case %zu: %s", i, capture.text);
    }
}

/* Whatever stands where the line is cut, it is one line, at most 4096 bytes long, and closed. */
static void long_lines_are_cut(void **state)
{
    static const char *const units[] = {"x", "\"", "\\", "\n", "采", "😀", "\xFF", "\033", "\033x"};
    char message[9000];
    (void)state;

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        for (size_t shift = 0; shift < 6; shift++) {
            memset(message, 'a', shift);
            message[shift] = '\0';
            for (size_t len = shift; len < 8000; len += strlen(units[i]))
                snprintf(message + len, sizeof message - len, "%s", units[i]);
            logged(true, message);
            size_t len = strlen(capture.text);
            assert_true(len <= 4096 && len > 1000);
            assert_null(strstr(capture.text, i == 8 ? "xx" : "no hole")); /* what follows a cut is cut, too */
            assert_ptr_equal(strchr(capture.text, '\n'), capture.text + len - 1);
            size_t backslashes = 0;
            while (capture.text[len - 4 - backslashes] == '\\')
                backslashes++;
            if (strcmp(capture.text + len - 3, "\"}\n") != 0 || backslashes % 2 != 0)
                fail_msg("unit %zu, shift %zu: %s", i, shift, capture.text + len - 20);
        }
    }
}

static void *log_lines(void *context)
{
    for (int i = 0; i < 100; i++)
        log_info("thread %s line", (const char *)context);
    return NULL;
}

static void threads_do_not_mix(void **state)
{
    static char names[4][8] = {"a", "bb", "ccc", "dddd"};
    pthread_t threads[4];
    int lines = 0;
    (void)state;

    capture_begin(&capture);
    log_setup("loader", LOG_INFO, false);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_lines, names[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    capture_end(&capture);
    for (const char *line = capture.text; *line != '\0'; lines++) {
        const char *end = strchr(line, '\n');
        assert_non_null(end);
        assert_true(end - line > 24 + 22 + 5);
        assert_memory_equal(line + 24, " INFO  loader: thread ", 22);
        assert_memory_equal(end - 5, " line", 5);
        line = end + 1;
    }
    assert_int_equal(lines, 400);
}

static void errno_survives(void **state)
{
    (void)state;

    capture_begin(&capture);
    close(STDERR_FILENO);
    errno = ENOENT;
    log_info("into nothing");
    int after = errno;
    capture_end(&capture);
    assert_int_equal(after, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_setup),
        cmocka_unit_test(the_time_stands_first),
        cmocka_unit_test(levels),
        cmocka_unit_test(messages),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(threads_do_not_mix),
        cmocka_unit_test(errno_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
