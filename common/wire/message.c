#include "common/wire/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/base/utf8.h"
#include "common/json/bytes.h"

void headers_init(struct header_set *h)
{
    *h = (struct header_set){0};
}

void headers_free(struct header_set *h)
{
    names_free(&h->made);
    free(h->list);
    headers_init(h);
}

static void append_reference(struct header_set *h, const struct header *header)
{
    h->list = mem_grow(h->list, &h->cap, h->count, sizeof *h->list);
    h->list[h->count++] = *header;
}

static void put_reference(struct header_set *h, const struct header *header)
{
    for (size_t i = 0; i < h->count; i++) {
        if (strcmp(h->list[i].name, header->name) == 0) {
            h->list[i] = *header;
            return;
        }
    }
    append_reference(h, header);
}

static void put_made(struct header_set *h, const char *name, char *value)
{
    names_take(&h->made, value);
    put_reference(h, &(struct header){.name = name, .value = value});
}

void headers_put(struct header_set *h, const char *name, const char *value)
{
    put_made(h, name, mem_strdup(value));
}

void headers_printf(struct header_set *h, const char *name, const char *format, ...)
{
    char *value = NULL;
    va_list args;

    va_start(args, format);
    int n = vasprintf(&value, format, args);
    va_end(args);
    put_made(h, name, n < 0 || value == NULL ? mem_strdup("") : value);
}

/* The header's text; NULL when it is missing, and *err names it. */
static const char *needed_header(const struct record *r, const char *name, struct err *err)
{
    const char *value = record_header(r, name);

    if (value == NULL)
        err_set(err, ERR_REJECT, 0, "foreign message: it has no header %s", name);
    return value;
}

static int check_pipeline(const struct record *r, const char *pipeline, struct err *err)
{
    const char *named = needed_header(r, H_PIPELINE, err);

    if (named == NULL)
        return -1;
    if (strcmp(named, pipeline) != 0)
        return err_set(err, ERR_REJECT, 0, "foreign message: its header %s does not name %s", H_PIPELINE,
                       pipeline);
    if (!r->has_value)
        return err_set(err, ERR_REJECT, 0, "foreign message: it has no value");
    return 0;
}

int raw_message_read(const struct record *r, const char *pipeline, struct raw_message *ret, struct err *err)
{
    if (check_pipeline(r, pipeline, err) != 0)
        return -1;
    static const char *const always[] = {H_API, H_BIZ, H_FETCHED_AT, H_RUN, H_PAGE};
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        if (needed_header(r, always[i], err) == NULL)
            return -1;
    const char *cursor = record_header(r, H_CURSOR);
    if (cursor == NULL &&
        (needed_header(r, H_WINDOW_BEGIN, err) == NULL || needed_header(r, H_WINDOW_END, err) == NULL))
        return -1;
    int64_t fetched;
    if (rfc3339_parse(record_header(r, H_FETCHED_AT), &fetched) != 0)
        return err_set(err, ERR_REJECT, 0, "foreign message: its header %s is not an instant", H_FETCHED_AT);
    *ret = (struct raw_message){.pipeline = record_header(r, H_PIPELINE)};
    return 0;
}

static bool document_id_valid(const char *id)
{
    const char *end = id + strlen(id);

    if (end == id || end - id > DOCUMENT_ID_MAX)
        return false;
    while (id < end) {
        size_t n = utf8_character(id, end);
        if (n == 0)
            return false;
        id += n;
    }
    return true;
}

static int64_t count_lines(const struct record *r)
{
    int64_t lines = 0;
    const char *at = r->value;
    const char *end = r->value + r->value_len;

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        lines++;
        at++;
    }
    return lines;
}

int rows_message_read(const struct record *r, const char *pipeline, struct rows_message *ret, struct err *err)
{
    if (check_pipeline(r, pipeline, err) != 0)
        return -1;
    struct rows_message m = {
        .pipeline = record_header(r, H_PIPELINE),
        .document = needed_header(r, H_DOCUMENT, err),
        .version = needed_header(r, H_VERSION, err),
    };
    const char *rows = needed_header(r, H_ROWS, err);
    const char *received = needed_header(r, H_RECEIVED_AT, err);
    if (m.document == NULL || m.version == NULL || needed_header(r, H_SOURCE, err) == NULL || rows == NULL ||
        received == NULL)
        return -1;
    if (!document_id_valid(m.document))
        return err_set(err, ERR_REJECT, 0, "foreign message: its header %s is not a text of 1 to %d bytes",
                       H_DOCUMENT, DOCUMENT_ID_MAX);
    if (parse_int64(rows, &m.rows) != 0 || m.rows < 0)
        return err_set(err, ERR_REJECT, 0, "foreign message: its header %s is not a count", H_ROWS);
    if (rfc3339_parse(received, &m.received_at_ms) != 0)
        return err_set(err, ERR_REJECT, 0, "foreign message: its header %s is not an instant", H_RECEIVED_AT);
    if (r->value_len > 0 && r->value[r->value_len - 1] != '\n')
        return err_set(err, ERR_REJECT, 0, "the last row is not ended by a newline: the value was cut");
    if (count_lines(r) != m.rows)
        return err_set(err, ERR_REJECT, 0, "the value has %lld rows, its header %s says %s",
                       (long long)count_lines(r), H_ROWS, rows);
    *ret = m;
    return 0;
}

const char *dead_class_name(enum dead_class c)
{
    switch (c) {
    case DEAD_PARSE:
        return "parse";
    case DEAD_CONVERT:
        return "convert";
    case DEAD_QUALITY:
        return "quality";
    case DEAD_SCRIPT:
        return "script";
    case DEAD_DATA:
        return "data";
    case DEAD_TOO_LARGE:
        return "too-large";
    }
    return "parse";
}

static bool of_failure(const char *name)
{
    return strncmp(name, "jst-error-", strlen("jst-error-")) == 0 || strcmp(name, H_FAILED_AT) == 0;
}

void dead_letter_headers(const struct record *r, const struct dead_letter *dead, struct header_set *ret)
{
    char when[RFC3339_TEXT];

    headers_init(ret);
    for (size_t i = 0; i < r->header_count; i++)
        if (!of_failure(r->headers[i].name))
            append_reference(ret, &r->headers[i]);
    headers_printf(ret, H_ERROR_SOURCE, "%s/%d/%lld", r->topic, r->partition, (long long)r->offset);
    if (dead->row > 0)
        headers_printf(ret, H_ERROR_ROW, "%lld/%lld", (long long)dead->row, (long long)dead->rows);
    headers_put(ret, H_ERROR_STAGE, dead->stage);
    headers_put(ret, H_ERROR_CLASS, dead_class_name(dead->class));
    if (dead->code != 0)
        headers_printf(ret, H_ERROR_CODE, "%d", dead->code);
    headers_put(ret, H_ERROR_TEXT, dead->text);
    headers_put(ret, H_FAILED_AT, rfc3339_format(dead->failed_at_ms, when));
}
