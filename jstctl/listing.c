#include "jstctl/listing.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/json/json.h"

/* The blocks whose characters are two columns wide; what stands between them is near enough to one. */
static const struct {
    uint32_t first, last;
} wide[] = {
    {0x1100, 0x115F}, {0x2E80, 0x303E}, {0x3041, 0xA4CF}, {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
    {0xFE30, 0xFE6F}, {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD},
};

static size_t character_width(uint32_t c)
{
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
        if (c >= wide[i].first && c <= wide[i].last)
            return 2;
    return 1;
}

size_t text_width(const char *text, size_t len)
{
    const char *end = text + len;
    size_t width = 0;

    for (const char *p = text; p < end;) {
        size_t n = utf8_character(p, end);
        width += n > 0 ? character_width(utf8_code(p, n)) : 1;
        p += n > 0 ? n : 1;
    }
    return width;
}

void print_padded(const char *text, size_t len, size_t width, FILE *out)
{
    size_t own = text_width(text, len);

    fwrite(text, 1, len, out);
    if (own < width)
        fprintf(out, "%*s", (int)(width - own), "");
}

static void print_plain_listing(char *const *cells, size_t columns, size_t rows, FILE *out)
{
    size_t *widths = mem_zalloc(columns, sizeof *widths);

    for (size_t i = 0; i < columns * rows; i++) {
        size_t width = text_width(cells[i], strlen(cells[i]));
        if (width > widths[i % columns])
            widths[i % columns] = width;
    }
    for (size_t i = 0; i < columns * rows; i++) {
        if (i % columns == columns - 1)
            fprintf(out, "%s\n", cells[i]);
        else
            print_padded(cells[i], strlen(cells[i]), widths[i % columns] + 2, out);
    }
    free(widths);
}

void print_listing(const char *const *cells, size_t columns, size_t rows, FILE *out)
{
    char **plain = mem_zalloc(columns * rows, sizeof *plain);

    for (size_t i = 0; i < columns * rows; i++)
        plain[i] = utf8_plain(cells[i]);
    print_plain_listing(plain, columns, rows, out);
    for (size_t i = 0; i < columns * rows; i++)
        free(plain[i]);
    free(plain);
}

void print_plain(const char *text, FILE *out)
{
    char *plain = utf8_plain(text);

    fputs(plain, out);
    free(plain);
}

void print_json(const char *text, FILE *out)
{
    struct buf quoted;

    if (text == NULL) {
        fputs("null", out);
        return;
    }
    buf_init(&quoted, strlen(text) * 6 + 2);
    json_put_text(&quoted, text, strlen(text));
    fwrite(quoted.data, 1, quoted.len, out);
    buf_free(&quoted);
}

void print_json_member(const char *name, const char *text, FILE *out)
{
    fprintf(out, ",\"%s\":", name);
    print_json(text, out);
}

const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}
