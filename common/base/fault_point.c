#include "common/base/fault_point.h"

#ifndef NDEBUG
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/units.h"

enum { NAME_BYTES = 64 };

static struct wish {
    const char *variable;
    int signal;
    char name[NAME_BYTES]; /* empty: there is no such wish */
    int64_t at;
    atomic_llong passed;
} wishes[] = {
    {.variable = "JSTPIPE_KILL_AT", .signal = SIGKILL, .at = 1},
    {.variable = "JSTPIPE_STOP_AT", .signal = SIGSTOP, .at = 1},
};

enum { WISHES = sizeof wishes / sizeof wishes[0] };

static void read_wish(struct wish *w)
{
    const char *text = getenv(w->variable);

    if (text == NULL)
        return;
    size_t len = strcspn(text, ":");
    if (len == 0 || len >= sizeof w->name ||
        (text[len] != '\0' && (parse_int64(text + len + 1, &w->at) != 0 || w->at < 1))) {
        fputs("JSTPIPE_KILL_AT and JSTPIPE_STOP_AT take NAME[:N]\n", stderr);
        abort();
    }
    memcpy(w->name, text, len);
}

static void read_wishes(void)
{
    for (size_t i = 0; i < WISHES; i++)
        read_wish(&wishes[i]);
}

void fault_point(const char *name)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, read_wishes);
    for (size_t i = 0; i < WISHES; i++)
        if (strcmp(wishes[i].name, name) == 0 && ++wishes[i].passed == wishes[i].at)
            kill(getpid(), wishes[i].signal);
}
#endif
