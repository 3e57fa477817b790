#include "branches.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "codec/writer.h"
#include "coins/compress.h"
#include "coins/stats.h"
#include "consensus/rules.h"
#include "primitives/merkle.h"

#define COINBASE_OUTPUTS 6
#define OUTPUTS_MAX 8

static const uint8_t script_true[] = {0x51};
static const uint8_t script_false[] = {0x00};

struct draft {
    struct arena arena;
    struct tx txs[64];
    uint32_t tx_n;
    struct branch_block *block;
    int64_t fees_sat;
};

static void note_add(struct branch_block *block, const struct tx *tx, uint32_t vout, int32_t height,
                     bool is_coinbase)
{
    block->adds = realloc_array(block->adds, block->adds_n + 1, sizeof(*block->adds));
    block->adds[block->adds_n++] =
        (struct branch_coin){.outpoint = {.txid = tx->txid, .vout = vout},
                             .value_sat = tx->out[vout].value_sat,
                             .height = height,
                             .is_coinbase = is_coinbase,
                             .is_good = tx->out[vout].script_pubkey.data[0] == 0x51};
}

static void note_spend(struct branch_block *block, const struct outpoint *outpoint)
{
    block->spends = realloc_array(block->spends, block->spends_n + 1, sizeof(*block->spends));
    block->spends[block->spends_n++] = *outpoint;
}

static struct tx *draft_tx(struct draft *draft, uint32_t in_n, uint32_t out_n,
                           struct tx_in **ret_in, struct tx_out **ret_out)
{
    struct tx *tx = &draft->txs[draft->tx_n++];

    CHECK(draft->tx_n <= ARRAY_LEN(draft->txs));
    *ret_in = arena_array(&draft->arena, in_n, sizeof(**ret_in));
    *ret_out = arena_array(&draft->arena, out_n, sizeof(**ret_out));
    *tx = (struct tx){.version = 2, .in_n = in_n, .out_n = out_n, .in = *ret_in, .out = *ret_out};
    return tx;
}

/* Spends one coin into one to three, one of them now and then unspendable by all. */
static void add_spend(struct draft *draft, const struct branch_coin *coin)
{
    uint32_t out_n = 1 + (uint32_t)test_random_below(3);
    struct tx_out *out;
    struct tx_in *in;
    struct tx *tx = draft_tx(draft, 1, out_n, &in, &out);
    int64_t left = coin->value_sat;

    in[0].prevout = coin->outpoint;
    in[0].sequence = SEQUENCE_FINAL;
    for (uint32_t i = 0; i < out_n; i++) {
        out[i].value_sat = left / 3;
        left -= out[i].value_sat;
        out[i].script_pubkey = i == 2 ? span_of(script_false, sizeof(script_false))
                                      : span_of(script_true, sizeof(script_true));
    }
    draft->fees_sat += left;
    tx_finish(tx, &draft->arena);
    note_spend(draft->block, &coin->outpoint);
    for (uint32_t i = 0; i < out_n; i++)
        note_add(draft->block, tx, i, draft->block->height, false);
}

static void add_faulty(struct draft *draft, const struct branch_coin *coins, size_t coins_n)
{
    struct branch_coin coin = {.value_sat = 1000, .is_good = true};

    test_random_fill(&coin.outpoint.txid, sizeof(coin.outpoint.txid));
    switch (draft->block->fault) {
    case BRANCH_MISSING:
        add_spend(draft, &coin);
        break;
    case BRANCH_DOUBLE:
        CHECK(draft->block->spends_n > 0);
        coin.outpoint = draft->block->spends[0];
        add_spend(draft, &coin);
        break;
    case BRANCH_BAD_SCRIPT:
        for (size_t i = 0; i < coins_n; i++) {
            if (!coins[i].is_good) {
                add_spend(draft, &coins[i]);
                return;
            }
        }
        draft->block->fault = BRANCH_GOOD; /* No such coin on this branch. */
        break;
    case BRANCH_GOOD:
    case BRANCH_BAD_AMOUNT:
    case BRANCH_BAD_ROOT:
        break;
    }
}

static bool is_spendable(const struct branch_coin *coin, int32_t height)
{
    return coin->is_good && coin->value_sat > 100 &&
           (!coin->is_coinbase || height - coin->height >= COINBASE_MATURITY);
}

/* The first coin from `at` on that may be spent. */
static bool spend_from(struct draft *draft, struct branch_coin *coins, size_t coins_n, size_t at)
{
    for (; at < coins_n; at++) {
        if (!is_spendable(&coins[at], draft->block->height))
            continue;
        add_spend(draft, &coins[at]);
        coins[at].is_good = false;
        return true;
    }
    return false;
}

static void add_spends(struct draft *draft, struct branch_coin *coins, size_t coins_n,
                       uint32_t spends)
{
    for (uint32_t i = 0; i < spends; i++) {
        struct branch_block *block = draft->block;
        size_t at = (size_t)test_random_below(coins_n + 1);

        /* Now and then an output of this very block. */
        if (block->adds_n > 0 && test_random_below(4) == 0) {
            struct branch_coin *made = &block->adds[test_random_below(block->adds_n)];

            if (made->is_good && made->value_sat > 100 && !made->is_coinbase) {
                struct branch_coin copy = *made;

                add_spend(draft, &copy);
                /* Spent once only. */
                for (size_t j = 0; j < block->adds_n; j++) {
                    if (outpoint_equal(&block->adds[j].outpoint, &copy.outpoint))
                        block->adds[j].value_sat = 0;
                }
                continue;
            }
        }
        spend_from(draft, coins, coins_n, at);
    }
}

static void make_coinbase(struct draft *draft, struct branches *branches, int64_t value_sat)
{
    struct tx_out *out;
    struct tx_in *in;
    uint32_t at = draft->tx_n;
    uint32_t out_n = COINBASE_OUTPUTS + (branches->padding > 0);
    struct tx *tx = draft_tx(draft, 1, out_n, &in, &out);
    uint8_t *script = arena_alloc(&draft->arena, COINBASE_HEIGHT_BYTES_MAX + 5);
    size_t len = coinbase_height_write(script, draft->block->height);
    struct tx coinbase;

    script[len++] = 4;
    put_le32(script + len, branches->extra++);
    in[0].prevout.vout = OUTPOINT_VOUT_NULL;
    in[0].script_sig = span_of(script, len + 4);
    in[0].sequence = SEQUENCE_FINAL;
    for (uint32_t i = 0; i < COINBASE_OUTPUTS; i++) {
        out[i].value_sat = value_sat / COINBASE_OUTPUTS;
        out[i].script_pubkey = span_of(script_true, sizeof(script_true));
    }
    out[0].value_sat += value_sat % COINBASE_OUTPUTS;
    if (out_n > COINBASE_OUTPUTS) {
        uint8_t *data = arena_alloc(&draft->arena, branches->padding);

        memset(data, 0x6a, branches->padding);
        out[COINBASE_OUTPUTS].value_sat = 0;
        out[COINBASE_OUTPUTS].script_pubkey = span_of(data, branches->padding);
    }
    tx_finish(tx, &draft->arena);
    for (uint32_t i = 0; i < COINBASE_OUTPUTS; i++)
        note_add(draft->block, tx, i, draft->block->height, true);
    coinbase = *tx;
    memmove(&draft->txs[1], &draft->txs[0], at * sizeof(coinbase));
    draft->txs[0] = coinbase;
}

static void write_block(struct buf *bytes, const struct header *header, const struct tx *txs,
                        uint32_t tx_n)
{
    header_write(buf_extend(bytes, HEADER_BYTES), header);
    write_compact_size(bytes, tx_n);
    for (uint32_t i = 0; i < tx_n; i++)
        tx_write(bytes, &txs[i], true);
}

static void solve(struct header *header, struct block_hash *ret_hash, const struct params *params)
{
    for (;; header->nonce++) {
        *ret_hash = header_hash(header);
        if (pow_check(ret_hash, header->bits, params))
            return;
    }
}

static void seal(struct branches *branches, struct draft *draft)
{
    struct branch_block *block = draft->block;
    const struct branch_block *parent = block->parent < 0 ? NULL : &branches->blocks[block->parent];
    struct block view = {.tx = draft->txs, .tx_n = draft->tx_n};
    struct u256 limit = u256_of_hash(branches->params->pow_limit);
    struct header header = {.version = 0x20000000,
                            .prev = parent == NULL ? branches->params->genesis_hash : parent->hash,
                            .time = 1296688602U + (uint32_t)block->height * 600,
                            .bits = bits_of_target(&limit)};

    header.merkle_root = block_merkle_root(&view, NULL, &draft->arena);
    solve(&header, &block->hash, branches->params);
    write_block(&block->bytes, &header, draft->txs, draft->tx_n);
    /* Another list of transactions under the same header. */
    write_block(&block->mutated, &header, draft->txs, draft->tx_n);
    block->mutated.data[block->mutated.len - 1] ^= 1;
    if (block->fault == BRANCH_BAD_ROOT)
        block->bytes.data[block->bytes.len - 1] ^= 1;
}

int32_t branches_grow(struct branches *branches, int32_t parent, uint32_t spends,
                      enum branch_fault fault)
{
    struct draft *draft = alloc_zero(sizeof(*draft));
    struct branch_coin *coins = NULL;
    struct branch_block *block;
    int64_t value_sat;
    size_t coins_n = branches_coins(branches, parent, &coins);

    branches->blocks = realloc_array(branches->blocks, branches->n + 1, sizeof(*branches->blocks));
    block = &branches->blocks[branches->n];
    *block = (struct branch_block){.parent = parent,
                                   .height = parent < 0 ? 1 : branches->blocks[parent].height + 1,
                                   .fault = fault,
                                   .sequence = INT32_MAX};
    draft->block = block;
    add_spends(draft, coins, coins_n, spends);
    /* The draw may have met no coin that can be spent where there are some. */
    if (block->fault == BRANCH_DOUBLE && block->spends_n == 0 &&
        !spend_from(draft, coins, coins_n, 0))
        block->fault = BRANCH_GOOD;
    add_faulty(draft, coins, coins_n);
    value_sat = subsidy_at(block->height, branches->params) + draft->fees_sat;
    make_coinbase(draft, branches, value_sat + (block->fault == BRANCH_BAD_AMOUNT));
    seal(branches, draft);
    arena_clear(&draft->arena);
    free(draft);
    free(coins);
    return (int32_t)branches->n++;
}

void branches_init(struct branches *branches)
{
    branches_init_padded(branches, 0);
}

void branches_init_padded(struct branches *branches, uint32_t padding)
{
    *branches = (struct branches){.params = params_of(NETWORK_REGTEST), .padding = padding};
    for (int32_t i = 0; i < BRANCHES_BASE; i++)
        branches_grow(branches, i - 1, 0, BRANCH_GOOD);
}

void branches_clear(struct branches *branches)
{
    for (size_t i = 0; i < branches->n; i++) {
        buf_clear(&branches->blocks[i].bytes);
        buf_clear(&branches->blocks[i].mutated);
        free(branches->blocks[i].spends);
        free(branches->blocks[i].adds);
    }
    free(branches->blocks);
}

static void apply(const struct branch_block *block, struct branch_coin **coins, size_t *n)
{
    *coins = realloc_array(*coins, *n + block->adds_n + 1, sizeof(**coins));
    for (size_t i = 0; i < block->adds_n; i++)
        (*coins)[(*n)++] = block->adds[i];
    for (size_t i = 0; i < block->spends_n; i++) {
        for (size_t j = 0; j < *n; j++) {
            if (!outpoint_equal(&(*coins)[j].outpoint, &block->spends[i]))
                continue;
            (*coins)[j] = (*coins)[--*n];
            break;
        }
    }
}

size_t branches_coins(const struct branches *branches, int32_t block,
                      struct branch_coin **ret_coins)
{
    int32_t *way = alloc_array(branches->n + 1, sizeof(*way));
    size_t way_n = 0;
    size_t n = 0;

    for (; block >= 0; block = branches->blocks[block].parent)
        way[way_n++] = block;
    *ret_coins = alloc_array(1, sizeof(**ret_coins));
    while (way_n > 0)
        apply(&branches->blocks[way[--way_n]], ret_coins, &n);
    free(way);
    return n;
}

bool branches_is_ancestor(const struct branches *branches, int32_t old, int32_t block)
{
    while (block >= 0 && block != old)
        block = branches->blocks[block].parent;
    return block == old;
}

bool branches_is_out(const struct branches *branches, int32_t block)
{
    for (; block >= 0; block = branches->blocks[block].parent) {
        if (branches->blocks[block].is_failed || !branches->blocks[block].is_offered)
            return true;
    }
    return false;
}

int32_t branches_best(const struct branches *branches)
{
    int32_t best = -1;

    for (size_t i = 0; i < branches->n; i++) {
        const struct branch_block *block = &branches->blocks[i];
        const struct branch_block *other = best < 0 ? NULL : &branches->blocks[best];

        if (branches_is_out(branches, (int32_t)i))
            continue;
        if (other == NULL || block->height > other->height ||
            (block->height == other->height && block->sequence < other->sequence))
            best = (int32_t)i;
    }
    return best;
}

int32_t branches_find(const struct branches *branches, const struct block_hash *hash)
{
    for (size_t i = 0; i < branches->n; i++) {
        if (block_hash_equal(&branches->blocks[i].hash, hash))
            return (int32_t)i;
    }
    return -1;
}

void branches_learn(struct branches *branches)
{
    for (;;) {
        int32_t best = branches_best(branches);
        int32_t bad = -1;

        for (int32_t at = best; at >= 0; at = branches->blocks[at].parent) {
            if (branches->blocks[at].fault != BRANCH_GOOD)
                bad = at;
        }
        if (bad < 0)
            return;
        branches->blocks[bad].is_failed = true;
    }
}

int branches_offer(struct branches *branches, struct chain *chain, int32_t at, struct error *err)
{
    struct branch_block *block = &branches->blocks[at];
    struct node *node = chain_node(chain);
    struct submit_result result;
    int rc = node->ops->submit_block(node, &result, span_of_buf(&block->bytes), err);

    if (rc < 0)
        return rc;
    if (block->fault == BRANCH_BAD_ROOT) {
        EXPECT_INT("bad root", result.verdict,
                   block->parent >= 0 && branches_is_out(branches, block->parent)
                       ? result.verdict
                       : V_BAD_MERKLE_ROOT);
        return 0;
    }
    if (block->is_offered || (block->parent >= 0 && branches_is_out(branches, block->parent)))
        return 0;
    block->is_offered = true;
    block->sequence = branches->sequence_next++;
    branches_learn(branches);
    return 0;
}

static bool has_coin(const struct branch_coin *coins, size_t n, const struct outpoint *outpoint,
                     const struct branch_coin **ret_coin)
{
    for (size_t i = 0; i < n; i++) {
        *ret_coin = &coins[i];
        if (outpoint_equal(&coins[i].outpoint, outpoint))
            return true;
    }
    return false;
}

static int compare_coins(const void *a, const void *b)
{
    const struct branch_coin *x = a;
    const struct branch_coin *y = b;
    int order = memcmp(x->outpoint.txid.b, y->outpoint.txid.b, HASH_BYTES);

    if (order != 0)
        return order;
    return x->outpoint.vout < y->outpoint.vout ? -1 : x->outpoint.vout > y->outpoint.vout;
}

static struct coin coin_of(const struct branch_coin *coin)
{
    return (struct coin){.value_sat = coin->value_sat,
                         .height = (uint32_t)coin->height,
                         .is_coinbase = coin->is_coinbase,
                         .script_pubkey = coin->is_good
                                              ? span_of(script_true, sizeof(script_true))
                                              : span_of(script_false, sizeof(script_false))};
}

static void add_snapshot_coins(struct buf *file, const struct branch_coin *coins, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct coin coin = coin_of(&coins[i]);
        size_t same = 1;
        uint8_t *out;

        if (i == 0 || !txid_equal(&coins[i - 1].outpoint.txid, &coins[i].outpoint.txid)) {
            while (i + same < n &&
                   txid_equal(&coins[i + same].outpoint.txid, &coins[i].outpoint.txid))
                same++;
            buf_add(file, coins[i].outpoint.txid.b, HASH_BYTES);
            write_compact_size(file, same);
        }
        write_compact_size(file, coins[i].outpoint.vout);
        buf_reserve(file, 2 * VARINT_BYTES_MAX + TXOUT_COMPRESSED_OVERHEAD + 8);
        out = file->data + file->len;
        out += varint_write(out, (uint64_t)coin.height << 1 | coin.is_coinbase);
        out += txout_write_compressed(out, coin.value_sat, coin.script_pubkey);
        file->len = (size_t)(out - file->data);
    }
}

static uint64_t count_txs(const struct branches *branches, int32_t block)
{
    uint64_t n = 1; /* The genesis block's. */

    for (; block >= 0; block = branches->blocks[block].parent) {
        const struct buf *bytes = &branches->blocks[block].bytes;
        struct arena arena = {0};
        struct block parsed;

        CHECK(block_read(&parsed, bytes->data, bytes->len, &arena) == 0);
        n += parsed.tx_n;
        arena_clear(&arena);
    }
    return n;
}

void branches_snapshot(const struct branches *branches, int32_t block, struct buf *file,
                       struct snapshot_params *ret_params)
{
    struct coins_stats_maker maker;
    struct branch_coin *coins = NULL;
    struct coins_stats stats;
    size_t n = branches_coins(branches, block, &coins);

    qsort(coins, n, sizeof(*coins), compare_coins);
    buf_add(file, "utxo\xff\2\0", 7);
    buf_add(file, branches->params->magic, 4);
    buf_add(file, branches->blocks[block].hash.b, HASH_BYTES);
    write_le64(file, n);
    add_snapshot_coins(file, coins, n);
    coins_stats_maker_init(&maker, COINS_HASH_SERIALIZED_3);
    for (size_t i = 0; i < n; i++) {
        struct coin coin = coin_of(&coins[i]);

        CHECK(coins_stats_maker_add(&maker, &coins[i].outpoint, &coin, NULL) == 0);
    }
    coins_stats_maker_finish(&maker, &stats);
    *ret_params = (struct snapshot_params){.height = branches->blocks[block].height,
                                           .chain_tx_n = count_txs(branches, block),
                                           .block_hash = branches->blocks[block].hash};
    memcpy(ret_params->hash_serialized, stats.hash, HASH_BYTES);
    free(coins);
}

bool branches_agree(const struct branches *branches, struct chain *chain, int32_t block)
{
    const struct block_hash *want =
        block < 0 ? &branches->params->genesis_hash : &branches->blocks[block].hash;
    struct node *node = chain_node(chain);
    struct branch_coin *coins = NULL;
    struct node_status status;
    bool agrees = true;
    size_t n;

    node->ops->status(node, &status);
    if (!EXPECT_TRUE("tip", block_hash_equal(&status.tip.hash, want)))
        return false;
    n = branches_coins(branches, block, &coins);
    for (size_t i = 0; i < branches->n && agrees; i++) {
        for (size_t j = 0; j < branches->blocks[i].adds_n && agrees; j++) {
            const struct branch_coin *add = &branches->blocks[i].adds[j];
            const struct branch_coin *model = NULL;
            struct arena arena = {0};
            struct coin coin;
            int rc = node->ops->coin(node, &coin, NULL, &add->outpoint, &arena, NULL);
            bool want_it = has_coin(coins, n, &add->outpoint, &model);

            agrees = EXPECT_INT("coin is there", rc, want_it ? 0 : E_NOT_FOUND) &&
                     (!want_it || (EXPECT_INT("height", coin.height, model->height) &&
                                   EXPECT_INT("kind", coin.is_coinbase, model->is_coinbase)));
            arena_clear(&arena);
        }
    }
    free(coins);
    return agrees;
}
