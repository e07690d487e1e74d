/* Fill a topic with the bench's rows, in the order that row_order() gives.
 *   rows    one message a document, as the transformer writes it: what our loader reads
 *   flat    one message a row, flat JSON: what the peers' loaders read
 *   pages   the API's answers, with our headers: what every transformer reads
 * PIPELINE stands in the headers of rows and pages. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/arguments.h"
#include "bench/rows.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/kafka/kafka.h"
#include "common/options/options.h"
#include "common/wire/message.h"

static const char usage[] = "bench_feed rows|flat|pages SET PIPELINE TOPIC DOCUMENTS";

enum { PAGE_DOCUMENTS = 50, MESSAGE_MAX = 16 << 20, WAIT_MS = 100, FLUSH_MS = 60000 };

struct feed {
    struct sink *out;
    const struct row_set *set;
    const char *pipeline, *topic;
    uint64_t messages, bytes;
    struct row_document document;
    struct buf value;
    struct header_set headers;
    char now[RFC3339_TEXT];
};

static void publish(struct feed *f, const char *key)
{
    struct message message = {
        .topic = f->topic,
        .key = key,
        .key_len = key != NULL ? strlen(key) : 0,
        .value = f->value.data,
        .value_len = f->value.len,
        .headers = f->headers.list,
        .header_count = f->headers.count,
    };
    struct err err = ERR_INIT;

    while (sink_send(f->out, &message, &err) != 0) {
        if (err.kind != ERR_RETRY || sink_wait(f->out, WAIT_MS, &err) < 0)
            arguments_fail(&err);
        err_clear(&err);
    }
    f->messages++;
    f->bytes += f->value.len;
    buf_reset(&f->value);
}

static void feed_rows(struct feed *f, const uint64_t *order, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        f->set->make(order[i], &f->document);
        for (int line = 0; line < f->set->lines; line++) {
            row_put_json(&f->value, f->set, &f->document, line);
            buf_add_char(&f->value, '\n');
        }
        headers_init(&f->headers);
        headers_put(&f->headers, H_PIPELINE, f->pipeline);
        headers_put(&f->headers, H_DOCUMENT, f->document.id);
        headers_put(&f->headers, H_VERSION, f->document.version);
        headers_printf(&f->headers, H_ROWS, "%d", f->set->lines);
        headers_put(&f->headers, H_SOURCE, "bench/0/0");
        headers_put(&f->headers, H_RECEIVED_AT, f->now);
        publish(f, f->document.id);
        headers_free(&f->headers);
    }
}

static void feed_flat(struct feed *f, const uint64_t *order, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        f->set->make(order[i], &f->document);
        for (int line = 0; line < f->set->lines; line++) {
            row_put_json(&f->value, f->set, &f->document, line);
            publish(f, f->document.id);
        }
    }
}

static void page_headers(struct feed *f)
{
    headers_init(&f->headers);
    headers_put(&f->headers, H_PIPELINE, f->pipeline);
    headers_put(&f->headers, H_API, "/open/purchasein/query");
    headers_put(&f->headers, H_BIZ, "{}");
    headers_put(&f->headers, H_WINDOW_BEGIN, "2026-08-13 00:00:00");
    headers_put(&f->headers, H_WINDOW_END, "2026-08-13 01:00:00");
    headers_put(&f->headers, H_PAGE, "1");
    headers_put(&f->headers, H_PAGE_COUNT, "1");
    headers_put(&f->headers, H_FETCHED_AT, f->now);
    headers_put(&f->headers, H_RUN, "live");
}

static void feed_pages(struct feed *f, const uint64_t *order, uint64_t count)
{
    page_headers(f);
    for (uint64_t i = 0; i < count;) {
        buf_add_text(&f->value, "{\"code\":0,\"msg\":\"\",\"data\":{\"page_index\":1,\"page_size\":50,"
                                "\"data_count\":50,\"page_count\":1,\"has_next\":false,\"datas\":[");
        for (int n = 0; n < PAGE_DOCUMENTS && i < count; n++, i++) {
            if (n > 0)
                buf_add_char(&f->value, ',');
            f->set->make(order[i], &f->document);
            row_put_document(&f->value, f->set, &f->document);
        }
        buf_add_text(&f->value, "]}}");
        publish(f, NULL);
    }
    headers_free(&f->headers);
}

static const struct {
    const char *name;
    void (*feed)(struct feed *f, const uint64_t *order, uint64_t count);
} kinds[] = {{"rows", feed_rows}, {"flat", feed_flat}, {"pages", feed_pages}};

static int flush(struct feed *f)
{
    int64_t deadline = clock_monotonic_ms() + FLUSH_MS;
    struct sink_failure failure;
    struct err err = ERR_INIT;
    int left;

    do {
        left = sink_wait(f->out, WAIT_MS, &err);
        if (left < 0)
            arguments_fail(&err);
    } while (left > 0 && clock_monotonic_ms() < deadline);
    if (sink_failure(f->out, &failure)) {
        fprintf(stderr, "%s: %s\n", f->topic, failure.text);
        return 1;
    }
    return left > 0;
}

int main(int argc, char **argv)
{
    static struct feed f;
    struct options *options = arguments_options(argc, argv, 5, usage);
    struct err err = ERR_INIT;
    uint64_t count = (uint64_t)arguments_number(argv[5], usage);
    uint64_t *order = row_order(count);
    size_t kind = 0;

    while (kind < sizeof kinds / sizeof kinds[0] && strcmp(kinds[kind].name, argv[1]) != 0)
        kind++;
    if (kind == sizeof kinds / sizeof kinds[0])
        arguments_number("", usage);
    f.set = row_set_find(argv[2]);
    if (f.set == NULL)
        arguments_number("", usage);
    f.pipeline = argv[3];
    f.topic = argv[4];
    rfc3339_format(clock_now_ms(), f.now);
    buf_init(&f.value, MESSAGE_MAX);
    if (kafka_sink_open(options, MESSAGE_MAX, &f.out, &err) != 0)
        arguments_fail(&err);
    kinds[kind].feed(&f, order, count);
    int rc = flush(&f);
    printf("{\"messages\": %" PRIu64 ", \"bytes\": %" PRIu64 "}\n", f.messages, f.bytes);
    sink_free(f.out);
    buf_free(&f.value);
    free(order);
    options_free(options);
    return rc;
}
