#include "common/json/keys.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

void key_set_begin(struct key_set *set, size_t count)
{
    size_t size = 16;

    while (size < count * 2)
        size *= 2;
    if (size > set->cap) {
        free(set->slots);
        set->slots = mem_zalloc(size, sizeof *set->slots);
        set->cap = size;
        set->round = 0;
    }
    set->mask = size - 1;
    set->round++;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ (hash >> 29);
}

static uint64_t hash_of(const char *key)
{
    size_t len = strlen(key);
    uint64_t hash = len, word = 0;

    for (; len >= sizeof word; key += sizeof word, len -= sizeof word) {
        memcpy(&word, key, sizeof word);
        hash = mix(hash, word);
    }
    word = 0;
    memcpy(&word, key, len);
    return mix(mix(hash, word), 0);
}

bool key_set_add(struct key_set *set, const char *key)
{
    uint64_t hash = hash_of(key);
    size_t i = hash & set->mask;

    for (; set->slots[i].round == set->round; i = (i + 1) & set->mask)
        if (set->slots[i].hash == hash && strcmp(set->slots[i].key, key) == 0)
            return false;
    set->slots[i] = (struct key_slot){.key = key, .round = set->round, .hash = hash};
    return true;
}

void key_set_free(struct key_set *set)
{
    free(set->slots);
    *set = (struct key_set){0};
}
