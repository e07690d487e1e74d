#include "common/base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_TEMPORARY = 111, LARGE_PIECE = 64 * 1024 };

static _Noreturn void out_of_memory(void)
{
    static const char line[] = "out of memory: ending; what is not committed will be read again\n";
    if (write(STDERR_FILENO, line, sizeof line - 1) < 0)
        _exit(EXIT_TEMPORARY);
    _exit(EXIT_TEMPORARY);
}

void mem_setup(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, LARGE_PIECE);
    mallopt(M_TRIM_THRESHOLD, LARGE_PIECE);
}

void *mem_alloc(size_t size)
{
    void *p = malloc(size > 0 ? size : 1);
    if (p == NULL)
        out_of_memory();
    return p;
}

void *mem_zalloc(size_t count, size_t size)
{
    void *p = calloc(count > 0 ? count : 1, size > 0 ? size : 1);
    if (p == NULL)
        out_of_memory();
    return p;
}

void *mem_realloc(void *old, size_t size)
{
    void *p = realloc(old, size > 0 ? size : 1);
    if (p == NULL)
        out_of_memory();
    return p;
}

char *mem_strndup(const char *text, size_t len)
{
    char *copy = mem_alloc(len + 1);
    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *mem_strdup(const char *text)
{
    return mem_strndup(text, strlen(text));
}

char *mem_printf(const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0 || text == NULL)
        out_of_memory();
    return text;
}

void *mem_grow(void *items, size_t *cap, size_t used, size_t item_size)
{
    if (used < *cap)
        return items != NULL ? items : mem_realloc(NULL, *cap * item_size);
    *cap = *cap > 0 ? *cap * 2 : 8;
    return mem_realloc(items, *cap * item_size);
}
