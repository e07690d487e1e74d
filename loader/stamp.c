#include "loader/stamp.h"

#include "common/base/units.h"
#include "common/wire/version.h"

int stamp_read(const char *version, int64_t received_ms, int64_t published_ms, struct stamp *ret)
{
    *ret = (struct stamp){.received_ms = received_ms, .published_ms = published_ms};
    if (*version == '\0') {
        ret->kind = STAMP_RECEIVED;
        ret->version = received_ms > 0 ? (uint64_t)received_ms : 0;
        return 0;
    }
    ret->kind = parse_uint64(version, &ret->version) == 0 ? STAMP_INTEGER : STAMP_DATETIME;
    return ret->kind == STAMP_INTEGER ? 0 : version_parse(version, &ret->version);
}

bool stamp_newer(const struct stamp *a, const struct stamp *b)
{
    if (a->kind == b->kind && a->version != b->version)
        return a->version > b->version;
    if (a->received_ms != b->received_ms)
        return a->received_ms > b->received_ms;
    return a->published_ms > b->published_ms;
}
