#include "base/alloc.h"
#include "base/check.h"
#include "coins/cache_priv.h"

#define SEGMENT_CAPACITY_MIN 8U
#define SEGMENT_OVER 16U /* Slots behind the capacity, and one more for each 64. */
/* The tick counts how often this share of the bound has come in. */
#define TICKS_PER_BOUND 32U
#define EVICT_AGE_START 16U
#define EVICT_AGE_MAX 24U
#define TICK_MASK 0x7fU
#define LARGE_BLOCKS_FROM ((uint64_t)64 << 20)

static bool segment_fill(struct cache_segment *segment, const struct cache_segment *old)
{
    uint32_t free_at = 0;

    for (uint32_t i = 0; i < old->slots_n; i++) {
        uint32_t home;

        if (old->slots[i] == SLOT_EMPTY)
            continue;
        home = slot_home(old->slots[i], segment->capacity);
        if (home > free_at)
            free_at = home;
        if (free_at + SEARCH_WINDOW >= segment->slots_n)
            return false;
        segment->slots[free_at++] = old->slots[i];
    }
    return true;
}

static void segment_resize(struct cache *cache, struct cache_segment *segment, uint32_t capacity)
{
    for (;;) {
        struct cache_segment made = *segment;

        made.capacity = capacity;
        made.slots_n = capacity + capacity / 64 + SEGMENT_OVER;
        made.slots = alloc(made.slots_n * sizeof(*made.slots));
        memset(made.slots, 0xff, made.slots_n * sizeof(*made.slots));
        if (segment_fill(&made, segment)) {
            cache->list_bytes += made.slots_n * sizeof(*made.slots);
            cache->list_bytes -= segment->slots_n * sizeof(*made.slots);
            free(segment->slots);
            *segment = made;
            return;
        }
        free(made.slots);
        capacity += capacity / 8 + 1;
    }
}

static void segment_grow(struct cache *cache, struct cache_segment *segment)
{
    segment_resize(cache, segment, segment->capacity + segment->capacity / 4 + 1);
}

static void segment_insert(struct cache *cache, uint64_t hash, uint64_t slot)
{
    struct cache_segment *segment = &cache->segments[segment_of(hash)];
    uint32_t at;
    uint32_t end;

    if ((uint64_t)(segment->n + 1) * 5 > (uint64_t)segment->capacity * 4)
        segment_grow(cache, segment);
    for (;;) {
        at = segment_search(segment, slot & SLOT_TAG_MASK);
        end = at;
        while (segment->slots[end] != SLOT_EMPTY)
            end++;
        if (end + SEARCH_WINDOW < segment->slots_n) /* A search may read a window more. */
            break;
        segment_grow(cache, segment);
    }
    for (; end > at; end--)
        segment->slots[end] = segment->slots[end - 1];
    segment->slots[at] = slot;
    segment->n++;
    segment->changed_n += (slot & SLOT_CHANGED) != 0;
}

/* The slot of an entry that is in the index. */
static uint64_t *find_slot_of(const struct cache *cache, uint64_t hash, slab_ref ref)
{
    const struct cache_segment *segment = &cache->segments[segment_of(hash)];
    uint32_t at = segment_search(segment, slot_tag(hash));

    while ((slab_ref)segment->slots[at] != ref) {
        CHECK(segment->slots[at] != SLOT_EMPTY);
        at++;
    }
    return &segment->slots[at];
}

static void segment_remove(struct cache *cache, uint64_t hash, slab_ref ref)
{
    struct cache_segment *segment = &cache->segments[segment_of(hash)];
    uint64_t *slot = find_slot_of(cache, hash, ref);
    uint32_t at = (uint32_t)(slot - segment->slots);

    segment->changed_n -= (*slot & SLOT_CHANGED) != 0;
    while (segment->slots[at + 1] != SLOT_EMPTY &&
           slot_home(segment->slots[at + 1], segment->capacity) <= at) {
        segment->slots[at] = segment->slots[at + 1];
        at++;
    }
    segment->slots[at] = SLOT_EMPTY;
    segment->n--;
    if (segment->capacity > 8 * SEGMENT_CAPACITY_MIN && segment->n < segment->capacity / 3)
        segment_resize(cache, segment, segment->n + segment->n / 2);
}

void cache_init(struct cache *cache, const struct siphash_key *salt, uint64_t bound_bytes)
{
    memset(cache, 0, sizeof(*cache));
    cache->salt = *salt;
    cache->bound_bytes = bound_bytes;
    cache->evict_age = EVICT_AGE_START;
    cache->frozen_at = CACHE_SEGMENTS_N;
    cache->hand_page = 1;
    slab_init(&cache->slab, bound_bytes >= LARGE_BLOCKS_FROM);
    for (uint32_t i = 0; i < CACHE_SEGMENTS_N; i++)
        segment_resize(cache, &cache->segments[i], SEGMENT_CAPACITY_MIN);
}

void cache_clear(struct cache *cache)
{
    for (uint32_t i = 0; i < CACHE_SEGMENTS_N; i++) {
        free(cache->segments[i].slots);
        free(cache->frozen[i].slots);
    }
    slab_clear(&cache->slab);
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

slab_ref cache_load(struct cache *cache, uint64_t hash, const struct record *record)
{
    slab_ref ref = entry_new(cache, record, 0);

    segment_insert(cache, hash, slot_tag(hash) | ref);
    return ref;
}

static void detach(struct cache_entry *entry)
{
    entry_set_meta(entry, entry_meta(entry) | ENTRY_DETACHED);
}

/* Takes an entry out of the index, and out of use unless it is frozen. */
static void drop(struct cache *cache, uint64_t hash, slab_ref ref)
{
    struct cache_entry *entry = cache_entry(cache, ref);
    uint32_t meta = entry_meta(entry);

    segment_remove(cache, hash, ref);
    if (is_frozen(cache, meta)) {
        detach(entry);
        return;
    }
    if (is_changed(cache, meta))
        cache->changed_bytes -= entry_bytes(meta);
    entry_free(cache, ref);
}

/* A new entry, changed, in the index. */
static void insert_changed(struct cache *cache, uint64_t hash, const struct record *record,
                           uint32_t bits)
{
    slab_ref ref = entry_new(cache, record, bits | ENTRY_CHANGED | cache->parity);

    cache->changed_bytes += entry_bytes(entry_meta(cache_entry(cache, ref)));
    segment_insert(cache, hash, slot_tag(hash) | SLOT_CHANGED | ref);
}

void cache_add(struct cache *cache, uint64_t hash, const struct record *record, slab_ref old,
               bool is_fresh)
{
    uint32_t bits = is_fresh ? ENTRY_FRESH : 0;

    if (old != 0) {
        uint32_t meta = entry_meta(cache_entry(cache, old));

        /* A frozen spend still hides what the disk has until it is committed: the new
         * entry must leave one behind too. */
        bits = is_frozen(cache, meta) ? 0 : meta & ENTRY_FRESH;
        drop(cache, hash, old);
    }
    insert_changed(cache, hash, record, bits);
}

void cache_spend(struct cache *cache, uint64_t hash, slab_ref ref)
{
    struct cache_entry *entry = cache_entry(cache, ref);
    uint32_t meta = entry_meta(entry);

    CHECK((meta & ENTRY_SPENT) == 0);
    if (is_frozen(cache, meta)) {
        struct record gone = {.outpoint = entry->outpoint};

        drop(cache, hash, ref);
        insert_changed(cache, hash, &gone, ENTRY_SPENT);
    } else if ((meta & ENTRY_CHANGED) == 0) {
        entry_set_meta(entry, meta | ENTRY_SPENT | ENTRY_CHANGED | cache->parity);
        cache->changed_bytes += entry_bytes(meta);
        *find_slot_of(cache, hash, ref) |= SLOT_CHANGED;
        cache->segments[segment_of(hash)].changed_n++;
    } else if ((meta & ENTRY_FRESH) != 0) {
        /* Made and spent between two commits: nothing of it was or will be on disk. */
        drop(cache, hash, ref);
    } else {
        entry_set_meta(entry, meta | ENTRY_SPENT);
    }
}

static void freeze_segment(struct cache *cache, struct cache_segment *segment,
                           struct cache_frozen *frozen)
{
    uint32_t n = 0;

    if (segment->changed_n == 0)
        return;
    frozen->slots = alloc(segment->changed_n * sizeof(*frozen->slots));
    for (uint32_t i = 0; i < segment->slots_n; i++) {
        uint64_t slot = segment->slots[i];

        if (slot == SLOT_EMPTY || (slot & SLOT_CHANGED) == 0)
            continue;
        segment->slots[i] = slot & ~SLOT_CHANGED;
        frozen->slots[n++] = slot & ~SLOT_CHANGED;
    }
    CHECK(n == segment->changed_n);
    frozen->n = n;
    segment->changed_n = 0;
    cache->list_bytes += n * sizeof(*frozen->slots);
}

void cache_freeze(struct cache *cache)
{
    CHECK(cache->frozen_at == CACHE_SEGMENTS_N);
    for (uint32_t i = 0; i < CACHE_SEGMENTS_N; i++)
        freeze_segment(cache, &cache->segments[i], &cache->frozen[i]);
    cache->frozen_at = 0;
    cache->frozen_bytes = cache->changed_bytes;
    cache->changed_bytes = 0;
    cache->parity ^= ENTRY_PARITY;
}

#define RETIRE_AHEAD 12U

static void retire_one(struct cache *cache, slab_ref ref)
{
    struct cache_entry *entry = cache_entry(cache, ref);
    uint32_t meta = entry_meta(entry);

    if ((meta & ENTRY_DETACHED) != 0) {
        entry_free(cache, ref);
    } else if ((meta & ENTRY_SPENT) != 0) {
        segment_remove(cache, outpoint_hash(&cache->salt, &entry->outpoint), ref);
        entry_free(cache, ref);
    } else {
        entry_set_meta(entry, meta & ~(ENTRY_CHANGED | ENTRY_PARITY | ENTRY_FRESH));
    }
}

bool cache_retire(struct cache *cache, uint32_t segments_n)
{
    for (; segments_n > 0 && cache->frozen_at < CACHE_SEGMENTS_N; segments_n--) {
        struct cache_frozen *frozen = &cache->frozen[cache->frozen_at++];

        for (uint32_t i = 0; i < frozen->n; i++) {
            if (i + RETIRE_AHEAD < frozen->n)
                __builtin_prefetch(
                    slab_at(&cache->slab, (slab_ref)frozen->slots[i + RETIRE_AHEAD]));
            retire_one(cache, (slab_ref)frozen->slots[i]);
        }
        cache->list_bytes -= frozen->n * sizeof(*frozen->slots);
        free(frozen->slots);
        *frozen = (struct cache_frozen){0};
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

        if (meta == 0 || (meta & ENTRY_CHANGED) != 0 ||
            ((cache->tick - (meta >> ENTRY_BORN_SHIFT)) & TICK_MASK) < cache->evict_age)
            continue;
        segment_remove(cache, outpoint_hash(&cache->salt, &entry->outpoint), ref);
        entry_free(cache, ref);
        if (slab_page_of(&cache->slab, number)->fresh_n == 0)
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
        if (cache->hand_page < cache->slab.pages_n)
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
    if (cache->evict_age < age)
        cache->evict_age = MAX(cache->evict_age, 1);
    else
        cache->evict_age = MIN(age + 1, EVICT_AGE_MAX);
}
