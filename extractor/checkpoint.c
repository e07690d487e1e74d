#include "extractor/checkpoint.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/json/scan.h"

static bool read_time(struct span object, const char *name, int64_t *ret_s)
{
    struct span value;
    char text[32];

    if (!scan_member(object, name, &value) || scan_kind(value) != SCAN_STRING)
        return false;
    value = scan_scalar(value);
    if (value.len >= sizeof text)
        return false;
    memcpy(text, value.at, value.len);
    text[value.len] = '\0';
    return beijing_parse(text, ret_s) == 0;
}

int checkpoint_read(const char *value, size_t len, struct checkpoint *ret, struct err *err)
{
    struct checkpoint c = {.synced_to_s = -1, .run_at_s = -1};
    struct span object;
    struct span version;

    if (scan_value(value, len, &object) == 0 || scan_kind(object) != SCAN_OBJECT ||
        !scan_member(object, "v", &version))
        return err_set(err, ERR_PAUSE, 0, "the checkpoint is not a JSON object with a version \"v\"");
    if (!span_is(version, "1"))
        return err_set(err, ERR_PAUSE, 0,
                       "the checkpoint has version %.*s, this program knows 1: upgrade it, or rewrite the "
                       "checkpoint",
                       version.len < 20 ? (int)version.len : 20, version.at);
    if (!read_time(object, "synced_to", &c.synced_to_s))
        return err_set(err, ERR_PAUSE, 0,
                       "the checkpoint's \"synced_to\" is not a time in the form "
                       "\"YYYY-MM-DD HH:MM:SS\"");
    read_time(object, "run_at", &c.run_at_s);
    *ret = c;
    return 0;
}

void checkpoint_write(const struct checkpoint *c, struct buf *out)
{
    char text[BEIJING_TEXT];

    buf_printf(out, "{\"v\":1,\"synced_to\":\"%s\"", beijing_format(c->synced_to_s, text));
    if (c->run_at_s >= 0)
        buf_printf(out, ",\"run_at\":\"%s\"", beijing_format(c->run_at_s, text));
    buf_add_char(out, '}');
}
