#include "extractor/state.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pipeline/pipeline.h"
#include "common/wire/ports.h"

#define LIVE "/live"

static const struct checkpoint none = {.synced_to_s = -1, .run_at_s = -1};

void state_init(struct state *s, const struct pipelines *pipelines)
{
    s->count = pipelines->count;
    s->entries = mem_zalloc(s->count, sizeof *s->entries);
    for (size_t i = 0; i < s->count; i++)
        s->entries[i].pipeline = pipelines->list[i]->name;
    state_forget(s);
}

void state_free(struct state *s)
{
    if (s == NULL)
        return;
    free(s->entries);
    *s = (struct state){0};
}

void state_forget(struct state *s)
{
    for (size_t i = 0; i < s->count; i++) {
        s->entries[i].checkpoint = none;
        err_clear(&s->entries[i].refused);
    }
}

/* The entry whose key this is; NULL: none. */
static struct state_entry *entry_of(const struct state *s, const char *key, size_t len)
{
    const size_t suffix = sizeof LIVE - 1;

    if (len <= suffix || memcmp(key + len - suffix, LIVE, suffix) != 0)
        return NULL;
    len -= suffix;
    for (size_t i = 0; i < s->count; i++)
        if (strlen(s->entries[i].pipeline) == len && memcmp(s->entries[i].pipeline, key, len) == 0)
            return &s->entries[i];
    return NULL;
}

void state_take(struct state *s, const struct record *r)
{
    struct state_entry *e = r->has_key ? entry_of(s, r->key, r->key_len) : NULL;

    if (e == NULL)
        return;
    err_clear(&e->refused);
    if (!r->has_value || checkpoint_read(r->value, r->value_len, &e->checkpoint, &e->refused) != 0)
        e->checkpoint = none;
}

char *state_key(const char *pipeline)
{
    return mem_printf("%s" LIVE, pipeline);
}
