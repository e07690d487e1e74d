/* From librdkafka's messages to the records of the ports, and the messages that wait for their turn. */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/kafka/consumer_private.h"

/* The owner of a record: librdkafka's message, and its headers in the form of the ports. */
struct taken {
    rd_kafka_message_t *message;
    struct header headers[];
};

static struct taken *take_message(rd_kafka_message_t *m, size_t *ret_headers)
{
    rd_kafka_headers_t *headers = NULL;
    size_t count = 0;
    const char *name;
    const void *value;
    size_t size;

    if (rd_kafka_message_headers(m, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        count = rd_kafka_header_cnt(headers);
    struct taken *taken = mem_alloc(sizeof *taken + count * sizeof taken->headers[0]);
    taken->message = m;
    *ret_headers = 0;
    for (size_t i = 0; i < count; i++)
        if (rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR)
            taken->headers[(*ret_headers)++] =
                (struct header){.name = name, .value = value, .value_len = size};
    return taken;
}

void kafka_record_fill(rd_kafka_message_t *m, struct record *ret)
{
    rd_kafka_timestamp_type_t kind;
    size_t header_count;
    struct taken *taken = take_message(m, &header_count);

    *ret = (struct record){
        .topic = rd_kafka_topic_name(m->rkt),
        .partition = m->partition,
        .offset = m->offset,
        .timestamp_ms = rd_kafka_message_timestamp(m, &kind),
        .key = m->key,
        .key_len = m->key_len,
        .has_key = m->key != NULL,
        .value = m->payload,
        .value_len = m->len,
        .has_value = m->payload != NULL,
        .headers = taken->headers,
        .header_count = header_count,
        .owner = taken,
    };
}

void kafka_record_free(struct record *record)
{
    struct taken *taken = record->owner;

    rd_kafka_message_destroy(taken->message);
    free(taken);
    record->owner = NULL;
}

/* ---- the stash ---- */

void kafka_stash_push(struct kafka_source *s, rd_kafka_message_t *m)
{
    s->stash = mem_grow(s->stash, &s->stash_cap, s->stash_count, sizeof(rd_kafka_message_t *));
    s->stash[s->stash_count++] = m;
}

rd_kafka_message_t *kafka_stash_pop(struct kafka_source *s)
{
    for (size_t i = 0; i < s->stash_count; i++) {
        rd_kafka_message_t *m = s->stash[i];
        if (kafka_topic_is_paused(s, rd_kafka_topic_name(m->rkt)))
            continue;
        memmove(s->stash + i, s->stash + i + 1, (--s->stash_count - i) * sizeof(rd_kafka_message_t *));
        return m;
    }
    return NULL;
}

bool kafka_stash_has(const struct kafka_source *s)
{
    for (size_t i = 0; i < s->stash_count; i++)
        if (!kafka_topic_is_paused(s, rd_kafka_topic_name(s->stash[i]->rkt)))
            return true;
    return false;
}

void kafka_stash_drop(struct kafka_source *s, const struct part *p)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->stash_count; i++) {
        rd_kafka_message_t *m = s->stash[i];
        if (p == NULL ||
            (m->partition == p->partition && strcmp(rd_kafka_topic_name(m->rkt), p->topic->name) == 0))
            rd_kafka_message_destroy(m);
        else
            s->stash[kept++] = m;
    }
    s->stash_count = kept;
}
