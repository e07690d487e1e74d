#include "common/base/clock.h"
#include "common/kafka/kafka.h"
#include "common/monitor/health.h"
#include "common/skeleton/app.h"
#include "transformer/transform.h"

int main(int argc, char **argv)
{
    struct app app = {0};
    struct err err = ERR_INIT;
    struct routes routes = {0};
    struct source *in = NULL;
    struct sink *out = NULL;
    const unsigned roles = 1U << TOPIC_RAW | 1U << TOPIC_ROWS | 1U << TOPIC_DEAD;

    if (app_init(PROGRAM_TRANSFORMER, argc, argv, NULL, &app, &err) != 0)
        goto out;
    routes_init(&routes, app.pipelines, app.topics);
    transform_metrics_init(&routes);
    health_reason("kafka", "not connected yet");
    if (kafka_prepare_topics(app.options, app.topics, app.pipelines, roles, app_stopping, &app.faults,
                             &err) != 0 ||
        kafka_sink_open(app.options, (int64_t)topic_max_bytes(app.topics, TOPIC_DEAD), &out, &err) != 0 ||
        kafka_routes_open(app.options, &routes, TOPIC_RAW, false, &in, &err) != 0)
        goto out;
    app_ready(&app);

    struct transform transform = {
        .in = in,
        .out = out,
        .routes = &routes,
        .rows_max_bytes = topic_max_bytes(app.topics, TOPIC_ROWS),
        .flood_limit = options_number(app.options, "flood-limit"),
        .bounded = options_flag(app.options, "once"),
        .stopping = app_stopping,
        .now_ms = clock_now_ms,
    };
    if (transform_run(&transform, &err) != 0)
        goto out;
out:
    source_free(in); /* commits what is stored, leaves the group */
    sink_free(out);
    routes_free(&routes);
    return app_exit(&app, &err);
}
