#include "policy/policy.h"

#include "codec/writer.h"
#include "primitives/coin.h"
#include "script/parse.h"

/* An input that spends: outpoint, script length, sequence; signature and key. */
#define INPUT_FRAME_BYTES (32 + 4 + 1 + 4)
#define INPUT_UNLOCK_BYTES 107

bool policy_script_is_standard(struct span script_pubkey)
{
    struct solution solution;

    switch (script_solve(&solution, script_pubkey)) {
    case SCRIPT_TYPE_NONSTANDARD:
        return false;
    case SCRIPT_TYPE_MULTISIG:
        return solution.keys_n <= POLICY_MULTISIG_KEYS_MAX;
    default:
        return true;
    }
}

int64_t policy_dust_threshold_sat(const struct tx_out *out, struct feerate dust_relay)
{
    uint64_t size = 8 + compact_size_len(out->script_pubkey.len) + out->script_pubkey.len;
    struct span program;
    uint8_t version;

    if (script_is_unspendable(out->script_pubkey))
        return 0;
    /* Of a witness, three quarters are not counted. */
    if (script_witness_program(out->script_pubkey, &version, &program))
        size += INPUT_FRAME_BYTES + INPUT_UNLOCK_BYTES / WITNESS_SCALE_FACTOR;
    else
        size += INPUT_FRAME_BYTES + INPUT_UNLOCK_BYTES;
    return feerate_fee_sat(dust_relay, size);
}

bool policy_is_dust(const struct tx_out *out, struct feerate dust_relay)
{
    return out->value_sat < policy_dust_threshold_sat(out, dust_relay);
}
