#include "script/build.h"

#include "base/check.h"
#include "script/number.h"
#include "script/parse.h"

void script_add_op(struct buf *script, uint8_t op)
{
    buf_add_byte(script, op);
}

void script_add_push(struct buf *script, struct span data)
{
    uint8_t head[5];

    CHECK(data.len <= UINT32_MAX);
    if (data.len < OP_PUSHDATA1) {
        buf_add_byte(script, (uint8_t)data.len);
    } else if (data.len <= UINT8_MAX) {
        head[0] = OP_PUSHDATA1;
        head[1] = (uint8_t)data.len;
        buf_add(script, head, 2);
    } else if (data.len <= UINT16_MAX) {
        head[0] = OP_PUSHDATA2;
        put_le16(head + 1, (uint16_t)data.len);
        buf_add(script, head, 3);
    } else {
        head[0] = OP_PUSHDATA4;
        put_le32(head + 1, (uint32_t)data.len);
        buf_add(script, head, 5);
    }
    buf_add(script, data.data, data.len);
}

void script_add_number(struct buf *script, int64_t number)
{
    uint8_t bytes[SCRIPT_NUMBER_BYTES_MAX];

    if (number == 0)
        script_add_op(script, OP_0);
    else if (number == -1 || (number >= 1 && number <= 16))
        script_add_op(script, (uint8_t)(OP_1 - 1 + number));
    else
        script_add_push(script, span_of(bytes, script_number_write(bytes, number)));
}

void script_add_p2pk(struct buf *script, struct span pubkey)
{
    script_add_push(script, pubkey);
    script_add_op(script, OP_CHECKSIG);
}

void script_add_p2pkh(struct buf *script, const uint8_t *hash)
{
    script_add_op(script, OP_DUP);
    script_add_op(script, OP_HASH160);
    script_add_push(script, span_of(hash, 20));
    script_add_op(script, OP_EQUALVERIFY);
    script_add_op(script, OP_CHECKSIG);
}

void script_add_p2sh(struct buf *script, const uint8_t *hash)
{
    script_add_op(script, OP_HASH160);
    script_add_push(script, span_of(hash, 20));
    script_add_op(script, OP_EQUAL);
}

void script_add_witness_program(struct buf *script, uint8_t version, struct span program)
{
    CHECK(version <= 16 && program.len >= 2 && program.len <= WITNESS_PROGRAM_BYTES_MAX);
    script_add_number(script, version);
    script_add_push(script, program);
}

void script_add_multisig(struct buf *script, uint32_t required, const struct span *pubkeys,
                         size_t pubkeys_n)
{
    CHECK(pubkeys_n <= SCRIPT_MULTISIG_KEYS_MAX && required <= pubkeys_n);
    script_add_number(script, required);
    for (size_t i = 0; i < pubkeys_n; i++)
        script_add_push(script, pubkeys[i]);
    script_add_number(script, (int64_t)pubkeys_n);
    script_add_op(script, OP_CHECKMULTISIG);
}
