/* One error type for all programs: it says what to do next, not only what happened. */
#ifndef JST_COMMON_BASE_ERR_H
#define JST_COMMON_BASE_ERR_H

#include <stddef.h>

enum err_kind {
    ERR_NONE = 0,
    ERR_RETRY,  /* the same call may succeed later: wait, then repeat it whole */
    ERR_REJECT, /* this record, page or row can never succeed; the next one may */
    ERR_PAUSE,  /* nothing of this pipeline can succeed until a person acts */
    ERR_CONFIG, /* wrong usage or configuration: exit code 100 */
    ERR_FATAL,  /* this process cannot go on, a new one may: exit code 111 */
};

enum { ERR_TEXT_MAX = 2048 };

struct err {
    enum err_kind kind;
    int code;   /* the foreign code where there is one (MySQL errno, API code, HTTP status), else 0 */
    size_t row; /* the row of the statement that the database named, from 1; 0: none told */
    char text[ERR_TEXT_MAX]; /* one line for people, without a secret or a payload; cut to fit, on a whole
                                character */
};

#define ERR_INIT                                                                                             \
    {                                                                                                        \
        .kind = ERR_NONE, .code = 0, .row = 0, .text = ""                                                    \
    }

/* Fill *err (NULL allowed; row becomes 0) and return -1, so that a function may end with `return
 * err_set(...)`. */
int err_set(struct err *err, enum err_kind kind, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Put "<prefix>: " before the text of an error that is already set; kind, code and row stay. Returns -1. */
int err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

void err_clear(struct err *err);

#endif
