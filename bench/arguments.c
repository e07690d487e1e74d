#include "bench/arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/stop.h"
#include "common/base/units.h"
#include "common/options/options.h"

static void refuse(const char *usage) __attribute__((noreturn));
static void refuse(const char *usage)
{
    fprintf(stderr, "usage: %s [option of the loader...]\n", usage);
    exit(EXIT_USAGE);
}

struct options *arguments_options(int argc, char **argv, int words, const char *usage)
{
    struct faults faults = FAULTS_INIT;

    if (argc <= words)
        refuse(usage);
    log_setup(argv[0], LOG_WARN, false);
    struct options *options = options_read(PROGRAM_LOADER, argc - words, argv + words, environ, &faults);
    faults_print(&faults, stderr);
    if (faults.errors > 0)
        exit(EXIT_USAGE);
    faults_free(&faults);
    return options;
}

int64_t arguments_number(const char *text, const char *usage)
{
    int64_t n;

    if (parse_int64(text, &n) != 0 || n < 1)
        refuse(usage);
    return n;
}

void arguments_fail(const struct err *err)
{
    fprintf(stderr, "%s\n", err->text);
    exit(EXIT_TEMPORARY);
}
