#include <unistd.h>

#include "common/base/clock.h"
#include "common/kafka/kafka.h"
#include "common/monitor/health.h"
#include "common/skeleton/app.h"
#include "loader/load.h"

enum { LOCK_WAIT_S = 20 };

static void check_options(const struct app *app, struct faults *faults)
{
    const char *ca_file = options_text(app->options, "mysql-ca");

    if (options_text(app->options, "mysql-database") == NULL)
        fault_add(faults, FAULT_ERROR, "--mysql-database", "is needed: the database that holds the tables");
    if (options_text(app->options, "mysql-user") == NULL)
        fault_add(faults, FAULT_ERROR, "--mysql-user", "is needed");
    if (ca_file != NULL && access(ca_file, R_OK) != 0)
        fault_add(faults, FAULT_ERROR, "--mysql-ca", "%s cannot be read: %m", ca_file);
}

int main(int argc, char **argv)
{
    struct app app = {0};
    struct err err = ERR_INIT;
    struct routes routes = {0};
    struct source *in = NULL;
    struct sink *dead = NULL;
    struct db *db = NULL;
    const unsigned roles = 1U << TOPIC_ROWS | 1U << TOPIC_DEAD;

    if (app_init(PROGRAM_LOADER, argc, argv, check_options, &app, &err) != 0)
        goto out;
    routes_init(&routes, app.pipelines, app.topics);
    load_metrics_init(&routes);
    health_reason("kafka", "not connected yet");
    health_reason("mysql", "not connected yet");
    if (db_mysql_new(app.options, LOCK_WAIT_S, &db, &err) != 0 ||
        kafka_prepare_topics(app.options, app.topics, app.pipelines, roles, app_stopping, &app.faults,
                             &err) != 0 ||
        kafka_sink_open(app.options, (int64_t)topic_max_bytes(app.topics, TOPIC_DEAD), &dead, &err) != 0 ||
        kafka_routes_open(app.options, &routes, TOPIC_ROWS, false, &in, &err) != 0)
        goto out;
    app_ready(&app);

    struct load load = {
        .in = in,
        .dead = dead,
        .db = db,
        .routes = &routes,
        .limits = {.rows = (size_t)options_number(app.options, "batch-rows"),
                   .bytes = (size_t)options_number(app.options, "batch-bytes")},
        .batch_wait_ms = options_number(app.options, "batch-wait"),
        .create_tables = options_flag(app.options, "create-tables"),
        .flood_limit = options_number(app.options, "flood-limit"),
        .bounded = options_flag(app.options, "once"),
        .stopping = app_stopping,
        .now_ms = clock_now_ms,
    };
    if (load_run(&load, &err) > 0) {
        source_free(in); /* commits what is durable, leaves the group */
        _exit(app_end(&err));
    }
out:
    source_free(in);
    sink_free(dead);
    db_free(db);
    routes_free(&routes);
    return app_exit(&app, &err);
}
