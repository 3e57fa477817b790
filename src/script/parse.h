/* Reading scripts: one operation after the other, and the shapes that consensus
 * itself knows. Nothing here allocates; spans point into the script.
 */
#ifndef SCRIPT_PARSE_H
#define SCRIPT_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "script/opcodes.h"

#define SCRIPT_ELEMENT_BYTES_MAX 520
#define SCRIPT_OPS_MAX 201
#define SCRIPT_STACK_MAX 1000
#define SCRIPT_MULTISIG_KEYS_MAX 20
#define WITNESS_PROGRAM_BYTES_MAX 40

/* Where a walk through a script stands. */
struct script_iter {
    const uint8_t *at;
    const uint8_t *end;
};

static inline struct script_iter script_iter_of(struct span script)
{
    /* No arithmetic on the NULL that an empty span may hold. */
    return (struct script_iter){
        .at = script.data,
        .end = script.len == 0 ? script.data : script.data + script.len,
    };
}

static inline bool script_iter_done(const struct script_iter *iter)
{
    return iter->at >= iter->end;
}

/* Read the next operation. ret_push: the bytes it pushes, empty for anything but
 * a push.
 *
 * Returns: false at the end and for a push that runs past it; iter must not be
 *          used further then. */
static inline bool script_next(struct script_iter *iter, uint8_t *ret_op, struct span *ret_push)
{
    size_t left = (size_t)(iter->end - iter->at);
    size_t head = 1;
    size_t len = 0;
    uint8_t op;

    if (left == 0)
        return false;
    op = iter->at[0];
    if (op <= OP_PUSHDATA4) {
        if (op < OP_PUSHDATA1) {
            len = op;
        } else {
            head = op == OP_PUSHDATA1 ? 2 : op == OP_PUSHDATA2 ? 3 : 5;
            if (left < head)
                return false;
            len = op == OP_PUSHDATA1   ? iter->at[1]
                  : op == OP_PUSHDATA2 ? get_le16(iter->at + 1)
                                       : get_le32(iter->at + 1);
        }
        if (left - head < len)
            return false;
    }
    *ret_push = span_of(iter->at + head, len);
    *ret_op = op;
    iter->at += head + len;
    return true;
}

/* Is push written in the shortest way, given that op (0 .. OP_PUSHDATA4) pushed
 * it? BIP 62, rule 3. */
bool script_push_is_minimal(uint8_t op, struct span push);

/* Only pushes (OP_RESERVED counts as one), every one whole. */
bool script_is_push_only(struct span script);

/* OP_HASH160 <20 bytes> OP_EQUAL, BIP 16. */
static inline bool script_is_p2sh(struct span script)
{
    return script.len == 23 && script.data[0] == OP_HASH160 && script.data[1] == 20 &&
           script.data[22] == OP_EQUAL;
}

/* OP_1 <32 bytes>, BIP 341. */
static inline bool script_is_p2tr(struct span script)
{
    return script.len == 34 && script.data[0] == OP_1 && script.data[1] == 32;
}

/* OP_1 <4e73>. */
bool script_is_anchor(struct span script);

/* BIP 141: a version 0 .. 16 and 2 to 40 bytes of program; false leaves the
 * results untouched. */
bool script_witness_program(struct span script, uint8_t *ret_version, struct span *ret_program);

/* The value of OP_0, OP_1 .. OP_16; -1 for any other opcode. */
static inline int opcode_small_number(uint8_t op)
{
    return op == OP_0 ? 0 : op >= OP_1 && op <= OP_16 ? op - (OP_1 - 1) : -1;
}

/* Every operation is whole, at most OP_NOP10, and pushes at most
 * SCRIPT_ELEMENT_BYTES_MAX bytes: what RPC takes for a script at all. */
bool script_has_valid_ops(struct span script);

#endif /* SCRIPT_PARSE_H */
