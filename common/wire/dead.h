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

/* The value that failed, byte for byte. */
struct dead_value {
    const char *key; /* the document's id; NULL where none could be read */
    const char *value;
    size_t value_len; /* value NULL: a tombstone */
    uint64_t ticket;
};

/* Queue a dead letter for record r, or for a part of it. As sink_send(): queued, not delivered. A value that
 * is too large for the client is left out. */
int dead_send(struct sink *sink, const char *topic, const struct record *r, const struct dead_value *v,
              const struct dead_letter *dead, struct err *err) __attribute__((warn_unused_result));

/* The same without the value, for a letter that the broker has refused for its size. The error text says how
 * large the value was; the header jst-error-source says where it is. */
int dead_send_without_value(struct sink *sink, const char *topic, const struct record *r,
                            const struct dead_value *v, const struct dead_letter *dead, struct err *err)
    __attribute__((warn_unused_result));

/* Count a dead letter that has been delivered: jst_dead_letters_total. */
void dead_count(const char *pipeline, const char *stage, enum dead_class class);

/* Make the series of a known pipeline, with 0. */
void dead_count_init(const char *pipeline, const char *stage);

#endif
