/* An idempotent producer. Messages wait for the broker as long as it takes; what the broker refuses for a
 * reason that may pass (no such topic yet, no right yet) is sent again, so that a message that was queued is
 * either acknowledged, or a failure about its size, or still outstanding. */
#include "common/kafka/kafka_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/monitor/health.h"

enum { RESEND_AFTER_MS = 1000, FREE_FLUSH_MS = 500, HEADER_BYTES = 64 * 1024 };

/* A message that was refused for now: kept whole. */
struct resend {
    rd_kafka_headers_t *headers; /* NULL: none */
    char *topic, *key, *value;
    size_t key_len, value_len;
    int64_t timestamp_ms;
    uint64_t ticket;
};

struct kafka_sink {
    struct sink base;
    rd_kafka_t *rk;
    uint64_t tickets;
    struct sink_failure *failures;
    size_t failure_count, failure_cap;
    struct resend *resends;
    size_t resend_count, resend_cap;
    int64_t resend_at_ms; /* monotonic */
    bool refused;         /* something is, for now, and health says so */
    bool fatal;
};

static struct kafka_sink *of(struct sink *sink)
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

static void keep_for_resend(struct kafka_sink *s, const rd_kafka_message_t *m, uint64_t ticket)
{
    rd_kafka_headers_t *headers = NULL;
    rd_kafka_timestamp_type_t kind;

    if (rd_kafka_message_headers(m, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        headers = rd_kafka_headers_copy(headers);
    s->resends = mem_grow(s->resends, &s->resend_cap, s->resend_count, sizeof *s->resends);
    s->resends[s->resend_count++] = (struct resend){
        .headers = headers,
        .topic = mem_strdup(rd_kafka_topic_name(m->rkt)),
        .key = copy_bytes(m->key, m->key_len),
        .key_len = m->key_len,
        .value = copy_bytes(m->payload, m->len),
        .value_len = m->len,
        .timestamp_ms = rd_kafka_message_timestamp(m, &kind),
        .ticket = ticket,
    };
    s->resend_at_ms = clock_monotonic_ms() + RESEND_AFTER_MS;
    set_refused(s, rd_kafka_err2str(m->err));
}

static void add_failure(struct kafka_sink *s, uint64_t ticket, rd_kafka_resp_err_t code)
{
    s->failures = mem_grow(s->failures, &s->failure_cap, s->failure_count, sizeof *s->failures);
    struct sink_failure *f = &s->failures[s->failure_count++];
    *f = (struct sink_failure){.ticket = ticket, .too_large = true};
    snprintf(f->text, sizeof f->text, "%s", rd_kafka_err2str(code));
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *arg)
{
    struct kafka_sink *s = arg;
    uint64_t ticket = (uint64_t)(uintptr_t)m->_private;

    (void)rk;
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (s->refused && s->resend_count == 0)
            set_refused(s, NULL);
        return;
    }
    if (about_size(m->err))
        add_failure(s, ticket, m->err);
    else if (m->err == RD_KAFKA_RESP_ERR__FATAL)
        s->fatal = true;
    else if (m->err != RD_KAFKA_RESP_ERR__PURGE_QUEUE && m->err != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
        keep_for_resend(s, m, ticket);
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

/* Takes headers over when it returns 0. */
static int produce(struct kafka_sink *s, const struct message *m, uint64_t ticket,
                   rd_kafka_headers_t *headers, struct err *err)
{
    rd_kafka_resp_err_t code;
    void *value = (void *)(uintptr_t)m->value; /* librdkafka copies it */
    const void *key = m->key;

    code = rd_kafka_producev(s->rk, RD_KAFKA_V_TOPIC(m->topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                             RD_KAFKA_V_KEY(key, m->key_len), RD_KAFKA_V_VALUE(value, m->value_len),
                             RD_KAFKA_V_TIMESTAMP(m->timestamp_ms), RD_KAFKA_V_HEADERS(headers),
                             RD_KAFKA_V_OPAQUE((void *)(uintptr_t)ticket), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return err_set(err, ERR_RETRY, 0, "the queue to the broker is full");
    if (about_size(code))
        return err_set(err, ERR_REJECT, (int)code, "%zu bytes are more than a message of %s may have",
                       m->value_len, m->topic);
    if (code == RD_KAFKA_RESP_ERR__FATAL || s->fatal)
        return fatal_error(s, err);
    /* an unknown topic or partition: it may be created yet */
    set_refused(s, rd_kafka_err2str(code));
    return err_set(err, ERR_RETRY, (int)code, "topic %s: %s", m->topic, rd_kafka_err2str(code));
}

static rd_kafka_headers_t *make_headers(const struct message *m)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(m->header_count);

    for (size_t i = 0; i < m->header_count; i++)
        rd_kafka_header_add(headers, m->headers[i].name, -1, m->headers[i].value, -1);
    return headers;
}

static int producer_send(struct sink *sink, const struct message *message, uint64_t *ret_ticket,
                         struct err *err)
{
    struct kafka_sink *s = of(sink);
    uint64_t ticket = s->tickets + 1;

    if (s->fatal)
        return fatal_error(s, err);
    rd_kafka_headers_t *headers = make_headers(message);
    if (produce(s, message, ticket, headers, err) != 0) {
        rd_kafka_headers_destroy(headers);
        return -1;
    }
    s->tickets = ticket;
    if (ret_ticket != NULL)
        *ret_ticket = ticket;
    return 0;
}

static void resend_free(struct resend *r)
{
    if (r->headers != NULL)
        rd_kafka_headers_destroy(r->headers);
    free(r->topic);
    free(r->key);
    free(r->value);
}

/* Send again what was refused; what still cannot be queued stays. */
static void resend_due(struct kafka_sink *s)
{
    if (s->resend_count == 0 || clock_monotonic_ms() < s->resend_at_ms)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < s->resend_count; i++) {
        struct resend *r = &s->resends[i];
        struct message m = {.topic = r->topic,
                            .key = r->key,
                            .key_len = r->key_len,
                            .value = r->value,
                            .value_len = r->value_len,
                            .timestamp_ms = r->timestamp_ms};
        rd_kafka_headers_t *headers =
            r->headers != NULL ? rd_kafka_headers_copy(r->headers) : rd_kafka_headers_new(0);
        if (produce(s, &m, r->ticket, headers, NULL) == 0) {
            resend_free(r);
            continue;
        }
        rd_kafka_headers_destroy(headers);
        s->resends[kept++] = *r;
    }
    s->resend_count = kept;
    s->resend_at_ms = clock_monotonic_ms() + RESEND_AFTER_MS;
}

static int outstanding(const struct kafka_sink *s)
{
    return rd_kafka_outq_len(s->rk) + (int)s->resend_count;
}

static int producer_wait(struct sink *sink, int timeout_ms, struct err *err)
{
    struct kafka_sink *s = of(sink);
    int64_t deadline = clock_monotonic_ms() + timeout_ms;

    rd_kafka_poll(s->rk, 0);
    resend_due(s);
    while (outstanding(s) > 0 && !s->fatal) {
        int64_t left = deadline - clock_monotonic_ms();
        if (left <= 0)
            break;
        rd_kafka_poll(s->rk, left < 50 ? (int)left : 50);
        resend_due(s);
    }
    return s->fatal ? fatal_error(s, err) : outstanding(s);
}

static bool producer_failure(struct sink *sink, struct sink_failure *ret)
{
    struct kafka_sink *s = of(sink);

    if (s->failure_count == 0)
        return false;
    *ret = s->failures[--s->failure_count];
    return true;
}

static void producer_free(struct sink *sink)
{
    struct kafka_sink *s = of(sink);

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
