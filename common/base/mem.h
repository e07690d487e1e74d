/* Memory that is there, or the process ends: what is not committed is read again by the next process, so an
 * exhausted machine costs repeated work and no record. Nothing here returns NULL. */
#ifndef JST_COMMON_BASE_MEM_H
#define JST_COMMON_BASE_MEM_H

#include <stddef.h>

/* To be called first in a process: one arena for all threads, and large pieces go back to the system when
 * they are freed. The messages of librdkafka's threads are freed by ours; glibc's defaults keep twice the
 * memory for that. */
void mem_setup(void);

/* Each prints one line and ends the process with code 111 when there is no memory. Free with free(). */
void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));
void *mem_zalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));
void *mem_realloc(void *old, size_t size) __attribute__((returns_nonnull, warn_unused_result));
char *mem_strdup(const char *text) __attribute__((malloc, returns_nonnull, warn_unused_result));
/* Copies len bytes and adds a NUL. */
char *mem_strndup(const char *text, size_t len) __attribute__((malloc, returns_nonnull, warn_unused_result));
char *mem_printf(const char *format, ...)
    __attribute__((format(printf, 1, 2), returns_nonnull, warn_unused_result));

/* Room for one more element in an array that doubles: items = mem_grow(items, &cap, n, sizeof *items). */
void *mem_grow(void *items, size_t *cap, size_t used, size_t item_size)
    __attribute__((returns_nonnull, warn_unused_result));

#endif
