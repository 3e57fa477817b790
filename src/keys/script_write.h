/* Scripts made of keys and of other scripts; appended. The operations they are
 * made of: script/build.h. */
#ifndef KEYS_SCRIPT_WRITE_H
#define KEYS_SCRIPT_WRITE_H

#include "base/bytes.h"
#include "keys/key.h"
#include "script/build.h"

/* A push with OP_0, OP_1 .. OP_16 and OP_1NEGATE where they push the same (BIP 62,
 * rule 3). */
void script_write_push_minimal(struct buf *script, struct span data) NONNULL(1);
/* m of n in the order given; n is at most 20. */
void script_write_multisig(struct buf *script, uint32_t threshold, const struct pubkey *keys,
                           size_t keys_n) NONNULL(1, 3);
/* BIP 342's replacement, over the x of the keys. */
void script_write_multi_a(struct buf *script, uint32_t threshold, const struct pubkey *keys,
                          size_t keys_n) NONNULL(1, 3);

/* The output that pays to the hash of script. */
void script_write_p2sh_of(struct buf *script, struct span redeem_script) NONNULL(1);
void script_write_p2wsh_of(struct buf *script, struct span witness_script) NONNULL(1);
void script_write_p2wpkh_of(struct buf *script, const struct pubkey *pubkey) NONNULL(1, 2);

#endif /* KEYS_SCRIPT_WRITE_H */
