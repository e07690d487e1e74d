/* Sending dead letters, for all programs. */
#ifndef JST_COMMON_WIRE_DEAD_H
#define JST_COMMON_WIRE_DEAD_H

#include <stddef.h>
#include <stdint.h>

#include "common/wire/message.h"
#include "common/wire/ports.h"

struct err;
struct metric_family;

extern const struct metric_family dead_letters_family;

/* What failed, exactly as it was. */
struct dead_value {
    const char *key; /* the document's id; NULL where none could be read */
    const char *value;
    size_t value_len; /* value NULL: a tombstone */
    uint64_t ticket;
};

/* Queue a dead letter for (a part of) record r. As sink_send(): queued, not delivered. What the client does
 * not take for its size goes without its value. */
int dead_send(struct sink *sink, const char *topic, const struct record *r, const struct dead_value *v,
              const struct dead_letter *dead, struct err *err) __attribute__((warn_unused_result));

/* The same without the value: its text says how large that was, jst-error-source where it stands. For what
 * the broker has refused for its size. */
int dead_send_without_value(struct sink *sink, const char *topic, const struct record *r,
                            const struct dead_value *v, const struct dead_letter *dead, struct err *err)
    __attribute__((warn_unused_result));

/* Count one that has been delivered: jst_dead_letters_total. */
void dead_count(const char *pipeline, const char *stage, enum dead_class class);

/* The series of a known pipeline, with 0. */
void dead_count_init(const char *pipeline, const char *stage);

#endif
