#include "keys/script_write.h"

#include "crypto/hash160.h"
#include "crypto/sha256.h"

void script_write_push_minimal(struct buf *script, struct span data)
{
    if (data.len == 1 && data.data[0] >= 1 && data.data[0] <= 16)
        buf_add_byte(script, (uint8_t)(OP_1 - 1 + data.data[0]));
    else if (data.len == 1 && data.data[0] == 0x81)
        script_add_op(script, OP_1NEGATE);
    else
        script_add_push(script, data);
}

void script_write_multisig(struct buf *script, uint32_t threshold, const struct pubkey *keys,
                           size_t keys_n)
{
    script_add_number(script, threshold);
    for (size_t i = 0; i < keys_n; i++)
        script_add_push(script, span_of_pubkey(&keys[i]));
    script_add_number(script, (int64_t)keys_n);
    script_add_op(script, OP_CHECKMULTISIG);
}

void script_write_multi_a(struct buf *script, uint32_t threshold, const struct pubkey *keys,
                          size_t keys_n)
{
    for (size_t i = 0; i < keys_n; i++) {
        script_add_push(script, span_of(pubkey_xonly(&keys[i]), XONLY_BYTES));
        script_add_op(script, i == 0 ? OP_CHECKSIG : OP_CHECKSIGADD);
    }
    script_add_number(script, threshold);
    script_add_op(script, OP_NUMEQUAL);
}

void script_write_p2sh_of(struct buf *script, struct span redeem_script)
{
    uint8_t hash[HASH160_BYTES];

    hash160(hash, redeem_script.data, redeem_script.len);
    script_add_p2sh(script, hash);
}

void script_write_p2wsh_of(struct buf *script, struct span witness_script)
{
    uint8_t hash[SHA256_BYTES];

    sha256(hash, witness_script.data, witness_script.len);
    script_add_witness_program(script, 0, span_of(hash, sizeof(hash)));
}

void script_write_p2wpkh_of(struct buf *script, const struct pubkey *pubkey)
{
    struct key_id id = pubkey_id(pubkey);

    script_add_witness_program(script, 0, span_of(id.b, sizeof(id.b)));
}
