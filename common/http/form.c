#include "common/http/form.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"

void form_init(struct form *form)
{
    form->count = 0;
}

void form_free(struct form *form)
{
    if (form == NULL)
        return;
    for (size_t i = 0; i < form->count; i++) {
        explicit_bzero(form->fields[i].value, strlen(form->fields[i].value));
        free(form->fields[i].value);
    }
    form->count = 0;
}

void form_put(struct form *form, const char *name, const char *value)
{
    if (value == NULL || *value == '\0')
        return;
    if (form->count == FORM_FIELDS_MAX)
        abort();
    form->fields[form->count++] = (struct form_field){.name = name, .value = mem_strdup(value)};
}

void form_put_int(struct form *form, const char *name, int64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRId64, value);
    form_put(form, name, text);
}

const char *form_get(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++)
        if (strcmp(form->fields[i].name, name) == 0)
            return form->fields[i].value;
    return NULL;
}

static bool is_plain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

static void put_encoded(const char *text, struct buf *out)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (is_plain(*at))
            buf_add_char(out, (char)*at);
        else if (*at == ' ')
            buf_add_char(out, '+');
        else
            buf_printf(out, "%%%02X", *at);
    }
}

void form_encode(const struct form *form, struct buf *out)
{
    for (size_t i = 0; i < form->count; i++) {
        if (i > 0)
            buf_add_char(out, '&');
        put_encoded(form->fields[i].name, out);
        buf_add_char(out, '=');
        put_encoded(form->fields[i].value, out);
    }
}
