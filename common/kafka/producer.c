/* An idempotent producer. Messages wait for the broker as long as it takes. A message that the broker refuses
 * for a reason that may pass (no such topic yet, no right yet) is sent again. So each queued message is
 * either acknowledged, or refused for its size, or still outstanding.
 *
 * The broker judges the size of a batch, not of a message. A message refused for its size is therefore sent
 * once more, alone, while everything else waits. Only if it is refused alone, it is a failure. */
#include "common/kafka/kafka_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/monitor/health.h"

enum {
    RESEND_AFTER_MS = 1000,
    RESEND_MAX_BYTES = 32 * 1024 * 1024, /* kept to be sent again; one more message may exceed it */
    STEP_MS = 50,
    FREE_FLUSH_MS = 500,
    HEADER_BYTES = 64 * 1024,
};

/* A message that was refused for now, kept whole to be sent again. */
struct resend {
    rd_kafka_headers_t *headers; /* NULL: none */
    char *topic, *key, *value;
    size_t key_len, value_len;
    int64_t timestamp_ms;
    uint64_t ticket;
    bool alone; /* it was refused for its size in a batch with others: send it alone */
};

struct kafka_sink {
    struct sink base;
    rd_kafka_t *rk;
    struct sink_failure *failures;
    size_t failure_count, failure_cap;
    struct resend *resends;
    size_t resend_count, resend_cap;
    int64_t resend_at_ms; /* monotonic */
    size_t resend_bytes;  /* of resends */
    size_t alone_count;   /* of resends that go alone */
    bool alone_under_way; /* one of them is the only message under way */
    bool refused;         /* a message is refused for now, and readiness says so */
    bool fatal;
};

static struct kafka_sink *sink_of(struct sink *sink)
{
    return (struct kafka_sink *)sink;
}

static bool about_size(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || code == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE ||
           code == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE;
}

static void set_refused(struct kafka_sink *s, const char *why)
{
    s->refused = why != NULL;
    health_reason("publish", why);
}

static char *copy_bytes(const void *bytes, size_t len)
{
    return bytes != NULL ? mem_strndup(bytes, len) : NULL;
}

static size_t resend_size(const struct resend *r)
{
    return sizeof *r + r->key_len + r->value_len;
}

static void keep_for_resend(struct kafka_sink *s, struct resend r)
{
    s->resends = mem_grow(s->resends, &s->resend_cap, s->resend_count, sizeof *s->resends);
    s->resends[s->resend_count++] = r;
    s->resend_bytes += resend_size(&r);
    s->alone_count += r.alone;
    if (!r.alone)
        s->resend_at_ms = clock_monotonic_ms() + RESEND_AFTER_MS;
}

static void keep_refused(struct kafka_sink *s, const rd_kafka_message_t *m, uint64_t ticket, bool alone)
{
    rd_kafka_headers_t *headers = NULL;
    rd_kafka_timestamp_type_t kind;

    if (rd_kafka_message_headers(m, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        headers = rd_kafka_headers_copy(headers);
    keep_for_resend(s, (struct resend){
                           .headers = headers,
                           .topic = mem_strdup(rd_kafka_topic_name(m->rkt)),
                           .key = copy_bytes(m->key, m->key_len),
                           .key_len = m->key_len,
                           .value = copy_bytes(m->payload, m->len),
                           .value_len = m->len,
                           .timestamp_ms = rd_kafka_message_timestamp(m, &kind),
                           .ticket = ticket,
                           .alone = alone,
                       });
}

static void add_failure(struct kafka_sink *s, uint64_t ticket, rd_kafka_resp_err_t code)
{
    s->failures = mem_grow(s->failures, &s->failure_cap, s->failure_count, sizeof *s->failures);
    struct sink_failure *f = &s->failures[s->failure_count++];
    *f = (struct sink_failure){.ticket = ticket};
    snprintf(f->text, sizeof f->text, "%s", rd_kafka_err2str(code));
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *arg)
{
    struct kafka_sink *s = arg;
    uint64_t ticket = (uint64_t)(uintptr_t)m->_private;
    bool was_alone = s->alone_under_way;

    (void)rk;
    s->alone_under_way = false;
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (s->refused && s->resend_count == 0)
            set_refused(s, NULL);
        if (s->base.acked != NULL)
            s->base.acked(s->base.arg, ticket);
    } else if (about_size(m->err) && was_alone) {
        add_failure(s, ticket, m->err);
    } else if (about_size(m->err)) {
        keep_refused(s, m, ticket, true);
    } else if (m->err == RD_KAFKA_RESP_ERR__FATAL) {
        s->fatal = true;
    } else if (m->err != RD_KAFKA_RESP_ERR__PURGE_QUEUE && m->err != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT) {
        keep_refused(s, m, ticket, false);
        set_refused(s, rd_kafka_err2str(m->err));
    }
}

static void on_error(rd_kafka_t *rk, int code, const char *text, void *arg)
{
    struct kafka_sink *s = arg;

    (void)rk, (void)text;
    if (code == RD_KAFKA_RESP_ERR__FATAL)
        s->fatal = true;
}

static int fatal_error(const struct kafka_sink *s, struct err *err)
{
    char text[256] = "";

    rd_kafka_fatal_error(s->rk, text, sizeof text);
    return err_set(err, ERR_FATAL, 0, "Kafka producer: %s", text);
}

/* Owns the headers when it returns NO_ERROR. */
static rd_kafka_resp_err_t produce_message(struct kafka_sink *s, const struct message *m,
                                           rd_kafka_headers_t *headers)
{
    void *value = (void *)(uintptr_t)m->value; /* librdkafka copies it */
    const void *key = m->key;

    return rd_kafka_producev(s->rk, RD_KAFKA_V_TOPIC(m->topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                             RD_KAFKA_V_KEY(key, m->key_len), RD_KAFKA_V_VALUE(value, m->value_len),
                             RD_KAFKA_V_TIMESTAMP(m->timestamp_ms), RD_KAFKA_V_HEADERS(headers),
                             RD_KAFKA_V_OPAQUE((void *)(uintptr_t)m->ticket), RD_KAFKA_V_END);
}

/* An unknown topic or partition may still be created: the message waits here, and messages of other topics go
 * on.
 */
static int keep_unsent(struct kafka_sink *s, const struct message *m, rd_kafka_headers_t *headers,
                       rd_kafka_resp_err_t code)
{
    keep_for_resend(s, (struct resend){
                           .headers = headers,
                           .topic = mem_strdup(m->topic),
                           .key = copy_bytes(m->key, m->key_len),
                           .key_len = m->key_len,
                           .value = copy_bytes(m->value, m->value_len),
                           .value_len = m->value_len,
                           .timestamp_ms = m->timestamp_ms,
                           .ticket = m->ticket,
                       });
    set_refused(s, rd_kafka_err2str(code));
    return 0;
}

static int send_now(struct kafka_sink *s, const struct message *m, rd_kafka_headers_t *headers,
                    struct err *err)
{
    rd_kafka_resp_err_t code = produce_message(s, m, headers);

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return err_set(err, ERR_RETRY, 0, "the queue to the broker is full");
    if (about_size(code))
        return err_set(err, ERR_REJECT, (int)code, "%zu bytes are more than a message of %s may have",
                       m->value_len, m->topic);
    if (code == RD_KAFKA_RESP_ERR__FATAL || s->fatal)
        return fatal_error(s, err);
    return keep_unsent(s, m, headers, code);
}

static rd_kafka_headers_t *make_headers(const struct message *m)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(m->header_count);

    for (size_t i = 0; i < m->header_count; i++) {
        const struct header *h = &m->headers[i];
        rd_kafka_header_add(headers, h->name, -1, h->value, h->value_len > 0 ? (ssize_t)h->value_len : -1);
    }
    return headers;
}

static int producer_send(struct sink *sink, const struct message *message, struct err *err)
{
    struct kafka_sink *s = sink_of(sink);

    if (s->fatal)
        return fatal_error(s, err);
    if (s->alone_count > 0 || s->alone_under_way)
        return err_set(err, ERR_RETRY, 0, "a message that was refused for its size is sent alone");
    if (s->resend_bytes > RESEND_MAX_BYTES)
        return err_set(err, ERR_RETRY, 0, "too many bytes wait for topics that refuse them");
    rd_kafka_headers_t *headers = make_headers(message);
    if (send_now(s, message, headers, err) != 0) {
        rd_kafka_headers_destroy(headers);
        return -1;
    }
    return 0;
}

static void resend_free(const struct resend *r)
{
    if (r->headers != NULL)
        rd_kafka_headers_destroy(r->headers);
    free(r->topic);
    free(r->key);
    free(r->value);
}

/* Queue a message again. False: it cannot be queued now. */
static bool resend_message(struct kafka_sink *s, const struct resend *r)
{
    struct message m = {.topic = r->topic,
                        .key = r->key,
                        .key_len = r->key_len,
                        .value = r->value,
                        .value_len = r->value_len,
                        .timestamp_ms = r->timestamp_ms,
                        .ticket = r->ticket};
    rd_kafka_headers_t *headers =
        r->headers != NULL ? rd_kafka_headers_copy(r->headers) : rd_kafka_headers_new(0);

    if (produce_message(s, &m, headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    rd_kafka_headers_destroy(headers);
    return false;
}

static void forget_resend(struct kafka_sink *s, const struct resend *r)
{
    s->resend_bytes -= resend_size(r);
    s->alone_count -= r->alone;
    resend_free(r);
}

/* When nothing is under way, send the first message that must go alone. */
static void resend_alone(struct kafka_sink *s)
{
    size_t i = 0;

    if (s->alone_count == 0 || rd_kafka_outq_len(s->rk) > 0)
        return;
    while (!s->resends[i].alone)
        i++;
    if (!resend_message(s, &s->resends[i]))
        return;
    s->alone_under_way = true;
    forget_resend(s, &s->resends[i]);
    memmove(s->resends + i, s->resends + i + 1, (--s->resend_count - i) * sizeof *s->resends);
}

/* Send the refused messages again; those that still cannot be queued stay. */
static void resend_due(struct kafka_sink *s)
{
    size_t kept = 0;

    resend_alone(s);
    if (s->resend_count == 0 || s->alone_count > 0 || s->alone_under_way ||
        clock_monotonic_ms() < s->resend_at_ms)
        return;
    for (size_t i = 0; i < s->resend_count; i++) {
        if (resend_message(s, &s->resends[i]))
            forget_resend(s, &s->resends[i]);
        else
            s->resends[kept++] = s->resends[i];
    }
    s->resend_count = kept;
    s->resend_at_ms = clock_monotonic_ms() + RESEND_AFTER_MS;
}

static int messages_outstanding(const struct kafka_sink *s)
{
    return rd_kafka_outq_len(s->rk) + (int)s->resend_count;
}

static int producer_serve(struct sink *sink, int timeout_ms, struct err *err)
{
    struct kafka_sink *s = sink_of(sink);

    resend_due(s);
    rd_kafka_poll(s->rk, s->resend_count > 0 && timeout_ms > STEP_MS ? STEP_MS : timeout_ms);
    return s->fatal ? fatal_error(s, err) : 0;
}

static int producer_wait(struct sink *sink, int timeout_ms, struct err *err)
{
    struct kafka_sink *s = sink_of(sink);
    int64_t deadline = clock_monotonic_ms() + timeout_ms;

    rd_kafka_poll(s->rk, 0);
    resend_due(s);
    while (messages_outstanding(s) > 0 && !s->fatal) {
        int64_t left = deadline - clock_monotonic_ms();
        if (left <= 0)
            break;
        rd_kafka_poll(s->rk, left < STEP_MS ? (int)left : STEP_MS);
        resend_due(s);
    }
    return s->fatal ? fatal_error(s, err) : messages_outstanding(s);
}

static bool producer_failure(struct sink *sink, struct sink_failure *ret)
{
    struct kafka_sink *s = sink_of(sink);

    if (s->failure_count == 0)
        return false;
    *ret = s->failures[--s->failure_count];
    return true;
}

static void producer_free(struct sink *sink)
{
    struct kafka_sink *s = sink_of(sink);

    rd_kafka_flush(s->rk, FREE_FLUSH_MS);
    rd_kafka_purge(s->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(s->rk, 100);
    rd_kafka_destroy(s->rk);
    for (size_t i = 0; i < s->resend_count; i++)
        resend_free(&s->resends[i]);
    free(s->resends);
    free(s->failures);
    free(s);
}

static const struct sink_ops producer_ops = {
    .send = producer_send,
    .serve = producer_serve,
    .wait = producer_wait,
    .failure = producer_failure,
    .free = producer_free,
};

int kafka_sink_open(const struct options *options, int64_t max_bytes, struct sink **ret, struct err *err)
{
    rd_kafka_conf_t *conf;
    char text[32];

    if (kafka_conf_new(options, KAFKA_PRODUCER, &conf, err) != 0)
        return -1;
    struct kafka_sink *s = mem_zalloc(1, sizeof *s);
    s->base.ops = &producer_ops;
    snprintf(text, sizeof text, "%" PRId64, max_bytes + HEADER_BYTES);
    kafka_conf_must(conf, "message.max.bytes", text);
    rd_kafka_conf_set_opaque(conf, s);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_error_cb(conf, on_error);
    if (kafka_client_new(RD_KAFKA_PRODUCER, conf, &s->rk, err) != 0) {
        free(s);
        return -1;
    }
    *ret = &s->base;
    return 0;
}
