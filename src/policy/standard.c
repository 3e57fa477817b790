#include "policy/standard.h"

#include <stdio.h>

#include "base/verdict.h"
#include "script/script.h"

#define ANNEX_TAG 0x50
#define TAPROOT_LEAF_MASK 0xfe
#define TAPROOT_LEAF_TAPSCRIPT 0xc0
#define P2WSH_PROGRAM_BYTES 32
#define P2TR_PROGRAM_BYTES 32

static const char *input_flaw(const struct tx_in *in)
{
    if (in->script_sig.len > POLICY_SCRIPT_SIG_BYTES_MAX)
        return "scriptsig-size";
    if (!script_is_push_only(in->script_sig))
        return "scriptsig-not-pushonly";
    return NULL;
}

static const char *output_flaw(const struct tx_out *out, int64_t *data_left,
                               const struct standard_rules *rules)
{
    struct solution solution;

    switch (script_solve(&solution, out->script_pubkey)) {
    case SCRIPT_TYPE_NONSTANDARD:
        return "scriptpubkey";
    case SCRIPT_TYPE_MULTISIG:
        if (solution.keys_n > POLICY_MULTISIG_KEYS_MAX)
            return "scriptpubkey";
        return rules->permit_bare_multisig ? NULL : "bare-multisig";
    case SCRIPT_TYPE_NULL_DATA:
        if ((int64_t)out->script_pubkey.len > *data_left)
            return "datacarrier";
        *data_left -= (int64_t)out->script_pubkey.len;
        return NULL;
    default:
        return NULL;
    }
}

uint32_t standard_dust_n(const struct tx *tx, struct feerate dust_relay)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < tx->out_n; i++)
        n += policy_is_dust(&tx->out[i], dust_relay);
    return n;
}

const char *standard_tx_flaw(const struct tx *tx, const struct standard_rules *rules)
{
    int64_t data_left = rules->max_datacarrier_bytes;
    const char *flaw = NULL;

    if (tx->version < 1 || tx->version > POLICY_TX_VERSION_MAX)
        return "version";
    if (tx_weight(tx) > POLICY_TX_WEIGHT_MAX)
        return "tx-size";
    for (uint32_t i = 0; i < tx->in_n && flaw == NULL; i++)
        flaw = input_flaw(&tx->in[i]);
    for (uint32_t i = 0; i < tx->out_n && flaw == NULL; i++)
        flaw = output_flaw(&tx->out[i], &data_left, rules);
    if (flaw == NULL && standard_dust_n(tx, rules->dust_relay) > POLICY_DUST_OUTPUTS_MAX)
        flaw = "dust";
    return flaw;
}

/* What running a script_sig leaves on top. */
struct top {
    bool is_there;        /* The stack is not empty. */
    struct span item;     /* Into the script, or own. */
    uint8_t own;          /* What OP_1NEGATE, OP_1 .. OP_16 push. */
    enum verdict verdict; /* Why it fails. */
};

/* Runs a script of pushes as the interpreter would without flags: anything else fails
 * in one way or other, and those ways are told apart as it tells them. */
static bool run_pushes(struct top *top, struct span script)
{
    struct script_iter iter = script_iter_of(script);
    uint32_t depth = 0;
    uint8_t op;

    *top = (struct top){.verdict = V_VALID};
    if (script.len > SCRIPT_BYTES_MAX)
        top->verdict = V_SCRIPT_SCRIPT_SIZE;
    while (top->verdict == V_VALID && !script_iter_done(&iter)) {
        if (!script_next(&iter, &op, &top->item)) {
            top->verdict = V_SCRIPT_BAD_OPCODE;
        } else if (top->item.len > SCRIPT_ELEMENT_BYTES_MAX) {
            top->verdict = V_SCRIPT_PUSH_SIZE;
        } else if (op == OP_RESERVED || op > OP_16) {
            top->verdict = V_SCRIPT_BAD_OPCODE;
        } else if (op > OP_PUSHDATA4) {
            top->own = op == OP_1NEGATE ? 0x81 : (uint8_t)opcode_small_number(op);
            top->item = span_of(&top->own, 1);
        }
        if (top->verdict == V_VALID && ++depth > SCRIPT_STACK_MAX)
            top->verdict = V_SCRIPT_STACK_SIZE;
    }
    top->is_there = depth > 0;
    return top->verdict == V_VALID;
}

/* Sigops of what the spending of one output runs outside witnesses (BIP 54). */
static uint32_t spending_sigops(const struct tx_in *in, const struct tx_out *spent)
{
    struct script_iter iter = script_iter_of(in->script_sig);
    uint32_t count = script_sigops(in->script_sig, true);
    struct span last = {0};
    uint8_t op;

    if (!script_is_p2sh(spent->script_pubkey))
        return count + script_sigops(spent->script_pubkey, true);
    while (!script_iter_done(&iter)) {
        if (!script_next(&iter, &op, &last) || op > OP_16)
            return count;
    }
    return count + script_sigops(last, true);
}

static bool few_legacy_sigops(const struct tx *tx, const struct tx_out *spent)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < tx->in_n; i++) {
        count += spending_sigops(&tx->in[i], &spent[i]);
        if (count > POLICY_TX_LEGACY_SIGOPS_MAX)
            return false;
    }
    return true;
}

static bool redeem_script_is_standard(const struct tx_in *in, uint32_t i, char *ret_detail,
                                      size_t detail_size)
{
    struct top top;
    uint32_t sigops;

    if (!run_pushes(&top, in->script_sig)) {
        (void)snprintf(ret_detail, detail_size, "p2sh scriptsig malformed (input %u: %s)", i,
                       verdict_reason(top.verdict));
        return false;
    }
    if (!top.is_there) {
        (void)snprintf(ret_detail, detail_size, "input %u P2SH redeemscript missing", i);
        return false;
    }
    sigops = script_sigops(top.item, true);
    if (sigops > POLICY_P2SH_SIGOPS_MAX) {
        (void)snprintf(ret_detail, detail_size,
                       "p2sh redeemscript sigops exceed limit (input %u: %u > %u)", i, sigops,
                       POLICY_P2SH_SIGOPS_MAX);
        return false;
    }
    return true;
}

bool standard_inputs(const struct tx *tx, const struct tx_out *spent, char *ret_detail,
                     size_t detail_size)
{
    struct solution solution;

    if (!few_legacy_sigops(tx, spent)) {
        (void)snprintf(ret_detail, detail_size, "non-witness sigops exceed bip54 limit");
        return false;
    }
    for (uint32_t i = 0; i < tx->in_n; i++) {
        switch (script_solve(&solution, spent[i].script_pubkey)) {
        case SCRIPT_TYPE_NONSTANDARD:
            (void)snprintf(ret_detail, detail_size, "input %u script unknown", i);
            return false;
        case SCRIPT_TYPE_WITNESS_UNKNOWN:
            (void)snprintf(ret_detail, detail_size, "input %u witness program is undefined", i);
            return false;
        case SCRIPT_TYPE_SCRIPTHASH:
            if (!redeem_script_is_standard(&tx->in[i], i, ret_detail, detail_size))
                return false;
            break;
        default:
            break;
        }
    }
    return true;
}

static bool p2wsh_is_standard(const struct tx_in *in)
{
    uint32_t items_n = in->witness_n - 1;

    if (in->witness[items_n].len > POLICY_P2WSH_SCRIPT_BYTES_MAX ||
        items_n > POLICY_P2WSH_ITEMS_MAX)
        return false;
    for (uint32_t i = 0; i < items_n; i++) {
        if (in->witness[i].len > POLICY_P2WSH_ITEM_BYTES_MAX)
            return false;
    }
    return true;
}

static bool taproot_is_standard(const struct tx_in *in)
{
    struct span control;

    if (in->witness_n < 2)
        return true;
    control = in->witness[in->witness_n - 1];
    if (control.len == 0 || control.data[0] == ANNEX_TAG)
        return false;
    if ((control.data[0] & TAPROOT_LEAF_MASK) != TAPROOT_LEAF_TAPSCRIPT)
        return true;
    for (uint32_t i = 0; i + 2 < in->witness_n; i++) {
        if (in->witness[i].len > POLICY_TAPSCRIPT_ITEM_BYTES_MAX)
            return false;
    }
    return true;
}

static bool witness_is_standard(const struct tx_in *in, struct span script)
{
    bool in_p2sh = script_is_p2sh(script);
    struct span program;
    struct top top;
    uint8_t version;

    if (script_is_anchor(script))
        return false;
    if (in_p2sh) {
        if (!run_pushes(&top, in->script_sig) || !top.is_there)
            return false;
        script = top.item;
    }
    if (!script_witness_program(script, &version, &program))
        return false;
    if (version == 0 && program.len == P2WSH_PROGRAM_BYTES)
        return p2wsh_is_standard(in);
    if (version == 1 && program.len == P2TR_PROGRAM_BYTES && !in_p2sh)
        return taproot_is_standard(in);
    return true;
}

bool standard_witness(const struct tx *tx, const struct tx_out *spent)
{
    for (uint32_t i = 0; i < tx->in_n; i++) {
        if (tx->in[i].witness_n > 0 && !witness_is_standard(&tx->in[i], spent[i].script_pubkey))
            return false;
    }
    return true;
}

bool standard_needs_witness(const struct tx *tx, const struct tx_out *spent)
{
    struct span program;
    struct top top;
    uint8_t version;

    for (uint32_t i = 0; i < tx->in_n; i++) {
        struct span script = spent[i].script_pubkey;

        if (script_witness_program(script, &version, &program) && !script_is_anchor(script))
            return true;
        if (script_is_p2sh(script) && run_pushes(&top, tx->in[i].script_sig) && top.is_there &&
            script_witness_program(top.item, &version, &program))
            return true;
    }
    return false;
}
