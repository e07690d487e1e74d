#include "common/http/http.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/http/form.h"

#if LIBCURL_VERSION_NUM < 0x075800
#error "libcurl 7.88 or newer is needed"
#endif

enum {
    CONNECT_TIMEOUT_MS = 10000,
    TOTAL_TIMEOUT_MS = 120000,
    LOW_SPEED_BYTES = 100,
    LOW_SPEED_S = 60,
    REQUEST_MAX = 1024 * 1024,
    HEADER_VALUE_MAX = 128,
};

struct http {
    struct api base;
    struct http_config config;
    CURL *easy;
    struct curl_slist *headers;
    struct api_answer *answer; /* of the request under way */
    int sent;                  /* how often libcurl began to send it */
    bool too_large;
    char why[CURL_ERROR_SIZE];
};

/* ---- callbacks of libcurl ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct http *h = arg;

    if (buf_add(&h->answer->body, bytes, size * count) != 0) {
        h->too_large = true;
        return 0;
    }
    return size * count;
}

/* The value of a header line of that name, trimmed; false: the line is another header, or too long. */
static bool header_value(const char *line, size_t len, const char *name, char ret[HEADER_VALUE_MAX])
{
    size_t at = strlen(name);

    if (len <= at || strncasecmp(line, name, at) != 0 || line[at] != ':')
        return false;
    at++;
    while (at < len && isspace((unsigned char)line[at]))
        at++;
    while (len > at && isspace((unsigned char)line[len - 1]))
        len--;
    if (len - at >= HEADER_VALUE_MAX)
        return false;
    memcpy(ret, line + at, len - at);
    ret[len - at] = '\0';
    return true;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct http *h = arg;
    char value[HEADER_VALUE_MAX];

    if (header_value(bytes, size * count, "Date", value)) {
        time_t date = curl_getdate(value, NULL);
        h->answer->date_ms = date > 0 ? (int64_t)date * 1000 : -1;
    }
    return size * count;
}

static int on_progress(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    const struct http *h = arg;

    (void)down_total, (void)down, (void)up_total, (void)up;
    h->config.still_here();
    return h->config.stopping() ? 1 : 0;
}

/* libcurl silently repeats a request when a kept connection turns out to be dead. The API's quota would count
 * both, so the second attempt is refused. */
static int on_sending(void *arg, char *address, char *own_address, int port, int own_port)
{
    struct http *h = arg;

    (void)address, (void)own_address, (void)port, (void)own_port;
    return h->sent++ == 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

/* ---- a request ---- */

static int explain_curl(const struct http *h, CURLcode code, struct err *err)
{
    const char *text = *h->why != '\0' ? h->why : curl_easy_strerror(code);

    if (h->too_large)
        return err_set(err, ERR_REJECT, (int)code, "the answer is larger than %d MiB",
                       ANSWER_MAX / 1024 / 1024);
    if (h->sent > 1)
        return err_set(err, ERR_RETRY, (int)code, "the API closed the connection without an answer");
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return err_set(err, ERR_RETRY, (int)code, "given up because the program is asked to stop");
    return err_set(err, ERR_RETRY, (int)code, "%s", text);
}

static void read_info(const struct http *h, struct api_answer *ret)
{
    long status = 0;
    curl_off_t retry_after = 0;
    curl_off_t micros = 0;

    curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &retry_after);
    curl_easy_getinfo(h->easy, CURLINFO_TOTAL_TIME_T, &micros);
    ret->status = (int)status;
    ret->retry_after_ms = retry_after > 0 ? (retry_after < 86400 ? retry_after : 86400) * 1000 : -1;
    ret->seconds = (double)micros / 1e6;
    ret->received_ms = clock_now_ms();
}

static int http_post(struct api *api, const char *path, const struct form *form, struct api_answer *ret,
                     struct err *err)
{
    struct http *h = (struct http *)api;
    struct buf text;
    size_t url_len = strlen(h->config.url);

    while (url_len > 0 && h->config.url[url_len - 1] == '/')
        url_len--;
    char *url = mem_printf("%.*s%s", (int)url_len, h->config.url, path);
    buf_init(&text, REQUEST_MAX);
    form_encode(form, &text);
    buf_reset(&ret->body);
    ret->date_ms = -1;
    h->answer = ret;
    h->sent = 0;
    h->too_large = false;
    h->why[0] = '\0';
    curl_easy_setopt(h->easy, CURLOPT_URL, url);
    curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, text.data);
    curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)text.len);
    CURLcode code = text.overflowed ? CURLE_OUT_OF_MEMORY : curl_easy_perform(h->easy);
    read_info(h, ret);
    curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, NULL);
    explicit_bzero(text.data, text.len);
    buf_free(&text);
    free(url);
    return code == CURLE_OK ? 0 : explain_curl(h, code, err);
}

/* ---- open and close ---- */

static void http_free(struct api *api)
{
    struct http *h = (struct http *)api;

    curl_easy_cleanup(h->easy);
    curl_slist_free_all(h->headers);
    curl_global_cleanup();
    free(h);
}

static const struct api_ops http_ops = {.post = http_post, .free = http_free};

static void set_timeouts(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)TOTAL_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)LOW_SPEED_BYTES);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)LOW_SPEED_S);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
}

static void set_callbacks(struct http *h)
{
    curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->why);
    curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, h);
    curl_easy_setopt(h->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(h->easy, CURLOPT_HEADERDATA, h);
    curl_easy_setopt(h->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(h->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(h->easy, CURLOPT_XFERINFODATA, h);
    curl_easy_setopt(h->easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(h->easy, CURLOPT_PREREQFUNCTION, on_sending);
    curl_easy_setopt(h->easy, CURLOPT_PREREQDATA, h);
}

/* The settings that libcurl may refuse because the user's values are wrong. */
static CURLcode set_user_settings(const struct http *h)
{
    CURLcode code = curl_easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, "http,https");

    if (code == CURLE_OK && h->config.proxy != NULL)
        code = curl_easy_setopt(h->easy, CURLOPT_PROXY, h->config.proxy);
    if (code == CURLE_OK && h->config.ca_file != NULL)
        code = curl_easy_setopt(h->easy, CURLOPT_CAINFO, h->config.ca_file);
    if (code == CURLE_OK && h->config.ca_file != NULL)
        code = curl_easy_setopt(h->easy, CURLOPT_PROXY_CAINFO, h->config.ca_file);
    return code;
}

int http_open(const struct http_config *config, struct api **ret, struct err *err)
{
    struct http *h;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, ERR_FATAL, 0, "libcurl cannot be initialised");
    h = mem_zalloc(1, sizeof *h);
    h->base.ops = &http_ops;
    h->config = *config;
    h->easy = curl_easy_init();
    h->headers = curl_slist_append(NULL, "Content-Type: application/x-www-form-urlencoded;charset=UTF-8");
    if (h->easy == NULL || h->headers == NULL || curl_slist_append(h->headers, "Expect:") == NULL) {
        http_free(&h->base);
        return err_set(err, ERR_FATAL, 0, "libcurl cannot be initialised");
    }
    set_timeouts(h->easy);
    set_callbacks(h);
    curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->headers);
    curl_easy_setopt(h->easy, CURLOPT_USERAGENT, "jstpipe/" JST_VERSION);
    curl_easy_setopt(h->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(h->easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(h->easy, CURLOPT_POST, 1L);
    CURLcode code = set_user_settings(h);
    if (code != CURLE_OK) {
        http_free(&h->base);
        return err_set(err, ERR_CONFIG, (int)code, "libcurl refuses --proxy or --ca-file: %s",
                       curl_easy_strerror(code));
    }
    *ret = &h->base;
    return 0;
}

bool http_url_ok(const char *url)
{
    size_t scheme = strncasecmp(url, "http://", 7) == 0 ? 7 : strncasecmp(url, "https://", 8) == 0 ? 8 : 0;

    if (scheme == 0 || url[scheme] == '\0' || url[scheme] == '/' || strpbrk(url, " \t\r\n?#") != NULL)
        return false;
    CURLU *parts = curl_url();
    bool ok = parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK;
    curl_url_cleanup(parts);
    return ok;
}
