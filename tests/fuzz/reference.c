#include "tests/fuzz/reference.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/require.h"

/* Works on a copy that ends with a NUL, so that no place needs a look at the length. */
struct reader {
    const unsigned char *p;
    int depth;
};

static bool value(struct reader *r);

static void space(struct reader *r)
{
    while (*r->p != '\0' && strchr(" \t\r\n", *r->p) != NULL)
        r->p++;
}

static bool take(struct reader *r, const char *text)
{
    size_t len = strlen(text);
    if (strncmp((const char *)r->p, text, len) != 0)
        return false;
    r->p += len;
    return true;
}

static size_t digits(struct reader *r)
{
    size_t n = strspn((const char *)r->p, "0123456789");
    r->p += n;
    return n;
}

static bool number(struct reader *r)
{
    take(r, "-");
    bool zero = *r->p == '0';
    size_t n = digits(r);
    if (n == 0 || (zero && n > 1))
        return false;
    if (take(r, ".") && digits(r) == 0)
        return false;
    if (take(r, "e") || take(r, "E")) {
        if (!take(r, "+"))
            take(r, "-");
        return digits(r) > 0;
    }
    return true;
}

/* The code point behind \u; -1: none. */
static long hex4(struct reader *r)
{
    char text[5] = "";
    memcpy(text, r->p, strnlen((const char *)r->p, 4));
    if (strspn(text, "0123456789abcdefABCDEF") != 4)
        return -1;
    r->p += 4;
    return strtol(text, NULL, 16);
}

static bool escape(struct reader *r)
{
    if (!take(r, "u"))
        return *r->p != '\0' && strchr("\"\\/bfnrt", *r->p++) != NULL;
    long code = hex4(r);
    if (code >= 0xD800 && code < 0xDC00) {
        long low = take(r, "\\u") ? hex4(r) : -1;
        return low >= 0xDC00 && low < 0xE000;
    }
    return code > 0 && (code < 0xDC00 || code >= 0xE000);
}

/* One character beyond ASCII, by its code point. */
static bool beyond_ascii(struct reader *r)
{
    static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned long code = *r->p++;
    int n = code >= 0xF8 ? 0 : code >= 0xF0 ? 4 : code >= 0xE0 ? 3 : code >= 0xC0 ? 2 : 0;
    if (n == 0)
        return false;
    code &= 0x7FU >> n;
    for (int i = 1; i < n; i++) {
        if (*r->p < 0x80 || *r->p > 0xBF)
            return false;
        code = code * 64 + (*r->p++ - 0x80U);
    }
    return code >= least[n] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

static bool string(struct reader *r)
{
    if (!take(r, "\""))
        return false;
    while (!take(r, "\"")) {
        if (*r->p < 0x20)
            return false;
        if (*r->p >= 0x80) {
            if (!beyond_ascii(r))
                return false;
        } else if (*r->p++ == '\\' && !escape(r))
            return false;
    }
    return true;
}

static bool container(struct reader *r, bool object, const char *closer)
{
    if (++r->depth > 64)
        return false;
    space(r);
    if (take(r, closer))
        return r->depth-- > 0;
    do {
        space(r);
        if (object) {
            if (!string(r))
                return false;
            space(r);
            if (!take(r, ":"))
                return false;
        }
        if (!value(r))
            return false;
    } while (take(r, ","));
    return take(r, closer) && r->depth-- > 0;
}

static bool value(struct reader *r)
{
    space(r);
    bool ok = take(r, "{")                                               ? container(r, true, "}")
              : take(r, "[")                                             ? container(r, false, "]")
              : *r->p == '"'                                             ? string(r)
              : (take(r, "true") || take(r, "false") || take(r, "null")) ? true
                                                                         : number(r);
    space(r);
    return ok;
}

bool reference_accepts(const char *text, size_t len)
{
    char *copy = malloc(len + 1);

    REQUIRE(copy != NULL);
    memcpy(copy, text, len);
    copy[len] = '\0';
    struct reader r = {.p = (const unsigned char *)copy, .depth = 0};
    bool ok = value(&r) && r.p == (const unsigned char *)copy + len;
    free(copy);
    return ok;
}
