#include "tests/unit/twins/memory_sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"

static struct memory_sink *of(struct sink *sink)
{
    return (struct memory_sink *)sink;
}

size_t memory_sink_outstanding(const struct memory_sink *m)
{
    size_t n = 0;

    for (size_t i = 0; i < m->count; i++)
        n += !m->list[i].acked && !m->list[i].refused;
    return n;
}

const struct memory_message *memory_sink_nth(const struct memory_sink *m, const char *topic, size_t n)
{
    for (size_t i = 0; i < m->count; i++)
        if (!m->list[i].refused && strcmp(m->list[i].topic, topic) == 0 && n-- == 0)
            return &m->list[i];
    return NULL;
}

size_t memory_sink_count(const struct memory_sink *m, const char *topic)
{
    size_t n = 0;

    while (memory_sink_nth(m, topic, n) != NULL)
        n++;
    return n;
}

const char *memory_header(const struct memory_message *message, const char *name)
{
    for (size_t i = message->header_count; i > 0; i--)
        if (strcmp(message->headers[i - 1].name, name) == 0)
            return message->headers[i - 1].value;
    return NULL;
}

static char *copy_bytes(const char *bytes, size_t len)
{
    return bytes != NULL ? mem_strndup(bytes, len) : NULL;
}

static void keep(struct memory_sink *m, const struct message *message)
{
    m->list = mem_grow(m->list, &m->cap, m->count, sizeof *m->list);
    struct memory_message *k = &m->list[m->count++];
    *k = (struct memory_message){
        .topic = mem_strdup(message->topic),
        .key = copy_bytes(message->key, message->key_len),
        .key_len = message->key_len,
        .value = copy_bytes(message->value, message->value_len),
        .value_len = message->value_len,
        .header_count = message->header_count,
        .ticket = message->ticket,
        .headers = mem_zalloc(message->header_count, sizeof *k->headers),
    };
    for (size_t i = 0; i < message->header_count; i++) {
        const struct header *h = &message->headers[i];
        size_t len = h->value == NULL || h->value_len > 0 ? h->value_len : strlen(h->value);
        k->headers[i] = (struct header){
            .name = mem_strdup(h->name), .value = copy_bytes(h->value, len), .value_len = len};
    }
}

static int sink_send_memory(struct sink *sink, const struct message *message, struct err *err)
{
    struct memory_sink *m = of(sink);

    if (m->fatal)
        return err_set(err, ERR_FATAL, 0, "the producer is fenced");
    if (m->max_bytes > 0 && message->value_len > m->max_bytes)
        return err_set(err, ERR_REJECT, 0, "larger than the topic allows");
    if (m->queue_max > 0 && memory_sink_outstanding(m) >= m->queue_max) {
        m->fulls++;
        return err_set(err, ERR_RETRY, 0, "the queue is full");
    }
    keep(m, message);
    return 0;
}

static void settle(struct memory_sink *m, struct memory_message *k)
{
    if (m->refuse_topic == NULL || strcmp(k->topic, m->refuse_topic) != 0 ||
        (k->value_len <= m->refuse_bytes && !m->refuse_all)) {
        k->acked = true;
        if (m->base.acked != NULL)
            m->base.acked(m->base.arg, k->ticket);
        return;
    }
    k->refused = true;
    m->failures = mem_grow(m->failures, &m->failure_cap, m->failure_count, sizeof *m->failures);
    struct sink_failure *f = &m->failures[m->failure_count++];
    *f = (struct sink_failure){.ticket = k->ticket};
    snprintf(f->text, sizeof f->text, "Broker: Message size too large");
}

static bool is_silent(const struct memory_sink *m, const struct memory_message *k)
{
    return m->silent_topic != NULL && strcmp(m->silent_topic, k->topic) == 0;
}

static void settle_all(struct memory_sink *m)
{
    size_t settled = 0;

    for (size_t i = 0; i < m->count; i++) {
        struct memory_message *k = &m->list[m->ack_most > 0 ? m->count - 1 - i : i];
        if (k->acked || k->refused || is_silent(m, k))
            continue;
        settle(m, k);
        if (++settled == m->ack_most)
            return;
    }
}

static int serve(struct memory_sink *m, int timeout_ms, struct err *err)
{
    m->waits++;
    if (m->on_wait != NULL)
        m->on_wait(timeout_ms);
    if (m->fatal)
        return err_set(err, ERR_FATAL, 0, "the producer is fenced");
    if (m->hold > 0)
        m->hold--;
    else if (m->hold == 0)
        settle_all(m);
    return 0;
}

static int sink_serve_memory(struct sink *sink, int timeout_ms, struct err *err)
{
    return serve(of(sink), timeout_ms, err);
}

static int sink_wait_memory(struct sink *sink, int timeout_ms, struct err *err)
{
    return serve(of(sink), timeout_ms, err) != 0 ? -1 : (int)memory_sink_outstanding(of(sink));
}

static bool sink_failure_memory(struct sink *sink, struct sink_failure *ret)
{
    struct memory_sink *m = of(sink);

    if (m->failure_count == 0)
        return false;
    *ret = m->failures[--m->failure_count];
    return true;
}

static void sink_free_memory(struct sink *sink)
{
    struct memory_sink *m = of(sink);

    for (size_t i = 0; i < m->count; i++) {
        struct memory_message *k = &m->list[i];
        for (size_t j = 0; j < k->header_count; j++) {
            free((void *)(uintptr_t)k->headers[j].name);
            free((void *)(uintptr_t)k->headers[j].value);
        }
        free(k->headers);
        free(k->topic);
        free(k->key);
        free(k->value);
    }
    free(m->list);
    free(m->failures);
    free(m);
}

static const struct sink_ops memory_ops = {
    .send = sink_send_memory,
    .serve = sink_serve_memory,
    .wait = sink_wait_memory,
    .failure = sink_failure_memory,
    .free = sink_free_memory,
};

struct memory_sink *memory_sink_new(void)
{
    struct memory_sink *m = mem_zalloc(1, sizeof *m);

    m->base.ops = &memory_ops;
    return m;
}
