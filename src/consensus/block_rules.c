#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "codec/writer.h"
#include "consensus/rules.h"
#include "consensus/signet.h"
#include "primitives/amount.h"
#include "primitives/merkle.h"
#include "script/script.h"

static enum verdict bad_block(struct finding *finding, enum verdict verdict, const char *detail)
{
    return finding_set(finding, verdict, UINT32_MAX, UINT32_MAX, "%s", detail);
}

static enum verdict check_merkle_root(const struct block *block, struct arena *arena,
                                      struct finding *finding)
{
    bool mutated;
    struct merkle_root root = block_merkle_root(block, &mutated, arena);

    if (memcmp(root.b, block->header.merkle_root.b, HASH_BYTES) != 0)
        return bad_block(finding, V_BAD_MERKLE_ROOT, "hashMerkleRoot mismatch");
    if (mutated)
        return bad_block(finding, V_MUTATED, "duplicate transaction");
    return V_VALID;
}

/* Without witness: what counts towards the limit before the witness is known to
 * be the one committed to. */
static uint64_t base_bytes(const struct block *block)
{
    uint64_t sum = HEADER_BYTES + compact_size_len(block->tx_n);

    for (uint32_t i = 0; i < block->tx_n; i++)
        sum += block->tx[i].base_bytes;
    return sum;
}

static enum verdict check_shape(const struct block *block, struct finding *finding)
{
    if (block->tx_n == 0 || (uint64_t)block->tx_n * WITNESS_SCALE_FACTOR > BLOCK_WEIGHT_MAX ||
        base_bytes(block) * WITNESS_SCALE_FACTOR > BLOCK_WEIGHT_MAX)
        return bad_block(finding, V_BAD_BLOCK_LENGTH, "size limits failed");
    if (!tx_is_coinbase(&block->tx[0]))
        return bad_block(finding, V_BAD_CB_MISSING, "first tx is not coinbase");
    for (uint32_t i = 1; i < block->tx_n; i++) {
        if (tx_is_coinbase(&block->tx[i]))
            return finding_set(finding, V_BAD_CB_MULTIPLE, i, UINT32_MAX, "more than one coinbase");
    }
    return V_VALID;
}

static enum verdict check_txs(const struct block *block, struct finding *finding)
{
    uint64_t sigops = 0;

    for (uint32_t i = 0; i < block->tx_n; i++) {
        enum verdict verdict = tx_check(&block->tx[i], finding);

        if (verdict != V_VALID) {
            uint32_t in_index = finding->in_index;

            return finding_set(finding, verdict, i, in_index,
                               "Transaction check failed (tx hash %s) ",
                               hash_hex(block->tx[i].txid.b).text);
        }
    }
    /* A lower bound: what P2SH and witness add needs the coins. */
    for (uint32_t i = 0; i < block->tx_n; i++)
        sigops += tx_legacy_sigops(&block->tx[i]);
    if (sigops * WITNESS_SCALE_FACTOR > BLOCK_SIGOPS_COST_MAX)
        return bad_block(finding, V_BAD_BLOCK_SIGOPS, "out-of-bounds SigOpCount");
    return V_VALID;
}

enum verdict block_check(const struct block *block, const struct params *params, bool check_pow,
                         bool check_merkle, struct arena *arena, struct finding *finding)
{
    enum verdict verdict = V_VALID;

    if (check_pow) {
        verdict = header_check(&block->header, &block->hash, params, finding);
        if (verdict == V_VALID && params->signet_blocks &&
            !signet_solution_holds(block, params, arena))
            verdict = bad_block(finding, V_BAD_SIGNET_SOLUTION,
                                "signet block signature validation failure");
    }
    if (verdict == V_VALID && check_merkle)
        verdict = check_merkle_root(block, arena, finding);
    if (verdict == V_VALID)
        verdict = check_shape(block, finding);
    if (verdict == V_VALID)
        verdict = check_txs(block, finding);
    return verdict;
}

static enum verdict verify_commitment(const struct block *block, int64_t index, struct arena *arena,
                                      struct finding *finding)
{
    const struct tx_in *in = &block->tx[0].in[0];
    const struct tx_out *out = &block->tx[0].out[index];
    uint8_t hash[HASH_BYTES];

    if (in->witness_n != 1 || in->witness[0].len != HASH_BYTES)
        return bad_block(finding, V_BAD_WITNESS_NONCE_SIZE,
                         "CheckWitnessMalleation : invalid witness reserved value size");
    witness_commitment_of(hash, block, in->witness[0].data, arena);
    if (memcmp(hash, out->script_pubkey.data + WITNESS_COMMITMENT_HEAD_BYTES, HASH_BYTES) != 0)
        return bad_block(finding, V_BAD_WITNESS_MERKLE,
                         "CheckWitnessMalleation : witness merkle commitment mismatch");
    return V_VALID;
}

static enum verdict verify_witness(const struct block *block, bool expect_commitment,
                                   struct arena *arena, struct finding *finding)
{
    int64_t index = expect_commitment ? witness_commitment_index(block) : -1;

    if (index >= 0)
        return verify_commitment(block, index, arena, finding);
    for (uint32_t i = 0; i < block->tx_n; i++) {
        if (block->tx[i].has_witness)
            return finding_set(finding, V_UNEXPECTED_WITNESS, i, UINT32_MAX,
                               "CheckWitnessMalleation : unexpected witness data found");
    }
    return V_VALID;
}

static bool begins_with_height(struct span script, int32_t height)
{
    uint8_t head[COINBASE_HEIGHT_BYTES_MAX];
    size_t len = coinbase_height_write(head, height);

    return script.len >= len && memcmp(script.data, head, len) == 0;
}

enum verdict block_verify(const struct block *block, const struct ancestry *ancestry,
                          const struct params *params, struct arena *arena, struct finding *finding)
{
    int32_t height = ancestry->tip_height + 1;
    int64_t lock_time_s = block->header.time;
    enum verdict verdict;

    /* BIP 113. */
    if (buried_active(BURIED_CSV, height, params))
        lock_time_s = median_time_past(ancestry);
    for (uint32_t i = 0; i < block->tx_n; i++) {
        if (!tx_is_final(&block->tx[i], height, lock_time_s))
            return finding_set(finding, V_BAD_TXNS_NONFINAL, i, UINT32_MAX,
                               "non-final transaction");
    }
    if (buried_active(BURIED_BIP34, height, params) &&
        !begins_with_height(block->tx[0].in[0].script_sig, height))
        return finding_set(finding, V_BAD_CB_HEIGHT, 0, 0, "block height mismatch in coinbase");
    verdict = verify_witness(block, buried_active(BURIED_SEGWIT, height, params), arena, finding);
    if (verdict != V_VALID)
        return verdict;
    /* Only now: padding the coinbase's witness leaves the block's hash as it was. */
    if (block->weight > BLOCK_WEIGHT_MAX)
        return bad_block(finding, V_BAD_BLOCK_WEIGHT, "ContextualCheckBlock : weight limit failed");
    return V_VALID;
}

static enum verdict tally_inputs(struct block_tally *tally, const struct tx *tx, uint32_t tx_index,
                                 const struct coin *coins, const uint32_t *coin_mtps,
                                 const struct block_place *place, struct finding *finding)
{
    int64_t fee_sat = 0;
    enum verdict verdict = tx_verify_inputs(tx, coins, place->height, &fee_sat, finding);

    if (verdict != V_VALID) {
        size_t len = strlen(finding->detail);

        finding->tx_index = tx_index;
        (void)snprintf(finding->detail + len, sizeof(finding->detail) - len, " in transaction %s",
                       hash_hex(tx->txid.b).text);
        return verdict;
    }
    tally->fees_sat += fee_sat;
    if (!money_in_range(tally->fees_sat))
        return finding_set(finding, V_ACCUMULATED_FEE_OUTOFRANGE, tx_index, UINT32_MAX,
                           "accumulated fee in the block out of range");
    if (place->sequence_locks &&
        !tx_sequence_locks_hold(tx, coins, coin_mtps, place->height, place->prev_mtp))
        return finding_set(finding, V_BAD_TXNS_NONFINAL, tx_index, UINT32_MAX,
                           "contains a non-BIP68-final transaction %s", hash_hex(tx->txid.b).text);
    return V_VALID;
}

enum verdict block_tally_tx(struct block_tally *tally, const struct tx *tx, uint32_t tx_index,
                            const struct coin *coins, const struct tx_out *spent,
                            const uint32_t *coin_mtps, const struct block_place *place,
                            struct finding *finding)
{
    if (!tx_is_coinbase(tx)) {
        enum verdict verdict = tally_inputs(tally, tx, tx_index, coins, coin_mtps, place, finding);

        if (verdict != V_VALID)
            return verdict;
    }
    tally->sigops_cost += tx_sigops_cost(tx, spent, place->script_flags);
    if (tally->sigops_cost > BLOCK_SIGOPS_COST_MAX)
        return finding_set(finding, V_BAD_BLOCK_SIGOPS, tx_index, UINT32_MAX, "too many sigops");
    return V_VALID;
}

enum verdict block_tally_end(const struct block_tally *tally, const struct block *block,
                             const struct block_place *place, const struct params *params,
                             struct finding *finding)
{
    int64_t limit_sat = tally->fees_sat + subsidy_at(place->height, params);
    int64_t paid_sat = 0;

    for (uint32_t i = 0; i < block->tx[0].out_n; i++)
        paid_sat += block->tx[0].out[i].value_sat;
    if (paid_sat > limit_sat)
        return finding_set(finding, V_BAD_CB_AMOUNT, 0, UINT32_MAX,
                           "coinbase pays too much (actual=%" PRId64 " vs limit=%" PRId64 ")",
                           paid_sat, limit_sat);
    return V_VALID;
}
