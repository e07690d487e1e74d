/* What is known about the API's query endpoints: defaults and warnings are drawn from it. An endpoint that is
 * not listed may be used all the same. */
#ifndef JST_COMMON_PIPELINE_ENDPOINTS_H
#define JST_COMMON_PIPELINE_ENDPOINTS_H

#include <stddef.h>
#include <stdint.h>

#define FIELD_PAGE_INDEX "page_index"
#define FIELD_PAGE_SIZE  "page_size"

enum { ENDPOINT_NAMES = 4, PAGE_SIZE_UNKNOWN_MAX = 1000 };

struct endpoint {
    const char *path;         /* "/open/purchasein/query" */
    const char *list;         /* the array of documents in the answer; NULL: not certain */
    int64_t page_size_max;    /* 0: not known */
    const char *window_begin; /* request fields; NULL: the endpoint has no window */
    const char *window_end;
    int64_t window_max_ms;                        /* the longest window; 0: none */
    const char *const key[ENDPOINT_NAMES];        /* fields that identify a document, ended by NULL */
    const char *const nested[ENDPOINT_NAMES + 1]; /* arrays inside a document, ended by NULL */
};

/* NULL: not listed. */
const struct endpoint *endpoint_find(const char *path);

/* The table, for messages and tests. */
extern const struct endpoint endpoint_table[];
extern const size_t endpoint_table_count;

#endif
