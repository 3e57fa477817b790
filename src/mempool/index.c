#include "mempool/index.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"

#define SLOTS_MIN 16U
#define SLOTS_MAX (1U << 30)

void index_clear(struct index *index)
{
    free(index->slots);
    *index = (struct index){0};
}

static void put(struct index *index, struct index_slot slot)
{
    uint32_t mask = index->slots_n - 1;
    uint32_t at = slot.hash & mask;

    while (index->slots[at].id != INDEX_FREE)
        at = (at + 1) & mask;
    index->slots[at] = slot;
}

static void resize(struct index *index, uint32_t slots_n)
{
    struct index_slot *old = index->slots;
    uint32_t old_n = index->slots_n;

    CHECK(slots_n <= SLOTS_MAX);
    index->slots = alloc_array(slots_n, sizeof(*index->slots));
    index->slots_n = slots_n;
    for (uint32_t i = 0; i < slots_n; i++)
        index->slots[i].id = INDEX_FREE;
    for (uint32_t i = 0; i < old_n; i++) {
        if (old[i].id != INDEX_FREE)
            put(index, old[i]);
    }
    free(old);
}

void index_add(struct index *index, uint32_t hash, uint32_t id, uint32_t extra)
{
    CHECK(id != INDEX_FREE);
    if ((uint64_t)(index->used_n + 1) * 4 > (uint64_t)index->slots_n * 3)
        resize(index, index->slots_n == 0 ? SLOTS_MIN : index->slots_n * 2);
    put(index, (struct index_slot){.hash = hash, .id = id, .extra = extra});
    index->used_n++;
}

/* Moves back what would no longer be found behind the gap. */
static void close_gap(struct index *index, uint32_t gap)
{
    uint32_t mask = index->slots_n - 1;

    for (uint32_t at = (gap + 1) & mask; index->slots[at].id != INDEX_FREE; at = (at + 1) & mask) {
        uint32_t home = index->slots[at].hash & mask;

        if (((at - home) & mask) >= ((at - gap) & mask)) {
            index->slots[gap] = index->slots[at];
            gap = at;
        }
    }
    index->slots[gap].id = INDEX_FREE;
}

void index_remove(struct index *index, uint32_t hash, uint32_t id, uint32_t extra)
{
    uint32_t mask = index->slots_n - 1;
    uint32_t at = hash & mask;

    CHECK(index->used_n > 0);
    while (index->slots[at].hash != hash || index->slots[at].id != id ||
           index->slots[at].extra != extra) {
        CHECK(index->slots[at].id != INDEX_FREE);
        at = (at + 1) & mask;
    }
    close_gap(index, at);
    index->used_n--;
    if (index->slots_n > SLOTS_MIN && index->used_n < index->slots_n / 8)
        resize(index, index->slots_n / 2);
}
