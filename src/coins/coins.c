#include "coins/coins.h"

#include "base/alloc.h"
#include "base/check.h"
#include "coins/coins_priv.h"
#include "primitives/amount.h"

#define CACHE_BYTES_MIN ((uint64_t)4 << 20)
#define CACHE_BYTES_MAX ((uint64_t)15 << 30) /* The slab's references reach 16 GiB. */
#define LOCK_NAME "coins.lock"
/* How far ahead of the coin at hand its slot and its entry are asked for. */
#define SLOT_AHEAD 16U
#define ENTRY_AHEAD 8U
/* Segments taken back after a flush with each block: all within 32 blocks. */
#define RETIRE_SEGMENTS_N 16U

static uint64_t bound_of(uint64_t cache_bytes)
{
    return MIN(MAX(cache_bytes, CACHE_BYTES_MIN), CACHE_BYTES_MAX);
}

int coins_open(struct coins_store **ret_store, const struct coins_options *options,
               struct error *err)
{
    struct coins_store *store = alloc_zero(sizeof(*store));
    uint64_t bound = bound_of(options->cache_bytes);
    char *lock_path = NULL;
    int rc;

    store->disk = options->disk;
    store->folder = alloc_string(options->folder);
    store->filter_bytes_max = bound / 8;
    mutex_init(&store->mutex);
    cond_init(&store->wake);
    cond_init(&store->ended);
    lock_path = alloc_printf("%s/" LOCK_NAME, options->folder);
    rc = disk_make_folder(store->disk, options->folder, err);
    if (rc == 0)
        rc = disk_lock(store->disk, &store->lock, lock_path, err);
    if (rc == 0 && options->must_be_empty)
        rc = flush_remove_files(store, NULL, err);
    if (rc == 0)
        rc = flush_open(store, err);
    if (rc < 0)
        goto done;
    cache_init(&store->cache, &store->salt, bound);
    store->set = run_set_ref(store->current);
    store->tip = store->current_tip;
    store->committed_tip = store->current_tip;
    rc = flush_begin(store, err);
    if (rc < 0)
        goto done;
    *ret_store = store;
    store = NULL; /* The caller owns it now. */

done:
    if (rc < 0)
        error_wrap(err, "could not open the coins in '%s'", options->folder);
    coins_close(store);
    free(lock_path);
    return rc;
}

int coins_remove(struct disk *disk, const char *folder, struct error *err)
{
    struct coins_store store = {.disk = disk, .folder = alloc_string(folder)};
    char *lock_path = alloc_printf("%s/" LOCK_NAME, folder);
    struct disk_entry *entries = NULL;
    struct disk_entry entry;
    size_t entries_n = 0;
    int rc = disk_stat(disk, folder, &entry, err);

    if (rc == 0)
        rc = disk_lock(disk, &store.lock, lock_path, err);
    if (rc == 0)
        rc = flush_remove_files(&store, NULL, err);
    disk_close(store.lock);
    if (rc == 0)
        rc = disk_remove(disk, lock_path, err);
    if (rc == 0)
        rc = disk_list(disk, folder, &entries, &entries_n, err);
    if (rc == 0 && entries_n == 0)
        rc = disk_remove(disk, folder, err);
    disk_entries_free(entries, entries_n);
    free(lock_path);
    free(store.folder);
    return rc == E_NOT_FOUND ? 0 : rc;
}

static int has_manifest(struct disk *disk, bool *ret_has, const char *folder, struct error *err)
{
    char *path = alloc_printf("%s/" COINS_MANIFEST_NAME, folder);
    struct disk_entry entry;
    int rc = disk_stat(disk, path, &entry, err);

    free(path);
    *ret_has = rc == 0;
    return rc == E_NOT_FOUND ? 0 : rc;
}

static int lock_store(struct coins_store *store, struct disk *disk, const char *folder,
                      struct error *err)
{
    char *lock_path = alloc_printf("%s/" LOCK_NAME, folder);
    int rc;

    *store = (struct coins_store){.disk = disk, .folder = alloc_string(folder)};
    rc = disk_make_folder(disk, folder, err);
    if (rc == 0)
        rc = disk_lock(disk, &store->lock, lock_path, err);
    free(lock_path);
    return rc;
}

static void unlock_store(struct coins_store *store)
{
    disk_close(store->lock);
    free(store->folder);
}

/* Both are ours alone. */
static int move_locked(struct coins_store *source, struct coins_store *target, struct error *err)
{
    bool is_whole;
    int rc = has_manifest(target->disk, &is_whole, target->folder, err);

    /* Without a manifest the runs that are there may be some that have moved. */
    if (rc == 0 && is_whole)
        rc = flush_remove_files(target, NULL, err);
    return rc < 0 ? rc : flush_move_files(source, target->folder, err);
}

int coins_move(struct disk *disk, const char *from, const char *to, struct error *err)
{
    struct coins_store source = {0};
    struct coins_store target = {0};
    bool is_there;
    int rc = has_manifest(disk, &is_there, from, err);

    if (rc == 0 && is_there) {
        rc = lock_store(&source, disk, from, err);
        if (rc == 0)
            rc = lock_store(&target, disk, to, err);
        if (rc == 0)
            rc = move_locked(&source, &target, err);
        unlock_store(&target);
        unlock_store(&source);
    }
    if (rc == 0)
        rc = coins_remove(disk, from, err);
    if (rc < 0)
        error_wrap(err, "could not move the coins from '%s' to '%s'", from, to);
    return rc;
}

void coins_set_cache_bytes(struct coins_store *store, uint64_t bytes)
{
    store->cache.bound_bytes = bound_of(bytes);
    cache_evict(&store->cache);
}

void coins_close(struct coins_store *own_store)
{
    if (own_store == NULL)
        return;
    flush_close(own_store);
    run_set_unref(own_store->set);
    cache_clear(&own_store->cache);
    disk_close(own_store->lock);
    cond_clear(&own_store->wake);
    cond_clear(&own_store->ended);
    mutex_clear(&own_store->mutex);
    buf_clear(&own_store->scratch);
    free(own_store->hashes);
    free(own_store->refs);
    free(own_store->folder);
    free(own_store);
}

struct block_hash coins_tip(const struct coins_store *store)
{
    return store->tip;
}

struct block_hash coins_committed_tip(const struct coins_store *store)
{
    return store->committed_tip;
}

uint64_t coins_cache_bytes(const struct coins_store *store)
{
    return cache_bytes(&store->cache) + run_set_memory_bytes(store->set);
}

uint64_t coins_cache_count(const struct coins_store *store)
{
    return store->cache.entries_n;
}

uint64_t coins_disk_bytes(const struct coins_store *store)
{
    return run_set_file_bytes(store->set);
}

enum coins_pressure coins_pressure(const struct coins_store *store)
{
    uint64_t bound = store->cache.bound_bytes;

    if (store->is_flushing)
        return cache_bytes(&store->cache) > bound + bound / 16 ? COINS_MUST_WAIT : COINS_AT_EASE;
    return store->cache.changed_bytes > bound * 2 / 5 ? COINS_WANT_FLUSH : COINS_AT_EASE;
}

/* Reads from now on what the last commit made. Under the mutex. */
static void adopt_set(struct coins_store *store)
{
    run_set_unref(store->set);
    store->set = run_set_ref(store->current);
    store->set_serial = atomic_load(&store->serial);
}

/* Looks whether the flush thread has committed something since. */
static void look_at_commits(struct coins_store *store)
{
    if (atomic_load(&store->serial) == store->set_serial)
        return;
    mutex_lock(&store->mutex);
    adopt_set(store);
    if (store->flush_state == FLUSH_WRITTEN) {
        store->flush_state = FLUSH_NONE;
        store->committed_tip = store->flush_tip;
        store->is_flushing = false;
    }
    mutex_unlock(&store->mutex);
}

static void reserve_batch(struct coins_store *store, size_t n)
{
    if (n <= store->batch_capacity)
        return;
    store->hashes = realloc_array(store->hashes, n, sizeof(*store->hashes));
    store->refs = realloc_array(store->refs, n, sizeof(*store->refs));
    store->batch_capacity = n;
}

/* Step i of a walk over a batch: asks for what the next steps need. Called for i from
 * 0 to n + SLOT_AHEAD - 1; the item to work on is i - SLOT_AHEAD. */
static inline void prefetch_step(struct coins_store *store, uint64_t *hashes,
                                 const struct outpoint *outpoints, size_t i, size_t n)
{
    if (i < n) {
        hashes[i] = outpoint_hash(&store->salt, &outpoints[i]);
        cache_prefetch_slot(&store->cache, hashes[i]);
    }
    if (i >= SLOT_AHEAD - ENTRY_AHEAD && i - (SLOT_AHEAD - ENTRY_AHEAD) < n)
        cache_prefetch_entry(&store->cache, hashes[i - (SLOT_AHEAD - ENTRY_AHEAD)]);
}

static void coin_from_entry(struct coin *ret_coin, const struct cache_entry *entry,
                            struct arena *arena)
{
    struct packed_script packed = entry_script(entry);
    size_t len = script_unpacked_len(packed);
    uint8_t *script = arena_alloc(arena, len);

    script_unpack(script, packed);
    *ret_coin = (struct coin){
        .value_sat = entry_value_sat(entry),
        .script_pubkey = span_of(script, len),
        .height = entry->code >> 1,
        .is_coinbase = (entry->code & 1) != 0,
    };
}

/* The entry of a coin that is there, brought from the disk if need be; *ret_ref is 0
 * where the coin is absent or spent. */
static int find_live(struct coins_store *store, slab_ref *ret_ref, uint64_t hash,
                     const struct outpoint *outpoint, struct error *err)
{
    slab_ref ref = cache_find(&store->cache, hash, outpoint);
    struct record record;
    int rc;

    *ret_ref = 0;
    if (ref != 0) {
        if ((entry_meta(cache_entry(&store->cache, ref)) & ENTRY_SPENT) == 0)
            *ret_ref = ref;
        return 0;
    }
    rc = run_set_find(store->set, &record, hash, outpoint, &store->scratch, err);
    if (rc == 1)
        *ret_ref = cache_load(&store->cache, hash, &record);
    return rc < 0 ? rc : 0;
}

int coins_find_many(struct coins_store *store, struct coin *ret_coins, bool *ret_found,
                    const struct outpoint *outpoints, size_t n, struct arena *arena,
                    struct error *err)
{
    int rc = 0;

    look_at_commits(store);
    reserve_batch(store, n);
    for (size_t i = 0; i < n + SLOT_AHEAD && rc == 0; i++) {
        size_t at = i - SLOT_AHEAD;
        slab_ref ref;

        prefetch_step(store, store->hashes, outpoints, i, n);
        if (i < SLOT_AHEAD)
            continue;
        rc = find_live(store, &ref, store->hashes[at], &outpoints[at], err);
        ret_found[at] = ref != 0;
        if (ref != 0)
            coin_from_entry(&ret_coins[at], cache_entry(&store->cache, ref), arena);
        else
            ret_coins[at] = (struct coin){0};
    }
    cache_evict(&store->cache);
    return rc;
}

/* A change in terms of the store: what goes and what comes. */
struct turn {
    const struct outpoint *removes;
    size_t removes_n;
    const struct outpoint *puts;
    const struct coin *put_coins;
    size_t puts_n;
    bool may_replace;
    bool may_be_gone; /* A remove that is absent is passed over. */
};

static void set_claim(struct coins_store *store, slab_ref ref, bool is_claimed)
{
    struct cache_entry *entry = cache_entry(&store->cache, ref);
    uint32_t meta = entry_meta(entry);

    entry_set_meta(entry, is_claimed ? meta | ENTRY_CLAIMED : meta & ~ENTRY_CLAIMED);
}

static void unclaim(struct coins_store *store, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (store->refs[i] != 0)
            set_claim(store, store->refs[i], false);
    }
}

/* Finds and claims what goes, so that nothing goes twice. *ret_claimed_n: how many
 * were looked at; the one behind is absent if that is less than all. */
static int claim_removes(struct coins_store *store, struct coin *ret_coins, size_t *ret_claimed_n,
                         const struct turn *turn, struct arena *arena, struct error *err)
{
    size_t n = turn->removes_n;
    int rc;

    *ret_claimed_n = 0;
    for (size_t i = 0; i < n + SLOT_AHEAD; i++) {
        size_t at = i - SLOT_AHEAD;
        slab_ref ref;

        prefetch_step(store, store->hashes, turn->removes, i, n);
        if (i < SLOT_AHEAD)
            continue;
        rc = find_live(store, &ref, store->hashes[at], &turn->removes[at], err);
        if (rc < 0)
            return rc;
        if (ref != 0 && (entry_meta(cache_entry(&store->cache, ref)) & ENTRY_CLAIMED) != 0)
            ref = 0;
        if (ref == 0 && !turn->may_be_gone)
            return 0;
        store->refs[at] = ref;
        if (ref != 0)
            set_claim(store, ref, true);
        if (ref != 0 && ret_coins != NULL)
            coin_from_entry(&ret_coins[at], cache_entry(&store->cache, ref), arena);
        *ret_claimed_n = at + 1;
    }
    return 0;
}

/* Looks that what comes can come. */
static int check_puts(struct coins_store *store, uint64_t *hashes, const struct turn *turn,
                      struct error *err)
{
    for (size_t i = 0; i < turn->puts_n + SLOT_AHEAD; i++) {
        size_t at = i - SLOT_AHEAD;
        const struct coin *coin;
        slab_ref ref;

        /* What comes is not there as a rule: no entry to ask for. */
        if (i < turn->puts_n) {
            hashes[i] = outpoint_hash(&store->salt, &turn->puts[i]);
            cache_prefetch_slot(&store->cache, hashes[i]);
        }
        if (i < SLOT_AHEAD)
            continue;
        coin = &turn->put_coins[at];
        if (!money_in_range(coin->value_sat) || coin->height > UINT32_MAX >> 1 ||
            coin->script_pubkey.len > SCRIPT_BYTES_MAX)
            return error_set(err, E_LIMIT, "coin %zu of a change is out of range", at);
        ref = cache_find(&store->cache, hashes[at], &turn->puts[at]);
        if (!turn->may_replace && ref != 0 &&
            (entry_meta(cache_entry(&store->cache, ref)) & ENTRY_SPENT) == 0)
            return error_set(err, E_STATE, "coin %s:%u is there already",
                             hash_hex(turn->puts[at].txid.b).text, turn->puts[at].vout);
    }
    return 0;
}

static void take_turn(struct coins_store *store, const uint64_t *put_hashes,
                      const struct turn *turn)
{
    for (size_t i = 0; i < turn->removes_n; i++) {
        /* A large block has been through the processor's cache once and is gone. */
        if (i + ENTRY_AHEAD < turn->removes_n && store->refs[i + ENTRY_AHEAD] != 0) {
            __builtin_prefetch(cache_entry(&store->cache, store->refs[i + ENTRY_AHEAD]));
            cache_prefetch_slot(&store->cache, store->hashes[i + ENTRY_AHEAD]);
        }
        if (store->refs[i] == 0)
            continue;
        set_claim(store, store->refs[i], false);
        cache_spend(&store->cache, store->hashes[i], store->refs[i]);
    }
    for (size_t i = 0; i < turn->puts_n; i++) {
        const struct coin *coin = &turn->put_coins[i];
        struct record record = {
            .outpoint = turn->puts[i],
            .height = coin->height,
            .is_coinbase = coin->is_coinbase,
            .value_sat = coin->value_sat,
            .script = script_pack(coin->script_pubkey),
        };
        /* What a block makes did not exist before, unless it is one of BIP 30's
         * exceptions; what a revert brings back was spent on disk or never there. */
        slab_ref old = cache_find(&store->cache, put_hashes[i], &turn->puts[i]);

        if (i + ENTRY_AHEAD < turn->puts_n)
            cache_prefetch_slot(&store->cache, put_hashes[i + ENTRY_AHEAD]);
        cache_add(&store->cache, put_hashes[i], &record, old, !turn->may_replace);
    }
}

/* All or nothing; *ret_absent: the remove that was not there, or SIZE_MAX. */
static int apply_turn(struct coins_store *store, struct coin *ret_coins, size_t *ret_absent,
                      const struct turn *turn, struct arena *arena, struct error *err)
{
    uint64_t *put_hashes;
    size_t claimed_n;
    int rc;

    *ret_absent = SIZE_MAX;
    look_at_commits(store);
    reserve_batch(store, turn->removes_n + turn->puts_n + 1); /* Never NULL. */
    put_hashes = store->hashes + turn->removes_n;
    rc = claim_removes(store, ret_coins, &claimed_n, turn, arena, err);
    if (rc == 0 && claimed_n < turn->removes_n) {
        *ret_absent = claimed_n;
        unclaim(store, claimed_n);
        return 0;
    }
    if (rc == 0)
        rc = check_puts(store, put_hashes, turn, err);
    if (rc < 0) {
        unclaim(store, claimed_n);
        return rc;
    }
    take_turn(store, put_hashes, turn);
    if (!store->is_flushing)
        (void)cache_retire(&store->cache, RETIRE_SEGMENTS_N);
    cache_evict(&store->cache);
    return 0;
}

int coins_apply(struct coins_store *store, struct coin *ret_spent, size_t *ret_missing,
                const struct coins_change *change, struct arena *arena, struct error *err)
{
    struct turn turn = {
        .removes = change->spends,
        .removes_n = change->spends_n,
        .puts = change->adds,
        .put_coins = change->add_coins,
        .puts_n = change->adds_n,
        .may_replace = change->may_replace,
    };
    int rc = apply_turn(store, ret_spent, ret_missing, &turn, arena, err);

    if (rc == 0 && *ret_missing == SIZE_MAX)
        store->tip = change->new_tip;
    return rc;
}

int coins_revert(struct coins_store *store, const struct coins_change *change, struct error *err)
{
    struct turn turn = {
        .removes = change->adds,
        .removes_n = change->adds_n,
        .puts = change->spends,
        .put_coins = change->spent_coins,
        .puts_n = change->spends_n,
        .may_replace = change->may_replace,
        .may_be_gone = change->may_replace,
    };
    size_t absent;
    int rc = apply_turn(store, NULL, &absent, &turn, NULL, err);

    if (rc < 0)
        return rc;
    if (absent != SIZE_MAX)
        return error_set(err, E_STATE, "coin %s:%u, made by the block, is not there",
                         hash_hex(change->adds[absent].txid.b).text, change->adds[absent].vout);
    store->tip = change->new_tip;
    return 0;
}

/* The error that the flush thread ended with, if it did. Under the mutex. */
static int failure(const struct coins_store *store, struct error *err)
{
    if (store->failed_rc < 0)
        return error_set(err, store->failed_rc, "could not write coins: %s",
                         error_text(&store->failed));
    return 0;
}

int coins_flush_start(struct coins_store *store,
                      int (*before_commit)(void *context, struct error *err), void *context,
                      struct error *err)
{
    int rc = coins_flush_poll(store, err);

    if (rc < 0)
        return rc;
    if (rc > 0)
        return error_set(err, E_STATE, "a flush of the coins is under way");
    (void)cache_retire(&store->cache, CACHE_SEGMENTS_N);
    cache_freeze(&store->cache);
    store->is_flushing = true;
    mutex_lock(&store->mutex);
    store->flush_state = FLUSH_WANTED;
    store->flush_tip = store->tip;
    store->before_commit = before_commit;
    store->before_commit_context = context;
    cond_signal(&store->wake);
    mutex_unlock(&store->mutex);
    return 0;
}

int coins_flush_poll(struct coins_store *store, struct error *err)
{
    int rc;

    look_at_commits(store);
    mutex_lock(&store->mutex);
    rc = failure(store, err);
    mutex_unlock(&store->mutex);
    return rc < 0 ? rc : store->is_flushing;
}

/* Waits until is_done says so or the flush thread has failed. */
static int wait_until(struct coins_store *store, bool (*is_done)(const struct coins_store *),
                      struct error *err)
{
    mutex_lock(&store->mutex);
    while (store->failed_rc == 0 && !is_done(store))
        cond_wait(&store->ended, &store->mutex);
    mutex_unlock(&store->mutex);
    return coins_flush_poll(store, err) < 0 ? store->failed_rc : 0;
}

static bool is_flush_done(const struct coins_store *store)
{
    return store->flush_state == FLUSH_NONE || store->flush_state == FLUSH_WRITTEN;
}

static bool is_merge_done(const struct coins_store *store)
{
    return is_flush_done(store) && run_set_merge_n(store->current) == 0 && store->is_resting;
}

int coins_flush_wait(struct coins_store *store, struct error *err)
{
    return wait_until(store, is_flush_done, err);
}

int coins_merge_wait(struct coins_store *store, struct error *err)
{
    return wait_until(store, is_merge_done, err);
}
