/* Keeps fetching from sleeping on a full queue, with librdkafka before 2.2.
 *
 * A broker thread that finds the queue of fetched messages full (queued.max.messages.kbytes,
 * queued.min.messages) looks again when something wakes it, at the latest after a second
 * (rd_kafka_max_block_ms in rdkafka_broker.c of 2.0.2; the property fetch.queue.backoff.ms came with 2.2). A
 * program that empties 4 MiB in 30 ms then waits for 970.
 * rd_kafka_sasl_set_credentials(), public since 2.0, wakes all broker threads: it stores a user and a
 * password that are read at the next authentication, and does nothing else. Given the configured ones it
 * changes nothing.
 *
 * It is called only where the property is missing and only when the queue may have been full: every 10 ms
 * while it is being emptied, and once when it is empty. A consumer that keeps up never calls it. */
#ifndef JST_COMMON_KAFKA_WAKE_H
#define JST_COMMON_KAFKA_WAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

enum { WAKE_EVERY_MS = 10 };

struct wake {
    bool needed;
    size_t limit_bytes;    /* of the queue */
    size_t limit_messages; /* of the queue: for messages below 84 bytes the lower limit */
    char *user, *password;
    bool was_full; /* the queue was at least half full, and is not empty again yet */
    int64_t looked_ms;
    size_t mean_bytes;                  /* of a message, as they came lately */
    size_t taken_bytes, taken_messages; /* since the queue was empty */
};

/* Read the queue's limit and the credentials from the configuration, before rd_kafka_new() takes it over. */
void wake_init(struct wake *w, rd_kafka_conf_t *conf);
void wake_free(struct wake *w);

/* Note that a message of so many bytes was taken. Is it time to look at the queue? Pure. */
bool wake_looks(struct wake *w, int64_t now_ms, size_t bytes);

/* Note that `queued` messages are in the queue. Should the broker threads be woken? Pure. librdkafka does not
 * tell the bytes in the queue, so they are estimated from its length, and half full counts as full. */
bool wake_is_due(struct wake *w, size_t queued);

/* Can the queue have been full since it was last empty? Seen so, or so much was taken out of it: a fast
 * program takes half a queue between two looks. Pure. */
bool wake_may_be_needed(const struct wake *w);

/* Note that the queue is empty. Should the broker threads be woken? Pure. */
bool wake_emptied(struct wake *w);

void wake_up(const struct wake *w, rd_kafka_t *rk);

#endif
