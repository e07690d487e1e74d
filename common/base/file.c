#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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
        *ret = buf_take(&b, &len);
        if (ret_len != NULL)
            *ret_len = len;
    }
    buf_free(&b);
    return rc;
}

int file_read(const char *path, size_t max_bytes, char **ret, size_t *ret_len, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_set(err, ERR_CONFIG, errno, "cannot be read: %m");
    int rc = file_read_open(fd, max_bytes, ret, ret_len, err);
    close(fd);
    return rc;
}
