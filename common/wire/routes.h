/* A route joins a pipeline with its topics: where records come from, and where they go. */
#ifndef JST_COMMON_WIRE_ROUTES_H
#define JST_COMMON_WIRE_ROUTES_H

#include <stddef.h>

#include "common/pipeline/pipeline.h"
#include "common/wire/topics.h"

struct route {
    const struct pipeline *pipeline;
    char *raw, *rows, *dead; /* topic names */
};

struct routes {
    struct route *list; /* in the order of the pipelines */
    size_t count;
};

/* Makes a route for each pipeline, and keeps a reference to it. */
void routes_init(struct routes *routes, const struct pipelines *pipelines, const struct topics *topics);
void routes_free(struct routes *routes); /* NULL ok */

/* The route's topic of that role: raw, rows or dead. */
const char *route_topic(const struct route *route, enum topic_role role);
/* The route to which this topic of that role belongs. NULL: there is none. */
const struct route *routes_by_topic(const struct routes *routes, enum topic_role role, const char *topic);

#endif
