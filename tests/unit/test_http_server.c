#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/monitor/http_server.h"
#include "tests/unit/client.h"

enum { SLOW = 40 /* more than the server keeps */ };

static int handler(const char *path, struct buf *body, const char **ret_type)
{
    if (strcmp(path, "/huge") == 0) {
        while (buf_add_text(body, "0123456789abcdef0123456789abcdef") == 0)
            ;
        return 200;
    }
    if (strcmp(path, "/typed") == 0)
        *ret_type = "text/x-test";
    buf_printf(body, "path %s\n", path);
    return strcmp(path, "/no") == 0 ? 404 : strcmp(path, "/down") == 0 ? 503 : 200;
}

static struct http_server *start(const char *address, char *ret_address)
{
    struct http_server *server = NULL;
    struct err err = ERR_INIT;

    if (http_server_start(address, false, handler, &server, ret_address, &err) != 0)
        fail_msg("%s", err.text);
    return server;
}

static void answers(void **state)
{
    static const struct {
        const char *request;
        int status;
        const char *has, *has_not;
    } cases[] = {
        {"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200, "\r\n\r\npath /metrics\n",
         NULL},
        {"GET /a?b=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200, "\r\n\r\npath /a\n", NULL},
        {"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200, "text/plain; charset=utf-8", NULL},
        {"GET /typed HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200, "text/x-test", "text/plain"},
        {"HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200, "Content-Length: 14", "path"},
        {"GET /no HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404, "path /no", NULL},
        {"GET /down HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 503, "path /down", NULL},
        {"GET /huge HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 500, "larger", "0123"},
        {"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 405, "Allow: GET, HEAD", "path"},
        {"DELETE /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405, "Allow: GET, HEAD", "path"},
        {"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc", -1, "", "path"},
    };
    char address[64];
    char out[4096];
    (void)state;

    struct http_server *server = start("127.0.0.1:0", address);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = client_ask(address, cases[i].request, out, sizeof out);
        if (status != cases[i].status || strstr(out, cases[i].has) == NULL ||
            (cases[i].has_not != NULL && strstr(out, cases[i].has_not) != NULL))
            fail_msg("case %zu: %d: %s", i, status, out);
    }
    http_server_stop(server);
    assert_int_equal(client_connect(address), -1);
}

static void a_request_is_bounded(void **state)
{
    static char request[40000] = "GET /a HTTP/1.1\r\nX: ";
    char address[64];
    char out[4096];
    (void)state;

    memset(request + strlen(request), 'x', sizeof request - 30);
    memcpy(request + sizeof request - 5, "\r\n\r\n", 5);
    struct http_server *server = start("127.0.0.1:0", address);
    int status = client_ask(address, request, out, sizeof out);
    assert_true(status >= 400 || status == -1);
    http_server_stop(server);
}

/* Those that say nothing, or a byte now and then, keep nobody out: the next one is answered at once, which is
 * less than the 5 s after which a silent connection ends. */
static void slow_clients_keep_nobody_out(void **state)
{
    char address[64];
    char out[4096];
    int slow[SLOW];
    (void)state;

    struct http_server *server = start("127.0.0.1:0", address);
    for (int i = 0; i < SLOW; i++) {
        slow[i] = client_connect(address);
        assert_true(slow[i] >= 0);
        send(slow[i], "GET /a", (size_t)(i % 7), MSG_NOSIGNAL);
    }
    int64_t before_ms = clock_monotonic_ms();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < SLOW; i++)
            send(slow[i], "x", 1, MSG_NOSIGNAL);
        int status =
            client_ask(address, "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", out, sizeof out);
        assert_int_equal(status, 200);
    }
    assert_in_range(clock_monotonic_ms() - before_ms, 0, 4000);
    for (int i = 0; i < SLOW; i++)
        close(slow[i]);
    http_server_stop(server);
}

static void wrong_addresses(void **state)
{
    static const struct {
        const char *address, *says;
        bool well_formed;
    } cases[] = {
        {"", "HOST:PORT", false},
        {"9103", "HOST:PORT", false},
        {":9103", "HOST:PORT", false},
        {"127.0.0.1", "HOST:PORT", false},
        {"127.0.0.1:", "HOST:PORT", false},
        {"127.0.0.1:65536", "HOST:PORT", false},
        {"127.0.0.1:-1", "HOST:PORT", false},
        {"127.0.0.1:http", "HOST:PORT", false},
        {"::1:9103", "HOST:PORT", false},
        {"[]:9103", "HOST:PORT", false},
        {"192.0.2.1:0", "cannot listen", true},
        {"no.such.host.invalid:0", "no.such.host.invalid", true},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_server *server = NULL;
        struct err err = ERR_INIT;
        char address[64];
        assert_int_equal(http_address_check(cases[i].address, NULL) == 0, cases[i].well_formed);
        if (http_server_start(cases[i].address, true, handler, &server, address, &err) != -1)
            fail_msg("accepted: %s", cases[i].address);
        assert_int_equal(err.kind, ERR_CONFIG);
        if (strstr(err.text, cases[i].says) == NULL)
            fail_msg("%s", err.text);
    }
}

static void a_port_that_is_taken(void **state)
{
    struct http_server *second = NULL;
    struct err err = ERR_INIT;
    char address[64];
    char other[64];
    char out[4096];
    (void)state;

    struct http_server *first = start("127.0.0.1:0", address);
    assert_int_equal(http_server_start(address, false, handler, &second, other, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_non_null(strstr(err.text, "in use"));

    assert_int_equal(http_server_start(address, true, handler, &second, other, &err), 0);
    assert_string_not_equal(address, other);
    assert_int_equal(
        client_ask(other, "GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", out, sizeof out), 200);
    http_server_stop(second);
    http_server_stop(first);
    http_server_stop(NULL);
}

static void a_name_as_host(void **state)
{
    char address[64];
    (void)state;

    struct http_server *server = start("localhost:0", address);
    assert_true(strncmp(address, "127.0.0.1:", 10) == 0 || strncmp(address, "[::1]:", 6) == 0);
    http_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(a_request_is_bounded),
        cmocka_unit_test(slow_clients_keep_nobody_out),
        cmocka_unit_test(wrong_addresses),
        cmocka_unit_test(a_port_that_is_taken),
        cmocka_unit_test(a_name_as_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
