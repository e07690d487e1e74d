/* The threads of this process, and the signals that they take. */
#ifndef JST_TESTS_THREADS_H
#define JST_TESTS_THREADS_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline bool thread_blocks(const char *thread, int signal)
{
    static const char mark[] = "SigBlk:";
    char path[64];
    char text[8192] = "";

    snprintf(path, sizeof path, "/proc/self/task/%.20s/status", thread);
    FILE *in = fopen(path, "r");
    size_t len = in != NULL ? fread(text, 1, sizeof text - 1, in) : 0;
    if (in != NULL)
        fclose(in);
    const char *at = len > 0 ? strstr(text, mark) : NULL;
    return at != NULL && (strtoull(at + strlen(mark), NULL, 16) >> (signal - 1) & 1) != 0;
}

/* How many threads there are, and how many of them would take the signal. */
static inline int threads_count(int signal, int *ret_taking)
{
    DIR *threads = opendir("/proc/self/task");
    int count = 0;

    *ret_taking = 0;
    for (const struct dirent *e; (e = readdir(threads)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        count++;
        *ret_taking += thread_blocks(e->d_name, signal) ? 0 : 1;
    }
    closedir(threads);
    return count;
}

#endif
