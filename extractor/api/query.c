#include "extractor/api/query.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/units.h"
#include "common/json/json.h"
#include "common/json/scan.h"
#include "common/pipeline/pipeline.h"
#include "common/pipeline/template.h"

enum { VALUE_MAX = 64 * 1024 };

#define PAGE_INDEX "page_index"
#define PAGE_SIZE  "page_size"
#define STATUSES   "statuss"
#define ALL_STATUSES                                                                                         \
    "[\"WaitConfirm\",\"Confirmed\",\"Cancelled\",\"Delete\",\"Archive\",\"OuterConfirming\"]"

/* ---- templates ---- */

/* The instant that a placeholder stands for. */
static bool instant_of(const char *name, const struct biz *biz, int64_t *ret_s)
{
    static const char days_ago[] = "DAYS_AGO_";
    int64_t days;

    if (strcmp(name, "LAST_SYNC_TIME") == 0)
        *ret_s = biz->window.begin_s;
    else if (strcmp(name, "CURRENT_TIME") == 0)
        *ret_s = biz->window.end_s;
    else if (strncmp(name, days_ago, sizeof days_ago - 1) == 0 &&
             parse_int64(name + sizeof days_ago - 1, &days) == 0 && days >= 0 && days <= 36500)
        *ret_s = biz->now_s - days * DAY_S;
    else
        return false;
    return true;
}

static int put_instant(int64_t s, const char *filter, struct buf *out)
{
    char text[BEIJING_TEXT];

    if (filter == NULL || strcmp(filter, "timestamp") == 0)
        return buf_printf(out, "%" PRId64, s);
    if (strcmp(filter, "timestamp_ms") == 0)
        return buf_printf(out, "%" PRId64, s * 1000);
    if (strcmp(filter, "datetime") == 0)
        return buf_add_text(out, beijing_format(s, text));
    if (strcmp(filter, "date") == 0)
        return buf_add(out, beijing_format(s, text), strlen("YYYY-MM-DD"));
    return -1;
}

static int put_placeholder(const struct template_part *part, const struct biz *biz, struct buf *out)
{
    int64_t s;

    if (strcmp(part->text, "PAGINATION_START_PAGE") == 0)
        return buf_printf(out, "%" PRId64, biz->page);
    if (strcmp(part->text, "PAGINATION_PAGE_SIZE") == 0)
        return buf_printf(out, "%" PRId64, biz->page_size);
    return instant_of(part->text, biz, &s) ? put_instant(s, part->filter, out) : -1;
}

static int render_field(const struct request_field *f, const struct biz *biz, struct buf *out,
                        struct err *err)
{
    for (size_t i = 0; i < f->value.count; i++) {
        const struct template_part *part = &f->value.parts[i];
        if (!part->placeholder)
            buf_add_text(out, part->text);
        else if (put_placeholder(part, biz, out) != 0)
            return err_set(err, ERR_CONFIG, 0,
                           "field %s: {{%s%s%s}} is nothing that a request can hold (LAST_SYNC_TIME, "
                           "CURRENT_TIME, DAYS_AGO_n with |datetime, |date, |timestamp or |timestamp_ms)",
                           f->name, part->text, part->filter != NULL ? "|" : "",
                           part->filter != NULL ? part->filter : "");
    }
    return 0;
}

/* ---- values ---- */

static bool type_is(const char *type, const char *const names[])
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcasecmp(type, names[i]) == 0)
            return true;
    return false;
}

/* "a,b" -> ["a","b"]; what is JSON already stays as it is. */
static void put_array(const char *text, size_t len, struct buf *out)
{
    struct span whole;

    if (scan_value(text, len, &whole) == len && scan_kind(whole) == SCAN_ARRAY) {
        buf_add(out, text, len);
        return;
    }
    buf_add_char(out, '[');
    for (const char *at = text;;) {
        size_t part = strcspn(at, ",");
        json_put_string(out, at, part);
        if (at[part] == '\0')
            break;
        buf_add_char(out, ',');
        at += part + 1;
    }
    buf_add_char(out, ']');
}

static void put_value(const char *type, const char *text, size_t len, struct buf *out)
{
    static const char *const numbers[] = {"int", "integer", "long", "number", NULL};
    static const char *const switches[] = {"bool", "boolean", NULL};
    static const char *const arrays[] = {"array", "list", NULL};
    int64_t number;

    if (type_is(type, numbers) && parse_int64(text, &number) == 0)
        buf_printf(out, "%" PRId64, number);
    else if (type_is(type, switches) && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
        buf_add(out, text, len);
    else if (type_is(type, arrays))
        put_array(text, len, out);
    else
        json_put_string(out, text, len);
}

/* ---- the object ---- */

static void put_name(const char *name, struct buf *out)
{
    if (out->data[out->len - 1] != '{')
        buf_add_char(out, ',');
    json_put_string(out, name, strlen(name));
    buf_add_char(out, ':');
}

static void put_number(const char *name, int64_t value, struct buf *out)
{
    put_name(name, out);
    buf_printf(out, "%" PRId64, value);
}

static void put_time(const char *name, int64_t s, struct buf *out)
{
    char text[BEIJING_TEXT];

    put_name(name, out);
    buf_printf(out, "\"%s\"", beijing_format(s, text));
}

/* A field that the run itself decides. False: it is the metadata's own. */
static bool put_own(const struct pipeline *p, const char *name, const struct biz *biz, struct buf *out)
{
    if (strcmp(name, PAGE_INDEX) == 0)
        put_number(name, biz->page, out);
    else if (strcmp(name, PAGE_SIZE) == 0)
        put_number(name, biz->page_size, out);
    else if (p->window_begin != NULL && strcmp(name, p->window_begin) == 0)
        put_time(name, biz->window.begin_s, out);
    else if (p->window_end != NULL && strcmp(name, p->window_end) == 0)
        put_time(name, biz->window.end_s, out);
    else
        return false;
    return true;
}

static int put_field(const struct request_field *f, const struct biz *biz, struct buf *out, struct err *err)
{
    struct buf text;

    if (f->json != NULL) {
        if (strcmp(f->json, "null") != 0) {
            put_name(f->name, out);
            buf_add_text(out, f->json);
        }
        return 0;
    }
    buf_init(&text, VALUE_MAX);
    int rc = render_field(f, biz, &text, err);
    if (rc == 0 && text.len > 0) {
        put_name(f->name, out);
        put_value(f->type, text.data, text.len, out);
    }
    buf_free(&text);
    return rc;
}

static bool names_field(const struct pipeline *p, const char *name)
{
    for (size_t i = 0; i < p->request.count; i++)
        if (strcmp(p->request.fields[i].name, name) == 0)
            return true;
    return false;
}

/* What the metadata does not name, or leaves empty. */
static void put_missing(const struct pipeline *p, const struct biz *biz, size_t start, struct buf *out)
{
    const char *const own[] = {PAGE_INDEX, PAGE_SIZE, p->window_begin, p->window_end};

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (own[i] != NULL && !names_field(p, own[i]))
            put_own(p, own[i], biz, out);
    if (strstr(p->api, "purchasein") != NULL && strstr(out->data + start, "\"" STATUSES "\":") == NULL) {
        put_name(STATUSES, out);
        buf_add_text(out, ALL_STATUSES);
    }
}

int biz_write(const struct pipeline *p, const struct biz *biz, struct buf *out, struct err *err)
{
    size_t start = out->len;

    buf_add_char(out, '{');
    for (size_t i = 0; i < p->request.count; i++) {
        const struct request_field *f = &p->request.fields[i];
        if (!put_own(p, f->name, biz, out) && put_field(f, biz, out, err) != 0)
            return -1;
    }
    put_missing(p, biz, start, out);
    buf_add_char(out, '}');
    if (out->overflowed)
        return err_set(err, ERR_CONFIG, 0, "the request's business parameters are too long");
    return 0;
}
