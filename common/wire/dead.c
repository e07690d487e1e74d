#include "common/wire/dead.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/monitor/metrics.h"

const struct metric_family dead_letters_family = {
    .name = "jst_dead_letters_total",
    .type = METRIC_COUNTER,
    .help = "Dead letters delivered; classes parse, convert, quality, script, data, too-large.",
    .labels = {"pipeline", "stage", "class"},
};

enum {
    COPIED_HEADERS_MAX =
        64 * 1024 /* bytes; a letter without its value copies no more of the record's headers */
};

static int send_letter(struct sink *sink, const char *topic, const struct record *r,
                       const struct dead_value *v, const struct dead_letter *dead, struct err *err)
{
    struct header_set headers;

    dead_letter_headers(r, dead, &headers);
    struct message m = {
        .topic = topic,
        .key = v->key,
        .key_len = v->key != NULL ? strlen(v->key) : 0,
        .value = v->value,
        .value_len = v->value_len,
        .headers = headers.list,
        .header_count = headers.count,
        .ticket = v->ticket,
    };
    int rc = sink_send(sink, &m, err);
    headers_free(&headers);
    return rc;
}

static size_t header_bytes(const struct record *r)
{
    size_t bytes = 0;

    for (size_t i = 0; i < r->header_count; i++)
        bytes += strlen(r->headers[i].name) + r->headers[i].value_len;
    return bytes;
}

int dead_send_without_value(struct sink *sink, const char *topic, const struct record *r,
                            const struct dead_value *v, const struct dead_letter *dead, struct err *err)
{
    struct record bare = *r;
    struct dead_value nothing = {.key = v->key, .ticket = v->ticket};
    struct dead_letter explained = *dead;
    char *text = mem_printf("%s; its %zu bytes are more than topic %s takes: only the position is kept",
                            dead->text, v->value_len, topic);

    if (header_bytes(r) > COPIED_HEADERS_MAX)
        bare.header_count = 0;
    explained.text = text;
    int rc = send_letter(sink, topic, &bare, &nothing, &explained, err);
    free(text);
    return rc;
}

int dead_send(struct sink *sink, const char *topic, const struct record *r, const struct dead_value *v,
              const struct dead_letter *dead, struct err *err)
{
    struct err why = ERR_INIT;

    if (send_letter(sink, topic, r, v, dead, &why) == 0)
        return 0;
    if (why.kind == ERR_REJECT)
        return dead_send_without_value(sink, topic, r, v, dead, err);
    return err_set(err, why.kind, why.code, "%s", why.text);
}

void dead_count(const char *pipeline, const char *stage, enum dead_class class)
{
    metric_add(metric_get(&dead_letters_family, pipeline, stage, dead_class_name(class), NULL), 1);
}

void dead_count_init(const char *pipeline, const char *stage)
{
    for (int c = DEAD_PARSE; c <= DEAD_TOO_LARGE; c++)
        metric_get(&dead_letters_family, pipeline, stage, dead_class_name((enum dead_class)c), NULL);
}
