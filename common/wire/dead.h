/* Sending dead letters, for all programs. */
#ifndef JST_COMMON_WIRE_DEAD_H
#define JST_COMMON_WIRE_DEAD_H

#include <stddef.h>

#include "common/wire/message.h"
#include "common/wire/ports.h"

struct err;

/* Queue a dead letter for (a part of) record r: value as it was, key NULL where none could be read. As
 * sink_send(): queued, not delivered. */
int dead_send(struct sink *sink, const char *topic, const struct record *r, const char *key,
              const char *value, size_t value_len, const struct dead_letter *dead, struct err *err)
    __attribute__((warn_unused_result));

/* Count one that has been delivered: jst_dead_letters_total. */
void dead_count(const char *pipeline, const char *stage, enum dead_class class);

/* The series of a known pipeline, with 0. */
void dead_count_init(const char *pipeline, const char *stage);

#endif
