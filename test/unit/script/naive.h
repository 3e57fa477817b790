/* A second implementation of script, to hold the first against: written from the
 * rules, without a thought for speed, and sharing nothing with src/script but the
 * lists of opcodes, flags and verdicts. Elements are copied, conditions are a
 * real stack, the stack is really copied for BIP 16, signature hashes serialize a
 * changed copy of the transaction.
 */
#ifndef TEST_SCRIPT_NAIVE_H
#define TEST_SCRIPT_NAIVE_H

#include "base/verdict.h"
#include "primitives/tx.h"

/* Who says whether a signature (without hash type) is good, or a tweak right; a
 * test may put something quicker than curves here and into its struct sig_engine. */
extern bool (*naive_ecdsa)(struct span pubkey, struct span sig, const uint8_t *hash);
extern bool (*naive_schnorr)(const uint8_t *pubkey, const uint8_t *sig, const uint8_t *hash);
extern bool (*naive_tweak)(const uint8_t *output_key, bool odd, const uint8_t *internal_key,
                           const uint8_t *tweak);

enum verdict naive_verify(const struct tx *tx, const struct tx_out *spent, uint32_t in_index,
                          struct span script_sig, struct span script_pubkey,
                          const struct span *witness, uint32_t witness_n, uint64_t flags);

/* 32 bytes out, memory from arena. */
void naive_sighash_legacy(uint8_t *ret_hash, const struct tx *tx, uint32_t in_index,
                          struct span code, uint32_t hash_type, struct arena *arena);
void naive_sighash_v0(uint8_t *ret_hash, const struct tx *tx, uint32_t in_index, struct span code,
                      int64_t amount_sat, uint32_t hash_type, struct arena *arena);

struct naive_taproot {
    bool has_annex;
    struct span annex; /* With its tag. */
    bool has_leaf;
    uint8_t leaf_hash[32];
    uint32_t code_separator;
};
/* False for a hash type that is not defined there. */
bool naive_sighash_taproot(uint8_t *ret_hash, const struct tx *tx, const struct tx_out *spent,
                           uint32_t in_index, uint8_t hash_type, const struct naive_taproot *how);

/* SHA-256 of the bytes under a BIP 340 tag. */
void naive_tagged(uint8_t *ret_hash, const char *tag, struct span bytes);
/* A copy from arena. */
struct span naive_copy(struct span bytes, struct arena *arena);

/* The operations of a script, one by one. */
struct naive_op {
    uint8_t op;
    bool is_broken;   /* A push runs past the end; nothing can follow. */
    struct span push; /* What it pushes. */
    size_t begin;     /* Where its bytes are. */
    size_t end;
};
struct naive_op naive_read_op(struct span script, size_t begin);
/* All of them. Returns their number. */
size_t naive_parse(struct naive_op **ret_ops, struct span script, struct arena *arena);

#endif /* TEST_SCRIPT_NAIVE_H */
