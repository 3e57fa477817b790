/* The rules for headers, blocks and transactions. Pure: ancestors, spent coins
 * and the time come in as arguments, so that no failing disk or clock can bend a
 * verdict.
 */
#ifndef CONSENSUS_RULES_H
#define CONSENSUS_RULES_H

#include "base/verdict.h"
#include "consensus/params.h"
#include "consensus/pow.h"
#include "primitives/block.h"
#include "primitives/coin.h"

#define BLOCK_WEIGHT_MAX 4000000U
#define BLOCK_SIGOPS_COST_MAX 80000U
#define BLOCK_BYTES_MAX 4000000U
#define COINBASE_MATURITY 100
#define HEADER_FUTURE_MAX_S (2 * 60 * 60)
#define TIMEWARP_MAX_S 600
#define BIP34_IMPLIES_BIP30_LIMIT 1983702

/* What was found wrong, with enough to tell the user. */
struct finding {
    enum verdict verdict;
    enum verdict script; /* With V_SCRIPT_FAILED: which script rule. */
    uint32_t tx_index;   /* UINT32_MAX: the block as a whole. */
    uint32_t in_index;   /* UINT32_MAX: the transaction as a whole. */
    int32_t version;     /* With V_BAD_VERSION: the header's. */
    char detail[256];    /* Core's debug message; may be empty. */
};

/* "bad-cb-amount", "bad-version(0x00000001)", or "block-script-verify-flag-failed
 * (Invalid Schnorr signature)". ret_text has FINDING_REASON_MAX bytes. */
#define FINDING_REASON_MAX 192
void finding_reason(char *ret_text, const struct finding *finding);

/* Fill finding (indexes UINT32_MAX where there is none) and return verdict. */
enum verdict finding_set(struct finding *finding, enum verdict verdict, uint32_t tx_index,
                         uint32_t in_index, const char *detail, ...) PRINTF_LIKE(5, 6);

/* The finding for an input whose script failed with the script verdict. */
enum verdict finding_set_script(struct finding *finding, enum verdict script, const struct tx *tx,
                                uint32_t tx_index, uint32_t in_index);

int64_t subsidy_at(int32_t height, const struct params *params);

/* Is a buried deployment in force for the block at height? */
bool buried_active(enum buried rule, int32_t height, const struct params *params);

/* Script flags (script/flags.h) for the inputs of a block. */
uint64_t block_script_flags(int32_t height, const struct block_hash *hash,
                            const struct params *params);

/* Each returns V_VALID or the first rule broken, and fills finding (never NULL)
 * when it is not V_VALID. */

/* Without context: proof of work. */
enum verdict header_check(const struct header *header, const struct block_hash *hash,
                          const struct params *params, struct finding *finding);

/* The version alone: old ones end where BIP 34, 66 and 65 begin. */
enum verdict header_version_check(const struct header *header, int32_t height,
                                  const struct params *params, struct finding *finding);

/* With its ancestors: bits, median time past, timewarp, version, not too far in
 * the future of now_s. */
enum verdict header_verify(const struct header *header, const struct ancestry *ancestry,
                           const struct params *params, int64_t now_s, struct finding *finding);

/* Without context. For every transaction of a block and on its own. */
enum verdict tx_check(const struct tx *tx, struct finding *finding);

/* Without context: proof of work and on signet the solution (both with
 * check_pow), merkle root and mutation, size, coinbase first and only, every
 * tx_check, legacy sigops. Trusts the ids and sizes in block; arena is scratch. */
enum verdict block_check(const struct block *block, const struct params *params, bool check_pow,
                         bool check_merkle, struct arena *arena, struct finding *finding);

/* With its ancestors: finality, BIP 34 height, witness commitment, weight. */
enum verdict block_verify(const struct block *block, const struct ancestry *ancestry,
                          const struct params *params, struct arena *arena,
                          struct finding *finding);

/* Locktime against height and the time it is compared with. */
bool tx_is_final(const struct tx *tx, int32_t height, int64_t time_s);

/* BIP 68, for blocks where BURIED_CSV is active and all transactions but coinbases:
 * may tx be in a block at height whose parent's median time past is prev_mtp?
 * coins: one for each input. coin_mtps[i]: median time past of the block before the
 * one that made input i's coin (of that block itself at height 0); only read for
 * locks by time, so it may be NULL when tx_has_sequence_locks finds none. */
bool tx_sequence_locks_hold(const struct tx *tx, const struct coin *coins,
                            const uint32_t *coin_mtps, int32_t height, uint32_t prev_mtp);
/* Does any input carry an active lock of either kind, so that the above matters? */
bool tx_has_sequence_locks(const struct tx *tx, bool *ret_by_time);

/* Amounts and maturity. coins: one for each input, in input order; NULL says that
 * one of them is missing. */
enum verdict tx_verify_inputs(const struct tx *tx, const struct coin *coins, int32_t height,
                              int64_t *ret_fee_sat, struct finding *finding);

/* Where a block stands: what all its transactions are judged by. */
struct block_place {
    int32_t height;
    uint32_t prev_mtp;     /* Median time past of its parent. */
    uint64_t script_flags; /* block_script_flags() */
    bool sequence_locks;   /* buried_active(BURIED_CSV, ...) */
};
struct block_place block_place_of(int32_t height, const struct block_hash *hash, uint32_t prev_mtp,
                                  const struct params *params);

/* What connecting a block adds up. Zero it to start, then take each transaction in
 * block order, coinbase first, then end it: that is the order of the verdicts. */
struct block_tally {
    int64_t fees_sat;
    uint64_t sigops_cost;
};

/* Amounts, maturity, fees so far, sequence locks, sigops cost so far. For a
 * coinbase coins, spent and coin_mtps are NULL. coins: as tx_verify_inputs. spent:
 * the same outputs as script takes them. coin_mtps: as tx_sequence_locks_hold;
 * may be NULL when no input has a lock by time. */
enum verdict block_tally_tx(struct block_tally *tally, const struct tx *tx, uint32_t tx_index,
                            const struct coin *coins, const struct tx_out *spent,
                            const uint32_t *coin_mtps, const struct block_place *place,
                            struct finding *finding);
/* The coinbase takes no more than subsidy and fees. */
enum verdict block_tally_end(const struct block_tally *tally, const struct block *block,
                             const struct block_place *place, const struct params *params,
                             struct finding *finding);

/* BIP 30: must the outputs of the block at height be new to the coins?
 * ancestor_at_bip34: the block at the height of BIP 34 on the branch that ends in
 * its parent; NULL when the branch is shorter. */
bool bip30_check_needed(int32_t height, const struct block_hash *hash,
                        const struct block_hash *ancestor_at_bip34, const struct params *params);
/* One of the two historical blocks that repeat a coinbase (91842, 91880). */
bool bip30_is_repeat(int32_t height, const struct block_hash *hash, const struct params *params);
/* One of the two blocks those left without coins to undo (91722, 91812). */
bool bip30_is_unclean(int32_t height, const struct block_hash *hash, const struct params *params);

/* BIP 141: the output of the coinbase that holds the witness commitment (the last
 * that looks like one), or -1. */
int64_t witness_commitment_index(const struct block *block);
/* The first bytes of such an output: OP_RETURN, a push of 36 bytes, the tag. */
#define WITNESS_COMMITMENT_HEAD "\x6a\x24\xaa\x21\xa9\xed"
#define WITNESS_COMMITMENT_HEAD_BYTES 6
#define WITNESS_COMMITMENT_BYTES 38
/* What it must commit to: the hash of witness root and reserved value (32 bytes
 * each). */
void witness_commitment_of(uint8_t *ret_hash, const struct block *block,
                           const uint8_t *reserved_value, struct arena *arena);

/* BIP 34: how a coinbase script begins at height. Returns the bytes used, at most
 * COINBASE_HEIGHT_BYTES_MAX. */
#define COINBASE_HEIGHT_BYTES_MAX 6
size_t coinbase_height_write(uint8_t *ret_script, int32_t height);

#endif /* CONSENSUS_RULES_H */
