#include <stdlib.h>

#include "common/base/clock.h"
#include "common/kafka/kafka.h"
#include "common/monitor/health.h"
#include "common/skeleton/app.h"
#include "extractor/extract.h"
#include "extractor/setup.h"

enum { ONCE_PATIENCE_MS = 60 * 1000 };

int main(int argc, char **argv)
{
    struct app app = {0};
    struct err err = ERR_INIT;
    struct routes routes = {0};
    struct api *api = NULL;
    struct client client = {0};
    struct source *state = NULL;
    struct sink *sink = NULL;
    char *state_topic = NULL;
    const unsigned roles = 1U << TOPIC_RAW | 1U << TOPIC_DEAD | 1U << TOPIC_STATE;

    if (app_init(PROGRAM_EXTRACTOR, argc, argv, setup_check, &app, &err) != 0)
        goto out;
    routes_init(&routes, app.pipelines, app.topics);
    extract_metrics_init(&routes);
    state_topic = topic_name(app.topics, TOPIC_STATE, NULL);
    health_reason("kafka", "not connected yet");
    if (setup_api(app.options, &api, &err) != 0 || setup_client(app.options, api, &client, &err) != 0 ||
        kafka_prepare_topics(app.options, app.topics, app.pipelines, roles, app_stopping, &app.faults,
                             &err) != 0 ||
        kafka_sink_open(app.options, (int64_t)topic_max_bytes(app.topics, TOPIC_DEAD), &sink, &err) != 0 ||
        setup_state_source(app.options, state_topic, &state, &err) != 0)
        goto out;
    app_ready(&app);

    struct extract extract = {
        .state_source = state,
        .client = &client,
        .publisher = {.sink = sink, .state_topic = state_topic},
        .routes = &routes,
        .pipelines = app.pipelines,
        .once = options_flag(app.options, "once"),
        .once_patience_ms = ONCE_PATIENCE_MS,
        .since_s = options_since(app.options, "since", clock_now_ms() / 1000),
        .until_s = options_given(app.options, "until") ? options_number(app.options, "until") : -1,
        .stopping = app_stopping,
        .contact_ms = kafka_source_contact_ms,
    };
    if (extract_run(&extract, &err) != 0)
        goto out;
out:
    source_free(state); /* leaves the group: a standby takes over at once */
    sink_free(sink);
    client_free(&client);
    api_free(api);
    routes_free(&routes);
    free(state_topic);
    return app_exit(&app, &err);
}
