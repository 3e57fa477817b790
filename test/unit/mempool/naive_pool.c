#include "naive_pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "mempool/mempool_priv.h"
#include "naive_ground.h"

#define CLUSTER_MAX 6 /* -limitclustercount: subsets can be tried. */
#define TXS_MAX 48
#define STEPS_MAX 160
#define COINS_N 12
#define COIN_VALUE 1000000
#define OUTPUTS_N 2
#define HISTORY_MAX 512

struct model_tx {
    const struct tx_ref *ref; /* Borrowed from history. */
    int64_t fee_sat;
    int64_t delta_sat;
    int64_t time_s;
};

struct model {
    struct ground ground;
    struct mempool *pool;
    struct model_tx txs[TXS_MAX];
    size_t n;
    const struct tx_ref *history[HISTORY_MAX]; /* All ever made; held. */
    int64_t history_fee[HISTORY_MAX];
    size_t history_n;
    struct outpoint coins[COINS_N];
    const uint8_t *data;
    size_t len;
    size_t at;
};

static uint8_t next_byte(struct model *m)
{
    return m->at < m->len ? m->data[m->at++] : 0;
}

/* --- Relatives, by inputs alone ------------------------------------------------------- */

/* A set of the model's transactions; position TXS_MAX: one that wants in. */
typedef uint64_t set;

static set bit(size_t i)
{
    return UINT64_C(1) << i;
}

static const struct tx *tx_at(const struct model *m, const struct tx_ref *extra, size_t i)
{
    return i == TXS_MAX ? &extra->tx : &m->txs[i].ref->tx;
}

static bool spends(const struct tx *child, const struct tx *parent)
{
    for (uint32_t i = 0; i < child->in_n; i++) {
        if (txid_equal(&child->in[i].prevout.txid, &parent->txid))
            return true;
    }
    return false;
}

static size_t position(const struct model *m, const struct txid *txid)
{
    for (size_t i = 0; i < m->n; i++) {
        if (txid_equal(&m->txs[i].ref->tx.txid, txid))
            return i;
    }
    return TXS_MAX + 1;
}

/* Grows a set by parents or children within all until it no longer grows. */
static set spread(const struct model *m, const struct tx_ref *extra, set all, set from, bool up,
                  bool down)
{
    for (bool grew = true; grew;) {
        grew = false;
        for (size_t i = 0; i <= TXS_MAX; i++) {
            for (size_t k = 0; k <= TXS_MAX && (all & bit(i)); k++) {
                const struct tx *a;
                const struct tx *b;

                if (!(all & bit(k)) || !(from & bit(i)) || (from & bit(k)))
                    continue;
                a = tx_at(m, extra, i);
                b = tx_at(m, extra, k);
                if ((up && spends(a, b)) || (down && spends(b, a))) {
                    from |= bit(k);
                    grew = true;
                }
            }
        }
    }
    return from;
}

static size_t count(set s)
{
    return (size_t)__builtin_popcountll(s);
}

static set everything(const struct model *m)
{
    return m->n == 0 ? 0 : bit(m->n) - 1;
}

/* --- Diagrams, by all subsets ------------------------------------------------------------ */

struct piece {
    int64_t fee_sat;
    int64_t size;
};

struct drawing {
    struct piece pieces[TXS_MAX + 1]; /* Falling feerate. */
    size_t n;
};

struct member {
    struct piece piece;
    set parents; /* All ancestors, as positions in the cluster. */
};

/* The sign of a's feerate less b's. */
static int compare_rates(struct piece a, struct piece b)
{
    __extension__ typedef __int128 wide;
    wide left = (wide)a.fee_sat * b.size;
    wide right = (wide)b.fee_sat * a.size;

    return (left > right) - (left < right);
}

static void draw_cluster(struct drawing *drawing, const struct member *members, size_t n)
{
    set left = bit(n) - 1;

    while (left != 0) {
        struct piece best = {0, 0};
        set best_set = 0;

        for (set s = 1; s < bit(n); s++) {
            struct piece sum = {0, 0};
            bool closed = (s & ~left) == 0;

            for (size_t i = 0; i < n && closed; i++) {
                if (!(s & bit(i)))
                    continue;
                closed = (members[i].parents & left & ~s) == 0;
                sum.fee_sat += members[i].piece.fee_sat;
                sum.size += members[i].piece.size;
            }
            if (closed && (best_set == 0 || compare_rates(sum, best) > 0)) {
                best = sum;
                best_set = s;
            }
        }
        drawing->pieces[drawing->n++] = best;
        left &= ~best_set;
    }
}

static int by_rate(const void *a, const void *b)
{
    return -compare_rates(*(const struct piece *)a, *(const struct piece *)b);
}

static struct piece piece_of(const struct model *m, const struct tx_ref *extra, int64_t extra_fee,
                             size_t i)
{
    const struct tx *tx = tx_at(m, extra, i);
    int64_t fee = i == TXS_MAX ? extra_fee : m->txs[i].fee_sat + m->txs[i].delta_sat;

    return (struct piece){fee, (int64_t)tx_weight(tx)};
}

static void draw(const struct model *m, struct drawing *drawing, const struct tx_ref *extra,
                 int64_t extra_fee, set all)
{
    set left = all;

    drawing->n = 0;
    while (left != 0) {
        size_t first = (size_t)__builtin_ctzll(left);
        set cluster = spread(m, extra, all, bit(first), true, true);
        struct member members[CLUSTER_MAX];
        size_t places[CLUSTER_MAX];
        size_t n = 0;

        CHECK(count(cluster) <= CLUSTER_MAX);
        for (size_t i = 0; i <= TXS_MAX; i++) {
            if (cluster & bit(i))
                places[n++] = i;
        }
        for (size_t i = 0; i < n; i++) {
            set ancestors = spread(m, extra, cluster, bit(places[i]), true, false);

            members[i] = (struct member){.piece = piece_of(m, extra, extra_fee, places[i])};
            for (size_t k = 0; k < n; k++) {
                if (ancestors & bit(places[k]))
                    members[i].parents |= bit(k);
            }
        }
        draw_cluster(drawing, members, n);
        left &= ~cluster;
    }
    qsort(drawing->pieces, drawing->n, sizeof(*drawing->pieces), by_rate);
}

/* The height of a diagram at x, times the size of the piece there. */
static void height_at(const struct drawing *d, int64_t x, int64_t *ret_num, int64_t *ret_den)
{
    int64_t fee = 0;
    int64_t size = 0;

    for (size_t i = 0; i < d->n; i++) {
        const struct piece *p = &d->pieces[i];

        if (x < size + p->size) {
            *ret_num = fee * p->size + p->fee_sat * (x - size);
            *ret_den = p->size;
            return;
        }
        fee += p->fee_sat;
        size += p->size;
    }
    *ret_num = fee;
    *ret_den = 1;
}

/* Nowhere lower, somewhere higher? Looked at at every corner of both. */
static bool is_better(const struct drawing *a, const struct drawing *b)
{
    bool higher = false;

    for (int which = 0; which < 2; which++) {
        const struct drawing *corners = which == 0 ? a : b;
        int64_t x = 0;

        for (size_t i = 0; i < corners->n; i++) {
            int64_t a_num, a_den, b_num, b_den;
            int order;

            x += corners->pieces[i].size;
            height_at(a, x, &a_num, &a_den);
            height_at(b, x, &b_num, &b_den);
            order = compare_rates((struct piece){a_num, a_den}, (struct piece){b_num, b_den});
            if (order < 0)
                return false;
            higher |= order > 0;
        }
    }
    return higher;
}

/* --- The rules --------------------------------------------------------------------------- */

static int64_t fee_for(int64_t rate, int64_t vsize)
{
    return (rate * vsize + 999) / 1000;
}

static bool coin_is_there(struct model *m, const struct outpoint *outpoint)
{
    const struct mempool_ground *ground = &m->pool->options.ground;
    struct arena arena;
    struct coin coin;
    bool found = false;

    arena_init(&arena);
    CHECK(ground->find_coins(ground->context, &coin, &found, outpoint, 1, &arena, NULL) == 0);
    arena_clear(&arena);
    return found;
}

static bool inputs_are_there(struct model *m, const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->in_n; i++) {
        size_t parent = position(m, &tx->in[i].prevout.txid);

        if (parent > TXS_MAX && !coin_is_there(m, &tx->in[i].prevout))
            return false;
        if (parent <= TXS_MAX && tx->in[i].prevout.vout >= m->txs[parent].ref->tx.out_n)
            return false;
    }
    return true;
}

static set conflicts_of(const struct model *m, const struct tx *tx)
{
    set found = 0;

    for (size_t k = 0; k < m->n; k++) {
        const struct tx *other = &m->txs[k].ref->tx;

        for (uint32_t i = 0; i < tx->in_n; i++) {
            for (uint32_t j = 0; j < other->in_n; j++) {
                if (outpoint_equal(&tx->in[i].prevout, &other->in[j].prevout))
                    found |= bit(k);
            }
        }
    }
    return found;
}

static bool clusters_fit(const struct model *m, const struct tx_ref *extra, set all)
{
    for (size_t i = 0; i <= TXS_MAX; i++) {
        if ((all & bit(i)) && count(spread(m, extra, all, bit(i), true, true)) > CLUSTER_MAX)
            return false;
    }
    return true;
}

static const char *replacing(struct model *m, const struct tx_ref *ref, int64_t fee_sat, set doomed)
{
    int64_t vsize = policy_vsize((int64_t)tx_weight(&ref->tx));
    set after = (everything(m) & ~doomed) | bit(TXS_MAX);
    struct drawing is;
    struct drawing would_be;
    int64_t doomed_fee = 0;
    set touched = 0;

    for (size_t i = 0; i < m->n; i++) {
        if (doomed & bit(i))
            doomed_fee += m->txs[i].fee_sat + m->txs[i].delta_sat;
    }
    if (fee_sat - doomed_fee < fee_for(POLICY_INCREMENTAL_RELAY_SAT_KVB, vsize))
        return "insufficient fee";
    if (!clusters_fit(m, ref, after))
        return "too-large-cluster";
    /* Only what changes: priorities may make feerates negative, and below zero the curve
     * of all would hide what is gained before. */
    for (size_t i = 0; i < m->n; i++) {
        if ((doomed & bit(i)) || spends(&ref->tx, &m->txs[i].ref->tx))
            touched |= spread(m, NULL, everything(m), bit(i), true, true);
    }
    draw(m, &is, NULL, 0, touched);
    draw(m, &would_be, ref, fee_sat, (touched & ~doomed) | bit(TXS_MAX));
    return is_better(&would_be, &is) ? "" : "replacement-failed";
}

static int64_t delta_of(struct model *m, const struct txid *txid)
{
    return pool_delta(m->pool, txid);
}

/* "" and *ret_doomed, or why not. */
static const char *judge(struct model *m, const struct tx_ref *ref, int64_t base_fee,
                         set *ret_doomed)
{
    const struct tx *tx = &ref->tx;
    int64_t fee = base_fee + delta_of(m, &tx->txid);
    int64_t vsize = policy_vsize((int64_t)tx_weight(tx));
    set conflicts = conflicts_of(m, tx);
    set ancestors = 0;
    const char *why;

    *ret_doomed = 0;
    if (position(m, &tx->txid) <= TXS_MAX)
        return "txn-already-in-mempool";
    if (!inputs_are_there(m, tx)) {
        for (uint32_t i = 0; i < tx->out_n; i++) {
            struct outpoint own = {tx->txid, i};

            if (coin_is_there(m, &own))
                return "txn-already-known";
        }
        return "bad-txns-inputs-missingorspent";
    }
    if (fee < fee_for(POLICY_MIN_RELAY_SAT_KVB, vsize))
        return "min relay fee not met";
    if (conflicts != 0) {
        *ret_doomed = spread(m, NULL, everything(m), conflicts, false, true);
        why = replacing(m, ref, fee, *ret_doomed);
        if (why[0] != 0)
            return why;
    }
    if (!clusters_fit(m, ref, (everything(m) & ~*ret_doomed) | bit(TXS_MAX)))
        return "too-large-cluster";
    for (size_t i = 0; i < m->n; i++) {
        if (spends(tx, &m->txs[i].ref->tx))
            ancestors |= spread(m, NULL, everything(m), bit(i), true, false);
    }
    return (ancestors & conflicts) != 0 ? "bad-txns-spends-conflicting-tx" : "";
}

/* --- Changes -------------------------------------------------------------------------------- */

static void take_out(struct model *m, set gone)
{
    size_t kept = 0;

    for (size_t i = 0; i < m->n; i++) {
        if (!(gone & bit(i)))
            m->txs[kept++] = m->txs[i];
    }
    m->n = kept;
}

static void put_in(struct model *m, const struct tx_ref *ref, int64_t fee_sat)
{
    CHECK(m->n < TXS_MAX);
    m->txs[m->n++] = (struct model_tx){.ref = ref,
                                       .fee_sat = fee_sat,
                                       .delta_sat = delta_of(m, &ref->tx.txid),
                                       .time_s = pool_now_s(m->pool)};
}

static int64_t fee_of(const struct model *m, const struct tx_ref *ref)
{
    for (size_t i = 0; i < m->history_n; i++) {
        if (m->history[i] == ref)
            return m->history_fee[i];
    }
    CHECK_NEVER("a transaction nobody made");
}

static struct outpoint some_output(struct model *m, int64_t *ret_value)
{
    uint8_t choice = next_byte(m);
    size_t recent = m->history_n < 12 ? m->history_n : 12;

    if (choice < 100 || recent == 0) {
        *ret_value = COIN_VALUE;
        return m->coins[choice % COINS_N];
    }
    {
        const struct tx_ref *ref = m->history[m->history_n - 1 - choice % recent];
        uint32_t vout = (choice >> 4) % OUTPUTS_N;

        *ret_value = ref->tx.out[vout].value_sat;
        return output_of(ref, vout);
    }
}

static void offer(struct model *m, const struct tx_ref *ref)
{
    struct tx_submit_options options = {0};
    char package_reason[TX_PACKAGE_REASON_MAX];
    struct tx_result result;
    set doomed;
    const char *want;

    if (m->n + 1 >= TXS_MAX)
        return;
    want = judge(m, ref, fee_of(m, ref), &doomed);
    CHECK(mempool_submit(m->pool, &result, package_reason, &ref, 1, &options, NULL) == 0);
    CHECK(strcmp(result.reason, want) == 0);
    CHECK(want[0] != 0 || result.replaced_n == count(doomed));
    if (want[0] == 0) {
        take_out(m, doomed);
        put_in(m, ref, fee_of(m, ref));
    }
    tx_result_clear(&result);
}

static void step_new(struct model *m)
{
    struct outpoint spent[3];
    int64_t values[OUTPUTS_N];
    size_t spent_n = 1 + next_byte(m) % 2;
    uint8_t level = next_byte(m);
    int64_t fee = (int64_t)level * level / 4;
    struct plan plan = {.spends = spent,
                        .values_sat = values,
                        .values_n = OUTPUTS_N,
                        .padding = (uint32_t)(next_byte(m) & 3) * 60};
    int64_t sum = 0;

    for (size_t i = 0; i < spent_n; i++) {
        int64_t value;
        bool is_new = true;

        spent[plan.spends_n] = some_output(m, &value);
        for (size_t k = 0; k < plan.spends_n; k++)
            is_new = is_new && !outpoint_equal(&spent[k], &spent[plan.spends_n]);
        if (is_new) {
            plan.spends_n++;
            sum += value;
        }
    }
    if (m->history_n == HISTORY_MAX || sum - fee < 4000)
        return;
    for (size_t i = 0; i < OUTPUTS_N; i++)
        values[i] = (sum - fee) / OUTPUTS_N;
    fee = sum - values[0] - values[1];
    m->history[m->history_n] = plan_build(&plan);
    m->history_fee[m->history_n++] = fee;
    offer(m, m->history[m->history_n - 1]);
}

static void step_again(struct model *m)
{
    if (m->history_n > 0)
        offer(m, m->history[next_byte(m) % m->history_n]);
}

/* A block with a closed set of the mempool, or with a stranger. */
static void step_block(struct model *m)
{
    uint8_t choice = next_byte(m);
    const struct tx_ref *taken[TXS_MAX];
    size_t n = 0;
    set gone = 0;

    if (m->ground.blocks_n + 4 >= GROUND_BLOCKS_MAX)
        return;
    /* Parents come before children in the model too. */
    for (size_t i = 0; i < m->n; i++) {
        set ancestors = spread(m, NULL, everything(m), bit(i), true, false);

        if (((choice >> (i % 8)) & 1) == 0 || (ancestors & ~gone & ~bit(i)) != 0)
            continue;
        taken[n++] = m->txs[i].ref;
        gone |= bit(i);
    }
    if (n == 0 && m->history_n > 0) {
        const struct tx_ref *other = m->history[choice % m->history_n];
        bool ok = position(m, &other->tx.txid) > TXS_MAX;

        for (uint32_t i = 0; i < other->tx.in_n && ok; i++)
            ok = coin_is_there(m, &other->tx.in[i].prevout);
        if (ok) {
            taken[n++] = other;
            gone = spread(m, NULL, everything(m), conflicts_of(m, &other->tx), false, true);
        }
    }
    take_out(m, gone);
    ground_mine(&m->ground, taken, n);
}

/* What must be there after the blocks' transactions have come back. */
static void step_reorganize(struct model *m)
{
    size_t n = 1 + next_byte(m) % 2;
    const struct tx_ref *back[TXS_MAX * 2];
    size_t back_n = 0;
    struct model_tx before[TXS_MAX];
    size_t before_n = m->n;
    bool may_overflow;

    if (m->ground.blocks_n < n || m->ground.blocks_n + 4 >= GROUND_BLOCKS_MAX)
        return;
    for (size_t i = m->ground.blocks_n - n; i < m->ground.blocks_n; i++) {
        for (size_t k = 0; k < m->ground.blocks[i].txs_n && back_n < TXS_MAX * 2; k++)
            back[back_n++] = m->ground.blocks[i].txs[k];
    }
    if (m->n + back_n >= TXS_MAX)
        return;
    memcpy(before, m->txs, sizeof(before));
    ground_reorganize(&m->ground, n);
    m->n = 0;
    for (size_t i = 0; i < back_n; i++)
        put_in(m, back[i], fee_of(m, back[i]));
    for (size_t i = 0; i < before_n; i++)
        m->txs[m->n++] = before[i];
    may_overflow = !clusters_fit(m, NULL, everything(m));
    if (!may_overflow)
        return;
    /* Who has to go is the graph's choice: what stays must be whole. */
    {
        set gone = 0;

        for (size_t i = 0; i < m->n; i++) {
            if (pool_find_txid(m->pool, &m->txs[i].ref->tx.txid) == NULL)
                gone |= bit(i);
        }
        CHECK(gone != 0);
        take_out(m, gone);
        CHECK(clusters_fit(m, NULL, everything(m)));
        for (size_t i = 0; i < m->n; i++)
            CHECK(inputs_are_there(m, &m->txs[i].ref->tx));
    }
}

static void step_prioritise(struct model *m)
{
    struct mempool_view *view = mempool_view(m->pool);
    int64_t delta = ((int64_t)next_byte(m) - 128) * 50;
    const struct txid *txid;
    size_t at;

    if (m->history_n == 0)
        return;
    txid = &m->history[next_byte(m) % m->history_n]->tx.txid;
    CHECK(view->ops->prioritise(view, txid, delta, NULL) == 0);
    at = position(m, txid);
    if (at <= TXS_MAX)
        m->txs[at].delta_sat += delta;
}

static void step_wait(struct model *m)
{
    int64_t now_s = pool_now_s(m->pool) + (int64_t)next_byte(m) * 4000;
    set old = 0;

    mock_clock_set(&m->ground.clock, now_s);
    for (size_t i = 0; i < m->n; i++) {
        if (m->txs[i].time_s < now_s - m->pool->options.expiry_s)
            old |= bit(i);
    }
    take_out(m, spread(m, NULL, everything(m), old, false, true));
    mempool_idle(m->pool);
}

/* --- Comparing ------------------------------------------------------------------------------- */

static void compare(struct model *m)
{
    struct mempool_view *view = mempool_view(m->pool);
    struct mempool_status status;
    struct drawing drawing;
    struct feerate_point *points;
    struct arena arena;
    size_t points_n;
    int64_t fees = 0;

    arena_init(&arena);
    view->ops->status(view, &status);
    CHECK(status.txs_n == m->n);
    for (size_t i = 0; i < m->n; i++) {
        const struct model_tx *tx = &m->txs[i];
        struct mempool_entry entry;

        CHECK(view->ops->entry(view, &entry, &tx->ref->tx.txid, &arena) == 0);
        CHECK(entry.fee_sat == tx->fee_sat);
        CHECK(entry.modified_fee_sat == tx->fee_sat + tx->delta_sat);
        CHECK(entry.ancestors_n == count(spread(m, NULL, everything(m), bit(i), true, false)));
        CHECK(entry.descendants_n == count(spread(m, NULL, everything(m), bit(i), false, true)));
        fees += tx->fee_sat;
    }
    CHECK(status.total_fee_sat == fees);
    draw(m, &drawing, NULL, 0, everything(m));
    view->ops->diagram(view, &points, &points_n, &arena);
    /* Chunks of one feerate may be cut in different places: compared where both turn. */
    for (size_t i = 0; i < points_n; i++) {
        int64_t num, den;

        height_at(&drawing, points[i].weight, &num, &den);
        CHECK(points[i].fee_sat * den == num);
    }
    arena_clear(&arena);
}

void naive_pool_play(const uint8_t *data, size_t len)
{
    struct model *m = alloc_zero(sizeof(*m));
    struct mempool_options options;

    m->data = data;
    m->len = len;
    ground_init(&m->ground, &options);
    options.cluster_count_max = CLUSTER_MAX;
    for (size_t i = 0; i < COINS_N; i++)
        m->coins[i] = ground_coin(&m->ground, COIN_VALUE);
    CHECK(mempool_new(&m->pool, &options, NULL) == 0);
    m->ground.pool = m->pool;
    for (int step = 0; step < STEPS_MAX && m->at < m->len; step++) {
        uint8_t kind = next_byte(m) % 16;

        if (kind < 9)
            step_new(m);
        else if (kind < 11)
            step_again(m);
        else if (kind < 13)
            step_block(m);
        else if (kind < 14)
            step_reorganize(m);
        else if (kind < 15)
            step_prioritise(m);
        else
            step_wait(m);
        compare(m);
    }
    mempool_free(m->pool);
    ground_clear(&m->ground);
    for (size_t i = 0; i < m->history_n; i++)
        tx_ref_drop(m->history[i]);
    free(m);
}
