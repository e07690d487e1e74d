/* What an answer of the API means for what to do next, by code, text and HTTP status, in one table. Pure. */
#ifndef JST_EXTRACTOR_API_VERDICT_H
#define JST_EXTRACTOR_API_VERDICT_H

#include <stdint.h>

#include "common/monitor/pause.h"

enum api_class {
    API_OK,
    API_RATE_LIMITED, /* wait, then the same again */
    API_TOKEN,        /* another access token is needed */
    API_TRANSIENT,    /* the same again, with growing pauses */
    API_FATAL,        /* a person must act */
};

struct api_verdict {
    enum api_class class;
    enum pause_reason reason; /* of API_FATAL */
    int64_t wait_ms;          /* at least so long; 0: nothing is said */
    const char *advice;       /* what a person must do; NULL: nothing */
};

/* An answer with HTTP status 200 and a readable envelope. Older accounts use another list of codes, so a text
 * that is clear wins over the code. now_s: for the rest of the minute that code 200 asks to wait for. */
struct api_verdict api_classify(int64_t code, const char *msg, int64_t now_s);

/* An answer with another HTTP status. */
struct api_verdict api_classify_http(int status);

const char *api_class_name(enum api_class class); /* "rate_limited": a label value of the metrics */

#endif
