#include "common/skeleton/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "common/kafka/kafka.h"
#include "common/monitor/health.h"
#include "common/monitor/http_server.h"
#include "common/monitor/metrics.h"
#include "common/pipeline/pipeline.h"
#include "common/pipeline/tables.h"
#include "common/wire/topics_file.h"

enum { ADDRESS_TEXT = 64, NAMES_MAX = 2000 };

const struct metric_family app_build_info = {
    .name = "jst_build_info",
    .type = METRIC_GAUGE,
    .help = "Always 1; the labels say which program of which version this is.",
    .labels = {"program", "version"},
};

/* What the server's thread reaches; everything else is in struct app. */
static struct http_server *server;
static char server_address[ADDRESS_TEXT];
static bool is_set_up; /* app_ready() was called */

/* ---- metrics and health ---- */

static int serve_health(bool (*describe)(struct buf *out), struct buf *body)
{
    return describe(body) ? 200 : 503;
}

static bool describe_ready(struct buf *out)
{
    if (stop_requested()) {
        buf_add_text(out, "stopping\n");
        return false;
    }
    return health_ready(out);
}

static int serve_path(const char *path, struct buf *body, const char **ret_type)
{
    if (strcmp(path, "/healthz") == 0)
        return serve_health(health_alive, body);
    if (strcmp(path, "/readyz") == 0)
        return serve_health(describe_ready, body);
    if (strcmp(path, "/metrics") == 0) {
        metrics_render(body);
        *ret_type = "text/plain; version=0.0.4; charset=utf-8";
        return 200;
    }
    buf_add_text(body, "there are /metrics, /healthz and /readyz\n");
    return 404;
}

static int start_server(const struct app *app, struct err *err)
{
    const char *address = options_text(app->options, "listen");
    bool asked_for = options_given(app->options, "listen");

    metric_set(metric_get(&app_build_info, program_name(app->program), JST_VERSION, NULL), 1);
    health_reason("start", "the program is starting");
    health_turn();
    if (strcmp(address, "none") == 0)
        return 0;
    if (http_server_start(address, !asked_for, serve_path, &server, server_address, err) != 0)
        return err_prefix(err, "--listen");
    if (!asked_for && strcmp(address, server_address) != 0)
        log_warn("%s is taken: metrics are at %s instead; --listen chooses another", address, server_address);
    return 0;
}

/* ---- configuration ---- */

static void setup_log(const struct app *app)
{
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    const char *level = options_text(app->options, "log-level");
    int i = 0;

    while (strcmp(levels[i], level) != 0)
        i++;
    log_setup(program_name(app->program), (enum log_level)i,
              strcmp(options_text(app->options, "log-format"), "json") == 0);
}

static void check_listen(const struct options *options, struct faults *faults)
{
    const char *address = options_text(options, "listen");
    struct err err = ERR_INIT;

    if (strcmp(address, "none") != 0 && http_address_check(address, &err) != 0)
        fault_add(faults, FAULT_ERROR, "--listen", "%s", err.text);
}

static void read_files(struct app *app, app_check *check)
{
    const char *const *paths;
    size_t count = options_list(app->options, "pipelines", &paths);

    if (app->program != PROGRAM_JSTCTL)
        check_listen(app->options, &app->faults);
    pipelines_read(paths, count, app->pipelines, &app->faults);
    pipelines_check_tables(
        app->pipelines, app->program == PROGRAM_LOADER ? options_text(app->options, "mysql-database") : NULL,
        &app->faults);
    topics_read(options_text(app->options, "topics"), options_given(app->options, "topics"), app->topics,
                &app->faults);
    kafka_check(app->options, app->topics, &app->faults);
    if (check != NULL)
        check(app, &app->faults);
}

static int refuse_start(const struct app *app, struct err *err)
{
    faults_print(&app->faults, stderr);
    return err_set(err, ERR_CONFIG, 0, "%zu error%s in the configuration", app->faults.errors,
                   app->faults.errors == 1 ? "" : "s");
}

static int finish_check(const struct app *app)
{
    size_t n = app->pipelines->count;

    faults_print(&app->faults, stderr);
    printf("configuration is fine: %zu pipeline%s\n", n, n == 1 ? "" : "s");
    return 1;
}

static void log_new_warnings(struct app *app)
{
    const struct faults *faults = &app->faults;

    for (; app->faults_logged < faults->count; app->faults_logged++)
        log_warn("%s: %s", faults->list[app->faults_logged].place, faults->list[app->faults_logged].text);
}

/* ---- start ---- */

/* No core dump, which would hold the secrets, and no look into the memory from other processes of the user.
 * Set when the files have been read: of such a process, /dev/fd/N belongs to root. The leak sanitizer needs
 * it. */
static void protect_memory(void)
{
#ifndef __SANITIZE_ADDRESS__
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

static void list_names(const struct pipelines *pipelines, struct buf *out)
{
    for (size_t i = 0; i < pipelines->count; i++) {
        const char *name = pipelines->list[i]->name;
        if (out->len + strlen(name) > NAMES_MAX) {
            buf_add_text(out, ", ...");
            return;
        }
        buf_printf(out, "%s%s", i > 0 ? ", " : "", name);
    }
}

static void log_start(const struct app *app)
{
    size_t n = app->pipelines->count;
    struct buf names;

    buf_init(&names, NAMES_MAX + 16);
    list_names(app->pipelines, &names);
    log_info("starting: version %s, %zu pipeline%s (%s), connecting to Kafka at %s, %s%s%s", JST_VERSION, n,
             n == 1 ? "" : "s", names.data, options_text(app->options, "brokers"),
             server != NULL ? "metrics at http://" : "no metrics", server != NULL ? server_address : "",
             server != NULL ? "/metrics" : "");
    buf_free(&names);
}

/* --help and --version come first, however wrong the rest may be. */
static bool answer_question(const struct app *app)
{
    if (options_flag(app->options, "help"))
        options_help(app->program, stdout);
    else if (options_flag(app->options, "version"))
        printf("%s %s\n", program_name(app->program), JST_VERSION);
    else
        return false;
    return true;
}

int app_init(enum program program, int argc, char **argv, app_check *check, struct app *ret, struct err *err)
{
    bool tool = program == PROGRAM_JSTCTL;

    mem_setup();
    *ret = (struct app){
        .program = program,
        .pipelines = mem_zalloc(1, sizeof(struct pipelines)),
        .topics = mem_zalloc(1, sizeof(struct topics)),
    };
    ret->options = options_read(program, argc, argv, environ, &ret->faults);
    setup_log(ret);
    if (answer_question(ret))
        return 1;
    if (tool && ret->faults.errors > 0)
        return refuse_start(ret, err);
    read_files(ret, check);
    if (tool)
        return 0;
    if (ret->faults.errors > 0)
        return refuse_start(ret, err);
    if (options_flag(ret->options, "check"))
        return finish_check(ret);
    protect_memory();
    log_new_warnings(ret);
    stop_on_signals();
    if (start_server(ret, err) != 0)
        return -1;
    log_start(ret);
    return 0;
}

/* ---- ready, and the end ---- */

static void log_ready(void)
{
    log_info("ready");
}

void app_ready(struct app *app)
{
    log_new_warnings(app);
    health_when_ready(log_ready);
    health_turn();
    health_reason("start", NULL);
    is_set_up = true;
}

bool app_stopping(void)
{
    if (stop_hangup_taken())
        log_warn("SIGHUP is ignored: nothing is read again while a program runs; restart it");
    return stop_requested();
}

static int end_code(const struct err *err)
{
    if (err->kind == ERR_NONE || (err->kind == ERR_RETRY && stop_requested()))
        return EXIT_DONE;
    return err->kind == ERR_CONFIG ? EXIT_USAGE : EXIT_TEMPORARY;
}

static void log_end(const struct err *err, int code)
{
    if (code != EXIT_DONE)
        log_error("%s", err->text);
    else if (stop_requested())
        log_info("stopped, as asked%s%s", err->kind != ERR_NONE ? "; given up: " : "", err->text);
    else if (is_set_up)
        log_info("done");
}

int app_end(const struct err *err)
{
    int code = end_code(err);

    log_end(err, code);
    return code;
}

int app_exit(struct app *app, const struct err *err)
{
    int code = app_end(err);

    http_server_stop(server);
    server = NULL;
    pipelines_free(app->pipelines);
    topics_free(app->topics);
    free(app->pipelines);
    free(app->topics);
    options_free(app->options);
    faults_free(&app->faults);
    *app = (struct app){.program = app->program};
    return code;
}
