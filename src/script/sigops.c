#include "script/parse.h"
#include "script/script.h"

uint32_t script_sigops(struct span script, bool accurate)
{
    struct script_iter iter = script_iter_of(script);
    uint8_t previous = OP_INVALIDOPCODE;
    uint32_t count = 0;
    struct span push;
    uint8_t op;

    while (script_next(&iter, &op, &push)) {
        if (op == OP_CHECKSIG || op == OP_CHECKSIGVERIFY) {
            count++;
        } else if (op == OP_CHECKMULTISIG || op == OP_CHECKMULTISIGVERIFY) {
            int keys = opcode_small_number(previous);

            count += accurate && keys > 0 ? (uint32_t)keys : SCRIPT_MULTISIG_KEYS_MAX;
        }
        previous = op;
    }
    return count;
}

/* What the last operation of a script of pushes leaves on top: the redeem script.
 * Empty if it is not a push; false if the script is not push-only. */
static bool last_push(struct span script_sig, struct span *ret_push)
{
    struct script_iter iter = script_iter_of(script_sig);
    uint8_t op;

    *ret_push = (struct span){0};
    while (!script_iter_done(&iter)) {
        if (!script_next(&iter, &op, ret_push) || op > OP_16)
            return false;
    }
    return true;
}

static uint32_t program_sigops(const struct tx_in *in, uint8_t version, struct span program)
{
    if (version != 0)
        return 0;
    if (program.len == 20)
        return 1;
    if (program.len == 32 && in->witness_n > 0)
        return script_sigops(in->witness[in->witness_n - 1], true);
    return 0;
}

static uint64_t input_cost(const struct tx_in *in, struct span script_pubkey, uint64_t flags)
{
    bool count_witness = (flags & SCRIPT_VERIFY(WITNESS)) != 0;
    struct span redeem;
    struct span program;
    uint8_t version;
    uint64_t cost = 0;

    if (script_is_p2sh(script_pubkey)) {
        if (!last_push(in->script_sig, &redeem))
            return 0;
        if (flags & SCRIPT_VERIFY(P2SH))
            cost = (uint64_t)script_sigops(redeem, true) * WITNESS_SCALE_FACTOR;
        if (count_witness && script_witness_program(redeem, &version, &program))
            cost += program_sigops(in, version, program);
    } else if (count_witness && script_witness_program(script_pubkey, &version, &program)) {
        cost = program_sigops(in, version, program);
    }
    return cost;
}

uint32_t tx_legacy_sigops(const struct tx *tx)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < tx->in_n; i++)
        count += script_sigops(tx->in[i].script_sig, false);
    for (uint32_t i = 0; i < tx->out_n; i++)
        count += script_sigops(tx->out[i].script_pubkey, false);
    return count;
}

uint64_t tx_sigops_cost(const struct tx *tx, const struct tx_out *spent, uint64_t flags)
{
    uint64_t cost = (uint64_t)tx_legacy_sigops(tx) * WITNESS_SCALE_FACTOR;

    if (tx_is_coinbase(tx))
        return cost;
    for (uint32_t i = 0; i < tx->in_n; i++)
        cost += input_cost(&tx->in[i], spent[i].script_pubkey, flags);
    return cost;
}
