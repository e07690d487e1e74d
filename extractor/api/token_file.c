#include "extractor/api/token_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "extractor/api/token.h"

enum { FILE_MAX = 64 * 1024 };

int token_file_load(const char *path, const char *app_key, struct token_pair *ret, struct err *err)
{
    struct err fault = ERR_INIT;
    char *text;
    size_t len;

    *ret = (struct token_pair){0};
    if (file_read(path, FILE_MAX, &text, &len, &fault) != 0)
        return fault.code == ENOENT ? 0 : err_set(err, ERR_REJECT, fault.code, "%s %s", path, fault.text);
    int rc = token_file_read(text, len, app_key, ret, err);
    explicit_bzero(text, len);
    free(text);
    if (rc != 0)
        err_prefix(err, "%s", path);
    return rc;
}

/* The directories above path. */
static void make_directories(const char *path)
{
    char *copy = mem_strdup(path);

    for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0700) != 0 && errno != EEXIST)
            break; /* open() tells why */
        *slash = '/';
    }
    free(copy);
}

static int write_whole(int fd, const struct buf *text)
{
    for (size_t done = 0; done < text->len;) {
        ssize_t n = write(fd, text->data + done, text->len - done);
        if (n < 0 && errno != EINTR)
            return -1;
        done += n > 0 ? (size_t)n : 0;
    }
    return fsync(fd);
}

static int replace_file(const char *path, const char *beside, const struct buf *text)
{
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    int rc = fchmod(fd, 0600) != 0 || write_whole(fd, text) != 0 ? -1 : 0;
    if (close(fd) != 0)
        rc = -1;
    if (rc == 0)
        rc = rename(beside, path);
    if (rc != 0) {
        int why = errno;
        unlink(beside);
        errno = why;
    }
    return rc;
}

int token_file_save(const char *path, const char *app_key, const struct token_pair *pair, struct err *err)
{
    struct buf text;
    char *beside = mem_printf("%s.new", path);

    buf_init(&text, FILE_MAX);
    token_file_write(pair, app_key, &text);
    make_directories(path);
    int rc = replace_file(path, beside, &text);
    if (rc != 0)
        err_set(err, ERR_RETRY, errno, "the token file %s cannot be written: %m", path);
    explicit_bzero(text.data, text.len);
    buf_free(&text);
    free(beside);
    return rc;
}
