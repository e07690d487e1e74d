/* One hash function, and one open-addressing table that is cheap to empty. In memory only: the hash of a text
 * may be another one in the next version. */
#ifndef JST_COMMON_BASE_HASH_H
#define JST_COMMON_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More bytes may be added by passing the hash so far (first: 0). Lengths count: "a" and "bc" are not "ab" and
 * "c". */
uint64_t hash_bytes(uint64_t so_far, const void *bytes, size_t len);
uint64_t hash_text(const char *text);

struct hash_slot {
    uint64_t hash;
    uint64_t round; /* the slot is free unless this is the table's round */
    uintptr_t item; /* an index or a pointer of the caller's */
};

/* A zeroed struct is an empty table. */
struct hash_table {
    struct hash_slot *slots;
    size_t cap;  /* slots there are */
    size_t mask; /* those in use, less one */
    size_t count;
    uint64_t round;
};

/* Empty the table, with room for `expected` items before it grows. Costs nothing, however full it was. */
void hash_begin(struct hash_table *t, size_t expected);
void hash_free(struct hash_table *t); /* NULL ok; leaves an empty table */

/* Look for an item of that hash, and compare it by what it stands for:
 *     struct hash_probe probe = hash_probe(&table, hash);
 *     while (hash_next(&table, &probe, &item))
 *         if (same(item)) return item;
 *     hash_put(&table, &probe, item);
 */
struct hash_probe {
    uint64_t hash;
    size_t at;
};

static inline struct hash_probe hash_probe(const struct hash_table *t, uint64_t hash)
{
    return (struct hash_probe){.hash = hash, .at = hash & t->mask};
}

static inline bool hash_next(const struct hash_table *t, struct hash_probe *probe, uintptr_t *ret_item)
{
    if (t->slots == NULL)
        return false;
    while (t->slots[probe->at].round == t->round) {
        const struct hash_slot *slot = &t->slots[probe->at];
        probe->at = (probe->at + 1) & t->mask;
        if (slot->hash == probe->hash) {
            *ret_item = slot->item;
            return true;
        }
    }
    return false;
}

/* Add the item that the probe, at its end, did not find. */
void hash_put(struct hash_table *t, const struct hash_probe *probe, uintptr_t item);

#endif
