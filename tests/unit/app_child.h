/* A program in a child process, for test_app.c: its files in words, its arguments, what it prints, its end.
 */
#ifndef JST_TESTS_UNIT_APP_CHILD_H
#define JST_TESTS_UNIT_APP_CHILD_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/kafka/kafka.h"
#include "common/pipeline/pipeline.h"
#include "common/pipeline/tables.h"
#include "common/skeleton/app.h"
#include "common/wire/topics_file.h"

/* The files that app_init() reads, in words: "--pipelines broken" has an error, "odd" a warning. */
void pipelines_read(const char *const *paths, size_t path_count, struct pipelines *ret, struct faults *faults)
{
    static char name[] = "purchasein";
    static struct pipeline purchasein = {.name = name};
    static struct pipeline *list[] = {&purchasein};

    for (size_t i = 0; i < path_count; i++) {
        if (strcmp(paths[i], "broken") == 0)
            fault_add(faults, FAULT_ERROR, "broken", "a wrong pipeline");
        if (strcmp(paths[i], "odd") == 0)
            fault_add(faults, FAULT_WARNING, "odd", "an odd pipeline");
    }
    *ret = (struct pipelines){.list = list, .count = 1};
}

void pipelines_check_tables(const struct pipelines *pipelines, const char *database, struct faults *faults)
{
    (void)pipelines;
    (void)database;
    (void)faults;
}

void pipelines_free(struct pipelines *pipelines)
{
    (void)pipelines;
}

void topics_read(const char *file, int must_exist, struct topics *ret, struct faults *faults)
{
    (void)ret;
    if (must_exist)
        fault_add(faults, FAULT_ERROR, file, "wrong topics");
}

void topics_free(struct topics *topics)
{
    (void)topics;
}

void kafka_check(const struct options *options, const struct topics *topics, struct faults *faults)
{
    (void)topics;
    if (options_given(options, "kafka"))
        fault_add(faults, FAULT_ERROR, "--kafka", "a wrong property");
}

/* ---- running a program in a child ---- */

struct child {
    pid_t pid;
    int out, err; /* ends to read */
    char out_text[8192], err_text[8192];
    size_t err_len;
};

typedef void work(struct app *app, struct err *err);

static void check_batch(const struct app *app, struct faults *faults)
{
    if (options_number(app->options, "batch-rows") == 13)
        fault_add(faults, FAULT_ERROR, "--batch-rows", "brings bad luck");
}

static void run_program(enum program program, const char *args, work *main_part)
{
    char *argv[16] = {strdup(program_name(program))};
    char *rest = strdup(args);
    int argc = 1;
    struct app app;
    struct err err = ERR_INIT;

    signal(SIGSEGV, SIG_DFL); /* cmocka's handlers would go on with the next test, in the child */
    signal(SIGABRT, SIG_DFL);
    alarm(20);
    clearenv();
    while (rest != NULL && *rest != '\0')
        argv[argc++] = strsep(&rest, "|");
    if (app_init(program, argc, argv, program == PROGRAM_LOADER ? check_batch : NULL, &app, &err) == 0 &&
        main_part != NULL)
        main_part(&app, &err);
    int code = app_exit(&app, &err);
    fflush(NULL);
    _exit(code);
}

static void start(struct child *c, enum program program, const char *args, work *main_part)
{
    int out[2];
    int err[2];

    *c = (struct child){0};
    assert_int_equal(pipe(out), 0);
    assert_int_equal(pipe(err), 0);
    c->pid = fork();
    if (c->pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        run_program(program, args, main_part);
    }
    close(out[1]);
    close(err[1]);
    c->out = out[0];
    c->err = err[0];
}

/* Read the child's standard error until it says `text`. */
static void wait_for(struct child *c, const char *text)
{
    while (strstr(c->err_text, text) == NULL) {
        ssize_t n = read(c->err, c->err_text + c->err_len, sizeof c->err_text - 1 - c->err_len);
        if (n <= 0)
            fail_msg("the child ended without \"%s\": %s", text, c->err_text);
        c->err_len += (size_t)n;
    }
}

static size_t read_rest(int fd, char *text, size_t len, size_t size)
{
    ssize_t n;

    while (len + 1 < size && (n = read(fd, text + len, size - 1 - len)) > 0)
        len += (size_t)n;
    close(fd);
    text[len] = '\0';
    return len;
}

/* The exit code; 1000 and the signal's number when it was killed. */
static int finish(struct child *c)
{
    int status = 0;

    read_rest(c->out, c->out_text, 0, sizeof c->out_text);
    c->err_len = read_rest(c->err, c->err_text, c->err_len, sizeof c->err_text);
    assert_true(waitpid(c->pid, &status, 0) == c->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

#endif
