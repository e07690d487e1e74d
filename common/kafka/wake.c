#include "common/kafka/wake.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/units.h"

enum { PROPERTY_MAX = 512, MEAN_OF = 16 };

/* The property's text; NULL: it is not set. The caller frees it. */
static char *property_of(rd_kafka_conf_t *conf, const char *name)
{
    size_t size = 0;

    if (rd_kafka_conf_get(conf, name, NULL, &size) != RD_KAFKA_CONF_OK || size == 0)
        return NULL;
    char *text = mem_zalloc(1, size);
    if (rd_kafka_conf_get(conf, name, text, &size) == RD_KAFKA_CONF_OK)
        return text;
    free(text);
    return NULL;
}

static size_t number_of(rd_kafka_conf_t *conf, const char *name)
{
    char *text = property_of(conf, name);
    int64_t number = 0;

    if (text == NULL || parse_int64(text, &number) != 0)
        number = 0;
    free(text);
    return (size_t)number;
}

void wake_init(struct wake *w, rd_kafka_conf_t *conf)
{
    size_t size = 0;
    char *protocol = property_of(conf, "security.protocol");

    *w = (struct wake){
        .limit_bytes = number_of(conf, "queued.max.messages.kbytes") * 1024,
        .limit_messages = number_of(conf, "queued.min.messages"),
        .user = property_of(conf, "sasl.username"),
        .password = property_of(conf, "sasl.password"),
    };
    bool has_backoff = rd_kafka_conf_get(conf, "fetch.queue.backoff.ms", NULL, &size) == RD_KAFKA_CONF_OK;
    bool sasl = protocol != NULL && strstr(protocol, "sasl") != NULL;
    /* Kerberos and OAUTHBEARER have no password: the user name must not be touched, so nothing is woken there
     */
    bool harmless = !sasl || (w->user != NULL && w->password != NULL);
    w->needed = !has_backoff && harmless && w->limit_bytes > 0;
    free(protocol);
}

void wake_free(struct wake *w)
{
    free(w->user);
    free(w->password);
    *w = (struct wake){0};
}

bool wake_looks(struct wake *w, int64_t now_ms, size_t bytes)
{
    w->taken_bytes += bytes;
    w->taken_messages++;
    w->mean_bytes = w->mean_bytes == 0 ? bytes : (w->mean_bytes * (MEAN_OF - 1) + bytes) / MEAN_OF;
    if (now_ms - w->looked_ms < WAKE_EVERY_MS)
        return false;
    w->looked_ms = now_ms;
    return true;
}

static bool is_half(const struct wake *w, size_t bytes, size_t messages)
{
    return bytes >= w->limit_bytes / 2 || messages >= w->limit_messages / 2;
}

bool wake_is_due(struct wake *w, size_t queued)
{
    if (is_half(w, queued * w->mean_bytes, queued))
        w->was_full = true;
    return w->was_full;
}

bool wake_may_be_needed(const struct wake *w)
{
    return w->was_full || is_half(w, w->taken_bytes, w->taken_messages);
}

bool wake_emptied(struct wake *w)
{
    bool needed = wake_may_be_needed(w);

    w->was_full = false;
    w->taken_bytes = w->taken_messages = 0;
    return needed;
}

void wake_up(const struct wake *w, rd_kafka_t *rk)
{
    rd_kafka_error_t *error = rd_kafka_sasl_set_credentials(rk, w->user != NULL ? w->user : "",
                                                            w->password != NULL ? w->password : "");

    if (error != NULL)
        rd_kafka_error_destroy(error);
}
