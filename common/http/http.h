/* The API over HTTP. http.c is the only file that knows libcurl. */
#ifndef JST_COMMON_HTTP_HTTP_H
#define JST_COMMON_HTTP_HTTP_H

#include <stdbool.h>

#include "common/http/api.h"

struct http_config {
    const char *url;          /* "https://openapi.jushuitan.com"; a slash at its end is ignored */
    const char *proxy;        /* NULL: as the environment says (https_proxy, no_proxy …) */
    const char *ca_file;      /* NULL: the system's */
    bool (*stopping)(void);   /* asked about once a second; true gives up the request */
    void (*still_here)(void); /* called as often, to show that the process is not stuck */
};

/* The texts are kept by reference. Redirects are not followed. Certificates are always checked. Limits: 10 s
 * to connect, 120 s in all, a minute below 100 bytes a second. ERR_CONFIG: libcurl refuses the settings. */
int http_open(const struct http_config *config, struct api **ret, struct err *err)
    __attribute__((warn_unused_result));

/* Is it http://host… or https://host…, without a query or spaces? */
bool http_url_ok(const char *url);

#endif
