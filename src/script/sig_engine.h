/* Who does the elliptic curves. The interpreter asks an engine whether a
 * signature is good; the default asks libsecp256k1 at once.
 *
 * An engine that works in batches may answer true at once and check later. That
 * is sound for any script: if an input is valid when all its checks are taken to
 * hold, and afterwards all of them do hold, the evaluation was the true one. If
 * one does not hold, or the input failed, the input is verified again with the
 * default engine, whose verdict counts.
 */
#ifndef SCRIPT_SIG_ENGINE_H
#define SCRIPT_SIG_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct sig_engine {
    /* pubkey: 33 or 65 bytes with a fitting first byte, perhaps not on the curve.
     * sig: without the hash type; read as before BIP 66. hash: 32 bytes. */
    bool (*ecdsa)(const struct sig_engine *engine, struct span pubkey, struct span sig,
                  const uint8_t *hash);
    /* BIP 340. pubkey 32 bytes, sig 64, hash 32. */
    bool (*schnorr)(const struct sig_engine *engine, const uint8_t *pubkey, const uint8_t *sig,
                    const uint8_t *hash);
    /* BIP 341: is output_key, of oddness odd, internal_key + tweak * G? 32 bytes
     * each. */
    bool (*tweak)(const struct sig_engine *engine, const uint8_t *output_key, bool odd,
                  const uint8_t *internal_key, const uint8_t *tweak);
    /* All of a multisig at once: do the signatures fit keys, in the same order? May be
     * NULL, and may answer false for what it does not take: each pair is asked by
     * itself then. sigs as for ecdsa, hashes 32 bytes for each; 0 < sigs_n <= keys_n. */
    bool (*multisig)(const struct sig_engine *engine, const struct span *sigs,
                     const uint8_t *hashes, size_t sigs_n, const struct span *keys, size_t keys_n);
    void *context; /* The engine's own. */
    /* May be NULL. Once it is true the evaluation is for nothing and may end early, with
     * any verdict but V_VALID. */
    const bool *is_over;
};

/* Synchronous, through libsecp256k1. Any thread. */
extern const struct sig_engine sig_engine_default;

#endif /* SCRIPT_SIG_ENGINE_H */
