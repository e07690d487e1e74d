/* The names of one object's members, to find one that comes twice. */
#ifndef JST_COMMON_JSON_KEYS_H
#define JST_COMMON_JSON_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct key_slot {
    const char *key;
    uint64_t round; /* the slot is free unless this is the set's round */
    uint64_t hash;
};

/* A zeroed struct is an empty set. */
struct key_set {
    struct key_slot *slots;
    size_t cap, mask; /* slots there are; those of this round in use, less one */
    uint64_t round;
};

/* Empty the set, for at most `count` keys. Costs nothing, however large it was. */
void key_set_begin(struct key_set *set, size_t count);
/* false when the key is in it already. Kept by reference. */
bool key_set_add(struct key_set *set, const char *key);
void key_set_free(struct key_set *set);

#endif
