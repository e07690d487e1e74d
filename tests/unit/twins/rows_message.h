/* Rows messages of twin_pipeline() for the loader's tests. */
#ifndef JST_TESTS_ROWS_MESSAGE_H
#define JST_TESTS_ROWS_MESSAGE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/message.h"
#include "tests/unit/twins/memory_source.h"

/* The default of rows_spec.received: "2026-08-13T03:05:00.123Z" */
#define ROWS_RECEIVED_MS INT64_C(1786590300123)

struct rows_spec {
    const char *pipeline; /* NULL: "p" */
    int partition;
    int64_t published_ms; /* 0: 1000 */
    const char *document, *version;
    const char *received; /* NULL: ROWS_RECEIVED_MS */
    const char *value;    /* NDJSON */
    const char *rows;     /* its header; NULL: as many as there are */
};

/* Into topic jst.<pipeline>.rows; returns the offset. */
static inline int64_t add_rows(struct memory_source *m, const struct rows_spec *s)
{
    char topic[80];
    char rows[24];
    size_t lines = 0;

    for (const char *at = s->value; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    snprintf(topic, sizeof topic, "jst.%s.rows", s->pipeline != NULL ? s->pipeline : "p");
    snprintf(rows, sizeof rows, "%zu", lines);
    const struct header headers[] = {
        HEADER(H_PIPELINE, s->pipeline != NULL ? s->pipeline : "p"),
        HEADER(H_DOCUMENT, s->document),
        HEADER(H_VERSION, s->version),
        HEADER(H_ROWS, s->rows != NULL ? s->rows : rows),
        HEADER(H_SOURCE, "jst.p.raw/0/7"),
        HEADER(H_RECEIVED_AT, s->received != NULL ? s->received : "2026-08-13T03:05:00.123Z"),
    };
    return memory_source_add(m, topic, s->partition, s->published_ms != 0 ? s->published_ms : 1000,
                             s->document, s->value, strlen(s->value), headers,
                             sizeof headers / sizeof headers[0]);
}

/* A document of `rows` rows: {"id":"<d>-<n>","io_id":<d>,"note":"<note>","qty":<n>} with n from 1. */
static inline int64_t add_document(struct memory_source *m, int partition, int document, int version,
                                   int rows, const char *note)
{
    char id[24];
    char text[24];
    char *value = NULL;
    size_t size = 0;

    FILE *out = open_memstream(&value, &size);
    for (int n = 1; n <= rows; n++)
        fprintf(out, "{\"id\":\"%d-%d\",\"io_id\":%d,\"note\":\"%s\",\"qty\":%d}\n", document, n, document,
                note, n);
    fclose(out);
    snprintf(id, sizeof id, "%d", document);
    snprintf(text, sizeof text, "%d", version);
    int64_t offset = add_rows(
        m, &(struct rows_spec){.partition = partition, .document = id, .version = text, .value = value});
    free(value);
    return offset;
}

#endif
