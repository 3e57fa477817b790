/* Signature hashes: what a signature signs. Three algorithms: legacy (the
 * original client), version 0 (BIP 143), taproot and tapscript (BIP 341, 342).
 *
 * Work is bounded like this. What all inputs of a transaction share is hashed
 * once, by sighash_cache_init: for the newer two algorithms that is all of it but
 * some 200 bytes and the script code. A legacy hash serializes the transaction
 * anew with one input's script in place, up to 41 bytes an input plus all
 * outputs; here
 *   - within one input, checks with the same script code and kind of hash type
 *     share one pass (struct sighash_input), so that thousands of signature
 *     checks in one script cost no more than the number of its different script
 *     codes;
 *   - with SIGHASH_ALL the inputs before the signed one are taken from midstates
 *     kept every SIGHASH_PREFIX_STRIDE inputs, which halves the sum over all
 *     inputs: at most (41 * in_n / 2 + outputs) * in_n bytes for a transaction
 *     that signs each input once. The rest is inherent: the bytes that follow
 *     the signed input must be hashed after it.
 */
#ifndef SCRIPT_SIGHASH_H
#define SCRIPT_SIGHASH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "crypto/sha256.h"
#include "primitives/tx.h"

#define SIGHASH_DEFAULT 0U /* BIP 341: as ALL, without a byte in the signature. */
#define SIGHASH_ALL 1U
#define SIGHASH_NONE 2U
#define SIGHASH_SINGLE 3U
#define SIGHASH_ANYONECANPAY 0x80U
#define SIGHASH_OUTPUT_MASK 0x1fU /* Legacy and version 0. */

#define SIGHASH_PREFIX_STRIDE 8U

/* What all inputs of one transaction share. Read-only once made: any number of
 * threads may use it. */
struct sighash_cache {
    const struct tx *tx;        /* Borrowed. */
    const struct tx_out *spent; /* Borrowed, tx->in_n; NULL: no taproot. */
    struct span outputs;        /* All outputs, serialized, without their count. */
    bool has_once;              /* prevouts, sequences, outs are there. */
    bool has_twice;             /* Their double hashes are. */
    bool has_spent;             /* amounts and scripts are. */
    uint32_t prefix_n;
    const struct sha256 *prefix; /* [k]: version, input count, k * STRIDE blank inputs. */
    uint8_t prevouts[SHA256_BYTES];
    uint8_t sequences[SHA256_BYTES];
    uint8_t outs[SHA256_BYTES];
    uint8_t prevouts_twice[SHA256_BYTES];
    uint8_t sequences_twice[SHA256_BYTES];
    uint8_t outs_twice[SHA256_BYTES];
    uint8_t amounts[SHA256_BYTES];
    uint8_t scripts[SHA256_BYTES];
};

/* Prepare the cache of a transaction.
 *
 * In: tx:    with raw and body, as tx_read and tx_finish leave it; outlives the
 *            cache.
 *     spent: the outputs its inputs spend, in input order; outlives the cache.
 *            NULL when unknown: then no taproot hash can be had.
 *     arena: for the midstates of transactions with many old-style inputs; NULL
 *            goes without. Nothing else is allocated. */
void sighash_cache_init(struct sighash_cache *cache, const struct tx *tx,
                        const struct tx_out *spent, struct arena *arena) NONNULL(1, 2);

/* One pass over a transaction, kept up to the hash type. */
struct sighash_entry {
    struct span code; /* As given; data NULL: compare digest instead. */
    uint8_t code_digest[SHA256_BYTES];
    bool is_v0;
    struct sha256 midstate;
};

#define SIGHASH_KINDS 6 /* ALL, NONE, SINGLE; each with and without ANYONECANPAY. */

/* The hashes of one input: owned by the thread that verifies it. */
struct sighash_input {
    const struct sighash_cache *cache;
    uint32_t in_index;
    bool has_single;   /* single and single_twice are there. */
    uint8_t entry_set; /* Bit i: entry[i] is in use. */
    uint8_t single[SHA256_BYTES];
    uint8_t single_twice[SHA256_BYTES];
    struct sighash_entry entry[SIGHASH_KINDS];
};

/* in_index is below cache->tx->in_n. */
void sighash_input_init(struct sighash_input *input, const struct sighash_cache *cache,
                        uint32_t in_index) NONNULL(1, 2);

/* The script a signature covers. */
struct script_code {
    struct span bytes;
    bool is_scratch; /* The memory may hold another script later on. */
};

/* The original algorithm, with the one kept for SIGHASH_SINGLE without an output:
 * the number 1. Leaves out the OP_CODESEPARATORs of code; signatures must have
 * been deleted by the caller. ret_hash: 32 bytes. */
void sighash_legacy(struct sighash_input *input, uint8_t *ret_hash, const struct script_code *code,
                    uint32_t hash_type);

/* BIP 143. amount_sat is the value of the output that is spent. */
void sighash_v0(struct sighash_input *input, uint8_t *ret_hash, const struct script_code *code,
                int64_t amount_sat, uint32_t hash_type);

/* What a taproot hash needs beside the transaction. */
struct sighash_taproot {
    const uint8_t *annex_hash; /* 32 bytes; NULL: no annex. */
    const uint8_t *leaf_hash;  /* 32 bytes; NULL: key path. */
    uint32_t code_separator;   /* Position of the last one executed, or UINT32_MAX. */
};

/* BIP 341, with the extension of BIP 342 when there is a leaf.
 *
 * Returns: false, ret_hash undefined, for a hash type that is not defined, SINGLE
 *          without an output, or a cache without the spent outputs. */
bool sighash_taproot(struct sighash_input *input, uint8_t *ret_hash, uint8_t hash_type,
                     const struct sighash_taproot *extra);

/* BIP 341 hashes. script: the leaf's. */
void tapleaf_hash(uint8_t *ret_hash, uint8_t leaf_version, struct span script);
/* Two nodes of 32 bytes, in either order. ret_hash may be one of them. */
void tapbranch_hash(uint8_t *ret_hash, const uint8_t *a, const uint8_t *b);

#endif /* SCRIPT_SIGHASH_H */
