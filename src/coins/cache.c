#include "base/alloc.h"
#include "base/check.h"
#include "coins/cache_priv.h"

#define SEGMENT_CAPACITY_MIN 8U
#define SEGMENT_OVER 16U /* Slots behind the capacity, and one more for each 64. */
#define CHANGES_CAPACITY_MIN 16U
/* The tick counts how often this share of the bound has come in. */
#define TICKS_PER_BOUND 64U
#define EVICT_AGE_START 32U
#define TICK_MASK 0xffU

static uint32_t segment_of(uint64_t hash)
{
    return (uint32_t)(hash >> (64 - CACHE_SEGMENT_BITS));
}

/* The hash bits of a slot, in its upper half. */
static uint64_t slot_tag(uint64_t hash)
{
    return hash << CACHE_SEGMENT_BITS & 0xffffffff00000000;
}

static uint32_t slot_home(uint64_t slot, uint32_t capacity)
{
    return (uint32_t)((slot >> 32) * capacity >> 32);
}

static bool segment_fill(struct cache_segment *segment, const struct cache_segment *old)
{
    uint32_t free_at = 0;

    for (uint32_t i = 0; i < old->slots_n; i++) {
        uint32_t home;

        if (old->slots[i] == 0)
            continue;
        home = slot_home(old->slots[i], segment->capacity);
        if (home > free_at)
            free_at = home;
        if (free_at + 1 >= segment->slots_n)
            return false;
        segment->slots[free_at++] = old->slots[i];
    }
    return true;
}

static void segment_resize(struct cache *cache, struct cache_segment *segment, uint32_t capacity)
{
    for (;;) {
        struct cache_segment made = {.capacity = capacity, .n = segment->n};

        made.slots_n = capacity + capacity / 64 + SEGMENT_OVER;
        made.slots = alloc_array(made.slots_n, sizeof(*made.slots));
        if (segment_fill(&made, segment)) {
            cache->list_bytes += (made.slots_n - segment->slots_n) * sizeof(*made.slots);
            free(segment->slots);
            *segment = made;
            return;
        }
        free(made.slots);
        capacity += capacity / 8 + 1;
    }
}

static void segment_insert(struct cache *cache, struct cache_segment *segment, uint64_t slot)
{
    uint32_t at;
    uint32_t end;

    if ((uint64_t)(segment->n + 1) * 5 > (uint64_t)segment->capacity * 4)
        segment_resize(cache, segment, segment->capacity + segment->capacity / 4 + 1);
    for (;;) {
        at = slot_home(slot, segment->capacity);
        while (segment->slots[at] != 0 && segment->slots[at] < slot)
            at++;
        end = at;
        while (segment->slots[end] != 0)
            end++;
        if (end + 1 < segment->slots_n) /* The last slot stays empty: it ends searches. */
            break;
        segment_resize(cache, segment, segment->capacity + segment->capacity / 4 + 1);
    }
    memmove(&segment->slots[at + 1], &segment->slots[at], (end - at) * sizeof(slot));
    segment->slots[at] = slot;
    segment->n++;
}

static uint32_t segment_where(const struct cache_segment *segment, uint64_t slot)
{
    uint32_t at = slot_home(slot, segment->capacity);

    while (segment->slots[at] != slot) {
        CHECK(segment->slots[at] != 0);
        at++;
    }
    return at;
}

static void segment_remove(struct cache *cache, struct cache_segment *segment, uint64_t slot)
{
    uint32_t at = segment_where(segment, slot);

    while (segment->slots[at + 1] != 0 &&
           slot_home(segment->slots[at + 1], segment->capacity) <= at) {
        segment->slots[at] = segment->slots[at + 1];
        at++;
    }
    segment->slots[at] = 0;
    segment->n--;
    if (segment->capacity > 8 * SEGMENT_CAPACITY_MIN && segment->n < segment->capacity / 3)
        segment_resize(cache, segment, segment->n + segment->n / 2);
}

static void changes_add(struct cache *cache, struct cache_changes *changes, uint64_t slot)
{
    if (changes->n == changes->capacity) {
        uint32_t capacity = changes->capacity + changes->capacity / 4 + CHANGES_CAPACITY_MIN;

        changes->slots = realloc_array(changes->slots, capacity, sizeof(slot));
        cache->list_bytes += (uint64_t)(capacity - changes->capacity) * sizeof(slot);
        changes->capacity = capacity;
    }
    changes->slots[changes->n++] = slot;
}

static void changes_clear(struct cache *cache, struct cache_changes *changes)
{
    cache->list_bytes -= (uint64_t)changes->capacity * sizeof(*changes->slots);
    free(changes->slots);
    *changes = (struct cache_changes){0};
}

void cache_init(struct cache *cache, const struct siphash_key *salt, uint64_t bound_bytes)
{
    memset(cache, 0, sizeof(*cache));
    cache->salt = *salt;
    cache->bound_bytes = bound_bytes;
    cache->evict_age = EVICT_AGE_START;
    cache->frozen_at = CACHE_SEGMENTS_N;
    cache->hand_page = 1;
    slab_init(&cache->slab);
    for (uint32_t i = 0; i < CACHE_SEGMENTS_N; i++)
        segment_resize(cache, &cache->segments[i], SEGMENT_CAPACITY_MIN);
}

void cache_clear(struct cache *cache)
{
    for (uint32_t i = 0; i < CACHE_SEGMENTS_N; i++) {
        free(cache->segments[i].slots);
        free(cache->changed[i].slots);
        free(cache->frozen[i].slots);
    }
    slab_clear(&cache->slab);
}

void cache_prefetch_slot(const struct cache *cache, uint64_t hash)
{
    const struct cache_segment *segment = &cache->segments[segment_of(hash)];

    __builtin_prefetch(&segment->slots[slot_home(slot_tag(hash), segment->capacity)]);
}

/* The first slot of the tag, or where it would be. */
static const uint64_t *find_slot(const struct cache *cache, uint64_t hash)
{
    const struct cache_segment *segment = &cache->segments[segment_of(hash)];
    uint64_t tag = slot_tag(hash);
    const uint64_t *at = &segment->slots[slot_home(tag, segment->capacity)];

    while (*at != 0 && *at < tag)
        at++;
    return at;
}

void cache_prefetch_entry(const struct cache *cache, uint64_t hash)
{
    uint64_t slot = *find_slot(cache, hash);

    if ((slot ^ slot_tag(hash)) >> 32 == 0 && slot != 0) {
        const char *entry = slab_at(&cache->slab, (slab_ref)slot);

        __builtin_prefetch(entry);
        __builtin_prefetch(entry + 64);
    }
}

slab_ref cache_find(const struct cache *cache, uint64_t hash, const struct outpoint *outpoint)
{
    uint64_t tag = slot_tag(hash);

    for (const uint64_t *at = find_slot(cache, hash); *at != 0 && (*at ^ tag) >> 32 == 0; at++) {
        slab_ref ref = (slab_ref)*at;

        if (outpoint_equal(&cache_entry(cache, ref)->outpoint, outpoint))
            return ref;
    }
    return 0;
}

static size_t entry_bytes(uint32_t meta)
{
    return sizeof(struct cache_entry) + entry_script_rest_len(meta);
}

/* A new entry with the given bits; it is not in the index yet. */
static slab_ref entry_new(struct cache *cache, const struct record *record, uint32_t bits)
{
    size_t len = record->script.rest.len;
    slab_ref ref = slab_take(&cache->slab, sizeof(struct cache_entry) + len);
    struct cache_entry *entry = cache_entry(cache, ref);

    entry->pos = 0;
    entry->outpoint = record->outpoint;
    entry->code = record->height << 1 | record->is_coinbase;
    entry->value[0] = (uint32_t)record->value_sat;
    entry->value[1] = (uint32_t)((uint64_t)record->value_sat >> 32);
    if (len > 0)
        memcpy(entry->rest, record->script.rest.data, len);
    entry_set_meta(entry, ENTRY_LIVE | bits | (uint32_t)record->script.kind << ENTRY_KIND_SHIFT |
                              (uint32_t)len << ENTRY_LEN_SHIFT |
                              (cache->tick & TICK_MASK) << ENTRY_BORN_SHIFT);
    cache->entries_n++;
    cache->entry_bytes += sizeof(*entry) + len;
    cache->tick_bytes += sizeof(*entry) + len;
    if (cache->tick_bytes > cache->bound_bytes / TICKS_PER_BOUND) {
        cache->tick_bytes = 0;
        cache->tick++;
    }
    return ref;
}

static void entry_free(struct cache *cache, slab_ref ref)
{
    cache->entries_n--;
    cache->entry_bytes -= entry_bytes(entry_meta(cache_entry(cache, ref)));
    slab_give_back(&cache->slab, ref);
}

static bool is_changed(const struct cache *cache, uint32_t meta)
{
    return (meta & ENTRY_CHANGED) != 0 && (meta & ENTRY_PARITY) == cache->parity;
}

static bool is_frozen(const struct cache *cache, uint32_t meta)
{
    return (meta & ENTRY_CHANGED) != 0 && (meta & ENTRY_PARITY) != cache->parity;
}

/* Puts an entry whose bits say it is changed on the list. */
static void note_change(struct cache *cache, uint64_t hash, slab_ref ref)
{
    struct cache_changes *changes = &cache->changed[segment_of(hash)];
    struct cache_entry *entry = cache_entry(cache, ref);

    entry->pos = changes->n;
    cache->changed_bytes += entry_bytes(entry_meta(entry));
    changes_add(cache, changes, slot_tag(hash) | ref);
}

static void forget_change(struct cache *cache, uint64_t hash, slab_ref ref)
{
    struct cache_changes *changes = &cache->changed[segment_of(hash)];
    const struct cache_entry *entry = cache_entry(cache, ref);
    uint64_t last;

    CHECK((slab_ref)changes->slots[entry->pos] == ref);
    last = changes->slots[--changes->n];
    cache->changed_bytes -= entry_bytes(entry_meta(entry));
    changes->slots[entry->pos] = last;
    cache_entry(cache, (slab_ref)last)->pos = entry->pos;
}

static void replace_slot(struct cache *cache, uint64_t hash, slab_ref old, slab_ref now)
{
    struct cache_segment *segment = &cache->segments[segment_of(hash)];

    /* Slots of equal tags are in the order of their references. */
    segment_remove(cache, segment, slot_tag(hash) | old);
    segment_insert(cache, segment, slot_tag(hash) | now);
}

slab_ref cache_load(struct cache *cache, uint64_t hash, const struct record *record)
{
    slab_ref ref = entry_new(cache, record, 0);

    segment_insert(cache, &cache->segments[segment_of(hash)], slot_tag(hash) | ref);
    return ref;
}

/* Takes old out of use, now that the index has another entry in its place. */
static void drop_old(struct cache *cache, uint64_t hash, slab_ref old)
{
    struct cache_entry *entry = cache_entry(cache, old);
    uint32_t meta = entry_meta(entry);

    if (is_frozen(cache, meta)) {
        entry->pos = ENTRY_DETACHED;
        return;
    }
    if (is_changed(cache, meta))
        forget_change(cache, hash, old);
    entry_free(cache, old);
}

void cache_add(struct cache *cache, uint64_t hash, const struct record *record, slab_ref old,
               bool is_fresh)
{
    uint32_t bits = ENTRY_CHANGED | cache->parity;
    slab_ref ref;

    if (old == 0) {
        bits |= is_fresh ? ENTRY_FRESH : 0;
    } else {
        uint32_t meta = entry_meta(cache_entry(cache, old));

        /* A frozen spend still hides what the disk has until it is committed: the new
         * entry must leave one behind too. */
        bits |= is_frozen(cache, meta) ? 0 : meta & ENTRY_FRESH;
    }
    ref = entry_new(cache, record, bits);
    if (old == 0) {
        segment_insert(cache, &cache->segments[segment_of(hash)], slot_tag(hash) | ref);
    } else {
        replace_slot(cache, hash, old, ref);
        drop_old(cache, hash, old);
    }
    note_change(cache, hash, ref);
}

void cache_spend(struct cache *cache, uint64_t hash, slab_ref ref)
{
    struct cache_entry *entry = cache_entry(cache, ref);
    uint32_t meta = entry_meta(entry);

    CHECK((meta & ENTRY_SPENT) == 0);
    if (is_frozen(cache, meta)) {
        struct record gone = {.outpoint = entry->outpoint};
        slab_ref now = entry_new(cache, &gone, ENTRY_SPENT | ENTRY_CHANGED | cache->parity);

        replace_slot(cache, hash, ref, now);
        entry->pos = ENTRY_DETACHED;
        note_change(cache, hash, now);
    } else if ((meta & ENTRY_CHANGED) == 0) {
        entry_set_meta(entry, meta | ENTRY_SPENT | ENTRY_CHANGED | cache->parity);
        note_change(cache, hash, ref);
    } else if ((meta & ENTRY_FRESH) != 0) {
        /* Made and spent between two commits: nothing of it was or will be on disk. */
        forget_change(cache, hash, ref);
        segment_remove(cache, &cache->segments[segment_of(hash)], slot_tag(hash) | ref);
        entry_free(cache, ref);
    } else {
        entry_set_meta(entry, meta | ENTRY_SPENT);
    }
}

void cache_freeze(struct cache *cache)
{
    CHECK(cache->frozen_at == CACHE_SEGMENTS_N);
    for (uint32_t i = 0; i < CACHE_SEGMENTS_N; i++) {
        cache->frozen[i] = cache->changed[i];
        cache->changed[i] = (struct cache_changes){0};
    }
    cache->frozen_at = 0;
    cache->frozen_bytes = cache->changed_bytes;
    cache->changed_bytes = 0;
    cache->parity ^= ENTRY_PARITY;
}

#define RETIRE_AHEAD 12U

static void retire_one(struct cache *cache, uint32_t segment, uint64_t slot)
{
    slab_ref ref = (slab_ref)slot;
    struct cache_entry *entry = cache_entry(cache, ref);
    uint32_t meta = entry_meta(entry);

    if (entry->pos == ENTRY_DETACHED) {
        entry_free(cache, ref);
    } else if ((meta & ENTRY_SPENT) != 0) {
        segment_remove(cache, &cache->segments[segment], slot);
        entry_free(cache, ref);
    } else {
        entry_set_meta(entry, meta & ~(ENTRY_CHANGED | ENTRY_PARITY | ENTRY_FRESH));
    }
}

bool cache_retire(struct cache *cache, uint32_t segments_n)
{
    for (; segments_n > 0 && cache->frozen_at < CACHE_SEGMENTS_N; segments_n--) {
        struct cache_changes *frozen = &cache->frozen[cache->frozen_at];

        for (uint32_t i = 0; i < frozen->n; i++) {
            if (i + RETIRE_AHEAD < frozen->n)
                __builtin_prefetch(
                    slab_at(&cache->slab, (slab_ref)frozen->slots[i + RETIRE_AHEAD]));
            retire_one(cache, cache->frozen_at, frozen->slots[i]);
        }
        changes_clear(cache, frozen);
        cache->frozen_at++;
    }
    if (cache->frozen_at < CACHE_SEGMENTS_N)
        return false;
    cache->frozen_bytes = 0;
    return true;
}

static void evict_page(struct cache *cache, uint32_t number)
{
    uint32_t items_n = slab_page_of(&cache->slab, number)->fresh_n;

    for (uint32_t i = 0; i < items_n; i++) {
        slab_ref ref = slab_item(&cache->slab, number, i);
        const struct cache_entry *entry = slab_at(&cache->slab, ref);
        uint32_t meta = entry_meta(entry);
        uint64_t hash;

        if (meta == 0 || (meta & ENTRY_CHANGED) != 0 ||
            ((cache->tick - (meta >> ENTRY_BORN_SHIFT)) & TICK_MASK) < cache->evict_age)
            continue;
        hash = outpoint_hash(&cache->salt, &entry->outpoint);
        segment_remove(cache, &cache->segments[segment_of(hash)], slot_tag(hash) | ref);
        entry_free(cache, ref);
        if (slab_page_of(&cache->slab, number)->data == NULL)
            return;
    }
}

/* Goes over every page once, or until entries and pages are down to what is wanted. */
static void evict_round(struct cache *cache, uint64_t entries_want, uint64_t pages_want)
{
    for (uint32_t left = cache->slab.pages_n; left > 0; left--) {
        if (cache->entry_bytes <= entries_want && cache->slab.bytes <= pages_want)
            return;
        if (++cache->hand_page >= cache->slab.pages_n)
            cache->hand_page = 1;
        if (cache->hand_page < cache->slab.pages_n &&
            slab_page_of(&cache->slab, cache->hand_page)->data != NULL)
            evict_page(cache, cache->hand_page);
    }
    cache->evict_age /= 2;
}

void cache_evict(struct cache *cache)
{
    uint64_t bound = cache->bound_bytes;
    uint64_t lists = MIN(cache->list_bytes, bound);
    uint64_t want = (bound - lists) / 16 * 15;
    uint32_t age = cache->evict_age;

    /* Where all is changed or frozen there is nothing to find, and the chain is asked
     * to flush (coins_pressure). */
    if (cache_bytes(cache) <= bound ||
        cache->entry_bytes <= cache->changed_bytes + cache->frozen_bytes + bound / 32)
        return;
    /* Freed places are used again, so entries count; pages only where the sizes that
     * are wanted have changed so much that freed places do not serve. */
    while (cache->entry_bytes > want && cache->evict_age > 0)
        evict_round(cache, want, UINT64_MAX);
    if (cache->entry_bytes > want || cache_bytes(cache) > bound + bound / 16)
        evict_round(cache, 0, bound - lists);
    cache->evict_age = cache->evict_age < age ? MAX(cache->evict_age, 1) : MIN(age + 1, 48U);
}
