/* The small HTTP server behind /metrics, /healthz and /readyz. */
#ifndef JST_COMMON_MONITOR_HTTP_SERVER_H
#define JST_COMMON_MONITOR_HTTP_SERVER_H

#include <stdbool.h>

struct buf;
struct err;
struct http_server;

/* Fill *body for GET `path`, on the server's own thread. Returns the HTTP status (404 for an unknown path);
 * *ret_type may be set to another content type than text/plain. */
typedef int http_handler(const char *path, struct buf *body, const char **ret_type);

/* Listen on "HOST:PORT" (IPv4, [IPv6] or a name; port 0 takes a free one).
 *   fall_back    a port that is taken is replaced by a free one instead of being an error
 *   ret_address  what it listens on, "127.0.0.1:9103", for the log; at least 64 bytes
 * Bounded: at most 16 connections, of which the oldest ends when one more comes, so that slow clients keep
 * nobody out; 16 KiB a request, 16 MiB an answer, 5 s without progress; other methods than GET and HEAD get
 * 405. Its thread takes no signals. ERR_CONFIG: the address is malformed, not of this machine, or taken.
 * ERR_FATAL: no thread for it. */
int http_server_start(const char *address, bool fall_back, http_handler *handler, struct http_server **ret,
                      char *ret_address, struct err *err) __attribute__((warn_unused_result));
/* Is "HOST:PORT" well-formed? Without asking for it, or looking the host up. -1: ERR_CONFIG. */
int http_address_check(const char *address, struct err *err);
void http_server_stop(struct http_server *server); /* NULL ok; waits for the requests in hand */

#endif
