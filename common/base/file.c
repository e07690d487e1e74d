#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/err.h"

enum { STEP = 16384 };

/* Fill *b, which has room for one byte more than is allowed. */
static int read_all(int fd, struct buf *b)
{
    for (;;) {
        size_t room = b->max - b->len < STEP ? b->max - b->len : STEP;
        char *at = room > 0 ? buf_reserve(b, room) : NULL;
        if (at == NULL)
            return 0;
        ssize_t n = read(fd, at, room);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return (int)n;
        b->len += (size_t)n;
    }
}

/* Editors of Windows begin a file with the byte order mark; it means nothing. */
static void drop_mark(struct buf *b)
{
    static const char mark[] = "\xEF\xBB\xBF";
    size_t len = sizeof mark - 1;

    if (b->len < len || memcmp(b->data, mark, len) != 0)
        return;
    memmove(b->data, b->data + len, b->len - len);
    buf_cut(b, b->len - len);
}

int file_read_open(int fd, size_t max_bytes, char **ret, size_t *ret_len, struct err *err)
{
    struct buf b;

    buf_init(&b, max_bytes + 1);
    int rc = read_all(fd, &b);
    if (rc != 0)
        err_set(err, ERR_CONFIG, errno, "cannot be read: %m");
    else if (b.len > max_bytes)
        rc = err_set(err, ERR_CONFIG, 0, "is larger than %zu bytes", max_bytes);
    if (rc == 0) {
        size_t len;
        buf_add(&b, "", 0);
        drop_mark(&b);
        *ret = buf_take(&b, &len);
        if (ret_len != NULL)
            *ret_len = len;
    }
    buf_free(&b);
    return rc;
}

static bool is_regular(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) /* read() says so */);
}

int file_read(const char *path, size_t max_bytes, char **ret, size_t *ret_len, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return err_set(err, ERR_CONFIG, errno, "cannot be read: %m");
    if (!is_regular(fd)) {
        close(fd);
        return err_set(err, ERR_CONFIG, EINVAL, "is not a file: a pipe or device is not read");
    }
    int rc = file_read_open(fd, max_bytes, ret, ret_len, err);
    close(fd);
    return rc;
}
