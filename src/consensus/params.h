/* The networks: everything that differs between them. */
#ifndef CONSENSUS_PARAMS_H
#define CONSENSUS_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "primitives/ids.h"

enum network {
    NETWORK_MAIN,
    NETWORK_TEST, /* testnet3 */
    NETWORK_TESTNET4,
    NETWORK_SIGNET,
    NETWORK_REGTEST,
    NETWORK_COUNT
};

/* Deployments that are now a height. */
enum buried { BURIED_BIP34, BURIED_BIP65, BURIED_BIP66, BURIED_CSV, BURIED_SEGWIT, BURIED_COUNT };

/* Deployments by version bits (BIP 9). Taproot is none any more: its rules hold
 * for every block but the script exceptions. */
enum deployment { DEPLOYMENT_TESTDUMMY, DEPLOYMENT_COUNT };

#define DEPLOYMENT_ALWAYS_ACTIVE INT64_C(-1)
#define DEPLOYMENT_NEVER_ACTIVE INT64_C(-2)
#define DEPLOYMENT_NO_TIMEOUT INT64_MAX

struct deployment_params {
    int bit;
    int64_t start_time; /* Seconds, or DEPLOYMENT_ALWAYS_ACTIVE / _NEVER_ACTIVE. */
    int64_t timeout;
    int32_t min_activation_height;
    uint32_t period;
    uint32_t threshold;
};

/* A block whose scripts are held to other flags than its height says. */
struct script_exception {
    struct block_hash hash;
    uint64_t flags;
};

/* A UTXO snapshot this software vouches for. */
struct snapshot_params {
    int32_t height;
    uint8_t hash_serialized[32];
    uint64_t chain_tx_n;
    struct block_hash block_hash;
};

struct params {
    enum network network;
    const char *name;   /* "main", "test", "testnet4", "signet", "regtest" */
    const char *folder; /* Below the data directory; "" for main. */
    uint8_t magic[4];
    uint16_t p2p_port;
    uint16_t rpc_port;
    uint8_t prefix_pubkey_hash;
    uint8_t prefix_script_hash;
    uint8_t prefix_secret_key;
    uint8_t prefix_xpub[4];
    uint8_t prefix_xprv[4];
    const char *bech32_hrp;
    const char *const *dns_seeds; /* NULL-terminated. */

    struct span genesis; /* The whole block, serialized. */
    struct block_hash genesis_hash;

    uint8_t pow_limit[32]; /* Wire order, as a hash. */
    bool pow_min_difficulty_blocks;
    bool pow_no_retargeting;
    bool enforce_bip94;
    int64_t pow_target_spacing_s;
    int64_t pow_target_timespan_s; /* Both under 2^32. */
    int32_t subsidy_halving_interval;

    int32_t buried_height[BURIED_COUNT];
    struct block_hash bip34_hash; /* BIP 30 checks end only on this branch. */
    struct deployment_params deployments[DEPLOYMENT_COUNT];
    /* Signals for deployments unknown to us are not counted below this height. */
    int32_t unknown_signals_from_height;
    const struct script_exception *script_exceptions;
    size_t script_exceptions_n;
    bool signet_blocks; /* BIP 325 */
    struct span signet_challenge;

    uint8_t minimum_chain_work[32];        /* Wire order. */
    struct block_hash default_assumevalid; /* Zeros: none. */
    const struct snapshot_params *snapshots;
    size_t snapshots_n;
    uint64_t prune_after_height;
    /* Rough size of the whole chain and of its coins, for warnings. */
    uint32_t chain_size_gb;
    uint32_t coins_size_gb;
    /* For the estimate of progress (verificationprogress). */
    int64_t chain_tx_time;
    uint64_t chain_tx_n;
    double chain_tx_rate;
    bool is_test_chain; /* Amounts are worthless. */
    bool is_mockable;   /* setmocktime and friends. */
    bool default_consistency_checks;
};

/* Blocks between two retargets: 2,016, on regtest 144. */
static inline int32_t params_retarget_period(const struct params *params)
{
    return (int32_t)(params->pow_target_timespan_s / params->pow_target_spacing_s);
}

/* The built-in parameters; static. */
const struct params *params_of(enum network network);

/* By name as -chain= takes it; NULL for an unknown one. */
const struct params *params_by_name(const char *name);

/* The network whose messages and block files begin with magic (4 bytes); NULL
 * when none does. Custom signets have magics of their own and are not found. */
const struct params *params_by_magic(const uint8_t *magic);

/* Changes from the command line, applied to a copy of the parameters that the
 * caller owns (they hold for every network, as in Bitcoin Core):
 * a signet of one's own (BIP 325: magic from the challenge; no seeds, no minimum
 * work, no assumed block; challenge is borrowed and must outlive params),
 * "-testactivationheight=name@height",
 * "-vbparams=deployment:start:end[:min_activation_height]".
 *
 * Returns: 0, or E_LIMIT with Core's error text. */
NODISCARD int params_set_signet_challenge(struct params *params, struct span challenge,
                                          struct error *err);
NODISCARD int params_set_activation_height(struct params *params, const char *text,
                                           struct error *err);
NODISCARD int params_set_vbparams(struct params *params, const char *text, struct error *err);

#endif /* CONSENSUS_PARAMS_H */
