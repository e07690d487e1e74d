#include "common/wire/ports.h"

#include <string.h>

static bool is_text(const struct header *h)
{
    return h->value != NULL && (h->value_len == 0 || strlen(h->value) == h->value_len);
}

const char *record_header(const struct record *r, const char *name)
{
    for (size_t i = r->header_count; i > 0; i--)
        if (strcmp(r->headers[i - 1].name, name) == 0)
            return is_text(&r->headers[i - 1]) ? r->headers[i - 1].value : NULL;
    return NULL;
}
