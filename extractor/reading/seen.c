#include "extractor/reading/seen.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/json/scan.h"
#include "common/pipeline/pipeline.h"
#include "common/wire/envelope.h"
#include "extractor/reading/walk.h"

enum { NAME_MAX_BYTES = 128 };

/* The value at "a" or "a.b". */
static bool value_at(struct span object, const char *path, struct span *ret)
{
    char name[NAME_MAX_BYTES];

    for (;;) {
        size_t len = strcspn(path, ".");
        if (len >= sizeof name || scan_kind(object) != SCAN_OBJECT)
            return false;
        memcpy(name, path, len);
        name[len] = '\0';
        if (!scan_member(object, name, &object))
            return false;
        if (path[len] == '\0') {
            *ret = object;
            return true;
        }
        path += len + 1;
    }
}

static uint64_t document_id(const struct pipeline *p, struct span document)
{
    uint64_t id = 0;

    for (size_t i = 0; i < p->document.count; i++) {
        struct span value;
        if (!value_at(document, p->document.names[i], &value) ||
            (scan_kind(value) != SCAN_STRING && scan_kind(value) != SCAN_NUMBER))
            return hash_bytes(0, document.at, document.len);
        value = scan_scalar(value);
        id = hash_bytes(id, value.at, value.len);
    }
    return id;
}

void page_see(const struct pipeline *p, const struct envelope *e, struct walk *walk)
{
    if (e->list.at == NULL)
        return;
    struct scan_iter it = scan_open(e->list);
    while (scan_next(&it))
        walk_see(walk, document_id(p, it.value));
}
