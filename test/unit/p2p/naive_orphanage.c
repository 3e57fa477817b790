#include "naive_orphanage.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "p2p/orphanage.h"

#define PEERS 6
#define TXS 24
#define PARENTS 6
#define OUTPUTS 4
#define ENTRIES_MAX (PEERS * TXS)
#define SCORE_MAX 24
#define PEER_WEIGHT 4000

struct entry {
    size_t tx;
    int64_t peer;
    uint64_t order;
    bool is_work;
};

struct naive {
    const struct tx_ref *txs[TXS];
    struct entry entries[ENTRIES_MAX];
    size_t n;
    uint64_t order;
};

static struct txid parent_id(size_t number)
{
    struct txid id;

    memset(id.b, 0xa0 + (int)number, sizeof(id.b));
    return id;
}

/* A transaction of 1 to 25 inputs, each of another output, with or without bulk. */
static const struct tx_ref *make_tx(size_t number)
{
    static const uint8_t script[400];
    struct tx_in in[25];
    struct tx_out out = {.value_sat = (int64_t)number, .script_pubkey = span_of(script, 1)};
    struct tx tx = {.version = 2, .in = in, .out = &out, .out_n = 1};
    struct tx_ref *ref = NULL;
    struct buf raw = {0};

    if (number % 5 == 1)
        out.script_pubkey.len = sizeof(script);
    tx.in_n = number % 7 == 0 ? 25 : number % 7 == 1 ? 10 : 1 + (uint32_t)(number % 3);
    for (uint32_t i = 0; i < tx.in_n; i++) {
        size_t spot = (number * 5 + i) % (PARENTS * OUTPUTS);

        in[i] = (struct tx_in){.prevout = {.vout = (uint32_t)(spot % OUTPUTS)}};
        in[i].prevout.txid = parent_id(spot / OUTPUTS);
    }
    tx_write(&raw, &tx, false);
    CHECK(tx_ref_read(&ref, span_of_buf(&raw), NULL) == 0);
    buf_clear(&raw);
    return ref;
}

static int64_t weight_of(const struct naive *naive, size_t tx)
{
    return (int64_t)tx_weight(&naive->txs[tx]->tx);
}

static uint32_t inputs_score(const struct naive *naive, size_t tx)
{
    return naive->txs[tx]->tx.in_n / 10;
}

static struct entry *find(struct naive *naive, size_t tx, int64_t peer)
{
    for (size_t i = 0; i < naive->n; i++)
        if (naive->entries[i].tx == tx && naive->entries[i].peer == peer)
            return &naive->entries[i];
    return NULL;
}

static bool has(const struct naive *naive, size_t tx)
{
    for (size_t i = 0; i < naive->n; i++)
        if (naive->entries[i].tx == tx)
            return true;
    return false;
}

static void erase(struct naive *naive, const struct entry *entry)
{
    size_t at = (size_t)(entry - naive->entries);

    memmove(&naive->entries[at], &naive->entries[at + 1],
            (naive->n - at - 1) * sizeof(naive->entries[0]));
    naive->n--;
}

static struct orphanage_usage peer_usage(const struct naive *naive, int64_t peer)
{
    struct orphanage_usage usage = {0};

    for (size_t i = 0; i < naive->n; i++) {
        if (naive->entries[i].peer != peer)
            continue;
        usage.announcements++;
        usage.score += 1 + inputs_score(naive, naive->entries[i].tx);
        usage.weight += weight_of(naive, naive->entries[i].tx);
    }
    return usage;
}

static struct orphanage_usage usage_of(const struct naive *naive)
{
    struct orphanage_usage usage = {.announcements = (uint32_t)naive->n,
                                    .score = (uint32_t)naive->n};

    for (size_t tx = 0; tx < TXS; tx++) {
        if (!has(naive, tx))
            continue;
        usage.txs++;
        usage.weight += weight_of(naive, tx);
        usage.score += inputs_score(naive, tx);
    }
    for (int64_t peer = 0; peer < PEERS; peer++)
        usage.peers += peer_usage(naive, peer).announcements > 0;
    return usage;
}

/* The peer furthest above its share: by the greater of two fractions; by the one with the
 * smaller denominator; by the greater id. Plain doubles would not tell equal ones. */
static int64_t worst(const struct naive *naive, int64_t share)
{
    int64_t best = -1, best_used = 0, best_of = 1;

    for (int64_t peer = 0; peer < PEERS; peer++) {
        struct orphanage_usage usage = peer_usage(naive, peer);
        int64_t used = usage.score, of = share, x, y;

        if (usage.announcements == 0)
            continue;
        x = usage.weight * share;
        y = (int64_t)usage.score * PEER_WEIGHT;
        if (x > y || (x == y && PEER_WEIGHT < share)) {
            used = usage.weight;
            of = PEER_WEIGHT;
        }
        x = used * best_of;
        y = best_used * of;
        if (best < 0 || x > y || (x == y && of <= best_of)) {
            best = peer;
            best_used = used;
            best_of = of;
        }
    }
    return best;
}

static void limit(struct naive *naive)
{
    struct orphanage_usage usage = usage_of(naive);
    int64_t share = usage.peers > 0 ? SCORE_MAX / usage.peers : 1;

    while (usage.score > SCORE_MAX || usage.weight > PEER_WEIGHT * (int64_t)MAX(usage.peers, 1U)) {
        int64_t peer = worst(naive, share);
        struct entry *oldest = NULL;

        for (size_t i = 0; i < naive->n; i++) {
            struct entry *entry = &naive->entries[i];

            if (entry->peer != peer)
                continue;
            if (oldest == NULL || (!entry->is_work && oldest->is_work) ||
                (entry->is_work == oldest->is_work && entry->order < oldest->order))
                oldest = entry;
        }
        CHECK(oldest != NULL);
        erase(naive, oldest);
        usage = usage_of(naive);
    }
}

static void erase_tx(struct naive *naive, size_t tx)
{
    for (size_t i = naive->n; i-- > 0;)
        if (naive->entries[i].tx == tx)
            erase(naive, &naive->entries[i]);
}

static bool spends(const struct tx *tx, const struct txid *parent, int64_t vout)
{
    for (uint32_t i = 0; i < tx->in_n; i++)
        if (txid_equal(&tx->in[i].prevout.txid, parent) &&
            (vout < 0 || tx->in[i].prevout.vout == (uint32_t)vout))
            return true;
    return false;
}

static void add(struct orphanage *real, struct naive *naive, size_t tx, int64_t peer,
                bool announcer_only)
{
    bool was_there = has(naive, tx);
    bool is_new = find(naive, tx, peer) == NULL;

    if (announcer_only)
        CHECK(orphanage_add_announcer(real, &naive->txs[tx]->tx.wtxid, peer) ==
              (was_there && is_new));
    else
        CHECK(orphanage_add(real, naive->txs[tx], peer) == !was_there);
    if (!is_new || (announcer_only && !was_there))
        return;
    naive->entries[naive->n++] = (struct entry){.tx = tx, .peer = peer, .order = naive->order++};
    limit(naive);
}

static void parent_came(struct orphanage *real, struct naive *naive, size_t number,
                        struct random_source *random)
{
    struct txid parent = parent_id(number);
    uint32_t out_n = 1 + (uint32_t)(number % OUTPUTS);
    struct arena arena;
    int64_t *peers;
    size_t n, wanted = 0;
    size_t gained[PEERS] = {0};

    arena_init(&arena);
    orphanage_parent_came(real, &parent, out_n, random, &peers, &n, &arena);
    for (size_t i = 0; i < n; i++)
        gained[peers[i]]++;
    for (size_t tx = 0; tx < TXS; tx++) {
        bool is_child = false, is_work = false;

        for (uint32_t vout = 0; vout < out_n; vout++)
            is_child |= spends(&naive->txs[tx]->tx, &parent, vout);
        for (size_t i = 0; i < naive->n; i++)
            is_work |= naive->entries[i].tx == tx && naive->entries[i].is_work;
        wanted += is_child && !is_work && has(naive, tx);
    }
    CHECK(n == wanted);
    /* Which of its announcers a transaction went to is told by taking it back. */
    for (int64_t peer = 0; peer < PEERS; peer++) {
        const struct tx_ref *taken[TXS];
        size_t taken_n = 0;

        CHECK(gained[peer] == 0 || orphanage_has_work(real, peer));
        while ((taken[taken_n] = orphanage_take_work(real, peer)) != NULL) {
            taken_n++;
            CHECK(taken_n < TXS);
        }
        for (size_t i = 0; i < taken_n; i++) {
            struct entry *entry = NULL;

            for (size_t tx = 0; tx < TXS; tx++)
                if (naive->txs[tx] == taken[i])
                    entry = find(naive, tx, peer);
            CHECK(entry != NULL);
            gained[peer] -= !entry->is_work;
            entry->is_work = false;
            tx_ref_drop(taken[i]);
        }
        CHECK(gained[peer] == 0);
    }
    arena_clear(&arena);
}

/* As above, but the lists are left filled. Children with several announcers, of which one
 * is chosen by chance, are taken out before. */
static void parent_came_stay(struct orphanage *real, struct naive *naive, size_t number,
                             struct random_source *random)
{
    struct txid parent = parent_id(number);
    struct arena arena;
    int64_t *peers;
    size_t n, wanted = 0;

    for (size_t tx = 0; tx < TXS; tx++) {
        size_t holders = 0;

        for (size_t i = 0; i < naive->n; i++)
            holders += naive->entries[i].tx == tx;
        if (holders > 1 && spends(&naive->txs[tx]->tx, &parent, -1)) {
            CHECK(orphanage_remove(real, &naive->txs[tx]->tx.wtxid));
            erase_tx(naive, tx);
            limit(naive);
        }
    }
    arena_init(&arena);
    orphanage_parent_came(real, &parent, OUTPUTS, random, &peers, &n, &arena);
    for (size_t i = 0; i < naive->n; i++) {
        struct entry *entry = &naive->entries[i];

        if (!entry->is_work && spends(&naive->txs[entry->tx]->tx, &parent, -1)) {
            entry->is_work = true;
            wanted++;
        }
    }
    CHECK(n == wanted);
    arena_clear(&arena);
}

static void take(struct orphanage *real, struct naive *naive, int64_t peer)
{
    const struct tx_ref *tx = orphanage_take_work(real, peer);
    struct entry *first = NULL;

    for (size_t i = 0; i < naive->n; i++) {
        struct entry *entry = &naive->entries[i];

        if (entry->peer == peer && entry->is_work && (first == NULL || entry->order < first->order))
            first = entry;
    }
    CHECK((tx != NULL) == (first != NULL));
    if (first == NULL)
        return;
    CHECK(tx == naive->txs[first->tx]);
    first->is_work = false;
    tx_ref_drop(tx);
}

static void spent(struct orphanage *real, struct naive *naive, size_t spot)
{
    struct outpoint outpoint = {.txid = parent_id(spot / OUTPUTS % PARENTS),
                                .vout = (uint32_t)(spot % OUTPUTS)};

    orphanage_spent(real, &outpoint, 1);
    for (size_t tx = 0; tx < TXS; tx++)
        if (spends(&naive->txs[tx]->tx, &outpoint.txid, outpoint.vout))
            erase_tx(naive, tx);
    limit(naive);
}

static void compare_children(const struct orphanage *real, struct naive *naive, int64_t peer,
                             size_t number)
{
    struct txid parent = parent_id(number);
    const struct tx_ref *const *txs;
    struct entry *previous = NULL;
    size_t n, wanted = 0;
    struct arena arena;

    arena_init(&arena);
    orphanage_children(real, &txs, &n, &parent, peer, &arena);
    for (size_t i = 0; i < naive->n; i++)
        wanted += naive->entries[i].peer == peer &&
                  spends(&naive->txs[naive->entries[i].tx]->tx, &parent, -1);
    CHECK(n == wanted);
    for (size_t i = 0; i < n; i++) {
        struct entry *entry = NULL;

        for (size_t tx = 0; tx < TXS; tx++)
            if (naive->txs[tx] == txs[i])
                entry = find(naive, tx, peer);
        CHECK(entry != NULL);
        CHECK(previous == NULL || previous->is_work > entry->is_work ||
              (previous->is_work == entry->is_work && previous->order > entry->order));
        previous = entry;
    }
    arena_clear(&arena);
}

static void compare_list(const struct orphanage *real, struct naive *naive)
{
    struct orphan_info *list;
    size_t n, entries = 0;
    struct arena arena;

    arena_init(&arena);
    orphanage_list(real, &list, &n, &arena);
    for (size_t i = 0; i < n; i++) {
        CHECK(list[i].peers_n > 0);
        for (size_t p = 0; p < list[i].peers_n; p++) {
            bool is_found = false;

            CHECK(p == 0 || list[i].peers[p] > list[i].peers[p - 1]);
            for (size_t tx = 0; tx < TXS; tx++)
                is_found |=
                    naive->txs[tx] == list[i].tx && find(naive, tx, list[i].peers[p]) != NULL;
            CHECK(is_found);
            entries++;
        }
    }
    CHECK(entries == naive->n);
    arena_clear(&arena);
}

static void compare(const struct orphanage *real, struct naive *naive)
{
    struct orphanage_usage a = orphanage_usage(real), b = usage_of(naive);

    CHECK(a.announcements == b.announcements && a.score == b.score && a.weight == b.weight);
    CHECK(a.txs == b.txs && a.peers == b.peers);
    CHECK(a.score <= SCORE_MAX && a.weight <= PEER_WEIGHT * (int64_t)MAX(a.peers, 1U));
    for (int64_t peer = 0; peer < PEERS; peer++) {
        bool has_work = false;

        a = orphanage_peer_usage(real, peer);
        b = peer_usage(naive, peer);
        CHECK(a.announcements == b.announcements && a.score == b.score && a.weight == b.weight);
        for (size_t i = 0; i < naive->n; i++)
            has_work |= naive->entries[i].peer == peer && naive->entries[i].is_work;
        CHECK(orphanage_has_work(real, peer) == has_work);
        for (size_t tx = 0; tx < TXS; tx++)
            CHECK(orphanage_has_from(real, &naive->txs[tx]->tx.wtxid, peer) ==
                  (find(naive, tx, peer) != NULL));
    }
    for (size_t tx = 0; tx < TXS; tx++)
        CHECK((orphanage_find(real, &naive->txs[tx]->tx.wtxid) == naive->txs[tx]) ==
              has(naive, tx));
    compare_list(real, naive);
}

static void leave(struct orphanage *real, struct naive *naive, int64_t peer)
{
    orphanage_peer_gone(real, peer);
    for (size_t i = naive->n; i-- > 0;)
        if (naive->entries[i].peer == peer)
            erase(naive, &naive->entries[i]);
    limit(naive);
}

void naive_orphanage_run(const uint8_t *bytes, size_t len)
{
    static const uint8_t seed[32] = {1};
    struct siphash_key key = {.k0 = 3, .k1 = len};
    struct naive *naive = alloc_zero(sizeof(*naive));
    struct orphanage *real = orphanage_new(&key, SCORE_MAX, PEER_WEIGHT);
    struct random_source random;

    random_init(&random, seed, "orphans");
    for (size_t i = 0; i < TXS; i++)
        naive->txs[i] = make_tx(i);
    for (; len >= 2; bytes += 2, len -= 2) {
        int64_t peer = bytes[1] % PEERS;
        size_t tx = bytes[1] / PEERS % TXS;

        switch (bytes[0] % 16) {
        case 0:
            CHECK(orphanage_remove(real, &naive->txs[tx]->tx.wtxid) == has(naive, tx));
            erase_tx(naive, tx);
            limit(naive);
            break;
        case 1:
            if (bytes[1] % 4 == 0)
                leave(real, naive, bytes[1] / 4 % PEERS);
            break;
        case 2:
            parent_came(real, naive, bytes[1] % PARENTS, &random);
            break;
        case 3:
        case 4:
            parent_came_stay(real, naive, bytes[1] % PARENTS, &random);
            break;
        case 5:
            take(real, naive, peer);
            break;
        case 6:
            spent(real, naive, bytes[1]);
            break;
        case 7:
        case 8:
            add(real, naive, tx, peer, true);
            break;
        case 9:
            compare_children(real, naive, peer, tx % PARENTS);
            break;
        default:
            add(real, naive, tx, peer, false);
        }
        compare(real, naive);
    }
    orphanage_free(real);
    for (size_t i = 0; i < TXS; i++) {
        CHECK(naive->txs[i]->holders == 1);
        tx_ref_drop(naive->txs[i]);
    }
    free(naive);
}
