/* A hash table of small numbers: who answers to a hash is told apart by the owner, who
 * has the things themselves. Deleting leaves no traces, so that a table that lives long
 * does not rot. Hashes are of a keyed function: strangers choose the keys.
 *
 * Owner thread: whoever holds the lock of its owner.
 */
#ifndef MEMPOOL_INDEX_H
#define MEMPOOL_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INDEX_FREE UINT32_MAX

struct index_slot {
    uint32_t hash;
    uint32_t id;    /* INDEX_FREE: none. */
    uint32_t extra; /* The owner's. */
};

/* Zero it to start; release with index_clear. */
struct index {
    struct index_slot *slots; /* Owned; a power of two, at most 3/4 in use. */
    uint32_t slots_n;
    uint32_t used_n;
};

void index_clear(struct index *index);
/* id is not INDEX_FREE. The same hash may be there any number of times. */
void index_add(struct index *index, uint32_t hash, uint32_t id, uint32_t extra);
/* The entry (hash, id, extra) must be there. */
void index_remove(struct index *index, uint32_t hash, uint32_t id, uint32_t extra);

static inline size_t index_bytes(const struct index *index)
{
    return (size_t)index->slots_n * sizeof(*index->slots);
}

/* All slots of a hash, one after the other:
 *
 *     for (uint32_t at = hash; (slot = index_next(&index, hash, &at)) != NULL;)
 */
static inline const struct index_slot *index_next(const struct index *index, uint32_t hash,
                                                  uint32_t *at)
{
    while (index->slots_n > 0) {
        const struct index_slot *slot = &index->slots[*at & (index->slots_n - 1)];

        if (slot->id == INDEX_FREE)
            return NULL;
        (*at)++;
        if (slot->hash == hash)
            return slot;
    }
    return NULL;
}

#endif /* MEMPOOL_INDEX_H */
