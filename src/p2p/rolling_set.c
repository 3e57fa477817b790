#include "p2p/rolling_set.h"

#include "base/alloc.h"
#include "base/check.h"

void rolling_set_init(struct rolling_set *ret_set, uint32_t item_n, const struct siphash_key *key)
{
    CHECK(item_n >= 2 && item_n <= ROLLING_SET_ITEMS_MAX);
    *ret_set = (struct rolling_set){.key = *key, .generation_items = (item_n + 1) / 2};
}

void rolling_set_clear(struct rolling_set *set)
{
    for (size_t i = 0; i < ROLLING_SET_GENERATIONS; i++)
        free(set->generations[i].slots);
    *set = (struct rolling_set){0};
}

void rolling_set_reset(struct rolling_set *set)
{
    struct siphash_key key = set->key;
    uint32_t generation_items = set->generation_items;

    rolling_set_clear(set);
    set->key = key;
    set->generation_items = generation_items;
}

/* What a slot holds of a hash. The place is made of the other half. */
static uint32_t print_of(uint64_t hash)
{
    uint32_t print = (uint32_t)hash;

    return print == 0 ? 1 : print;
}

/* The slot that holds it, or the free one where it would go. */
static uint32_t *find_slot(const struct rolling_generation *generation, uint64_t hash)
{
    uint32_t mask = generation->slots_n - 1;
    uint32_t at = (uint32_t)(hash >> 32) & mask;
    uint32_t print = print_of(hash);

    while (generation->slots[at] != 0 && generation->slots[at] != print)
        at = (at + 1) & mask;
    return &generation->slots[at];
}

static bool has(const struct rolling_set *set, uint64_t hash)
{
    for (size_t i = 0; i < ROLLING_SET_GENERATIONS; i++)
        if (set->generations[i].used > 0 && *find_slot(&set->generations[i], hash) != 0)
            return true;
    return false;
}

/* The oldest generation makes room for a new one. */
static struct rolling_generation *turn(struct rolling_set *set)
{
    struct rolling_generation *generation;
    uint32_t want = set->generation_items + set->generation_items / 4;
    uint32_t slots_n = 8;

    set->newest = (set->newest + 1) % ROLLING_SET_GENERATIONS;
    generation = &set->generations[set->newest];
    while (slots_n < want)
        slots_n *= 2;
    free(generation->slots);
    generation->slots = alloc_array(slots_n, sizeof(*generation->slots));
    generation->slots_n = slots_n;
    generation->used = 0;
    return generation;
}

static void add(struct rolling_set *set, uint64_t hash)
{
    struct rolling_generation *newest = &set->generations[set->newest];
    uint32_t *slot;

    if (newest->slots == NULL || newest->used == set->generation_items)
        newest = turn(set);
    slot = find_slot(newest, hash);
    /* Anew or again: it counts, so that what is older goes as it should. */
    if (*slot == 0)
        *slot = print_of(hash);
    newest->used++;
}

void rolling_set_add(struct rolling_set *set, const uint8_t *id)
{
    add(set, siphash_id(&set->key, id));
}

bool rolling_set_has(const struct rolling_set *set, const uint8_t *id)
{
    return has(set, siphash_id(&set->key, id));
}

void rolling_set_add_bytes(struct rolling_set *set, const void *data, size_t len)
{
    add(set, siphash_of(&set->key, data, len));
}

bool rolling_set_has_bytes(const struct rolling_set *set, const void *data, size_t len)
{
    return has(set, siphash_of(&set->key, data, len));
}
