#include "p2p/orphanage.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"

#define BUCKETS 4096 /* At most ORPHANAGE_SCORE_MAX transactions, and few inputs each. */

struct orphan;
struct holder;

/* One announcement. In one of its holder's two lists, which are in order of sequence. */
struct entry {
    struct orphan *orphan;
    struct entry *next_of_orphan;
    struct holder *holder;
    struct entry *next, *previous;
    uint64_t sequence;
    bool is_work; /* At most one of an orphan's entries. */
};

/* One input of an orphan, found by what it spends. */
struct spend {
    struct orphan *orphan;
    struct spend *next, *previous;
    size_t bucket;
    const struct outpoint *outpoint;
};

struct orphan {
    struct orphan *next;
    const struct tx_ref *tx; /* Held. */
    struct entry *first;     /* Newest first. */
    size_t entries_n;
    struct entry *work; /* The one on a work list, or NULL. */
    struct spend *spends;
    int64_t weight;
};

struct entries {
    struct entry *first, *last;
};

struct holder {
    struct holder *next;
    int64_t peer;
    struct entries waiting, work;
    uint32_t n, score;
    int64_t weight;
};

struct orphanage {
    struct siphash_key key;
    uint32_t score_max;
    int64_t peer_weight;
    struct orphan *orphans[BUCKETS];
    struct spend *spends[BUCKETS];
    struct holder *holders;
    uint32_t holders_n;
    uint64_t sequence;
    uint32_t txs_n, entries_n;
    uint32_t inputs_score; /* Tenths of inputs, each transaction once. */
    int64_t weight;
};

struct orphanage *orphanage_new(const struct siphash_key *key, uint32_t score_max,
                                int64_t peer_weight)
{
    struct orphanage *orphanage = alloc_zero(sizeof(*orphanage));

    CHECK(score_max > 0 && peer_weight > 0);
    orphanage->key = *key;
    orphanage->score_max = score_max;
    orphanage->peer_weight = peer_weight;
    return orphanage;
}

static uint32_t inputs_score(const struct orphan *orphan)
{
    return orphan->tx->tx.in_n / 10;
}

/* --- Finding --- */

static struct orphan **orphan_slot(const struct orphanage *orphanage, const struct wtxid *wtxid)
{
    struct orphan **slot =
        (struct orphan **)&orphanage->orphans[siphash_id(&orphanage->key, wtxid->b) % BUCKETS];

    while (*slot != NULL && !wtxid_equal(&(*slot)->tx->tx.wtxid, wtxid))
        slot = &(*slot)->next;
    return slot;
}

static size_t spend_bucket(const struct orphanage *orphanage, const struct outpoint *outpoint)
{
    struct siphash hash;

    siphash_init(&hash, &orphanage->key);
    siphash_add(&hash, outpoint->txid.b, HASH_BYTES);
    siphash_add_u64(&hash, outpoint->vout);
    return siphash_finish(&hash) % BUCKETS;
}

static struct holder **holder_slot(struct orphanage *orphanage, int64_t peer)
{
    struct holder **slot = &orphanage->holders;

    while (*slot != NULL && (*slot)->peer != peer)
        slot = &(*slot)->next;
    return slot;
}

static const struct holder *holder_find(const struct orphanage *orphanage, int64_t peer)
{
    const struct holder *holder = orphanage->holders;

    while (holder != NULL && holder->peer != peer)
        holder = holder->next;
    return holder;
}

static struct entry *entry_find(const struct orphan *orphan, int64_t peer)
{
    struct entry *entry = orphan->first;

    while (entry != NULL && entry->holder->peer != peer)
        entry = entry->next_of_orphan;
    return entry;
}

/* --- Entries --- */

static void list_remove(struct entries *list, struct entry *entry)
{
    *(entry->previous != NULL ? &entry->previous->next : &list->first) = entry->next;
    *(entry->next != NULL ? &entry->next->previous : &list->last) = entry->previous;
    entry->next = entry->previous = NULL;
}

static void list_insert(struct entries *list, struct entry *entry)
{
    struct entry *before = list->last;

    while (before != NULL && before->sequence > entry->sequence)
        before = before->previous;
    entry->previous = before;
    entry->next = before != NULL ? before->next : list->first;
    *(before != NULL ? &before->next : &list->first) = entry;
    *(entry->next != NULL ? &entry->next->previous : &list->last) = entry;
}

static void set_work(struct entry *entry, bool is_work)
{
    struct holder *holder = entry->holder;

    list_remove(entry->is_work ? &holder->work : &holder->waiting, entry);
    entry->is_work = is_work;
    list_insert(is_work ? &holder->work : &holder->waiting, entry);
    entry->orphan->work = is_work ? entry : NULL;
}

static void entry_add(struct orphanage *orphanage, struct orphan *orphan, int64_t peer)
{
    struct holder **slot = holder_slot(orphanage, peer);
    struct entry *entry = alloc_zero(sizeof(*entry));

    if (*slot == NULL) {
        *slot = alloc_zero(sizeof(**slot));
        (*slot)->peer = peer;
        orphanage->holders_n++;
    }
    entry->orphan = orphan;
    entry->holder = *slot;
    entry->sequence = orphanage->sequence++;
    entry->next_of_orphan = orphan->first;
    orphan->first = entry;
    orphan->entries_n++;
    list_insert(&entry->holder->waiting, entry);
    entry->holder->n++;
    entry->holder->score += 1 + inputs_score(orphan);
    entry->holder->weight += orphan->weight;
    orphanage->entries_n++;
}

static void orphan_free(struct orphanage *orphanage, struct orphan *own_orphan)
{
    const struct tx *tx = &own_orphan->tx->tx;
    struct orphan **slot = orphan_slot(orphanage, &tx->wtxid);

    *slot = own_orphan->next;
    for (uint32_t i = 0; i < tx->in_n; i++) {
        struct spend *spend = &own_orphan->spends[i];

        *(spend->previous != NULL ? &spend->previous->next : &orphanage->spends[spend->bucket]) =
            spend->next;
        if (spend->next != NULL)
            spend->next->previous = spend->previous;
    }
    orphanage->txs_n--;
    orphanage->inputs_score -= inputs_score(own_orphan);
    orphanage->weight -= own_orphan->weight;
    tx_ref_drop(own_orphan->tx);
    free(own_orphan->spends);
    free(own_orphan);
}

/* The last entry takes its orphan with it, a peer's last one its holder. */
static void entry_remove(struct orphanage *orphanage, struct entry *own_entry)
{
    struct orphan *orphan = own_entry->orphan;
    struct holder *holder = own_entry->holder;
    struct entry **slot = &orphan->first;

    while (*slot != own_entry)
        slot = &(*slot)->next_of_orphan;
    *slot = own_entry->next_of_orphan;
    orphan->entries_n--;
    if (orphan->work == own_entry)
        orphan->work = NULL;
    list_remove(own_entry->is_work ? &holder->work : &holder->waiting, own_entry);
    holder->score -= 1 + inputs_score(orphan);
    holder->weight -= orphan->weight;
    orphanage->entries_n--;
    if (--holder->n == 0) {
        *holder_slot(orphanage, holder->peer) = holder->next;
        orphanage->holders_n--;
        free(holder);
    }
    if (orphan->entries_n == 0)
        orphan_free(orphanage, orphan);
    free(own_entry);
}

static struct orphan *orphan_new(struct orphanage *orphanage, const struct tx_ref *tx)
{
    struct orphan **slot = orphan_slot(orphanage, &tx->tx.wtxid);
    struct orphan *orphan = alloc_zero(sizeof(*orphan));

    orphan->tx = tx_ref_hold(tx);
    orphan->weight = (int64_t)tx_weight(&tx->tx);
    orphan->spends = alloc_array(MAX(tx->tx.in_n, 1U), sizeof(struct spend));
    for (uint32_t i = 0; i < tx->tx.in_n; i++) {
        struct spend *spend = &orphan->spends[i];

        spend->orphan = orphan;
        spend->outpoint = &tx->tx.in[i].prevout;
        spend->bucket = spend_bucket(orphanage, spend->outpoint);
        spend->next = orphanage->spends[spend->bucket];
        if (spend->next != NULL)
            spend->next->previous = spend;
        orphanage->spends[spend->bucket] = spend;
    }
    *slot = orphan;
    orphanage->txs_n++;
    orphanage->inputs_score += inputs_score(orphan);
    orphanage->weight += orphan->weight;
    return orphan;
}

/* --- Keeping within bounds --- */

/* How much of its share a peer uses, as a fraction. */
struct share {
    int64_t used, allowed;
};

/* The greater fraction; of equal ones the one of smaller numbers. */
static int share_compare(struct share a, struct share b)
{
    __extension__ __int128 x = (__int128)a.used * b.allowed;
    __extension__ __int128 y = (__int128)b.used * a.allowed;

    if (x != y)
        return x > y ? 1 : -1;
    return (a.allowed < b.allowed) - (a.allowed > b.allowed);
}

static struct share share_of(const struct holder *holder, uint32_t score_share, int64_t weight)
{
    struct share score = {.used = holder->score, .allowed = score_share};
    struct share bytes = {.used = holder->weight, .allowed = weight};

    return share_compare(score, bytes) >= 0 ? score : bytes;
}

static uint32_t total_score(const struct orphanage *orphanage)
{
    return orphanage->inputs_score + orphanage->entries_n;
}

static bool is_over(const struct orphanage *orphanage)
{
    return total_score(orphanage) > orphanage->score_max ||
           orphanage->weight > orphanage->peer_weight * MAX(orphanage->holders_n, 1U);
}

static struct holder *find_worst(const struct orphanage *orphanage, uint32_t score_share)
{
    struct holder *worst = NULL;
    struct share worst_share = {0, 1};

    for (struct holder *holder = orphanage->holders; holder != NULL; holder = holder->next) {
        struct share share = share_of(holder, score_share, orphanage->peer_weight);
        int order = worst != NULL ? share_compare(share, worst_share) : 1;

        if (order > 0 || (order == 0 && holder->peer > worst->peer)) {
            worst = holder;
            worst_share = share;
        }
    }
    return worst;
}

static void limit(struct orphanage *orphanage)
{
    uint32_t score_share = MAX(orphanage->score_max / MAX(orphanage->holders_n, 1U), 1U);
    uint32_t txs_before = orphanage->txs_n, entries_before = orphanage->entries_n;

    if (!is_over(orphanage))
        return;
    while (is_over(orphanage)) {
        struct holder *worst = find_worst(orphanage, score_share);
        struct entry *oldest;

        CHECK(worst != NULL);
        oldest = worst->waiting.first != NULL ? worst->waiting.first : worst->work.first;
        log_debug("txpackages", "peer=%lld orphanage overflow, removed 1 of %u announcements",
                  (long long)worst->peer, worst->n);
        entry_remove(orphanage, oldest);
    }
    log_debug("txpackages", "orphanage overflow, removed %u tx (%u announcements)",
              txs_before - orphanage->txs_n, entries_before - orphanage->entries_n);
}

/* --- What others call --- */

void orphanage_free(struct orphanage *own_orphanage)
{
    if (own_orphanage == NULL)
        return;
    while (own_orphanage->holders != NULL) {
        struct holder *holder = own_orphanage->holders;

        entry_remove(own_orphanage,
                     holder->waiting.first != NULL ? holder->waiting.first : holder->work.first);
    }
    free(own_orphanage);
}

bool orphanage_add(struct orphanage *orphanage, const struct tx_ref *tx, int64_t peer)
{
    struct orphan *orphan;

    if (tx_weight(&tx->tx) > ORPHAN_WEIGHT_MAX) {
        log_debug("txpackages", "ignoring large orphan tx (size: %llu, txid: %s, wtxid: %s)",
                  (unsigned long long)tx_weight(&tx->tx), hash_hex(tx->tx.txid.b).text,
                  hash_hex(tx->tx.wtxid.b).text);
        return false;
    }
    if (*orphan_slot(orphanage, &tx->tx.wtxid) != NULL) {
        (void)orphanage_add_announcer(orphanage, &tx->tx.wtxid, peer);
        return false;
    }
    orphan = orphan_new(orphanage, tx);
    entry_add(orphanage, orphan, peer);
    log_debug("txpackages", "stored orphan tx %s (wtxid=%s), weight: %lld (mapsz %u)",
              hash_hex(tx->tx.txid.b).text, hash_hex(tx->tx.wtxid.b).text,
              (long long)orphan->weight, orphanage->entries_n);
    limit(orphanage);
    return true;
}

bool orphanage_add_announcer(struct orphanage *orphanage, const struct wtxid *wtxid, int64_t peer)
{
    struct orphan *orphan = *orphan_slot(orphanage, wtxid);

    if (orphan == NULL || entry_find(orphan, peer) != NULL)
        return false;
    log_debug("txpackages", "added peer=%lld as announcer of orphan tx %s (wtxid=%s)",
              (long long)peer, hash_hex(orphan->tx->tx.txid.b).text, hash_hex(wtxid->b).text);
    entry_add(orphanage, orphan, peer);
    limit(orphanage);
    return true;
}

const struct tx_ref *orphanage_find(const struct orphanage *orphanage, const struct wtxid *wtxid)
{
    const struct orphan *orphan = *orphan_slot(orphanage, wtxid);

    return orphan != NULL ? orphan->tx : NULL;
}

bool orphanage_has_from(const struct orphanage *orphanage, const struct wtxid *wtxid, int64_t peer)
{
    const struct orphan *orphan = *orphan_slot(orphanage, wtxid);

    return orphan != NULL && entry_find(orphan, peer) != NULL;
}

static void remove_all(struct orphanage *orphanage, struct orphan *orphan)
{
    size_t n = orphan->entries_n;

    log_debug("txpackages", "removed orphan tx %s (wtxid=%s) (%zu announcements)",
              hash_hex(orphan->tx->tx.txid.b).text, hash_hex(orphan->tx->tx.wtxid.b).text, n);
    for (; n > 0; n--)
        entry_remove(orphanage, orphan->first);
}

bool orphanage_remove(struct orphanage *orphanage, const struct wtxid *wtxid)
{
    struct orphan *orphan = *orphan_slot(orphanage, wtxid);

    if (orphan == NULL)
        return false;
    remove_all(orphanage, orphan);
    /* With a holder its share may have gone. */
    limit(orphanage);
    return true;
}

void orphanage_peer_gone(struct orphanage *orphanage, int64_t peer)
{
    struct holder *holder = *holder_slot(orphanage, peer);
    uint32_t n = holder != NULL ? holder->n : 0;

    if (n == 0)
        return;
    log_debug("txpackages", "Erased %u orphan transaction(s) from peer=%lld", n, (long long)peer);
    for (; n > 0; n--)
        entry_remove(orphanage,
                     holder->waiting.first != NULL ? holder->waiting.first : holder->work.first);
    limit(orphanage);
}

void orphanage_spent(struct orphanage *orphanage, const struct outpoint *spent, size_t n)
{
    size_t removed = 0;

    for (size_t i = 0; i < n && orphanage->txs_n > 0; i++) {
        size_t bucket = spend_bucket(orphanage, &spent[i]);
        struct spend *spend = orphanage->spends[bucket];

        while (spend != NULL) {
            if (outpoint_equal(spend->outpoint, &spent[i])) {
                remove_all(orphanage, spend->orphan);
                removed++;
                spend = orphanage->spends[bucket]; /* It may have had several here. */
            } else {
                spend = spend->next;
            }
        }
    }
    if (removed > 0)
        log_debug("txpackages", "Erased %zu orphan transaction(s) included or conflicted by block",
                  removed);
    limit(orphanage);
}

static int64_t give_work(struct orphan *orphan, struct random_source *random)
{
    struct entry *entry = orphan->first;

    for (uint64_t skip = random_below(random, orphan->entries_n); skip > 0; skip--)
        entry = entry->next_of_orphan;
    set_work(entry, true);
    log_debug("txpackages", "added %s (wtxid=%s) to peer %lld workset",
              hash_hex(orphan->tx->tx.txid.b).text, hash_hex(orphan->tx->tx.wtxid.b).text,
              (long long)entry->holder->peer);
    return entry->holder->peer;
}

void orphanage_parent_came(struct orphanage *orphanage, const struct txid *parent, uint32_t out_n,
                           struct random_source *random, int64_t **ret_peers, size_t *ret_n,
                           struct arena *arena)
{
    *ret_n = 0;
    *ret_peers = NULL;
    if (orphanage->txs_n == 0)
        return;
    *ret_peers = arena_array(arena, orphanage->txs_n, sizeof(int64_t));
    for (uint32_t vout = 0; vout < out_n; vout++) {
        struct outpoint outpoint = {.txid = *parent, .vout = vout};
        struct spend *spend = orphanage->spends[spend_bucket(orphanage, &outpoint)];

        for (; spend != NULL; spend = spend->next)
            if (outpoint_equal(spend->outpoint, &outpoint) && spend->orphan->work == NULL)
                (*ret_peers)[(*ret_n)++] = give_work(spend->orphan, random);
    }
}

bool orphanage_has_work(const struct orphanage *orphanage, int64_t peer)
{
    const struct holder *holder = holder_find(orphanage, peer);

    return holder != NULL && holder->work.first != NULL;
}

const struct tx_ref *orphanage_take_work(struct orphanage *orphanage, int64_t peer)
{
    const struct holder *holder = holder_find(orphanage, peer);
    struct entry *entry;

    if (holder == NULL || holder->work.first == NULL)
        return NULL;
    entry = holder->work.first;
    set_work(entry, false);
    return tx_ref_hold(entry->orphan->tx);
}

static bool spends_from(const struct tx *tx, const struct txid *parent)
{
    for (uint32_t i = 0; i < tx->in_n; i++)
        if (txid_equal(&tx->in[i].prevout.txid, parent))
            return true;
    return false;
}

void orphanage_children(const struct orphanage *orphanage, const struct tx_ref *const **ret_txs,
                        size_t *ret_n, const struct txid *parent, int64_t peer, struct arena *arena)
{
    const struct holder *holder = holder_find(orphanage, peer);
    const struct tx_ref **txs = NULL;
    size_t n = 0;

    if (holder != NULL) {
        txs = arena_array(arena, holder->n, sizeof(*txs));
        for (const struct entry *entry = holder->work.last; entry != NULL; entry = entry->previous)
            if (spends_from(&entry->orphan->tx->tx, parent))
                txs[n++] = entry->orphan->tx;
        for (const struct entry *entry = holder->waiting.last; entry != NULL;
             entry = entry->previous)
            if (spends_from(&entry->orphan->tx->tx, parent))
                txs[n++] = entry->orphan->tx;
    }
    *ret_txs = txs;
    *ret_n = n;
}

static int compare_peers(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

void orphanage_list(const struct orphanage *orphanage, struct orphan_info **ret_list, size_t *ret_n,
                    struct arena *arena)
{
    size_t n = 0;

    *ret_list = arena_array(arena, MAX(orphanage->txs_n, 1U), sizeof(struct orphan_info));
    for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
        const struct orphan *orphan = orphanage->orphans[bucket];

        for (; orphan != NULL; orphan = orphan->next) {
            struct orphan_info *info = &(*ret_list)[n++];

            info->tx = orphan->tx;
            info->peers = arena_array(arena, orphan->entries_n, sizeof(int64_t));
            for (const struct entry *entry = orphan->first; entry != NULL;
                 entry = entry->next_of_orphan)
                info->peers[info->peers_n++] = entry->holder->peer;
            qsort(info->peers, info->peers_n, sizeof(int64_t), compare_peers);
        }
    }
    *ret_n = n;
}

struct orphanage_usage orphanage_usage(const struct orphanage *orphanage)
{
    return (struct orphanage_usage){.announcements = orphanage->entries_n,
                                    .score = total_score(orphanage),
                                    .weight = orphanage->weight,
                                    .txs = orphanage->txs_n,
                                    .peers = orphanage->holders_n};
}

struct orphanage_usage orphanage_peer_usage(const struct orphanage *orphanage, int64_t peer)
{
    const struct holder *holder = holder_find(orphanage, peer);

    if (holder == NULL)
        return (struct orphanage_usage){0};
    return (struct orphanage_usage){.announcements = holder->n,
                                    .score = holder->score,
                                    .weight = holder->weight,
                                    .txs = holder->n,
                                    .peers = 1};
}
