#include "common/wire/routes.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

void routes_init(struct routes *routes, const struct pipelines *pipelines, const struct topics *topics)
{
    routes->count = pipelines->count;
    routes->list = mem_zalloc(pipelines->count, sizeof *routes->list);
    for (size_t i = 0; i < pipelines->count; i++) {
        const char *name = pipelines->list[i]->name;
        routes->list[i] = (struct route){
            .pipeline = pipelines->list[i],
            .raw = topic_name(topics, TOPIC_RAW, name),
            .rows = topic_name(topics, TOPIC_ROWS, name),
            .dead = topic_name(topics, TOPIC_DEAD, name),
        };
    }
}

void routes_free(struct routes *routes)
{
    if (routes == NULL)
        return;
    for (size_t i = 0; i < routes->count; i++) {
        free(routes->list[i].raw);
        free(routes->list[i].rows);
        free(routes->list[i].dead);
    }
    free(routes->list);
    *routes = (struct routes){0};
}

const char *route_topic(const struct route *route, enum topic_role role)
{
    switch (role) {
    case TOPIC_RAW:
        return route->raw;
    case TOPIC_ROWS:
        return route->rows;
    case TOPIC_DEAD:
        return route->dead;
    case TOPIC_STATE:
    case TOPIC_ROLES:
        break;
    }
    return NULL;
}

const struct route *routes_by_topic(const struct routes *routes, enum topic_role role, const char *topic)
{
    for (size_t i = 0; i < routes->count; i++)
        if (strcmp(route_topic(&routes->list[i], role), topic) == 0)
            return &routes->list[i];
    return NULL;
}
