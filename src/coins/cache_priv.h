/* Coins in memory: an index of eight-byte slots over entries in a slab. Private to
 * the coins room.
 *
 * The index has CACHE_SEGMENTS_N segments by the first bits of the outpoint's
 * hash. A segment is an array of slots in the order of their hashes, each near the
 * place that its hash is proportional to (linear probing that stays sorted): a
 * search ends as soon as a greater hash is met, and growing by a quarter is one
 * pass over a small array, so that there is no moment at which all is moved or
 * held twice. A slot also says whether its entry was changed, so that a freeze is
 * one pass over the slots, which come out in the order of the runs.
 *
 * An entry is clean (as on disk), changed (since the last freeze) or frozen (being
 * written by the flush thread). Frozen entries are not changed in place: whoever
 * changes one puts a new entry into the index, and the old one waits for
 * cache_retire.
 *
 * Owner thread: chain; the flush thread reads frozen entries.
 */
#ifndef COINS_CACHE_PRIV_H
#define COINS_CACHE_PRIV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "coins/record_priv.h"
#include "coins/slab_priv.h"
#include "crypto/siphash.h"
#include "primitives/coin.h"

#define CACHE_SEGMENT_BITS 9U
#define CACHE_SEGMENTS_N (1U << CACHE_SEGMENT_BITS)

/* Bits of an entry's meta word. */
#define ENTRY_LIVE 0x01U
#define ENTRY_SPENT 0x02U   /* The coin is gone, the disk may still have it. */
#define ENTRY_FRESH 0x04U   /* The disk does not have it. */
#define ENTRY_CHANGED 0x08U /* Changed or frozen: ENTRY_PARITY says which. */
#define ENTRY_PARITY 0x10U
#define ENTRY_CLAIMED 0x20U  /* By a spend of the change being looked at. */
#define ENTRY_DETACHED 0x40U /* Frozen, and no longer in the index. */
#define ENTRY_KIND_SHIFT 7U  /* Four bits. */
#define ENTRY_LEN_SHIFT 11U  /* Fourteen bits: of the packed script. */
#define ENTRY_BORN_SHIFT 25U /* Seven bits: the tick when it came in. */

struct cache_entry {
    _Atomic uint32_t meta;
    struct outpoint outpoint;
    uint32_t code;     /* height * 2 + coinbase */
    uint32_t value[2]; /* Low half first: an entry is aligned to four bytes only. */
    uint8_t rest[];    /* Of the script. */
};

/* A slot: 31 bits of the hash, whether the entry was changed, the reference. */
#define SLOT_EMPTY UINT64_MAX
#define SLOT_CHANGED ((uint64_t)1 << 32)
#define SLOT_TAG_MASK 0xfffffffe00000000

/* Slots looked at together, without a branch between them: a search ends within
 * the first such window nearly always, and branches that cannot be foreseen would
 * cost more than the slots. */
#define SEARCH_WINDOW 4U
struct cache_segment {
    uint64_t *slots; /* Owned. */
    uint32_t capacity;
    uint32_t slots_n; /* capacity and room for what is pushed over the end. */
    uint32_t n;
    uint32_t changed_n;
};

/* Slots of frozen entries, in order. */
struct cache_frozen {
    uint64_t *slots; /* Owned. */
    uint32_t n;
};

struct cache {
    struct siphash_key salt;
    struct cache_segment segments[CACHE_SEGMENTS_N];
    struct cache_frozen frozen[CACHE_SEGMENTS_N];
    uint32_t frozen_at; /* Segments below have been retired; at the end: none frozen. */
    uint32_t parity;    /* ENTRY_PARITY or 0: of changed entries now. */
    struct slab slab;
    uint64_t entries_n;
    uint64_t entry_bytes;   /* Of live entries, without slack. */
    uint64_t list_bytes;    /* Of segments and frozen slots. */
    uint64_t changed_bytes; /* Of changed entries. */
    uint64_t frozen_bytes;  /* Of frozen entries. */
    uint64_t bound_bytes;
    uint64_t tick_bytes; /* Came in since the last tick. */
    uint32_t tick;
    uint32_t hand_page; /* Where eviction goes on. */
    uint32_t evict_age; /* Ticks; younger entries are spared. */
};

void cache_init(struct cache *cache, const struct siphash_key *salt, uint64_t bound_bytes);
void cache_clear(struct cache *cache);

static inline uint64_t cache_bytes(const struct cache *cache)
{
    return cache->slab.bytes + cache->list_bytes;
}

static inline struct cache_entry *cache_entry(const struct cache *cache, slab_ref ref)
{
    return slab_at(&cache->slab, ref);
}

static inline uint32_t entry_meta(const struct cache_entry *entry)
{
    return atomic_load_explicit(&entry->meta, memory_order_relaxed);
}

static inline void entry_set_meta(struct cache_entry *entry, uint32_t meta)
{
    atomic_store_explicit(&entry->meta, meta, memory_order_relaxed);
}

static inline size_t entry_script_rest_len(uint32_t meta)
{
    return meta >> ENTRY_LEN_SHIFT & 0x3fff;
}

static inline struct packed_script entry_script(const struct cache_entry *entry)
{
    uint32_t meta = entry_meta(entry);

    return (struct packed_script){(enum script_kind)(meta >> ENTRY_KIND_SHIFT & 15),
                                  span_of(entry->rest, entry_script_rest_len(meta))};
}

static inline int64_t entry_value_sat(const struct cache_entry *entry)
{
    return (int64_t)((uint64_t)entry->value[1] << 32 | entry->value[0]);
}

static inline uint32_t segment_of(uint64_t hash)
{
    return (uint32_t)(hash >> (64 - CACHE_SEGMENT_BITS));
}

/* The hash bits of a slot. */
static inline uint64_t slot_tag(uint64_t hash)
{
    return hash << CACHE_SEGMENT_BITS & SLOT_TAG_MASK;
}

static inline uint32_t slot_home(uint64_t slot, uint32_t capacity)
{
    return (uint32_t)((slot >> 33) * capacity >> 31);
}

/* The first slot at or behind the tag's home that is not less than the tag: all
 * that are less stand in one row before it, and empty slots are greater than any. */
static inline uint32_t segment_search(const struct cache_segment *segment, uint64_t tag)
{
    uint32_t at = slot_home(tag, segment->capacity);
    uint32_t less_n;

    do {
        const uint64_t *slots = &segment->slots[at];

        less_n = (uint32_t)(slots[0] < tag) + (uint32_t)(slots[1] < tag) +
                 (uint32_t)(slots[2] < tag) + (uint32_t)(slots[3] < tag);
        at += less_n;
    } while (less_n == SEARCH_WINDOW);
    return at;
}

/* Two steps ahead of cache_find: bring the slot near, then the entry. Always inline:
 * gcc takes a function that only prefetches for one without effect, and drops calls. */
__attribute__((always_inline)) static inline void cache_prefetch_slot(const struct cache *cache,
                                                                      uint64_t hash)
{
    const struct cache_segment *segment = &cache->segments[segment_of(hash)];
    const uint64_t *home = &segment->slots[slot_home(slot_tag(hash), segment->capacity)];

    __builtin_prefetch(home);
    __builtin_prefetch(home + SEARCH_WINDOW);
}

static inline bool has_tag(uint64_t slot, uint64_t tag)
{
    return ((slot ^ tag) & SLOT_TAG_MASK) == 0 && slot != SLOT_EMPTY;
}

__attribute__((always_inline)) static inline void cache_prefetch_entry(const struct cache *cache,
                                                                       uint64_t hash)
{
    const struct cache_segment *segment = &cache->segments[segment_of(hash)];
    uint64_t tag = slot_tag(hash);
    uint64_t slot = segment->slots[segment_search(segment, tag)];

    if (has_tag(slot, tag)) {
        const char *entry = slab_at(&cache->slab, (slab_ref)slot);

        __builtin_prefetch(entry);
        __builtin_prefetch(entry + 64);
    }
}

/* As outpoint_equal, without a call: it nearly always says yes. */
static inline bool is_same_outpoint(const struct outpoint *a, const struct outpoint *b)
{
    uint64_t differs = a->vout ^ b->vout;

    for (size_t i = 0; i < HASH_BYTES; i += 8)
        differs |= get_le64(a->txid.b + i) ^ get_le64(b->txid.b + i);
    return differs == 0;
}

/* The entry of an outpoint, spent or not, or 0. */
static inline slab_ref cache_find(const struct cache *cache, uint64_t hash,
                                  const struct outpoint *outpoint)
{
    const struct cache_segment *segment = &cache->segments[segment_of(hash)];
    uint64_t tag = slot_tag(hash);

    for (uint32_t at = segment_search(segment, tag); has_tag(segment->slots[at], tag); at++) {
        slab_ref ref = (slab_ref)segment->slots[at];

        if (is_same_outpoint(&cache_entry(cache, ref)->outpoint, outpoint))
            return ref;
    }
    return 0;
}

/* A coin that the disk has and the cache has not. */
slab_ref cache_load(struct cache *cache, uint64_t hash, const struct record *record);
/* Adds a coin over old, what cache_find gave. is_fresh: if old is 0, the disk does
 * certainly not have it. */
void cache_add(struct cache *cache, uint64_t hash, const struct record *record, slab_ref old,
               bool is_fresh);
/* Removes the coin of an entry that is not spent. */
void cache_spend(struct cache *cache, uint64_t hash, slab_ref ref);

/* Changed entries become the frozen ones, of which there must be none left. */
void cache_freeze(struct cache *cache);
/* Takes back what was frozen, after it has been written and the disk is asked as it
 * is now: up to segments_n segments. true: none is left. */
bool cache_retire(struct cache *cache, uint32_t segments_n);
/* Drops clean entries, old ones first, until the bound holds or none is left. */
void cache_evict(struct cache *cache);

#endif /* COINS_CACHE_PRIV_H */
