/* Finds the topics that would break a promise. Pure; for topics_file.c. */
#ifndef JST_COMMON_WIRE_TOPIC_RULES_H
#define JST_COMMON_WIRE_TOPIC_RULES_H

#include "common/base/faults.h"
#include "common/wire/topics.h"

/* Every fault names the line of the role's rule, or only the file where that rule is built in. */
void topics_check(const char *file, const struct topics *topics, struct faults *faults);

#endif
