/* A few lines of HTTP client for the tests. */
#ifndef JST_TESTS_CLIENT_H
#define JST_TESTS_CLIENT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connect to "127.0.0.1:PORT"; -1 when nobody listens. */
static inline int client_connect(const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Send a request and read the answer up to the end of the connection, or until out is full. The status; -1:
 * none. */
static inline int client_ask(const char *address, const char *request, char *out, size_t size)
{
    int fd = client_connect(address);
    size_t len = 0;
    ssize_t n;

    out[0] = '\0';
    if (fd < 0)
        return -1;
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) > 0) {
        while (len + 1 < size && (n = read(fd, out + len, size - 1 - len)) > 0)
            len += (size_t)n;
    }
    close(fd);
    out[len] = '\0';
    return strncmp(out, "HTTP/1.1 ", 9) == 0 ? atoi(out + 9) : -1;
}

#endif
