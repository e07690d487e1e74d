#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/kafka/kafka.h"
#include "common/monitor/health.h"
#include "common/skeleton/app.h"
#include "loader/load.h"
#include "loader/store_mysql.h"

static bool is_replay(const struct options *o)
{
    return options_given(o, "replay-from");
}

static int64_t replay_from_s(const struct options *o)
{
    return options_since(o, "replay-from", clock_now_ms() / 1000);
}

static void check_replay(const struct options *o, struct faults *faults)
{
    if (!options_given(o, "replay-to"))
        return;
    if (!is_replay(o))
        fault_add(faults, FAULT_ERROR, "--replay-to", "needs --replay-from");
    else if (options_number(o, "replay-to") <= replay_from_s(o))
        fault_add(faults, FAULT_ERROR, "--replay-to",
                  "is not later than --replay-from: nothing would be read");
}

static void check_options(const struct app *app, struct faults *faults)
{
    const char *ca_file = options_text(app->options, "mysql-ca");

    if (options_text(app->options, "mysql-database") == NULL)
        fault_add(faults, FAULT_ERROR, "--mysql-database", "is needed: the database that holds the tables");
    if (options_text(app->options, "mysql-user") == NULL)
        fault_add(faults, FAULT_ERROR, "--mysql-user", "is needed");
    if (ca_file != NULL && access(ca_file, R_OK) != 0)
        fault_add(faults, FAULT_ERROR, "--mysql-ca", "%s cannot be read: %m", ca_file);
    check_replay(app->options, faults);
}

static int open_rows(const struct options *o, const struct routes *routes, struct source **ret,
                     struct err *err)
{
    if (!is_replay(o))
        return kafka_routes_open(o, routes, TOPIC_ROWS, true, ret, err);
    int64_t from_ms = replay_from_s(o) * 1000;
    int64_t to_ms = options_given(o, "replay-to") ? options_number(o, "replay-to") * 1000 : 0;
    return kafka_replay_open(o, routes, TOPIC_ROWS, from_ms, to_ms, ret, err);
}

/* Waits for locks, seconds: what meets a lock gives way soon, and waits again on a connection of its own. */
enum { WRITERS_MAX = 16, LOCK_WAIT_S = 1, SLOW_LOCK_WAIT_S = 20 };

enum {
    AUTO_ENOUGH = 200, /* rows */
    AUTO_MOST = 10000,
    PERSON_RETRY_MS = 60 * 1000,
    PATIENCE_MS = 60 * 1000,
    IDLE_LOOK_MS = 15 * 1000,
};

struct connections {
    struct store *list[WRITERS_MAX + 1]; /* the writers', and the slow one */
    size_t count;
};

static int open_stores(const struct options *options, struct connections *ret, struct err *err)
{
    size_t writers = (size_t)options_number(options, "writers");

    for (size_t i = 0; i <= writers; i++) {
        struct db *db;
        if (db_mysql_new(options, i < writers ? LOCK_WAIT_S : SLOW_LOCK_WAIT_S, &db, err) != 0)
            return -1;
        ret->list[ret->count++] = store_mysql_new(db);
    }
    return 0;
}

static void free_stores(struct connections *c)
{
    for (size_t i = 0; i < c->count; i++)
        store_free(c->list[i]);
    c->count = 0;
}

/* The last letters of each pipeline; what a broker does not tell within the time starts no run. */
enum { PAST_LETTERS = 50, PAST_TIMEOUT_MS = 5000 };

struct past {
    const struct routes *routes;
    struct past_letters *list; /* one a route */
};

static void take_past(void *arg, const struct record *r)
{
    struct past *past = arg;

    for (size_t i = 0; i < past->routes->count; i++)
        if (strcmp(past->routes->list[i].dead, r->topic) == 0)
            past_letters_add(&past->list[i], past->routes->list[i].rows, r);
}

static int read_past(const struct options *options, struct past *past, struct err *err)
{
    const char **topics = mem_zalloc(past->routes->count, sizeof *topics);

    for (size_t i = 0; i < past->routes->count; i++)
        topics[i] = past->routes->list[i].dead;
    int rc = kafka_read_tail(options,
                             &(struct tail_wish){.topics = topics,
                                                 .topic_count = past->routes->count,
                                                 .last = PAST_LETTERS,
                                                 .timeout_ms = PAST_TIMEOUT_MS,
                                                 .take = take_past,
                                                 .arg = past},
                             err);
    free(topics);
    if (rc == 0 || err->kind != ERR_RETRY)
        return rc;
    log_warn("%s: a run of bad documents before the start may not count", err->text);
    err_clear(err);
    return 0;
}

static int open_past(const struct options *options, const struct routes *routes, struct past *ret,
                     struct err *err)
{
    *ret = (struct past){.routes = routes, .list = mem_zalloc(routes->count, sizeof *ret->list)};
    return is_replay(options) ? 0 : read_past(options, ret, err);
}

static void free_past(struct past *past)
{
    for (size_t i = 0; past->list != NULL && i < past->routes->count; i++)
        past_letters_free(&past->list[i]);
    free(past->list);
}

/* Builds for tests wait as long as a variable says. */
static int64_t wait_ms(const char *variable, int64_t ms)
{
#ifndef NDEBUG
    const char *text = getenv(variable);

    if (text != NULL)
        parse_int64(text, &ms); /* what is not a number changes nothing */
#endif
    (void)variable;
    return ms;
}

static struct load settings_of(const struct options *options)
{
    size_t rows = (size_t)options_number(options, "batch-rows"); /* 0: auto */

    return (struct load){
        .limits = {.rows = rows > 0 ? rows : AUTO_MOST,
                   .bytes = (size_t)options_number(options, "batch-bytes")},
        .enough_rows = rows > 0 ? rows : AUTO_ENOUGH,
        .buffer_bytes = (size_t)options_number(options, "buffer-bytes"),
        .batch_wait_ms = options_number(options, "batch-wait"),
        .create_tables = options_flag(options, "create-tables"),
        .flood_limit = options_number(options, "flood-limit"),
        .person_retry_ms = wait_ms("JSTPIPE_RETRY_MS", PERSON_RETRY_MS),
        .patience_ms = wait_ms("JSTPIPE_PATIENCE_MS", PATIENCE_MS),
        .idle_look_ms = IDLE_LOOK_MS,
        .replay = is_replay(options),
        .progress = is_replay(options) ? kafka_replay_progress : NULL,
        .bounded = options_flag(options, "once") || is_replay(options),
        .stopping = app_stopping,
        .now_ms = clock_now_ms,
    };
}

int main(int argc, char **argv)
{
    struct app app = {0};
    struct err err = ERR_INIT;
    struct routes routes = {0};
    struct source *in = NULL;
    struct sink *dead = NULL;
    struct connections connections = {0};
    struct past past = {0};
    const unsigned roles = 1U << TOPIC_ROWS | 1U << TOPIC_DEAD;

    if (app_init(PROGRAM_LOADER, argc, argv, check_options, &app, &err) != 0)
        goto out;
    routes_init(&routes, app.pipelines, app.topics);
    load_metrics_init(&routes);
    health_reason("kafka", "not connected yet");
    health_reason("mysql", "not connected yet");
    if (open_stores(app.options, &connections, &err) != 0 ||
        kafka_prepare_topics(app.options, app.topics, app.pipelines, roles, app_stopping, &app.faults,
                             &err) != 0 ||
        kafka_sink_open(app.options, (int64_t)topic_max_bytes(app.topics, TOPIC_DEAD), &dead, &err) != 0 ||
        open_past(app.options, &routes, &past, &err) != 0 || open_rows(app.options, &routes, &in, &err) != 0)
        goto out;
    app_ready(&app);

    struct load load = settings_of(app.options);
    load.in = in;
    load.dead = dead;
    load.stores = connections.list;
    load.store_count = connections.count;
    load.routes = &routes;
    load.past = past.list;
    if (load_run(&load, &err) > 0) {
        source_free(in); /* commits what is durable, leaves the group */
        _exit(app_end(&err));
    }
out:
    source_free(in);
    sink_free(dead);
    free_stores(&connections);
    free_past(&past);
    routes_free(&routes);
    return app_exit(&app, &err);
}
