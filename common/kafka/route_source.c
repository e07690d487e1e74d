#include "common/kafka/kafka.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/options/options.h"

static int open_topics(const struct options *options, const struct routes *routes, enum topic_role role,
                       struct source_config *config, struct source **ret, struct err *err)
{
    const char **topics = mem_zalloc(routes->count, sizeof *topics);
    const char **pipelines = mem_zalloc(routes->count, sizeof *pipelines);

    for (size_t i = 0; i < routes->count; i++) {
        topics[i] = role == TOPIC_RAW ? routes->list[i].raw : routes->list[i].rows;
        pipelines[i] = routes->list[i].pipeline->name;
    }
    config->group = options_text(options, "group");
    config->topics = topics;
    config->pipelines = config->replay ? NULL : pipelines;
    config->topic_count = routes->count;
    int rc = kafka_source_open(options, config, ret, err);
    free(topics);
    free(pipelines);
    return rc;
}

int kafka_routes_open(const struct options *options, const struct routes *routes, enum topic_role role,
                      bool ask_start, struct source **ret, struct err *err)
{
    struct source_config config = {.bounded = options_flag(options, "once"), .ask_start = ask_start};

    return open_topics(options, routes, role, &config, ret, err);
}

int kafka_replay_open(const struct options *options, const struct routes *routes, enum topic_role role,
                      int64_t from_ms, int64_t to_ms, struct source **ret, struct err *err)
{
    struct source_config config = {
        .bounded = true, .replay = true, .replay_from_ms = from_ms, .replay_to_ms = to_ms};

    return open_topics(options, routes, role, &config, ret, err);
}
