#include "script/sig_engine.h"

#include "crypto/secp.h"

static bool check_ecdsa(const struct sig_engine *engine, struct span pubkey, struct span sig,
                        const uint8_t *hash)
{
    (void)engine;
    return ecdsa_verify_lax(sig.data, sig.len, hash, pubkey.data, pubkey.len);
}

static bool check_schnorr(const struct sig_engine *engine, const uint8_t *pubkey,
                          const uint8_t *sig, const uint8_t *hash)
{
    (void)engine;
    return schnorr_verify(sig, hash, SECP_HASH_BYTES, pubkey);
}

static bool check_tweak(const struct sig_engine *engine, const uint8_t *output_key, bool odd,
                        const uint8_t *internal_key, const uint8_t *tweak)
{
    (void)engine;
    return secp_xonly_tweak_check(output_key, odd, internal_key, tweak);
}

const struct sig_engine sig_engine_default = {
    .ecdsa = check_ecdsa,
    .schnorr = check_schnorr,
    .tweak = check_tweak,
};
