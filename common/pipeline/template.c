#include "common/pipeline/template.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-' || (unsigned char)c >= 0x80;
}

static size_t name_length(const char *at)
{
    size_t n = 0;
    while (is_name_char(at[n]))
        n++;
    return n;
}

/* A placeholder at `at`, which begins with `braces` opening braces. Its length; 0 when it is not one. */
static size_t placeholder_at(const char *at, size_t braces, struct template_part *ret)
{
    const char *name = at + braces;
    size_t name_len = name_length(name);
    const char *end = name + name_len;
    const char *filter = NULL;

    if (name_len == 0)
        return 0;
    if (*end == '|') {
        filter = end + 1;
        end = filter + strcspn(filter, "{}");
        if (end == filter)
            return 0;
    }
    if (strncmp(end, "}}", braces) != 0)
        return 0;
    ret->placeholder = 1;
    ret->text = mem_strndup(name, name_len);
    ret->filter = filter != NULL ? mem_strndup(filter, (size_t)(end - filter)) : NULL;
    return (size_t)(end - at) + braces;
}

/* at: "{{" that opens no placeholder. It may be a literal, but not an obvious slip. */
static int check_double_brace(const char *at, struct err *err)
{
    const char *close = strstr(at + 2, "}}");
    const char *next = strstr(at + 2, "{{");

    if (close == at + 2)
        return err_set(err, ERR_CONFIG, 0, "\"{{}}\" names no field");
    if (close == NULL || (next != NULL && next < close))
        return err_set(err, ERR_CONFIG, 0, "\"{{\" is not closed by \"}}\"");
    return 0;
}

static void add_part(struct template *t, size_t *cap, struct template_part part)
{
    t->parts = mem_grow(t->parts, cap, t->count, sizeof *t->parts);
    t->parts[t->count++] = part;
}

static void add_literal(struct template *t, size_t *cap, const char *from, const char *to)
{
    if (to > from)
        add_part(t, cap, (struct template_part){.text = mem_strndup(from, (size_t)(to - from))});
}

int template_parse(const char *text, struct template *ret, struct err *err)
{
    struct template t = {0};
    size_t cap = 0;
    const char *literal = text;
    const char *at = text;

    while ((at = strchr(at, '{')) != NULL) {
        struct template_part part = {0};
        size_t braces = at[1] == '{' ? 2 : 1;
        size_t len = placeholder_at(at, braces, &part);
        if (len == 0 && braces == 2 && check_double_brace(at, err) != 0) {
            template_free(&t);
            return -1;
        }
        if (len == 0) {
            at++;
            continue;
        }
        add_literal(&t, &cap, literal, at);
        add_part(&t, &cap, part);
        at += len;
        literal = at;
    }
    add_literal(&t, &cap, literal, literal + strlen(literal));
    *ret = t;
    return 0;
}

void template_free(struct template *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->count; i++) {
        free(t->parts[i].text);
        free(t->parts[i].filter);
    }
    free(t->parts);
    *t = (struct template){0};
}

const char *template_alone(const struct template *t)
{
    if (t->count != 1 || !t->parts[0].placeholder || t->parts[0].filter != NULL)
        return NULL;
    return t->parts[0].text;
}
