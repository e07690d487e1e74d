/* In a child, because the process dies or stands still. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/fault_point.h"

enum { PASSINGS = 3 };

/* How a child ends that passes both points so often, with this variable; what waitpid() says. */
static int end_of(const char *variable, const char *wish)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        setenv(variable, wish, 1);
        for (int i = 0; i < PASSINGS; i++) {
            FAULT_POINT("begun");
            FAULT_POINT("done");
        }
        _exit(7);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    if (WIFSTOPPED(status)) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    return status;
}

static bool is_killed(const char *wish)
{
    int status = end_of("JSTPIPE_KILL_AT", wish);

    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void dies_at_the_passing_that_is_named(void **state)
{
    (void)state;
    assert_true(is_killed("begun"));
    assert_true(is_killed("done"));
    assert_true(is_killed("done:1"));
    assert_true(is_killed("begun:3"));
}

static void another_name_or_a_later_passing_changes_nothing(void **state)
{
    static const char *const wishes[] = {"begun:4", "beg", "begun2", "done:9223372036854775807"};

    (void)state;
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        int status = end_of("JSTPIPE_KILL_AT", wishes[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    }
}

static void stands_still_instead(void **state)
{
    (void)state;
    int status = end_of("JSTPIPE_STOP_AT", "done:2");
    assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
}

static void a_wish_that_cannot_be_read_is_not_ignored(void **state)
{
    static const char *const wishes[] = {
        "",
        ":1",
        "begun:",
        "begun:0",
        "begun:x",
        "begun:1:2",
        "a-name-that-no-point-has-because-it-is-longer-than-sixty-three-bytes"};

    (void)state;
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        int status = end_of("JSTPIPE_KILL_AT", wishes[i]);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dies_at_the_passing_that_is_named),
        cmocka_unit_test(another_name_or_a_later_passing_changes_nothing),
        cmocka_unit_test(stands_still_instead),
        cmocka_unit_test(a_wish_that_cannot_be_read_is_not_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
