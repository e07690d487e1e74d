#include "common/base/hash.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

enum { SLOTS_LEAST = 16 };

static uint64_t mix_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ (hash >> 29);
}

uint64_t hash_bytes(uint64_t so_far, const void *bytes, size_t len)
{
    const char *at = bytes;
    uint64_t hash = so_far + len;
    uint64_t word = 0;

    for (; len >= sizeof word; at += sizeof word, len -= sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = mix_word(hash, word);
    }
    word = 0;
    if (len > 0)
        memcpy(&word, at, len);
    return mix_word(mix_word(hash, word), 0);
}

uint64_t hash_text(const char *text)
{
    return hash_bytes(0, text, strlen(text));
}

void hash_begin(struct hash_table *t, size_t expected)
{
    size_t size = SLOTS_LEAST;

    while (size < expected * 2)
        size *= 2;
    if (size > t->cap) {
        free(t->slots);
        t->slots = mem_zalloc(size, sizeof *t->slots);
        t->cap = size;
        t->round = 0;
    }
    t->mask = size - 1;
    t->count = 0;
    t->round++;
}

static void put_slot(struct hash_table *t, size_t at, uint64_t hash, uintptr_t item)
{
    while (t->slots[at].round == t->round)
        at = (at + 1) & t->mask;
    t->slots[at] = (struct hash_slot){.hash = hash, .round = t->round, .item = item};
    t->count++;
}

static void grow_table(struct hash_table *t)
{
    struct hash_table larger = {0};

    hash_begin(&larger, t->slots != NULL ? t->mask + 1 : SLOTS_LEAST / 2);
    for (size_t i = 0; t->slots != NULL && i <= t->mask; i++)
        if (t->slots[i].round == t->round)
            put_slot(&larger, t->slots[i].hash & larger.mask, t->slots[i].hash, t->slots[i].item);
    free(t->slots);
    *t = larger;
}

void hash_put(struct hash_table *t, const struct hash_probe *probe, uintptr_t item)
{
    size_t at = probe->at;

    if (t->slots == NULL || t->count * 2 > t->mask) {
        grow_table(t);
        at = probe->hash & t->mask;
    }
    put_slot(t, at, probe->hash, item);
}

void hash_free(struct hash_table *t)
{
    if (t == NULL)
        return;
    free(t->slots);
    *t = (struct hash_table){0};
}
