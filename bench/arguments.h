/* The command line of the bench's programs: words of their own, then the loader's options (--brokers,
 * --group,
 * --kafka, --mysql-...), which reach Kafka and MySQL as ours do. */
#ifndef JST_BENCH_ARGUMENTS_H
#define JST_BENCH_ARGUMENTS_H

#include <stdint.h>

struct options;
struct err;

/* Reads argv behind the first `words` words. Ends the process with 100 when something is wrong. */
struct options *arguments_options(int argc, char **argv, int words, const char *usage);
/* A whole number from 1 on; ends the process with 100 when it is not one. */
int64_t arguments_number(const char *text, const char *usage);
/* Ends the process with 111 and the error's text. */
void arguments_fail(const struct err *err) __attribute__((noreturn));

#endif
