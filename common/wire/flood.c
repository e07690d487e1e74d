#include "common/wire/flood.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"

enum {
    GOOD = 0,
    UNNAMED = 1,        /* bad, and not known which one */
    FIRST_NAME = 2,     /* hashes below would be taken for the two above */
    VALUE_SHOWN = 40,   /* characters of a value */
    TEXT_MAX = 1 << 13, /* bytes of a text for people */
};

uint64_t flood_document(const void *id, size_t id_len, const char *version)
{
    uint64_t hash = hash_bytes(hash_bytes(0, id, id_len), version, strlen(version));

    return hash < FIRST_NAME ? FIRST_NAME : hash;
}

static void add_one(struct flood *f, uint64_t document)
{
    if (f->count == FLOOD_WINDOW)
        f->bad_count -= f->last[f->at] != GOOD;
    else
        f->count++;
    f->last[f->at] = document;
    f->bad_count += document != GOOD;
    f->at = (f->at + 1) % FLOOD_WINDOW;
}

void flood_add(struct flood *f, size_t good, size_t bad)
{
    if (good > 0)
        f->run = 0;
    for (size_t i = 0; i < good; i++)
        add_one(f, GOOD);
    for (size_t i = 0; i < bad; i++)
        add_one(f, UNNAMED);
}

void flood_add_bad(struct flood *f, uint64_t document)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->last[i] == document)
            return;
    add_one(f, document);
    f->run++;
}

size_t flood_run(const struct flood *f)
{
    return f->run;
}

static bool share_exceeds(const struct flood *f, int64_t limit)
{
    return f->bad_count >= FLOOD_LEAST && (int64_t)f->bad_count * 10000 > limit * (int64_t)f->count;
}

bool flood_reached(const struct flood *f, int64_t limit)
{
    return limit < FLOOD_NEVER && (f->run >= FLOOD_RUN || share_exceeds(f, limit));
}

bool flood_exceeds(const struct flood *f, size_t good, size_t bad, int64_t limit)
{
    struct flood then = *f;

    flood_add(&then, good, bad);
    return share_exceeds(&then, limit);
}

/* ---- the first document, for people ---- */

static char *plain_text(const char *text)
{
    return text != NULL ? utf8_plain(text) : NULL;
}

static char *plain_value(const char *value, size_t len)
{
    size_t nul = strnlen(value, len);
    size_t shown = utf8_first(value, nul, VALUE_SHOWN);
    char *cut = mem_printf("%.*s%s", (int)shown, value, shown < nul ? "…" : "");
    char *plain = utf8_plain(cut);

    free(cut);
    return plain;
}

void flood_first_set(struct flood_first *first, const char *document, const char *column, const char *value,
                     size_t value_len, const char *reason)
{
    struct flood_first copy = {
        .document = plain_text(document),
        .column = plain_text(column),
        .value = value != NULL ? plain_value(value, value_len) : NULL,
        .reason = plain_text(reason),
    };

    flood_first_free(first);
    *first = copy;
}

void flood_first_free(struct flood_first *first)
{
    if (first == NULL)
        return;
    free(first->document);
    free(first->column);
    free(first->value);
    free(first->reason);
    *first = (struct flood_first){0};
}

char *flood_first_text(const struct flood_first *first)
{
    struct buf out;

    buf_init(&out, TEXT_MAX);
    buf_printf(&out, "document %s", first->document != NULL ? first->document : "without a readable id");
    if (first->column != NULL)
        buf_printf(&out, ", column %s", first->column);
    if (first->value != NULL)
        buf_printf(&out, ", value \"%s\"", first->value);
    if (first->reason != NULL)
        buf_printf(&out, ": %s", first->reason);
    return buf_take(&out, &(size_t){0});
}
