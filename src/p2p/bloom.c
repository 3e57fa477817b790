#include "p2p/bloom.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "primitives/partial_tree.h"
#include "script/parse.h"
#include "script/solver.h"

/* BIP 37: the seed of the n-th hash is n times this and the tweak. */
#define SEED_STEP 0xfba4c795U
#define OUTPOINT_BYTES (HASH_BYTES + 4)

/* MurmurHash3, x86, 32 bits (Austin Appleby; public domain), as BIP 37 wants it. */
static uint32_t murmur(uint32_t seed, struct span data)
{
    uint32_t hash = seed;
    uint32_t word = 0;
    size_t words = data.len / 4;

    for (size_t i = 0; i < words; i++) {
        word = get_le32(data.data + 4 * i) * 0xcc9e2d51U;
        hash ^= (word << 15 | word >> 17) * 0x1b873593U;
        hash = (hash << 13 | hash >> 19) * 5 + 0xe6546b64U;
    }
    word = 0;
    for (size_t i = 4 * words; i < data.len; i++)
        word |= (uint32_t)data.data[i] << (8 * (i & 3));
    word *= 0xcc9e2d51U;
    hash ^= (word << 15 | word >> 17) * 0x1b873593U;
    hash ^= (uint32_t)data.len;
    hash = (hash ^ hash >> 16) * 0x85ebca6bU;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35U;
    return hash ^ hash >> 16;
}

void bloom_init(struct bloom *ret_bloom, const struct message_filterload *load)
{
    CHECK(load->filter.len <= FILTER_BYTES_MAX && load->hash_funcs <= FILTER_HASH_FUNCS_MAX);
    *ret_bloom = (struct bloom){
        .len = load->filter.len,
        .hash_funcs = load->hash_funcs,
        .tweak = load->tweak,
        .flags = load->flags,
    };
    ret_bloom->data = alloc(MAX(load->filter.len, (size_t)1));
    if (load->filter.len > 0)
        memcpy(ret_bloom->data, load->filter.data, load->filter.len);
}

void bloom_clear(struct bloom *bloom)
{
    free(bloom->data);
    *bloom = (struct bloom){0};
}

static uint32_t bit_of(const struct bloom *bloom, uint32_t n, struct span item)
{
    return murmur(n * SEED_STEP + bloom->tweak, item) % (uint32_t)(bloom->len * 8);
}

void bloom_add(struct bloom *bloom, struct span item)
{
    for (uint32_t n = 0; n < bloom->hash_funcs && bloom->len > 0; n++) {
        uint32_t bit = bit_of(bloom, n, item);

        bloom->data[bit / 8] |= (uint8_t)(1U << (bit % 8));
    }
}

bool bloom_has(const struct bloom *bloom, struct span item)
{
    for (uint32_t n = 0; n < bloom->hash_funcs && bloom->len > 0; n++) {
        uint32_t bit = bit_of(bloom, n, item);

        if ((bloom->data[bit / 8] >> (bit % 8) & 1) == 0)
            return false;
    }
    return true;
}

static struct span outpoint_item(uint8_t *ret_bytes, const struct outpoint *outpoint)
{
    memcpy(ret_bytes, outpoint->txid.b, HASH_BYTES);
    put_le32(ret_bytes + HASH_BYTES, outpoint->vout);
    return span_of(ret_bytes, OUTPOINT_BYTES);
}

void bloom_add_outpoint(struct bloom *bloom, const struct outpoint *outpoint)
{
    uint8_t bytes[OUTPOINT_BYTES];

    bloom_add(bloom, outpoint_item(bytes, outpoint));
}

/* Does the script push something the filter has? What stands behind an operation that
 * cannot be read is not looked at. */
static bool match_script(const struct bloom *bloom, struct span script)
{
    struct script_iter iter = script_iter_of(script);
    struct span push;
    uint8_t op;

    while (script_next(&iter, &op, &push))
        if (push.len > 0 && bloom_has(bloom, push))
            return true;
    return false;
}

static void add_output(struct bloom *bloom, const struct tx *tx, uint32_t vout)
{
    struct outpoint outpoint = {.txid = tx->txid, .vout = vout};
    struct solution solution;
    uint8_t update = bloom->flags & BLOOM_UPDATE_MASK;

    if (update == BLOOM_UPDATE_P2PUBKEY_ONLY) {
        enum script_type type = script_solve(&solution, tx->out[vout].script_pubkey);

        if (type != SCRIPT_TYPE_PUBKEY && type != SCRIPT_TYPE_MULTISIG)
            return;
    } else if (update != BLOOM_UPDATE_ALL) {
        return;
    }
    bloom_add_outpoint(bloom, &outpoint);
}

bool bloom_match_tx(struct bloom *bloom, const struct tx *tx)
{
    uint8_t bytes[OUTPOINT_BYTES];
    bool is_match;

    if (bloom->len == 0)
        return true;
    is_match = bloom_has(bloom, span_of(tx->txid.b, HASH_BYTES));
    for (uint32_t i = 0; i < tx->out_n; i++) {
        if (match_script(bloom, tx->out[i].script_pubkey)) {
            is_match = true;
            add_output(bloom, tx, i);
        }
    }
    for (uint32_t i = 0; i < tx->in_n && !is_match; i++)
        is_match = bloom_has(bloom, outpoint_item(bytes, &tx->in[i].prevout)) ||
                   match_script(bloom, tx->in[i].script_sig);
    return is_match;
}

void bloom_filter_block(struct bloom *bloom, const struct block *block,
                        struct message_merkleblock *ret_merkleblock, bool *ret_matched,
                        struct arena *arena)
{
    struct txid *leaves = arena_array(arena, block->tx_n, sizeof(*leaves));
    struct partial_tree tree;

    for (uint32_t i = 0; i < block->tx_n; i++) {
        leaves[i] = block->tx[i].txid;
        ret_matched[i] = bloom_match_tx(bloom, &block->tx[i]);
    }
    partial_tree_make(&tree, leaves, ret_matched, block->tx_n, arena);
    *ret_merkleblock = (struct message_merkleblock){
        .header = block->header,
        .tx_n = block->tx_n,
        .hash_n = (uint32_t)(tree.hashes.len / HASH_BYTES),
        .hash = tree.hashes.data,
        .flags = tree.flags,
    };
}
