#include "p2p/private_broadcast.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"

struct item {
    struct item *next;
    const struct tx_ref *tx; /* Held. */
    int64_t added_ms;
    struct private_try *tries; /* Owned. */
    size_t tries_n, tries_capacity;
};

struct private_broadcast {
    struct item *first, **end;
    size_t n;
};

struct private_broadcast *private_broadcast_new(void)
{
    struct private_broadcast *privates = alloc_zero(sizeof(*privates));

    privates->end = &privates->first;
    return privates;
}

static void item_free(struct item *own_item)
{
    tx_ref_drop(own_item->tx);
    free(own_item->tries);
    free(own_item);
}

void private_broadcast_free(struct private_broadcast *own_privates)
{
    if (own_privates == NULL)
        return;
    while (own_privates->first != NULL) {
        struct item *item = own_privates->first;

        own_privates->first = item->next;
        item_free(item);
    }
    free(own_privates);
}

static struct item *item_find(const struct private_broadcast *privates, const struct wtxid *wtxid)
{
    struct item *item = privates->first;

    while (item != NULL && !wtxid_equal(&item->tx->tx.wtxid, wtxid))
        item = item->next;
    return item;
}

static bool is_pending(const struct item *item)
{
    return item->tries_n < PRIVATE_TRIES_MAX;
}

enum private_add private_broadcast_add(struct private_broadcast *privates, const struct tx_ref *tx,
                                       int64_t now_ms)
{
    struct item *item = item_find(privates, &tx->tx.wtxid);

    if (item != NULL) {
        if (is_pending(item))
            return PRIVATE_KNOWN;
        item->added_ms = now_ms;
        item->tries_n = 0;
        return PRIVATE_ADDED;
    }
    if (privates->n >= PRIVATE_TXS_MAX)
        return PRIVATE_FULL;
    item = alloc_zero(sizeof(*item));
    item->tx = tx_ref_hold(tx);
    item->added_ms = now_ms;
    *privates->end = item;
    privates->end = &item->next;
    privates->n++;
    return PRIVATE_ADDED;
}

/* What of a transaction's past matters for its turn. */
struct past {
    size_t sent_n, confirmed_n;
    int64_t last_sent_ms, last_confirmed_ms;
};

static struct past past_of(const struct item *item)
{
    struct past past = {.sent_n = item->tries_n};

    for (size_t i = 0; i < item->tries_n; i++) {
        const struct private_try *try = &item->tries[i];

        past.last_sent_ms = MAX(past.last_sent_ms, try->sent_ms);
        past.last_confirmed_ms = MAX(past.last_confirmed_ms, try->confirmed_ms);
        past.confirmed_n += try->confirmed_ms != 0;
    }
    return past;
}

static bool goes_before(const struct past *a, const struct past *b)
{
    if (a->sent_n != b->sent_n)
        return a->sent_n < b->sent_n;
    if (a->confirmed_n != b->confirmed_n)
        return a->confirmed_n < b->confirmed_n;
    if (a->last_sent_ms != b->last_sent_ms)
        return a->last_sent_ms < b->last_sent_ms;
    return a->last_confirmed_ms < b->last_confirmed_ms;
}

bool private_broadcast_remove(struct private_broadcast *privates, size_t *ret_confirmed,
                              const struct wtxid *wtxid)
{
    struct item **slot = &privates->first;
    struct item *item;

    while (*slot != NULL && !wtxid_equal(&(*slot)->tx->tx.wtxid, wtxid))
        slot = &(*slot)->next;
    if (*slot == NULL)
        return false;
    item = *slot;
    *ret_confirmed = past_of(item).confirmed_n;
    *slot = item->next;
    if (privates->end == &item->next)
        privates->end = slot;
    privates->n--;
    item_free(item);
    return true;
}

static struct private_try *try_of(const struct private_broadcast *privates, int64_t peer,
                                  const struct item **ret_item)
{
    for (const struct item *item = privates->first; item != NULL; item = item->next) {
        for (size_t i = 0; i < item->tries_n; i++) {
            if (item->tries[i].peer == peer) {
                *ret_item = item;
                return &item->tries[i];
            }
        }
    }
    return NULL;
}

const struct tx_ref *private_broadcast_pick(struct private_broadcast *privates, int64_t peer,
                                            const struct net_address *address, int64_t now_ms)
{
    const struct item *other;
    struct item *best = NULL;
    struct past best_past = {0};

    if (try_of(privates, peer, &other) != NULL)
        return NULL;
    for (struct item *item = privates->first; item != NULL; item = item->next) {
        struct past past = past_of(item);

        if (is_pending(item) && (best == NULL || goes_before(&past, &best_past))) {
            best = item;
            best_past = past;
        }
    }
    if (best == NULL)
        return NULL;
    if (best->tries_n == best->tries_capacity) {
        best->tries_capacity = MAX(best->tries_capacity * 2, (size_t)4);
        best->tries = realloc_array(best->tries, best->tries_capacity, sizeof(*best->tries));
    }
    best->tries[best->tries_n++] =
        (struct private_try){.peer = peer, .address = *address, .sent_ms = now_ms};
    return best->tx;
}

const struct tx_ref *private_broadcast_of(const struct private_broadcast *privates, int64_t peer)
{
    const struct item *item;

    return try_of(privates, peer, &item) != NULL ? item->tx : NULL;
}

void private_broadcast_confirmed(struct private_broadcast *privates, int64_t peer, int64_t now_ms)
{
    const struct item *item;
    struct private_try *try = try_of(privates, peer, &item);

    if (try != NULL)
        try->confirmed_ms = now_ms;
}

bool private_broadcast_is_confirmed(const struct private_broadcast *privates, int64_t peer)
{
    const struct item *item;
    const struct private_try *try = try_of(privates, peer, &item);

    return try != NULL && try->confirmed_ms != 0;
}

bool private_broadcast_has_pending(const struct private_broadcast *privates)
{
    for (const struct item *item = privates->first; item != NULL; item = item->next)
        if (is_pending(item))
            return true;
    return false;
}

static bool is_stale(const struct item *item, int64_t now_ms)
{
    struct past past = past_of(item);

    if (!is_pending(item))
        return false;
    if (past.confirmed_n == 0)
        return item->added_ms < now_ms - PRIVATE_STALE_FIRST_MS;
    return past.last_confirmed_ms < now_ms - PRIVATE_STALE_MS;
}

void private_broadcast_stale(const struct private_broadcast *privates,
                             const struct tx_ref ***ret_txs, size_t *ret_n, int64_t now_ms,
                             struct arena *arena)
{
    *ret_n = 0;
    *ret_txs = arena_array(arena, MAX(privates->n, (size_t)1), sizeof(**ret_txs));
    for (const struct item *item = privates->first; item != NULL; item = item->next)
        if (is_stale(item, now_ms))
            (*ret_txs)[(*ret_n)++] = tx_ref_hold(item->tx);
}

size_t private_broadcast_count(const struct private_broadcast *privates)
{
    return privates->n;
}

void private_broadcast_walk(const struct private_broadcast *privates,
                            void (*visit)(void *context, const struct tx_ref *tx, int64_t added_ms,
                                          const struct private_try *tries, size_t tries_n),
                            void *context)
{
    for (const struct item *item = privates->first; item != NULL; item = item->next)
        visit(context, item->tx, item->added_ms, item->tries, item->tries_n);
}
