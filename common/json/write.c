#include "common/base/buf.h"
#include "common/base/utf8.h"
#include "common/json/bytes.h"
#include "common/json/json.h"

static void put_escape(struct buf *out, unsigned char c)
{
    static const char letters[0x20] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    static const char hex[] = "0123456789abcdef";
    char letter = c < 0x20 ? letters[c] : (char)c;

    if (letter != '\0') {
        buf_add(out, (char[]){'\\', letter}, 2);
        return;
    }
    buf_add(out, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
}

void json_put_string(struct buf *out, const char *text, size_t len)
{
    const char *end = text + len;
    size_t start = out->len;

    buf_add_char(out, '"');
    for (const char *p = text; p < end;) {
        const char *special = bytes_plain(p, end, STOP_CONTROL);
        buf_add(out, p, (size_t)(special - p));
        if (special < end)
            put_escape(out, (unsigned char)*special++);
        p = special;
    }
    if (buf_add_char(out, '"') != 0 || out->overflowed)
        buf_cut(out, start);
}

void json_put_text(struct buf *out, const char *text, size_t len)
{
    const char *end = text + len;
    struct buf clean;

    buf_init(&clean, len * 3);
    for (const char *p = text; p < end;) {
        const char *special = bytes_plain(p, end, STOP_BEYOND_ASCII);
        size_t n = special < end ? utf8_character(special, end) : 1;
        buf_add(&clean, p, (size_t)(special - p));
        if (special < end && n > 0)
            buf_add(&clean, special, n);
        else if (special < end)
            buf_add_text(&clean, "\xEF\xBF\xBD");
        p = special < end ? special + (n > 0 ? n : 1) : end;
    }
    json_put_string(out, clean.data, clean.len);
    buf_free(&clean);
}
