/* --brokers: HOST:PORT, comma-separated. librdkafka takes almost any text and then finds nobody there. */
#include "common/kafka/property.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/units.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

enum { PORT_MAX = 65535 };

static bool is_port(const char *text)
{
    int64_t port;

    return parse_int64(text, &port) == 0 && port >= 1 && port <= PORT_MAX;
}

/* Move behind the host: a name, an IPv4 address, or an IPv6 address in brackets. NULL: there is none. */
static const char *skip_host(const char *text)
{
    size_t len;

    if (*text == '[') {
        len = strspn(text + 1, DIGITS "abcdefABCDEF:.");
        return len > 0 && text[len + 1] == ']' ? text + len + 2 : NULL;
    }
    len = strspn(text, LETTERS DIGITS ".-_");
    return len > 0 ? text + len : NULL;
}

static const char *broker_fault(const char *text)
{
    if (*text == '\0')
        return "is empty";
    if (strpbrk(text, " \t\r\n") != NULL)
        return "has white space in it: brokers are separated by commas alone";
    if (strstr(text, "://") != NULL)
        return "is a URL: HOST:PORT is needed; security.protocol in the file of --kafka-config asks for TLS";
    const char *rest = skip_host(text);
    if (rest == NULL || (*rest != '\0' && *rest != ':'))
        return "is not HOST:PORT";
    if (*rest == ':' && !is_port(rest + 1))
        return "has no port of 1-65535 behind its colon";
    return NULL;
}

void brokers_check(const char *list, struct faults *faults)
{
    char *copy = mem_strdup(list);
    char *at = copy;
    int number = 0;

    for (char *item; (item = strsep(&at, ",")) != NULL;) {
        const char *fault = broker_fault(item);
        number++;
        if (fault != NULL)
            fault_add(faults, FAULT_ERROR, "--brokers", "broker %d %s", number, fault);
    }
    free(copy);
}
