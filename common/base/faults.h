/* The list of everything that is wrong with a configuration: collected, then shown whole. */
#ifndef JST_COMMON_BASE_FAULTS_H
#define JST_COMMON_BASE_FAULTS_H

#include <stddef.h>
#include <stdio.h>

struct err;

enum fault_level {
    FAULT_ERROR,   /* the program will not start */
    FAULT_WARNING, /* it works, but a person should know */
};

struct fault {
    enum fault_level level;
    char *place; /* "pipelines/a.json: source.request[3].value", "topics.conf:4", "--batch-rows", "JST_BROKER"
                  */
    char *text;  /* what is wrong, and what to do about it */
};

struct faults {
    struct fault *list; /* in the order found */
    size_t count;
    size_t cap;
    size_t errors; /* how many of them are FAULT_ERROR */
};

#define FAULTS_INIT                                                                                          \
    {                                                                                                        \
        0                                                                                                    \
    }

/* place and the text are copied. */
void fault_add(struct faults *faults, enum fault_level level, const char *place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* "error: <place>: <text>" or "warning: <place>: <text>" on one line, safe for a terminal (utf8_plain):
 * places and texts quote files. */
void fault_print(const struct fault *fault, FILE *out);
/* All of them. */
void faults_print(const struct faults *faults, FILE *out);

void faults_free(struct faults *faults); /* NULL ok */

/* The name among names[0..count) that is nearest to `name` by edit distance, for "did you mean"; NULL when
 * none is near enough (more than a third of the longer name, and more than 2, would have to change). */
const char *nearest_name(const char *name, const char *const *names, size_t count);

#endif
