#include "p2p/eviction.h"

#include <stdlib.h>

#include "base/check.h"

#define PROTECT_GROUPS 4
#define PROTECT_PINGS 8
#define PROTECT_TXS 4
#define PROTECT_BLOCK_RELAY 8
#define PROTECT_BLOCKS 4

/* Networks that would lose against others by latency, and peers of this machine, which
 * may be onion services set up by hand. */
enum rare { RARE_CJDNS, RARE_I2P, RARE_LOCAL, RARE_ONION, RARE_N };

typedef struct eviction_candidate candidate;
typedef int order_fn(const candidate *a, const candidate *b, enum rare rare);
typedef bool wanted_fn(const candidate *c, enum rare rare);

/* All orders put those to be protected at the end. */
static int by_u64(uint64_t a, uint64_t b)
{
    return a == b ? 0 : a < b ? -1 : 1;
}

static int by_i64(int64_t a, int64_t b)
{
    return a == b ? 0 : a < b ? -1 : 1;
}

static int by_age(const candidate *a, const candidate *b, enum rare rare)
{
    (void)rare;
    return by_i64(b->connected_us, a->connected_us);
}

static int by_group(const candidate *a, const candidate *b, enum rare rare)
{
    (void)rare;
    return by_u64(a->group, b->group);
}

static int by_ping(const candidate *a, const candidate *b, enum rare rare)
{
    (void)rare;
    return by_i64(b->min_ping_us, a->min_ping_us);
}

static int by_tx(const candidate *a, const candidate *b, enum rare rare)
{
    if (a->last_tx_s != b->last_tx_s)
        return by_i64(a->last_tx_s, b->last_tx_s);
    if (a->relays_txs != b->relays_txs)
        return b->relays_txs ? -1 : 1;
    if (a->has_filter != b->has_filter)
        return a->has_filter ? -1 : 1;
    return by_age(a, b, rare);
}

static int by_block(const candidate *a, const candidate *b, enum rare rare)
{
    if (a->last_block_s != b->last_block_s)
        return by_i64(a->last_block_s, b->last_block_s);
    if (a->has_services != b->has_services)
        return b->has_services ? -1 : 1;
    return by_age(a, b, rare);
}

static int by_block_relay(const candidate *a, const candidate *b, enum rare rare)
{
    if (a->relays_txs != b->relays_txs)
        return a->relays_txs ? -1 : 1;
    return by_block(a, b, rare);
}

static bool is_rare(const candidate *c, enum rare rare)
{
    switch (rare) {
    case RARE_CJDNS:
        return c->net == NET_CJDNS;
    case RARE_I2P:
        return c->net == NET_I2P;
    case RARE_ONION:
        return c->net == NET_ONION;
    case RARE_LOCAL:
        return c->is_local;
    case RARE_N:
        break;
    }
    return false;
}

static int by_rare_and_age(const candidate *a, const candidate *b, enum rare rare)
{
    if (is_rare(a, rare) != is_rare(b, rare))
        return is_rare(b, rare) ? -1 : 1;
    return by_age(a, b, rare);
}

static bool is_any(const candidate *c, enum rare rare)
{
    (void)c;
    (void)rare;
    return true;
}

static bool is_block_relay(const candidate *c, enum rare rare)
{
    (void)rare;
    return !c->relays_txs && c->has_services;
}

struct sort_context {
    order_fn *order;
    enum rare rare;
};

/* Equal ones by id, so that the answer does not hang on the library's sort. */
static int compare(const void *a, const void *b, void *context)
{
    const struct sort_context *sort = (const struct sort_context *)context;
    const candidate *left = (const candidate *)a;
    const candidate *right = (const candidate *)b;
    int order = sort->order(left, right, sort->rare);

    return order != 0 ? order : by_i64(left->id, right->id);
}

/* Takes out those of the last k in that order that are wanted. Returns how many are
 * left. */
static size_t protect(candidate *list, size_t n, order_fn *order, wanted_fn *wanted, enum rare rare,
                      size_t k)
{
    struct sort_context sort = {.order = order, .rare = rare};
    size_t first = k < n ? n - k : 0;
    size_t left = first;

    qsort_r(list, n, sizeof(*list), compare, &sort);
    for (size_t i = first; i < n; i++) {
        if (!wanted(&list[i], rare))
            list[left++] = list[i];
    }
    return left;
}

struct rare_count {
    enum rare rare;
    size_t n;
};

static void count_rare(struct rare_count *counts, const candidate *list, size_t n)
{
    for (unsigned r = 0; r < RARE_N; r++) {
        counts[r].rare = (enum rare)r;
        counts[r].n = 0;
        for (size_t i = 0; i < n; i++)
            counts[r].n += is_rare(&list[i], (enum rare)r) ? 1 : 0;
    }
    /* The smaller ones first: what they do not use goes to the larger. */
    for (unsigned r = 1; r < RARE_N; r++) {
        for (unsigned i = r; i > 0 && counts[i].n < counts[i - 1].n; i--) {
            struct rare_count kept = counts[i];

            counts[i] = counts[i - 1];
            counts[i - 1] = kept;
        }
    }
}

/* Up to quota, in equal shares; what one does not use up is shared again. */
static size_t protect_rare(candidate *list, size_t n, size_t quota)
{
    struct rare_count counts[RARE_N];
    size_t used = 0;
    bool is_over = false;

    count_rare(counts, list, n);
    while (used < quota && !is_over) {
        size_t kinds = 0;
        size_t share;

        for (unsigned r = 0; r < RARE_N; r++)
            kinds += counts[r].n > 0 ? 1 : 0;
        if (kinds == 0)
            break;
        share = MAX((quota - used) / kinds, (size_t)1);
        is_over = true;
        for (unsigned r = 0; r < RARE_N && used < quota; r++) {
            size_t left;

            if (counts[r].n == 0)
                continue;
            left = protect(list, n, by_rare_and_age, is_rare, counts[r].rare, share);
            is_over = is_over && left == n;
            used += n - left;
            counts[r].n -= MIN(n - left, counts[r].n);
            n = left;
        }
    }
    return n;
}

size_t eviction_protect_by_ratio(struct eviction_candidate *candidates, size_t n)
{
    size_t quota = n / 2;
    size_t left = protect_rare(candidates, n, quota / 2);

    quota -= n - left;
    return protect(candidates, left, by_age, is_any, RARE_N, quota);
}

/* Of those sorted youngest first, the youngest of the largest group; of equally large
 * ones, the group whose youngest is youngest. */
static int64_t youngest_of_largest_group(const candidate *list, size_t n)
{
    size_t best = 0;
    size_t best_n = 0;

    for (size_t i = 0; i < n; i++) {
        size_t group_n = 0;
        bool is_first = true;

        for (size_t j = 0; j < n; j++) {
            is_first = is_first && !(j < i && list[j].group == list[i].group);
            group_n += list[j].group == list[i].group ? 1 : 0;
        }
        if (is_first && (group_n > best_n ||
                         (group_n == best_n && list[i].connected_us > list[best].connected_us))) {
            best = i;
            best_n = group_n;
        }
    }
    return list[best].id;
}

static size_t keep_only(candidate *list, size_t n, bool (*is_kept)(const candidate *))
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (is_kept(&list[i]))
            list[kept++] = list[i];
    }
    return kept;
}

static bool may_go(const candidate *c)
{
    return !c->is_protected;
}

static bool should_go(const candidate *c)
{
    return c->is_preferred;
}

bool eviction_choose_inbound(int64_t *ret_id, struct eviction_candidate *candidates, size_t n)
{
    bool has_preferred = false;

    n = keep_only(candidates, n, may_go);
    n = protect(candidates, n, by_group, is_any, RARE_N, PROTECT_GROUPS);
    n = protect(candidates, n, by_ping, is_any, RARE_N, PROTECT_PINGS);
    n = protect(candidates, n, by_tx, is_any, RARE_N, PROTECT_TXS);
    n = protect(candidates, n, by_block_relay, is_block_relay, RARE_N, PROTECT_BLOCK_RELAY);
    n = protect(candidates, n, by_block, is_any, RARE_N, PROTECT_BLOCKS);
    n = eviction_protect_by_ratio(candidates, n);
    if (n == 0)
        return false;
    for (size_t i = 0; i < n; i++)
        has_preferred = has_preferred || candidates[i].is_preferred;
    if (has_preferred)
        n = keep_only(candidates, n, should_go);
    *ret_id = youngest_of_largest_group(candidates, n);
    return true;
}

/* --- Outbound --- */

static enum eviction_answer answer(int64_t *ret_id, const struct eviction_outbound *chosen,
                                   int64_t age_min_us, int64_t now_us)
{
    if (chosen == NULL)
        return EVICTION_NONE;
    *ret_id = chosen->id;
    if (now_us - chosen->connected_us < age_min_us || chosen->blocks_in_flight > 0)
        return EVICTION_KEEP;
    return EVICTION_GO;
}

enum eviction_answer eviction_choose_block_relay(int64_t *ret_id,
                                                 const struct eviction_outbound *peers, size_t n,
                                                 int64_t now_us)
{
    const struct eviction_outbound *youngest = NULL;
    const struct eviction_outbound *second = NULL;

    for (size_t i = 0; i < n; i++) {
        if (!peers[i].is_block_relay_only)
            continue;
        if (youngest == NULL || peers[i].id > youngest->id) {
            second = youngest;
            youngest = &peers[i];
        } else if (second == NULL || peers[i].id > second->id) {
            second = &peers[i];
        }
    }
    if (second != NULL && youngest->last_block_s > second->last_block_s)
        youngest = second;
    return answer(ret_id, youngest, EVICTION_AGE_MIN_US, now_us);
}

enum eviction_answer eviction_choose_full_relay(int64_t *ret_id,
                                                const struct eviction_outbound *peers, size_t n,
                                                int64_t now_us)
{
    const struct eviction_outbound *worst = NULL;

    for (size_t i = 0; i < n; i++) {
        const struct eviction_outbound *peer = &peers[i];

        if (peer->is_block_relay_only || peer->is_protected || peer->is_alone_on_network)
            continue;
        if (worst == NULL || peer->last_announcement_s < worst->last_announcement_s ||
            (peer->last_announcement_s == worst->last_announcement_s && peer->id > worst->id))
            worst = peer;
    }
    return answer(ret_id, worst, EVICTION_AGE_MIN_US + 1, now_us);
}
