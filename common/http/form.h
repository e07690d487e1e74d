/* The parameters of one request, and their application/x-www-form-urlencoded text. Pure. */
#ifndef JST_COMMON_HTTP_FORM_H
#define JST_COMMON_HTTP_FORM_H

#include <stddef.h>
#include <stdint.h>

struct buf;

enum { FORM_FIELDS_MAX = 16 };

struct form_field {
    const char *name; /* a literal */
    char *value;
};

struct form {
    struct form_field fields[FORM_FIELDS_MAX];
    size_t count;
};

void form_init(struct form *form);
/* Overwrites the values before it frees them, since tokens are among them. NULL ok. */
void form_free(struct form *form);

/* Add a parameter; the value is copied. An empty or NULL value adds nothing, because clients of the API
 * disagree on whether the signature covers it. More than FORM_FIELDS_MAX parameters are a mistake in the code
 * and end the process. */
void form_put(struct form *form, const char *name, const char *value);
void form_put_int(struct form *form, const char *name, int64_t value);

/* NULL: not there. */
const char *form_get(const struct form *form, const char *name);

/* Append name=value&… : letters, digits and "-_.~" as they are, a space as '+', every other byte as %XX. */
void form_encode(const struct form *form, struct buf *out);

#endif
