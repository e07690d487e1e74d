#include "common/wire/version.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/units.h"

/* The digits of a text that is known to be a valid date or datetime. */
static uint64_t digits_of(const char *text)
{
    uint64_t n = 0;

    for (; *text != '\0'; text++)
        if (*text >= '0' && *text <= '9')
            n = n * 10 + (uint64_t)(*text - '0');
    return n;
}

int version_parse(const char *text, uint64_t *ret)
{
    int64_t s;

    if (parse_uint64(text, ret) == 0)
        return 0;
    if (beijing_parse(text, &s) != 0)
        return -1;
    uint64_t n = digits_of(text);
    *ret = strlen(text) <= strlen("2026-08-13") ? n * 1000000 : n;
    return 0;
}
