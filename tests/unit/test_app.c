/* The process skeleton: each case is a child process of its own, as a program would be. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/kafka/kafka.h"
#include "common/monitor/health.h"
#include "common/pipeline/pipeline.h"
#include "common/skeleton/app.h"
#include "common/wire/topics.h"
#include "tests/unit/app_child.h"
#include "tests/unit/client.h"
#include "tests/unit/threads.h"

/* ---- what it does and how it ends ---- */

static void questions_and_faults(void **state)
{
    static const struct {
        enum program program;
        const char *args;
        int code;
        const char *out, *err; /* the beginning of each; err NULL: nothing */
        const char *err_too;
    } cases[] = {
        {PROGRAM_LOADER, "--help", 0, "Usage: loader [OPTION...]", NULL, ""},
        {PROGRAM_LOADER, "--nope|--help", 0, "Usage: loader [OPTION...]", NULL, ""},
        {PROGRAM_JSTCTL, "--help|--nope", 0, "Usage: jstctl VERB", NULL, ""},
        {PROGRAM_EXTRACTOR, "--version", 0, "extractor " JST_VERSION "\n", NULL, ""},
        {PROGRAM_LOADER, "--check", 0, "configuration is fine: 1 pipeline\n", NULL, ""},
        {PROGRAM_LOADER, "--check|--pipelines=odd", 0, "configuration is fine: 1 pipeline\n",
         "warning: odd: an odd pipeline\n", ""},
        {PROGRAM_LOADER,
         "--check|--nope|--pipelines=broken|--topics|t.conf|--kafka|a=b|--batch-rows|13|--listen|x", 100, "",
         "error: argument 2: unknown option; loader --help lists them\n"
         "error: --listen: 'x' is not an address: HOST:PORT is needed, with a port of 0-65535\n"
         "error: broken: a wrong pipeline\n"
         "error: t.conf: wrong topics\n"
         "error: --kafka: a wrong property\n"
         "error: --batch-rows: brings bad luck\n",
         "ERROR loader: 6 errors in the configuration\n"},
        {PROGRAM_LOADER, "--pipelines=odd,broken", 100, "",
         "warning: odd: an odd pipeline\nerror: broken: a wrong pipeline\n",
         "ERROR loader: 1 error in the configuration\n"},
        {PROGRAM_JSTCTL, "check|--nope", 100, "", "error: argument 2: unknown option", ""},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct child c;
        start(&c, cases[i].program, cases[i].args, NULL);
        int code = finish(&c);
        if (code != cases[i].code || strncmp(c.out_text, cases[i].out, strlen(cases[i].out)) != 0 ||
            (cases[i].err == NULL && c.err_len > 0) ||
            (cases[i].err != NULL && strncmp(c.err_text, cases[i].err, strlen(cases[i].err)) != 0) ||
            strstr(c.err_text, cases[i].err_too) == NULL)
            fail_msg("%s: code %d\n%s\n%s", cases[i].args, code, c.out_text, c.err_text);
    }
}

static void warnings_go_to_the_log(void **state)
{
    struct child c;
    (void)state;

    start(&c, PROGRAM_LOADER, "--pipelines|odd|--listen|none|--log-format|json", NULL);
    assert_int_equal(finish(&c), 0);
    assert_non_null(
        strstr(c.err_text, "\"level\":\"warn\",\"proc\":\"loader\",\"msg\":\"odd: an odd pipeline\"}\n"));
}

static void fail_with(struct app *app, struct err *err)
{
    err_set(err, (enum err_kind)options_number(app->options, "batch-rows"), 0, "something happened");
}

static void fail_after_signal(struct app *app, struct err *err)
{
    raise(SIGTERM);
    fail_with(app, err);
}

static void exit_codes(void **state)
{
    static const struct {
        enum err_kind kind;
        work *how;
        int code;
        const char *log;
    } cases[] = {
        {ERR_RETRY, fail_with, 111, "ERROR loader: something happened"},
        {ERR_REJECT, fail_with, 111, "ERROR loader: something happened"},
        {ERR_PAUSE, fail_with, 111, "ERROR loader: something happened"},
        {ERR_CONFIG, fail_with, 100, "ERROR loader: something happened"},
        {ERR_FATAL, fail_with, 111, "ERROR loader: something happened"},
        {ERR_RETRY, fail_after_signal, 0, "INFO  loader: stopped, as asked; given up: something happened"},
        {ERR_FATAL, fail_after_signal, 111, "ERROR loader: something happened"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct child c;
        char args[64];
        snprintf(args, sizeof args, "--listen|none|--batch-rows|%d", cases[i].kind);
        start(&c, PROGRAM_LOADER, args, cases[i].how);
        int code = finish(&c);
        if (code != cases[i].code || strstr(c.err_text, cases[i].log) == NULL)
            fail_msg("case %zu: code %d: %s", i, code, c.err_text);
    }
}

/* ---- signals ---- */

static void sleep_long(struct app *app, struct err *err)
{
    (void)err;
    app_ready(app);
    stop_sleep_until(clock_monotonic_ms() + 15000);
    dprintf(STDERR_FILENO, "awake: stopping %d\n", stop_requested());
    stop_sleep_until(clock_monotonic_ms() + 15000); /* returns at once */
}

static void a_signal_wakes_and_stops(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT};
    (void)state;

    for (int i = 0; i < 2; i++) {
        struct child c;
        int64_t before = clock_monotonic_ms();
        start(&c, PROGRAM_LOADER, "--listen|127.0.0.1:0", sleep_long);
        wait_for(&c, "starting: version " JST_VERSION
                     ", 1 pipeline (purchasein), connecting to Kafka at localhost:9092, metrics at "
                     "http://127.0.0.1:");
        wait_for(&c, "INFO  loader: ready\n");
        kill(c.pid, signals[i]);
        assert_int_equal(finish(&c), 0);
        assert_non_null(strstr(c.err_text, "awake: stopping 1"));
        assert_non_null(strstr(c.err_text, "INFO  loader: stopped, as asked\n"));
        assert_true(clock_monotonic_ms() - before < 5000);
    }
}

static void turn(struct app *app, struct err *err)
{
    (void)err;
    app_ready(app);
    while (!app_stopping())
        stop_sleep_until(clock_monotonic_ms() + 10);
}

/* Reloading is to come; until then SIGHUP, which ends a process that does not expect it, is only told. */
static void a_hangup_is_logged_and_ignored(void **state)
{
    struct child c;
    (void)state;

    start(&c, PROGRAM_LOADER, "--listen|none", turn);
    wait_for(&c, "ready\n");
    kill(c.pid, SIGHUP);
    wait_for(&c, "WARN  loader: SIGHUP is ignored: ");
    kill(c.pid, SIGTERM);
    assert_int_equal(finish(&c), 0);
    const char *first = strstr(c.err_text, "SIGHUP");
    assert_null(strstr(first + 1, "SIGHUP"));
}

static void *wait_for_signals(void *context)
{
    (void)context;
    for (;;)
        pause();
    return NULL;
}

static void block_signals(int how)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(how, &all, NULL);
}

static void sleep_beside_a_thread(struct app *app, struct err *err)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, wait_for_signals, NULL) != 0)
        err_set(err, ERR_FATAL, 0, "no thread");
    block_signals(SIG_BLOCK);
    app_ready(app);
    stop_sleep_until(clock_monotonic_ms() + 15000);
}

static void a_signal_that_another_thread_takes_wakes_too(void **state)
{
    struct child c;
    int64_t before = clock_monotonic_ms();
    (void)state;

    start(&c, PROGRAM_LOADER, "--listen|none", sleep_beside_a_thread);
    wait_for(&c, "ready\n");
    kill(c.pid, SIGTERM);
    assert_int_equal(finish(&c), 0);
    assert_true(clock_monotonic_ms() - before < 5000);
}

/* Only the main thread takes signals, and here it has them blocked: nothing happens until it has not. */
static void signal_beside_the_server(struct app *app, struct err *err)
{
    int taking;
    (void)app;

    block_signals(SIG_BLOCK);
    int threads = threads_count(SIGTERM, &taking);
    if (threads < 2 || taking > 0)
        err_set(err, ERR_FATAL, 0, "%d of %d threads take signals", taking, threads);
    kill(getpid(), SIGTERM);
    if (stop_requested())
        err_set(err, ERR_FATAL, 0, "the server's thread took the signal");
    block_signals(SIG_UNBLOCK);
    if (!stop_requested())
        err_set(err, ERR_FATAL, 0, "nobody took the signal");
}

static void the_server_takes_no_signals(void **state)
{
    struct child c;
    (void)state;

    start(&c, PROGRAM_LOADER, "--listen|127.0.0.1:0", signal_beside_the_server);
    int code = finish(&c);
    if (code != 0)
        fail_msg("%s", c.err_text);
}

static void ignore_the_flag(struct app *app, struct err *err)
{
    (void)err;
    app_ready(app);
    stop_sleep_until(INT64_MAX);
    dprintf(STDERR_FILENO, "did not stop\n");
    for (;;)
        pause();
}

static void a_second_signal_ends_at_once(void **state)
{
    struct child c;
    (void)state;

    start(&c, PROGRAM_LOADER, "--listen|none", ignore_the_flag);
    wait_for(&c, "(purchasein), connecting to Kafka at localhost:9092, no metrics\n");
    wait_for(&c, "ready\n");
    kill(c.pid, SIGTERM);
    wait_for(&c, "did not stop");
    kill(c.pid, SIGINT);
    assert_int_equal(finish(&c), 111);
}

static void sleep_short(struct app *app, struct err *err)
{
    int64_t before = clock_monotonic_ms();
    int ends[2];
    (void)app;

    stop_sleep_until(before + 100);
    stop_sleep_until(before - 100);
    int64_t slept = clock_monotonic_ms() - before;
    if (slept < 100 || slept > 5000 || stop_requested())
        err_set(err, ERR_FATAL, 0, "slept %lld ms", (long long)slept);
    if (pipe(ends) != 0 || close(ends[0]) != 0 || write(ends[1], "x", 1) != -1 || errno != EPIPE)
        err_set(err, ERR_FATAL, 0, "no EPIPE");
}

static void a_deadline_wakes_and_a_broken_pipe_does_not_kill(void **state)
{
    struct child c;
    (void)state;

    start(&c, PROGRAM_LOADER, "--listen|none", sleep_short);
    int code = finish(&c);
    assert_null(strstr(c.err_text, "ERROR"));
    assert_int_equal(code, 0);
}

/* ---- secrets ---- */

static void tell_dumpable(struct app *app, struct err *err)
{
    (void)app;
    (void)err;
    printf("dumpable %d", prctl(PR_GET_DUMPABLE));
}

static void no_core_dump_holds_the_secrets(void **state)
{
#ifdef __SANITIZE_ADDRESS__
    const char *daemon = "dumpable 1"; /* the leak sanitizer's need */
#else
    const char *daemon = "dumpable 0";
#endif
    struct child c;
    (void)state;

    start(&c, PROGRAM_LOADER, "--listen|none", tell_dumpable);
    assert_int_equal(finish(&c), 0);
    assert_string_equal(c.out_text, daemon);
    start(&c, PROGRAM_JSTCTL, "check", tell_dumpable); /* a user's own short-lived tool */
    assert_int_equal(finish(&c), 0);
    assert_string_equal(c.out_text, "dumpable 1");
}

/* ---- metrics and health ---- */

static int get(const char *address, const char *path, char *out, size_t size)
{
    char request[256];

    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    return client_ask(address, request, out, size);
}

/* Where the child says that it listens. */
static const char *address_of(struct child *c, const char *before)
{
    static char address[64];

    const char *at = strstr(c->err_text, before) + strlen(before);
    snprintf(address, sizeof address, "%.*s", (int)strcspn(at, "/ \n"), at);
    return address;
}

static void linger(struct app *app, struct err *err)
{
    (void)err;
    app_ready(app);
    stop_sleep_until(INT64_MAX);
}

static int told[2]; /* a pipe, whose end the test closes */

/* Be stopping until told. */
static void stop_slowly(struct app *app, struct err *err)
{
    char none;

    close(told[1]);
    linger(app, err);
    if (read(told[0], &none, 1) != 0)
        err_set(err, ERR_FATAL, 0, "no end");
}

static void the_server_tells_how_it_is(void **state)
{
    struct child c;
    char out[8192];
    (void)state;

    assert_int_equal(pipe(told), 0);
    start(&c, PROGRAM_LOADER, "--listen|127.0.0.1:0", stop_slowly);
    wait_for(&c, "/metrics\n");
    const char *address = address_of(&c, "http://");
    assert_int_equal(get(address, "/metrics", out, sizeof out), 200);
    assert_non_null(strstr(out, "text/plain; version=0.0.4; charset=utf-8"));
    assert_non_null(strstr(out, "\njst_build_info{program=\"loader\",version=\"" JST_VERSION "\"} 1\n"));
    assert_int_equal(get(address, "/healthz", out, sizeof out), 200);
    assert_non_null(strstr(out, "alive"));
    assert_int_equal(get(address, "/readyz", out, sizeof out), 200);
    assert_non_null(strstr(out, "\r\n\r\nready\n"));
    assert_int_equal(get(address, "/", out, sizeof out), 404);
    kill(c.pid, SIGTERM);
    int status = 200;
    for (int i = 0; i < 10000 && status == 200; i++)
        status = get(address, "/readyz", out, sizeof out);
    close(told[1]);
    assert_int_equal(status, 503);
    assert_non_null(strstr(out, "\r\n\r\nstopping\n"));
    assert_int_equal(finish(&c), 0);
    close(told[0]);
}

static void ask_before_ready(struct app *app, struct err *err)
{
    char out[8192];
    const char *address = options_text(app->options, "listen");
    int status = get(address, "/readyz", out, sizeof out);

    if (status != 503 || strstr(out, "start: the program is starting\n") == NULL)
        err_set(err, ERR_FATAL, 0, "%d: %s", status, out);
    status = get(address, "/healthz", out, sizeof out);
    if (status != 200)
        err_set(err, ERR_FATAL, 0, "%d: %s", status, out);
}

/* A port that was free a moment ago, and one that is taken. */
static int take_port(char address[32], bool keep)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    snprintf(address, 32, "127.0.0.1:%d", ntohs(at.sin_port));
    if (!keep)
        close(fd);
    return fd;
}

static void it_is_not_ready_while_it_starts(void **state)
{
    struct child c;
    char address[32];
    char args[64];
    (void)state;

    take_port(address, false);
    snprintf(args, sizeof args, "--listen|%s", address);
    start(&c, PROGRAM_LOADER, args, ask_before_ready);
    int code = finish(&c);
    assert_null(strstr(c.err_text, "ERROR"));
    assert_null(strstr(c.err_text, "ready\n"));
    assert_int_equal(code, 0);
}

/* What is found after the start is logged, and "ready" waits for the last reason against it. */
static void become_ready_late(struct app *app, struct err *err)
{
    (void)err;
    health_reason("mysql", "not connected yet");
    fault_add(&app->faults, FAULT_WARNING, "jst.x.raw", "the topic differs");
    app_ready(app);
    dprintf(STDERR_FILENO, "not yet\n");
    health_reason("mysql", NULL);
    health_reason("mysql", "gone");
    health_reason("mysql", NULL);
}

static void ready_is_logged_when_it_is_true(void **state)
{
    struct child c;
    (void)state;

    start(&c, PROGRAM_LOADER, "--listen|none|--pipelines|odd", become_ready_late);
    assert_int_equal(finish(&c), 0);
    const char *warning = strstr(c.err_text, "WARN  loader: jst.x.raw: the topic differs\n");
    const char *not_yet = strstr(c.err_text, "not yet\n");
    const char *ready = strstr(c.err_text, "INFO  loader: ready\n");
    assert_non_null(warning);
    assert_non_null(ready);
    assert_true(warning < not_yet && not_yet < ready);
    assert_null(strstr(ready + strlen("INFO  loader: ready"), "ready\n"));
    assert_null(strstr(strstr(c.err_text, "odd pipeline") + 1, "odd pipeline")); /* each is logged once */
}

static void a_port_that_was_asked_for_and_is_taken_is_an_error(void **state)
{
    struct child c;
    char address[32];
    char args[64];
    (void)state;

    int fd = take_port(address, true);
    snprintf(args, sizeof args, "--listen|%s", address);
    start(&c, PROGRAM_LOADER, args, linger);
    assert_int_equal(finish(&c), 100);
    assert_non_null(strstr(c.err_text, "ERROR loader: --listen: cannot listen on '127.0.0.1:"));
    close(fd);
}

static void a_default_port_that_is_taken_is_replaced(void **state)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(9103), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct child c;
    char out[8192];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)state;

    if (bind(fd, (struct sockaddr *)&at, sizeof at) == 0) /* else somebody else has it: as good */
        assert_int_equal(listen(fd, 1), 0);
    start(&c, PROGRAM_LOADER, "", linger);
    wait_for(&c, "/metrics\n");
    assert_non_null(strstr(c.err_text, "WARN  loader: 127.0.0.1:9103 is taken: metrics are at 127.0.0.1:"));
    assert_int_equal(get(address_of(&c, "http://"), "/healthz", out, sizeof out), 200);
    kill(c.pid, SIGTERM);
    assert_int_equal(finish(&c), 0);
    close(fd);
}

/* ---- jstctl ---- */

static void judge(struct app *app, struct err *err)
{
    (void)err;
    printf("%zu errors", app->faults.errors);
}

static void die(struct app *app, struct err *err)
{
    (void)app;
    (void)err;
    raise(SIGTERM);
}

static void jstctl_judges_faults_and_dies_of_signals(void **state)
{
    struct child c;
    (void)state;

    start(&c, PROGRAM_JSTCTL, "check|--pipelines|broken|--topics=t", judge);
    assert_int_equal(finish(&c), 0);
    assert_string_equal(c.out_text, "2 errors");
    assert_string_equal(c.err_text, "");

    start(&c, PROGRAM_JSTCTL, "check", die);
    assert_int_equal(finish(&c), 1000 + SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_and_faults),
        cmocka_unit_test(warnings_go_to_the_log),
        cmocka_unit_test(exit_codes),
        cmocka_unit_test(a_signal_wakes_and_stops),
        cmocka_unit_test(a_signal_that_another_thread_takes_wakes_too),
        cmocka_unit_test(a_hangup_is_logged_and_ignored),
        cmocka_unit_test(the_server_takes_no_signals),
        cmocka_unit_test(a_second_signal_ends_at_once),
        cmocka_unit_test(a_deadline_wakes_and_a_broken_pipe_does_not_kill),
        cmocka_unit_test(no_core_dump_holds_the_secrets),
        cmocka_unit_test(the_server_tells_how_it_is),
        cmocka_unit_test(it_is_not_ready_while_it_starts),
        cmocka_unit_test(ready_is_logged_when_it_is_true),
        cmocka_unit_test(a_port_that_was_asked_for_and_is_taken_is_an_error),
        cmocka_unit_test(a_default_port_that_is_taken_is_replaced),
        cmocka_unit_test(jstctl_judges_faults_and_dies_of_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
