/* The messages that the programs exchange: header names and their reading and writing, in one place for both
 * ends. Pure. Times: windows in Beijing time, instants in RFC 3339 UTC. */
#ifndef JST_COMMON_WIRE_MESSAGE_H
#define JST_COMMON_WIRE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/names.h"
#include "common/wire/ports.h"

struct err;

#define H_PIPELINE     "jst-pipeline"
#define H_API          "jst-api"
#define H_BIZ          "jst-biz"
#define H_WINDOW_BEGIN "jst-window-begin"
#define H_WINDOW_END   "jst-window-end"
#define H_PAGE         "jst-page"
#define H_PAGE_COUNT   "jst-page-count"
#define H_FETCHED_AT   "jst-fetched-at"
#define H_RUN          "jst-run"
#define H_CURSOR       "jst-cursor"
#define H_RESENT       "jst-resent"
#define H_DOCUMENT     "jst-document"
#define H_VERSION      "jst-version"
#define H_ROWS         "jst-rows"
#define H_SOURCE       "jst-source"
#define H_RECEIVED_AT  "jst-received-at"
#define H_ERROR_SOURCE "jst-error-source"
#define H_ERROR_ROW    "jst-error-row"
#define H_ERROR_STAGE  "jst-error-stage"
#define H_ERROR_CLASS  "jst-error-class"
#define H_ERROR_CODE   "jst-error-code"
#define H_ERROR_TEXT   "jst-error-text"
#define H_FAILED_AT    "jst-failed-at"

/* A list of headers under construction. It owns the values that were made for it. */
struct header_set {
    struct header *list;
    size_t count, cap;
    struct name_list made; /* values */
};
void headers_init(struct header_set *h);
void headers_free(struct header_set *h);
/* Add, or replace the one of that name. The value is copied; names are literals. */
void headers_put(struct header_set *h, const char *name, const char *value);
void headers_printf(struct header_set *h, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A raw message, as the transformer needs it. Pointers into the record. */
struct raw_message {
    const char *pipeline;
};
/* ERR_REJECT when the headers are not those of a raw message of this pipeline (a foreign message). */
int raw_message_read(const struct record *r, const char *pipeline, struct raw_message *ret, struct err *err)
    __attribute__((warn_unused_result));

/* A rows message, as the loader needs it. Its document is valid UTF-8 of 1 to 255 bytes, as jst_heads
 * requires. */
enum { DOCUMENT_ID_MAX = 255 };
struct rows_message {
    const char *pipeline, *document, *version;
    int64_t rows;           /* lines in the value */
    int64_t received_at_ms; /* when the page came from the API */
};
int rows_message_read(const struct record *r, const char *pipeline, struct rows_message *ret, struct err *err)
    __attribute__((warn_unused_result));

enum dead_class { DEAD_PARSE, DEAD_CONVERT, DEAD_QUALITY, DEAD_SCRIPT, DEAD_DATA, DEAD_TOO_LARGE };
const char *dead_class_name(enum dead_class c); /* "too-large" */

/* The failure that a dead letter reports. */
struct dead_letter {
    const char *stage; /* "transformer" */
    enum dead_class class;
    int code; /* 0: none */
    const char *text;
    int64_t row, rows; /* loader: row 2 of 5; 0: not about one row */
    int64_t failed_at_ms;
};
/* The headers of a dead letter for the record r, or for a part of it: the headers of r without those of an
 * earlier failure, then those of this failure. */
void dead_letter_headers(const struct record *r, const struct dead_letter *dead, struct header_set *ret);

#endif
