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
    char detail[160];    /* Core's debug message; may be empty. */
};

/* "bad-cb-amount", or "block-script-verify-flag-failed (Invalid Schnorr
 * signature)". ret_text has FINDING_REASON_MAX bytes. */
#define FINDING_REASON_MAX 192
void finding_reason(char *ret_text, const struct finding *finding);

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

/* With its ancestors: bits, median time past, timewarp, version, not too far in
 * the future of now_s. */
enum verdict header_verify(const struct header *header, const struct ancestry *ancestry,
                           const struct params *params, int64_t now_s,
                           struct finding *finding);

/* Without context. For every transaction of a block and on its own. */
enum verdict tx_check(const struct tx *tx, struct finding *finding);

/* Without context: merkle root and mutation, size, coinbase first and only, every
 * tx_check, legacy sigops, signet solution where asked. arena is scratch. */
enum verdict block_check(const struct block *block, const struct params *params, bool check_pow,
                         bool check_merkle, struct arena *arena, struct finding *finding);

/* With its ancestors: finality, BIP 34 height, witness commitment, weight. */
enum verdict block_verify(const struct block *block, const struct ancestry *ancestry,
                          const struct params *params, struct arena *arena,
                          struct finding *finding);

/* Locktime against height and the time it is compared with. */
bool tx_is_final(const struct tx *tx, int32_t height, int64_t time_s);

/* BIP 68: may tx be in a block at height whose parent's median time past is
 * prev_mtp? coin_heights as in the coins; coin_mtps[i]: median time past of the
 * block before the one that made input i's coin (only read for time locks). */
bool tx_sequence_locks_hold(const struct tx *tx, const int32_t *coin_heights,
                            const uint32_t *coin_mtps, int32_t height, uint32_t prev_mtp);
/* Does any input carry an active lock of either kind, so that the above matters? */
bool tx_has_sequence_locks(const struct tx *tx, bool *ret_by_time);

/* Amounts and maturity. coins: one for each input, in input order. */
enum verdict tx_verify_inputs(const struct tx *tx, const struct coin *coins, int32_t height,
                              int64_t *ret_fee_sat, struct finding *finding);

/* BIP 30: must the block at height be checked for outputs that overwrite? */
bool bip30_check_needed(int32_t height, const struct block_hash *hash,
                        const struct block_hash *ancestor_at_bip34, const struct params *params);
/* One of the two historical blocks that repeat a coinbase (91842, 91880). */
bool bip30_is_repeat(int32_t height, const struct block_hash *hash, const struct params *params);
/* One of the two blocks those left without coins to undo (91722, 91812). */
bool bip30_is_unclean(int32_t height, const struct block_hash *hash,
                      const struct params *params);

/* The witness commitment output of a coinbase (the last that fits), or -1. */
int64_t witness_commitment_index(const struct block *block);

#endif /* CONSENSUS_RULES_H */
