/* The database port of common/mysql/db.h by commands, one a line, for the tests: --mysql-* options and
 * variables as of the loader.
 *
 *   connect · disconnect · query SQL · load HEX SQL (the bytes that the statement loads)
 *   limits (generation, can_load, mariadb, max_statement)
 *
 * Each is answered by lines of text: the rows, cells between tabs and \N for NULL, then one that begins with
 * "ok" or "error". SIGUSR1 is db_abort(), from another thread. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/mysql/db.h"
#include "common/mysql/errors.h"
#include "common/options/options.h"

extern char **environ;

enum { LOCK_WAIT_S = 20 };

static void *abort_on_signal(void *db)
{
    sigset_t set;
    int signal;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    while (sigwait(&set, &signal) == 0)
        db_abort(db);
    return NULL;
}

static void print_rows(const struct db_result *r)
{
    for (size_t i = 0; i < r->count; i++)
        for (size_t j = 0; j < r->columns; j++)
            printf("%s%c", r->rows[i][j] != NULL ? r->rows[i][j] : "\\N", j + 1 < r->columns ? '\t' : '\n');
}

static void print_error(const struct err *err)
{
    static const char *const kinds[] = {"none", "retry", "reject", "pause", "config", "fatal"};
    char brief[DB_BRIEF_MAX];

    printf("error\t%s\t%d\t%zu\t%s\t%s\t%s\n", kinds[err->kind], err->code, err->row,
           db_class_name(db_error_class(err->code)), db_error_brief(err->code, brief, sizeof brief),
           err->text);
}

static void print_result(int rc, struct db_result *r, const struct err *err)
{
    if (rc != 0) {
        print_error(err);
        return;
    }
    print_rows(r);
    printf("ok\t%zu\t%llu\t%lld\t%u\n", r->count, (unsigned long long)r->affected, (long long)r->duplicates,
           r->warnings);
    db_result_free(r);
}

struct bytes {
    const char *hex; /* two digits a byte */
    size_t left;     /* digits */
};

static size_t read_bytes(void *arg, char *out, size_t size)
{
    struct bytes *from = arg;
    size_t n = 0;

    for (; n < size && from->left >= 2; n++, from->hex += 2, from->left -= 2)
        out[n] = (char)strtoul((const char[]){from->hex[0], from->hex[1], '\0'}, NULL, 16);
    return n;
}

static void run_query(struct db *db, const char *sql)
{
    struct db_result r = {0};
    struct err err = ERR_INIT;
    int rc = db_query(db, sql, strlen(sql), &r, &err);

    print_result(rc, &r, &err);
}

static void run_load(struct db *db, const char *text)
{
    struct bytes bytes = {.hex = text, .left = strcspn(text, " ")};
    struct db_feed feed = {.read = read_bytes, .arg = &bytes};
    const char *sql = text + bytes.left + (text[bytes.left] == ' ');
    struct db_result r = {0};
    struct err err = ERR_INIT;
    int rc = db_load(db, sql, strlen(sql), &feed, &r, &err);

    print_result(rc, &r, &err);
}

static void connect_now(struct db *db)
{
    struct err err = ERR_INIT;

    if (db_connect(db, &err) != 0)
        print_error(&err);
    else
        printf("ok\n");
}

static void run_command(struct db *db, const char *line)
{
    if (strcmp(line, "connect") == 0) {
        connect_now(db);
    } else if (strcmp(line, "disconnect") == 0) {
        db_disconnect(db);
        printf("ok\n");
    } else if (strcmp(line, "limits") == 0) {
        printf("%llu\t%d\t%d\t%zu\nok\n", (unsigned long long)db_generation(db), db_can_load(db),
               db_is_mariadb(db), db_max_statement(db));
    } else if (strncmp(line, "query ", 6) == 0) {
        run_query(db, line + 6);
    } else if (strncmp(line, "load ", 5) == 0) {
        run_load(db, line + 5);
    } else {
        printf("error\tunknown command\n");
    }
    fflush(stdout);
}

static void run_commands(struct db *db)
{
    char *line = NULL;
    size_t size = 0;

    for (ssize_t n; (n = getline(&line, &size, stdin)) > 0;) {
        line[n - 1] = '\0';
        run_command(db, line);
    }
    free(line);
}

int main(int argc, char **argv)
{
    struct faults faults = {0};
    struct err err = ERR_INIT;
    struct db *db = NULL;
    pthread_t thread;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    struct options *options = options_read(PROGRAM_LOADER, argc, argv, environ, &faults);
    int rc = db_mysql_new(options, LOCK_WAIT_S, &db, &err);
    options_free(options);
    if (rc != 0 || faults.count > 0 || pthread_create(&thread, NULL, abort_on_signal, db) != 0)
        return 100;
    run_commands(db);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    db_free(db);
    db_thread_end();
    faults_free(&faults);
    return 0;
}
