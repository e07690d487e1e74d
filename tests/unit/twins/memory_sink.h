/* A twin of the Kafka sink: messages in memory, acknowledged when waited for, or not. */
#ifndef JST_TESTS_MEMORY_SINK_H
#define JST_TESTS_MEMORY_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire/ports.h"

struct memory_message {
    char *topic, *key, *value; /* key, value: NULL where there is none */
    size_t key_len, value_len;
    struct header *headers;
    size_t header_count;
    uint64_t ticket;
    bool acked, refused;
    bool given_up; /* its sender was revoked: nobody waits for it */
};

struct memory_sink {
    struct sink base;
    struct memory_message *list;
    size_t count, cap;
    size_t queue_max; /* so many outstanding messages fill the queue; 0: none do */
    size_t max_bytes; /* larger values are ERR_REJECT; 0: none are */
    const char *refuse_topic;
    bool refuse_all;          /* everything for that topic */
    size_t refuse_bytes;      /* larger values for that topic become failures */
    const char *silent_topic; /* its messages are never acknowledged */
    int hold;                 /* so many waits and serves acknowledge nothing; -1: all */
    size_t ack_most;          /* so many a call at most, the last ones first; 0: all, in order */
    bool fatal;
    size_t waits, fulls;
    void (*on_wait)(int timeout_ms);
    struct sink_failure *failures;
    size_t failure_count, failure_cap;
};

struct memory_sink *memory_sink_new(void);
size_t memory_sink_outstanding(const struct memory_sink *m);
/* Messages of a topic, without refused ones. */
size_t memory_sink_count(const struct memory_sink *m, const char *topic);
/* The n-th of them; NULL: none. */
const struct memory_message *memory_sink_nth(const struct memory_sink *m, const char *topic, size_t n);
/* The last header of that name; NULL: none. */
const char *memory_header(const struct memory_message *message, const char *name);

#endif
