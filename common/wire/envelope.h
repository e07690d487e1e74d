/* The answer of a query: code, paging and the documents, judged as text only. Pure. Shared by the extractor
 * (is the page complete?) and the transformer (which documents does it hold?). */
#ifndef JST_COMMON_WIRE_ENVELOPE_H
#define JST_COMMON_WIRE_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json/scan.h"

struct err;

struct envelope {
    int64_t code;       /* 0 is success; -1: `issuccess` is false and there is no other code */
    char msg[256];      /* the API's own words, unescaped as far as it goes, cut to fit */
    int64_t data_count; /* -1: not given */
    int64_t page_count; /* -1: not given */
    int has_next;       /* 1, 0; -1: not given */
    struct span list;   /* the array of documents; at == NULL when it is null or missing */
    bool has_list; /* the list is there, or null stands in its place; false: the option `list` may be wrong */
    bool no_data;  /* `data` is null: nothing was found */
    size_t documents; /* elements of list */
};

/* Read a response body. list_name: the array's name, or NULL for the only array in `data` (or at the top).
 * The paging fields stand in `data` or at the top level; numbers may stand in quotes; anything else
 * counts as not given. Spans point into body. When code is not 0, nothing but code and msg matters.
 * ERR_RETRY: not one complete balanced JSON object with a `code` (truncated, HTML, empty), or the list is not
 * an array. Absent `code` with `issuccess` true counts as 0.
 * ERR_PAUSE: list_name is NULL and there are several arrays, and none of them is `datas`: a person must
 * name one. */
int envelope_read(const char *body, size_t len, const char *list_name, struct envelope *ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
