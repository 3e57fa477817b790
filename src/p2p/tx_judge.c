/* What is handed to the sink, and what its answers mean. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "crypto/sha256.h"
#include "p2p/p2p_priv.h"

enum offer_kind { OFFER_FIRST, OFFER_ORPHAN, OFFER_PACKAGE };

/* One transaction, or a parent and its child, on its way to the chain thread and back.
 * Results are copies: what they point to is held here. */
struct offer {
    struct p2p *p2p;
    int64_t peer;
    enum offer_kind kind;
    const struct tx_ref *txs[2];
    size_t txs_n;
    struct tx_result results[2];
    size_t results_n;
    char package_reason[96];
};

static void offer_free(struct offer *own_offer)
{
    for (size_t i = 0; i < own_offer->results_n; i++) {
        for (size_t r = 0; r < own_offer->results[i].replaced_n; r++)
            tx_ref_drop(own_offer->results[i].replaced[r]);
        free(own_offer->results[i].replaced);
    }
    for (size_t i = 0; i < own_offer->txs_n; i++)
        tx_ref_drop(own_offer->txs[i]);
    free(own_offer);
}

static void judged(struct p2p *p2p, void *own_argument);

/* On the chain thread. */
static void take_answer(void *context, const struct txs_answer *answer)
{
    struct offer *offer = context;

    offer->results_n = MIN(answer->txs_n, offer->txs_n);
    for (size_t i = 0; i < offer->results_n; i++) {
        struct tx_result *copy = &offer->results[i];

        *copy = answer->results[i];
        copy->effective_with = NULL;
        copy->effective_with_n = 0;
        copy->replaced = NULL;
        if (copy->replaced_n > 0)
            copy->replaced = alloc_array(copy->replaced_n, sizeof(*copy->replaced));
        for (size_t r = 0; r < copy->replaced_n; r++)
            copy->replaced[r] = tx_ref_hold(answer->results[i].replaced[r]);
    }
    if (answer->package_reason != NULL)
        snprintf(offer->package_reason, sizeof(offer->package_reason), "%s",
                 answer->package_reason);
    p2p_post(offer->p2p, judged, offer);
}

static void hand_in(struct peer *peer, enum offer_kind kind, const struct tx_ref *first,
                    const struct tx_ref *second)
{
    struct sink *sink = peer->p2p->options.sink;
    struct offer *offer = alloc_zero(sizeof(*offer));

    offer->p2p = peer->p2p;
    offer->peer = peer->id;
    offer->kind = kind;
    offer->txs[offer->txs_n++] = tx_ref_hold(first);
    if (second != NULL)
        offer->txs[offer->txs_n++] = tx_ref_hold(second);
    peer->txs.is_judging = true;
    peer_wait(peer);
    sink->ops->offer_txs(sink, offer->txs, offer->txs_n, take_answer, offer);
}

/* --- Packages of a parent and its child --- */

/* Two transactions as one id: of both wtxids in rising order. */
static void package_id(uint8_t *ret_id, const struct tx_ref *a, const struct tx_ref *b)
{
    bool is_rising = memcmp(a->tx.wtxid.b, b->tx.wtxid.b, HASH_BYTES) < 0;
    uint8_t both[2 * HASH_BYTES];

    memcpy(both, (is_rising ? a : b)->tx.wtxid.b, HASH_BYTES);
    memcpy(both + HASH_BYTES, (is_rising ? b : a)->tx.wtxid.b, HASH_BYTES);
    sha256(ret_id, both, sizeof(both));
}

/* A child to pay for parent, of those that this peer announced: others' could be many
 * that are made to fail. Held for the caller; NULL: none that is worth a try. */
static const struct tx_ref *find_child(const struct p2p *p2p, const struct tx_ref *parent,
                                       int64_t peer)
{
    const struct p2p_txs *txs = &p2p->txs;
    const struct tx_ref *const *children;
    const struct tx_ref *found = NULL;
    struct arena arena;
    size_t n;

    arena_init(&arena);
    orphanage_children(txs->orphanage, &children, &n, &parent->tx.txid, peer, &arena);
    for (size_t i = 0; i < n && found == NULL; i++) {
        uint8_t id[HASH_BYTES];

        package_id(id, parent, children[i]);
        if (!rolling_set_has(&txs->rejects_fee, id) &&
            !rolling_set_has(&txs->rejects, children[i]->tx.txid.b))
            found = tx_ref_hold(children[i]);
    }
    arena_clear(&arena);
    return found;
}

/* --- What an answer means --- */

void txs_wake(struct p2p *p2p, const int64_t *peers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct peer *peer = peer_find(p2p, peers[i]);

        if (peer != NULL)
            txs_judge_orphans(peer);
    }
}

static void accepted(struct p2p *p2p, int64_t peer_id, const struct tx_ref *ref,
                     const struct tx_result *result)
{
    struct p2p_txs *txs = &p2p->txs;
    struct mempool_view *pool = p2p->options.mempool;
    struct mempool_status status;
    struct arena arena;
    int64_t *peers;
    size_t n;

    txs_forget(p2p, &ref->tx);
    arena_init(&arena);
    orphanage_parent_came(txs->orphanage, &ref->tx.txid, ref->tx.out_n, &p2p->random, &peers, &n,
                          &arena);
    (void)orphanage_remove(txs->orphanage, &ref->tx.wtxid);
    if (log_is_wanted(LOG_DEBUG, "mempool")) {
        pool->ops->status(pool, &status);
        log_debug("mempool",
                  "AcceptToMemoryPool: peer=%" PRId64 ": accepted %s (wtxid=%s) (poolsz %" PRIu64
                  " txn, %" PRIu64 " kB)",
                  peer_id, hash_hex(ref->tx.txid.b).text, hash_hex(ref->tx.wtxid.b).text,
                  status.txs_n, status.usage_bytes / 1000);
    }
    relay_broadcast(p2p, &ref->tx.wtxid);
    for (size_t i = 0; i < result->replaced_n; i++)
        blocks_keep_extra(p2p, result->replaced[i]);
    txs_wake(p2p, peers, n);
    arena_clear(&arena);
}

/* Have its parents been refused for good, or two of them for their fees? Then no package
 * of ours can help it. */
static bool is_hopeless(const struct p2p *p2p, const struct txid *parents, size_t n)
{
    const struct p2p_txs *txs = &p2p->txs;
    struct mempool_view *pool = p2p->options.mempool;
    size_t cheap_n = 0;

    for (size_t i = 0; i < n; i++) {
        struct tx_name name = {.is_wtxid = false};

        memcpy(name.id, parents[i].b, HASH_BYTES);
        if (rolling_set_has(&txs->rejects, parents[i].b))
            return true;
        if (rolling_set_has(&txs->rejects_fee, parents[i].b) && !pool->ops->has(pool, &name) &&
            ++cheap_n > 1)
            return true;
    }
    return false;
}

/* Everybody who announced it, by either id, may be asked for its parents. */
static void keep_orphan(struct p2p *p2p, int64_t sender, const struct tx_ref *ref,
                        const struct txid *parents, size_t parents_n)
{
    const struct tx *tx = &ref->tx;
    struct p2p_txs *txs = &p2p->txs;
    struct arena arena;
    int64_t *ids;
    size_t n = 1, peers_n = 0;

    for (const struct peer *peer = p2p->first; peer != NULL; peer = peer->next)
        peers_n++;
    arena_init(&arena);
    ids = arena_array(&arena, 1 + 2 * peers_n, sizeof(*ids));
    ids[0] = sender;
    n += tx_request_candidates(txs->requests, ids + n, peers_n, tx->txid.b);
    if (tx->has_witness)
        n += tx_request_candidates(txs->requests, ids + n, peers_n, tx->wtxid.b);
    for (size_t i = 0; i < n; i++) {
        struct peer *peer = peer_find(p2p, ids[i]);

        if (peer != NULL && txs_ask_parents(peer, parents, parents_n, &tx->wtxid))
            (void)orphanage_add(txs->orphanage, ref, ids[i]);
    }
    arena_clear(&arena);
    txs_forget(p2p, tx);
}

/* Returns whether it is new to the transactions kept for compact blocks. */
static bool parents_missing(struct p2p *p2p, int64_t sender, const struct tx_ref *ref)
{
    const struct tx *tx = &ref->tx;
    struct p2p_txs *txs = &p2p->txs;
    struct peer *peer = peer_find(p2p, sender);
    bool is_new = true;
    struct txid *parents;
    struct arena arena;
    size_t n, kept = 0;

    if (rolling_set_has(&txs->rejects, tx->wtxid.b))
        return true;
    arena_init(&arena);
    txs_parents(&parents, &n, tx, &arena);
    if (is_hopeless(p2p, parents, n)) {
        log_debug("mempool", "not keeping orphan with rejected parents %s (wtxid=%s)",
                  hash_hex(tx->txid.b).text, hash_hex(tx->wtxid.b).text);
        /* Whatever its witness. */
        rolling_set_add(&txs->rejects, tx->txid.b);
        rolling_set_add(&txs->rejects, tx->wtxid.b);
        txs_forget(p2p, tx);
    } else {
        for (size_t i = 0; i < n; i++)
            if (!txs_have_txid(p2p, &parents[i], false))
                parents[kept++] = parents[i];
        is_new = orphanage_find(txs->orphanage, &tx->wtxid) == NULL;
        keep_orphan(p2p, sender, ref, parents, kept);
        for (size_t i = 0; i < kept && peer != NULL; i++)
            relay_peer_knows(peer, parents[i].b);
    }
    arena_clear(&arena);
    return is_new;
}

/* Remembers a refusal by what it depends on. A witness may have been spoilt on the way: its
 * txid must not suffer for it. */
static void remember(struct p2p *p2p, const struct tx *tx, enum tx_cause cause)
{
    struct p2p_txs *txs = &p2p->txs;

    rolling_set_add(cause == TX_CAUSE_FEE ? &txs->rejects_fee : &txs->rejects, tx->wtxid.b);
    tx_request_forget(txs->requests, tx->wtxid.b);
    if (cause == TX_CAUSE_INPUTS && tx->has_witness) {
        rolling_set_add(&txs->rejects, tx->txid.b);
        tx_request_forget(txs->requests, tx->txid.b);
    }
}

/* Returns a child to try it with, held for the caller, or NULL. */
static const struct tx_ref *refused(struct p2p *p2p, int64_t sender, const struct tx_ref *ref,
                                    const struct tx_result *result, bool is_first)
{
    const struct tx *tx = &ref->tx;
    const struct tx_ref *child = NULL;
    bool is_extra = is_first;

    log_debug("mempoolrej", "%s (wtxid=%s) from peer=%" PRId64 " was not accepted: %s%s%s",
              hash_hex(tx->txid.b).text, hash_hex(tx->wtxid.b).text, sender, result->reason,
              result->detail[0] != '\0' ? ", " : "", result->detail);
    switch (result->cause) {
    case TX_CAUSE_MISSING_INPUTS:
        if (is_first)
            is_extra = parents_missing(p2p, sender, ref);
        break;
    case TX_CAUSE_WITNESS_STRIPPED:
        is_extra = false;
        break;
    case TX_CAUSE_FEE:
        remember(p2p, tx, result->cause);
        if (is_first) {
            log_debug("txpackages",
                      "tx %s (wtxid=%s) failed but reconsiderable, looking for child in orphanage",
                      hash_hex(tx->txid.b).text, hash_hex(tx->wtxid.b).text);
            child = find_child(p2p, ref, sender);
        }
        break;
    default:
        remember(p2p, tx, result->cause);
    }
    if (is_extra && ref->memory_bytes < TXS_EXTRA_BYTES_MAX)
        blocks_keep_extra(p2p, ref);
    if (result->cause != TX_CAUSE_MISSING_INPUTS &&
        orphanage_remove(p2p->txs.orphanage, &tx->wtxid))
        log_debug("txpackages", "   removed orphan tx %s (wtxid=%s)", hash_hex(tx->txid.b).text,
                  hash_hex(tx->wtxid.b).text);
    return child;
}

/* It was there before: by another peer a moment ago, or by RPC. */
static void known(struct p2p *p2p, const struct tx_ref *ref)
{
    txs_forget(p2p, &ref->tx);
    (void)orphanage_remove(p2p->txs.orphanage, &ref->tx.wtxid);
}

/* --- Answers --- */

static const struct tx_ref *first_judged(struct p2p *p2p, const struct offer *offer,
                                         struct peer *peer)
{
    const struct tx_result *result = &offer->results[0];

    switch (result->outcome) {
    case TX_ACCEPTED:
        accepted(p2p, offer->peer, offer->txs[0], result);
        if (peer != NULL)
            peer->txs.last_tx_s = p2p_now_s(p2p);
        return NULL;
    case TX_KNOWN:
        known(p2p, offer->txs[0]);
        return NULL;
    case TX_KNOWN_OTHER:
    case TX_REFUSED:
        if (result->cause == TX_CAUSE_INTERNAL)
            return NULL;
        return refused(p2p, offer->peer, offer->txs[0], result, true);
    case TX_NOT_JUDGED:
        break;
    }
    return NULL;
}

static void orphan_judged(struct p2p *p2p, const struct offer *offer)
{
    const struct tx_result *result = &offer->results[0];
    const struct tx_ref *ref = offer->txs[0];

    switch (result->outcome) {
    case TX_ACCEPTED:
        log_debug("txpackages", "   accepted orphan tx %s (wtxid=%s)",
                  hash_hex(ref->tx.txid.b).text, hash_hex(ref->tx.wtxid.b).text);
        accepted(p2p, offer->peer, ref, result);
        break;
    case TX_KNOWN:
        known(p2p, ref);
        break;
    case TX_KNOWN_OTHER:
    case TX_REFUSED:
        /* Another parent is missing still: it waits on. */
        if (result->cause == TX_CAUSE_MISSING_INPUTS || result->cause == TX_CAUSE_INTERNAL)
            break;
        log_debug("txpackages", "   invalid orphan tx %s (wtxid=%s) from peer=%" PRId64 ". %s%s%s",
                  hash_hex(ref->tx.txid.b).text, hash_hex(ref->tx.wtxid.b).text, offer->peer,
                  result->reason, result->detail[0] != '\0' ? ", " : "", result->detail);
        tx_ref_drop(refused(p2p, offer->peer, ref, result, false));
        break;
    case TX_NOT_JUDGED:
        break;
    }
}

static void package_judged(struct p2p *p2p, const struct offer *offer)
{
    const struct tx *parent = &offer->txs[0]->tx, *child = &offer->txs[1]->tx;
    bool is_refused = offer->package_reason[0] != '\0';

    for (size_t i = 0; i < offer->results_n; i++)
        is_refused |=
            offer->results[i].outcome != TX_ACCEPTED && offer->results[i].outcome != TX_KNOWN;
    log_debug("txpackages",
              "package evaluation for parent %s (wtxid=%s, sender=%" PRId64
              ") + child %s (wtxid=%s, sender=%" PRId64 "): %s",
              hash_hex(parent->txid.b).text, hash_hex(parent->wtxid.b).text, offer->peer,
              hash_hex(child->txid.b).text, hash_hex(child->wtxid.b).text, offer->peer,
              is_refused ? "package rejected" : "package accepted");
    if (is_refused) {
        uint8_t id[HASH_BYTES];

        package_id(id, offer->txs[0], offer->txs[1]);
        rolling_set_add(&p2p->txs.rejects_fee, id);
    }
    /* The child first: it must have left the orphanage before its parent puts it on a work
     * list. */
    for (size_t i = offer->results_n; i-- > 0;) {
        const struct tx_result *result = &offer->results[i];

        if (result->outcome == TX_ACCEPTED)
            accepted(p2p, offer->peer, offer->txs[i], result);
        else if (result->outcome == TX_KNOWN)
            known(p2p, offer->txs[i]);
        else if (result->outcome != TX_NOT_JUDGED && result->cause != TX_CAUSE_INTERNAL)
            tx_ref_drop(refused(p2p, offer->peer, offer->txs[i], result, false));
    }
}

static void judged(struct p2p *p2p, void *own_argument)
{
    struct offer *offer = own_argument;
    struct peer *peer = peer_find(p2p, offer->peer);
    const struct tx_ref *child = NULL;

    if (peer != NULL)
        peer->txs.is_judging = false;
    if (offer->results_n == offer->txs_n) {
        switch (offer->kind) {
        case OFFER_FIRST:
            child = first_judged(p2p, offer, peer);
            break;
        case OFFER_ORPHAN:
            orphan_judged(p2p, offer);
            break;
        case OFFER_PACKAGE:
            package_judged(p2p, offer);
            break;
        }
    }
    /* What comes next of the peer's goes before its next message. */
    if (peer != NULL && child != NULL)
        hand_in(peer, OFFER_PACKAGE, offer->txs[0], child);
    else if (peer != NULL)
        txs_judge_orphans(peer);
    if (peer != NULL)
        peer_answered(peer);
    tx_ref_drop(child);
    offer_free(offer);
}

/* --- What the rest of the subject calls --- */

void txs_judge(struct peer *peer, const struct tx_ref *tx)
{
    hand_in(peer, OFFER_FIRST, tx, NULL);
}

void txs_judge_package_of(struct peer *peer, const struct tx_ref *parent)
{
    const struct tx_ref *child = find_child(peer->p2p, parent, peer->id);

    if (child != NULL)
        hand_in(peer, OFFER_PACKAGE, parent, child);
    tx_ref_drop(child);
}

void txs_judge_orphans(struct peer *peer)
{
    const struct tx_ref *ref;

    if (peer->txs.is_judging || peer->is_doomed)
        return;
    ref = orphanage_take_work(peer->p2p->txs.orphanage, peer->id);
    if (ref != NULL)
        hand_in(peer, OFFER_ORPHAN, ref, NULL);
    tx_ref_drop(ref);
}
