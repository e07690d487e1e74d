#include "common/kafka/kafka.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/options/options.h"

int kafka_routes_open(const struct options *options, const struct routes *routes, enum topic_role role,
                      bool ask_start, struct source **ret, struct err *err)
{
    const char **topics = mem_zalloc(routes->count, sizeof *topics);
    const char **pipelines = mem_zalloc(routes->count, sizeof *pipelines);

    for (size_t i = 0; i < routes->count; i++) {
        topics[i] = role == TOPIC_RAW ? routes->list[i].raw : routes->list[i].rows;
        pipelines[i] = routes->list[i].pipeline->name;
    }
    struct source_config config = {
        .group = options_text(options, "group"),
        .topics = topics,
        .pipelines = pipelines,
        .topic_count = routes->count,
        .bounded = options_flag(options, "once"),
        .ask_start = ask_start,
    };
    int rc = kafka_source_open(options, &config, ret, err);
    free(topics);
    free(pipelines);
    return rc;
}
