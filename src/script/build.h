/* Writing scripts: operations at the end of a buffer, and whole scripts of the
 * standard kinds (appended; the buffer may hold others already).
 */
#ifndef SCRIPT_BUILD_H
#define SCRIPT_BUILD_H

#include "base/bytes.h"
#include "script/opcodes.h"

void script_add_op(struct buf *script, uint8_t op) NONNULL(1);
/* A push of data by its length alone: a single byte 1 .. 16 is not turned into
 * OP_1 .. OP_16. At most 2^32 - 1 bytes. */
void script_add_push(struct buf *script, struct span data) NONNULL(1);
/* A number: OP_0, OP_1NEGATE, OP_1 .. OP_16, or a push of its encoding. */
void script_add_number(struct buf *script, int64_t number) NONNULL(1);

/* <pubkey> OP_CHECKSIG */
void script_add_p2pk(struct buf *script, struct span pubkey) NONNULL(1);
/* OP_DUP OP_HASH160 <20 bytes> OP_EQUALVERIFY OP_CHECKSIG */
void script_add_p2pkh(struct buf *script, const uint8_t *hash) NONNULL(1, 2);
/* OP_HASH160 <20 bytes> OP_EQUAL */
void script_add_p2sh(struct buf *script, const uint8_t *hash) NONNULL(1, 2);
/* The version, 0 to 16, and a program of 2 to 40 bytes. */
void script_add_witness_program(struct buf *script, uint8_t version, struct span program)
    NONNULL(1);
/* required of keys_n keys, at most SCRIPT_MULTISIG_KEYS_MAX. */
void script_add_multisig(struct buf *script, uint32_t required, const struct span *pubkeys,
                         size_t pubkeys_n) NONNULL(1);

#endif /* SCRIPT_BUILD_H */
