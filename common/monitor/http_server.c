#include "common/monitor/http_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/units.h"

#if MHD_VERSION < 0x00097500
#error "libmicrohttpd 0.9.75 or newer is needed"
#endif

enum {
    CONNECTIONS_MAX = 16,
    CONNECTIONS_CLOSING = 16, /* that microhttpd may hold beside them, until it sees that they are shut */
    REQUEST_SECONDS = 5,
    REQUEST_MEMORY = 16 * 1024, /* bytes of request line and headers, for each connection */
    BODY_MAX = 16 * 1024 * 1024,
    BACKLOG = 16,
    HOST_TEXT = 256,
    ADDRESS_TEXT = 64,
};

struct http_server {
    struct MHD_Daemon *daemon;
    http_handler *handler;
    /* Those that are served, the oldest first; touched by the server's thread alone. */
    struct MHD_Connection *open[CONNECTIONS_MAX];
    size_t open_count;
};

static void forget_connection(struct http_server *server, const struct MHD_Connection *connection)
{
    for (size_t i = 0; i < server->open_count; i++) {
        if (server->open[i] == connection) {
            server->open_count--;
            memmove(server->open + i, server->open + i + 1,
                    (server->open_count - i) * sizeof(struct MHD_Connection *));
            return;
        }
    }
}

static void shut_connection(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    if (info != NULL)
        shutdown(info->connect_fd, SHUT_RDWR);
}

/* A request takes milliseconds, but who sends a byte now and then is never silent long enough to be dropped.
 * So nobody is kept out: the newest connection takes the place of the oldest. */
static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = context;
    (void)socket_context;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        forget_connection(server, connection);
        return;
    }
    if (server->open_count == CONNECTIONS_MAX) {
        shut_connection(server->open[0]);
        forget_connection(server, server->open[0]);
    }
    server->open[server->open_count++] = connection;
}

static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned status, struct buf *body,
                                     const char *type, const char *allow)
{
    size_t len;
    char *text = buf_take(body, &len);
    struct MHD_Response *response = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);

    if (response == NULL) {
        free(text);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (allow != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_path(struct http_server *server, struct MHD_Connection *connection,
                                   const char *path)
{
    const char *type = "text/plain; charset=utf-8";
    struct buf body;

    buf_init(&body, BODY_MAX);
    unsigned status = (unsigned)server->handler(path, &body, &type);
    if (body.overflowed) {
        buf_reset(&body);
        buf_add_text(&body, "the answer is larger than this server gives\n");
        status = MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
    return send_response(connection, status, &body, type, NULL);
}

/* microhttpd calls this when the headers are there, for each piece of a body, and when the request is whole.
 */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **request)
{
    static char seen;
    (void)version;
    (void)upload;

    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        struct buf body;
        buf_init(&body, BODY_MAX);
        buf_add_text(&body, "only GET and HEAD\n");
        return send_response(connection, MHD_HTTP_METHOD_NOT_ALLOWED, &body, "text/plain", "GET, HEAD");
    }
    if (*upload_size > 0)
        return MHD_NO; /* nobody sends us anything: close */
    if (*request == NULL) {
        *request = &seen;
        return MHD_YES;
    }
    return answer_path(context, connection, path);
}

/* Split "HOST:PORT" or "[HOST]:PORT". */
static int split_address(const char *address, char host[HOST_TEXT], const char **ret_port, struct err *err)
{
    const char *colon = strrchr(address, ':');
    const char *start = address;
    size_t len = colon != NULL ? (size_t)(colon - address) : 0;
    uint64_t port = UINT64_MAX;

    if (colon != NULL && parse_uint64(colon + 1, &port) != 0)
        port = UINT64_MAX;
    if (len >= 2 && start[0] == '[' && start[len - 1] == ']') {
        start++;
        len -= 2;
    } else if (memchr(start, ':', len) != NULL) {
        len = 0; /* IPv6 without brackets: which colon is the port's? */
    }
    if (port > 65535 || len == 0 || len >= HOST_TEXT)
        return err_set(err, ERR_CONFIG, 0,
                       "'%s' is not an address: HOST:PORT is needed, with a port of 0-65535", address);
    memcpy(host, start, len);
    host[len] = '\0';
    *ret_port = colon + 1;
    return 0;
}

int http_address_check(const char *address, struct err *err)
{
    char host[HOST_TEXT];
    const char *port;

    return split_address(address, host, &port, err);
}

/* A listening socket, or -1 with errno. */
static int listen_at(const struct sockaddr *address, socklen_t len)
{
    int on = 1;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && bind(fd, address, len) == 0 &&
        listen(fd, BACKLOG) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* The first address of the list that can be had. */
static int listen_at_first(const struct addrinfo *list)
{
    int fd = -1;

    errno = EADDRNOTAVAIL;
    for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next)
        fd = listen_at(a->ai_addr, a->ai_addrlen);
    return fd;
}

static int open_socket(const char *address, bool fall_back, struct err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    char host[HOST_TEXT] = "";
    const char *port = "";

    if (split_address(address, host, &port, err) != 0)
        return -1;
    int failed = getaddrinfo(host, port, &hints, &list);
    if (failed != 0)
        return err_set(err, ERR_CONFIG, 0, "'%s': %s", address, gai_strerror(failed));
    int fd = listen_at_first(list);
    if (fd < 0 && errno == EADDRINUSE && fall_back) {
        freeaddrinfo(list);
        list = NULL;
        if (getaddrinfo(host, "0", &hints, &list) == 0)
            fd = listen_at_first(list);
    }
    int saved = errno;
    if (list != NULL)
        freeaddrinfo(list);
    errno = saved;
    if (fd < 0)
        err_set(err, ERR_CONFIG, 0, "cannot listen on '%s': %m", address);
    return fd;
}

static void describe_socket(int fd, char out[ADDRESS_TEXT])
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    char host[HOST_TEXT] = "?";
    char port[8] = "?";

    if (getsockname(fd, (struct sockaddr *)&address, &len) == 0)
        getnameinfo((struct sockaddr *)&address, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
    bool six = address.ss_family == AF_INET6;
    snprintf(out, ADDRESS_TEXT, "%s%.48s%s:%s", six ? "[" : "", host, six ? "]" : "", port);
}

/* Signals are the main thread's. */
static struct MHD_Daemon *start_daemon(struct http_server *server, int fd)
{
    sigset_t all;
    sigset_t old;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL, on_request, server,
                         MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
                         (unsigned)(CONNECTIONS_MAX + CONNECTIONS_CLOSING), MHD_OPTION_NOTIFY_CONNECTION,
                         on_connection, server, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)REQUEST_SECONDS,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MEMORY, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return daemon;
}

int http_server_start(const char *address, bool fall_back, http_handler *handler, struct http_server **ret,
                      char *ret_address, struct err *err)
{
    int fd = open_socket(address, fall_back, err);
    if (fd < 0)
        return -1;

    struct http_server *server = mem_zalloc(1, sizeof *server);
    server->handler = handler;
    describe_socket(fd, ret_address);
    server->daemon = start_daemon(server, fd);
    if (server->daemon == NULL) {
        free(server);
        return err_set(err, ERR_FATAL, 0, "the metrics server at '%s' does not start", address);
    }
    *ret = server;
    return 0;
}

void http_server_stop(struct http_server *server)
{
    if (server == NULL)
        return;
    MHD_stop_daemon(server->daemon);
    free(server);
}
