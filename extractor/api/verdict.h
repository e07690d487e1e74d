/* What an answer of the API means for what to do next, by code, text and HTTP status, in one table. Pure. */
#ifndef JST_EXTRACTOR_API_VERDICT_H
#define JST_EXTRACTOR_API_VERDICT_H

#include <stdint.h>

enum api_class {
    API_OK,
    API_RATE_LIMITED, /* wait, then the same again */
    API_TOKEN,        /* another access token is needed */
    API_TRANSIENT,    /* the same again, with growing pauses */
    API_FATAL,        /* a person must act */
};

/* Why a pipeline pauses. */
enum pause_reason {
    PAUSE_NONE,
    PAUSE_CREDENTIALS, /* the account: key, secret, token, IP whitelist */
    PAUSE_PERMISSION,  /* this interface is not granted */
    PAUSE_CLOCK,       /* the API refuses this machine's time */
    PAUSE_STATE,       /* the checkpoint cannot be read */
    PAUSE_BROKER,      /* Kafka is away */
    PAUSE_REASONS,
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

const char *api_class_name(enum api_class class);        /* "rate_limited": label values of the metrics */
const char *pause_reason_name(enum pause_reason reason); /* "credentials" */

#endif
