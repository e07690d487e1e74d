/* Whole small files: configuration, secrets. */
#ifndef JST_COMMON_BASE_FILE_H
#define JST_COMMON_BASE_FILE_H

#include <stddef.h>

struct err;

/* Read all of a regular file of at most max_bytes, without the byte order mark that it may begin with; *ret
 * is ended by a NUL that *ret_len (NULL ok) does not count; the caller frees it. Never waits: a pipe or a
 * device is refused. ERR_CONFIG: it cannot be read, is not a regular file or larger; err->code is errno, 0
 * when it is too large. */
int file_read(const char *path, size_t max_bytes, char **ret, size_t *ret_len, struct err *err)
    __attribute__((warn_unused_result));

/* The same of an open descriptor, which stays open and may be a pipe. */
int file_read_open(int fd, size_t max_bytes, char **ret, size_t *ret_len, struct err *err)
    __attribute__((warn_unused_result));

#endif
