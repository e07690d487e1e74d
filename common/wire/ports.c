#include "common/wire/ports.h"

#include <string.h>

const char *record_header(const struct record *r, const char *name)
{
    for (size_t i = r->header_count; i > 0; i--)
        if (strcmp(r->headers[i - 1].name, name) == 0)
            return r->headers[i - 1].value;
    return NULL;
}
