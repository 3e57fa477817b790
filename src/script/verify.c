#include "script/script.h"

#include "base/check.h"
#include "codec/writer.h"
#include "script/machine_priv.h"
#include "script/sig_engine.h"

#define TAPROOT_ANNEX_TAG 0x50
#define TAPROOT_LEAF_MASK 0xfe
#define TAPROOT_LEAF_TAPSCRIPT 0xc0
#define TAPROOT_CONTROL_BASE_BYTES 33
#define TAPROOT_CONTROL_NODE_BYTES 32
#define TAPROOT_CONTROL_BYTES_MAX (TAPROOT_CONTROL_BASE_BYTES + 128 * TAPROOT_CONTROL_NODE_BYTES)
/* BIP 342: the budget is the witness' size and this. */
#define TAPSCRIPT_WEIGHT_OFFSET 50

struct witness {
    const struct span *items;
    uint32_t n;
};

bool script_flags_are_valid(uint64_t flags)
{
    const uint64_t witness = SCRIPT_VERIFY(WITNESS);
    const uint64_t p2sh = SCRIPT_VERIFY(P2SH);

    if (flags >> SCRIPT_FLAG_BITS != 0)
        return false;
    if ((flags & SCRIPT_VERIFY(CLEANSTACK)) != 0 && (flags & witness) == 0)
        return false;
    return (flags & witness) == 0 || (flags & p2sh) != 0;
}

static enum verdict top_is_true(struct machine *m)
{
    if (m->stack_n == 0 || !script_bool(item_span(machine_top(m, 1))))
        return V_SCRIPT_EVAL_FALSE;
    return V_VALID;
}

static void load_stack(struct machine *m, struct witness stack)
{
    uint32_t first = 0;

    m->stack_n = 0;
    if (stack.n > MACHINE_STACK_LOADED_MAX)
        first = stack.n - MACHINE_STACK_LOADED_MAX;
    m->hidden_n = first;
    for (uint32_t i = first; i < stack.n; i++)
        machine_push_span(m, stack.items[i]);
}

/* BIP 342: an OP_SUCCESS anywhere decides before anything else, even in front of
 * bytes that are no script.
 *
 * Returns: true if the script is decided. */
static bool scan_success(const struct machine *m, struct span script, enum verdict *ret_verdict)
{
    struct script_iter iter = script_iter_of(script);
    struct span push;
    uint8_t op;

    while (!script_iter_done(&iter)) {
        if (!script_next(&iter, &op, &push)) {
            *ret_verdict = V_SCRIPT_BAD_OPCODE;
            return true;
        }
        if (opcode_is_success(op)) {
            *ret_verdict = machine_has(m, SCRIPT_VERIFY(DISCOURAGE_OP_SUCCESS))
                               ? V_SCRIPT_DISCOURAGE_OP_SUCCESS
                               : V_VALID;
            return true;
        }
    }
    return false;
}

static enum verdict run_witness_script(struct machine *m, struct witness stack, struct span script,
                                       enum script_version version)
{
    enum verdict verdict;

    if (version == SCRIPT_TAPSCRIPT) {
        if (scan_success(m, script, &verdict))
            return verdict;
        if (stack.n > SCRIPT_STACK_MAX)
            return V_SCRIPT_STACK_SIZE;
    }
    for (uint32_t i = 0; i < stack.n; i++) {
        if (stack.items[i].len > SCRIPT_ELEMENT_BYTES_MAX)
            return V_SCRIPT_PUSH_SIZE;
    }
    load_stack(m, stack);
    m->version = version;
    verdict = machine_run(m, script);
    if (verdict != V_VALID)
        return verdict;
    if (m->stack_n != 1)
        return V_SCRIPT_CLEANSTACK;
    return top_is_true(m);
}

static enum verdict verify_v0(struct machine *m, struct witness stack, struct span program)
{
    uint8_t script[25] = {OP_DUP, OP_HASH160, 20};
    uint8_t digest[SHA256_BYTES];

    if (program.len == 32) {
        struct span last;

        if (stack.n == 0)
            return V_SCRIPT_WITNESS_PROGRAM_WITNESS_EMPTY;
        last = stack.items[--stack.n];
        sha256(digest, last.data, last.len);
        if (memcmp(digest, program.data, sizeof(digest)) != 0)
            return V_SCRIPT_WITNESS_PROGRAM_MISMATCH;
        return run_witness_script(m, stack, last, SCRIPT_V0);
    }
    if (program.len != 20)
        return V_SCRIPT_WITNESS_PROGRAM_WRONG_LENGTH;
    if (stack.n != 2)
        return V_SCRIPT_WITNESS_PROGRAM_MISMATCH;
    memcpy(script + 3, program.data, 20);
    script[23] = OP_EQUALVERIFY;
    script[24] = OP_CHECKSIG;
    return run_witness_script(m, stack, span_of(script, sizeof(script)), SCRIPT_V0);
}

/* BIP 341: does the control block lead from the leaf to the output key? */
static bool commits_to_leaf(const struct machine *m, struct span control, const uint8_t *leaf,
                            const uint8_t *output_key)
{
    const struct sig_engine *engine = m->spend->engine;
    const uint8_t *internal_key = control.data + 1;
    uint8_t node[SHA256_BYTES];
    struct sha256 hash;

    memcpy(node, leaf, sizeof(node));
    for (size_t at = TAPROOT_CONTROL_BASE_BYTES; at < control.len; at += TAPROOT_CONTROL_NODE_BYTES)
        tapbranch_hash(node, node, control.data + at);
    sha256_tagged_init(&hash, "TapTweak");
    sha256_add(&hash, internal_key, 32);
    sha256_add(&hash, node, sizeof(node));
    sha256_finish(&hash, node);
    if (engine == NULL)
        engine = &sig_engine_default;
    return engine->tweak(engine, output_key, (control.data[0] & 1) != 0, internal_key, node);
}

static int64_t witness_bytes(struct witness witness)
{
    size_t len = compact_size_len(witness.n);

    for (uint32_t i = 0; i < witness.n; i++)
        len += compact_size_len(witness.items[i].len) + witness.items[i].len;
    return (int64_t)len;
}

static enum verdict verify_leaf(struct machine *m, struct witness witness, struct witness stack,
                                const uint8_t *output_key)
{
    struct span control = stack.items[stack.n - 1];
    struct span script = stack.items[stack.n - 2];
    uint8_t leaf[SHA256_BYTES];
    uint8_t leaf_version;

    stack.n -= 2;
    if (control.len < TAPROOT_CONTROL_BASE_BYTES || control.len > TAPROOT_CONTROL_BYTES_MAX ||
        (control.len - TAPROOT_CONTROL_BASE_BYTES) % TAPROOT_CONTROL_NODE_BYTES != 0)
        return V_SCRIPT_TAPROOT_WRONG_CONTROL_SIZE;
    leaf_version = control.data[0] & TAPROOT_LEAF_MASK;
    tapleaf_hash(leaf, leaf_version, script);
    if (!commits_to_leaf(m, control, leaf, output_key))
        return V_SCRIPT_WITNESS_PROGRAM_MISMATCH;
    if (leaf_version != TAPROOT_LEAF_TAPSCRIPT)
        return machine_has(m, SCRIPT_VERIFY(DISCOURAGE_UPGRADABLE_TAPROOT_VERSION))
                   ? V_SCRIPT_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION
                   : V_VALID;
    m->taproot.leaf_hash = leaf;
    m->weight_left = witness_bytes(witness) + TAPSCRIPT_WEIGHT_OFFSET;
    return run_witness_script(m, stack, script, SCRIPT_TAPSCRIPT);
}

static enum verdict verify_taproot(struct machine *m, struct witness witness,
                                   const uint8_t *output_key)
{
    struct witness stack = witness;
    uint8_t annex_hash[SHA256_BYTES];

    if (!machine_has(m, SCRIPT_VERIFY(TAPROOT)))
        return V_VALID;
    if (stack.n == 0)
        return V_SCRIPT_WITNESS_PROGRAM_WITNESS_EMPTY;
    if (stack.n >= 2) {
        struct span last = stack.items[stack.n - 1];

        if (last.len > 0 && last.data[0] == TAPROOT_ANNEX_TAG) {
            uint8_t head[COMPACT_SIZE_BYTES_MAX];
            struct sha256 hash;

            sha256_init(&hash);
            sha256_add(&hash, head, compact_size_write(head, last.len));
            sha256_add(&hash, last.data, last.len);
            sha256_finish(&hash, annex_hash);
            m->taproot.annex_hash = annex_hash;
            stack.n--;
        }
    }
    if (stack.n == 1)
        return machine_check_schnorr(m, stack.items[0], output_key);
    return verify_leaf(m, witness, stack, output_key);
}

static enum verdict verify_program(struct machine *m, struct witness witness, uint8_t version,
                                   struct span program, bool in_p2sh)
{
    if (version == 0)
        return verify_v0(m, witness, program);
    if (version == 1 && program.len == 32 && !in_p2sh)
        return verify_taproot(m, witness, program.data);
    if (version == 1 && program.len == 2 && program.data[0] == 0x4e && program.data[1] == 0x73 &&
        !in_p2sh)
        return V_VALID; /* Pay to anchor. */
    return machine_has(m, SCRIPT_VERIFY(DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM))
               ? V_SCRIPT_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM
               : V_VALID;
}

/* Is script_sig nothing but one push of redeem, a witness program of at most 42
 * bytes? */
static bool pushes_only(struct span script_sig, struct span redeem)
{
    return script_sig.len == redeem.len + 1 && script_sig.data[0] == redeem.len &&
           memcmp(script_sig.data + 1, redeem.data, redeem.len) == 0;
}

/* BIP 16: the redeem script, on the stack that script_sig left. had_witness is set
 * if it was a witness program. */
static enum verdict verify_p2sh(struct machine *m, struct span script_sig, struct span redeem,
                                struct witness witness, bool *ret_had_witness)
{
    enum verdict verdict;
    struct span program;
    uint8_t version;

    if (!script_is_push_only(script_sig))
        return V_SCRIPT_SIG_PUSHONLY;
    verdict = machine_run(m, redeem);
    if (verdict == V_VALID)
        verdict = top_is_true(m);
    if (verdict != V_VALID)
        return verdict;
    if (!machine_has(m, SCRIPT_VERIFY(WITNESS)) ||
        !script_witness_program(redeem, &version, &program))
        return V_VALID;
    *ret_had_witness = true;
    if (!pushes_only(script_sig, redeem))
        return V_SCRIPT_WITNESS_MALLEATED_P2SH;
    return verify_program(m, witness, version, program, true);
}

static void machine_init(struct machine *m, const struct spend *spend, uint32_t in_index,
                         uint64_t flags)
{
    CHECK(script_flags_are_valid(flags));
    CHECK(in_index < spend->tx->in_n);
    m->spend = spend;
    m->flags = flags;
    m->version = SCRIPT_BASE;
    sighash_input_init(&m->sighash, spend->sighash, in_index);
    m->taproot.annex_hash = NULL;
    m->taproot.leaf_hash = NULL;
    m->weight_left = 0;
    m->stack_n = 0;
    m->alt_n = 0;
    m->hidden_n = 0;
}

enum verdict script_verify(const struct spend *spend, uint32_t in_index, struct span script_sig,
                           struct span script_pubkey, const struct span *witness_items,
                           uint32_t witness_n, uint64_t flags)
{
    struct witness witness = {.items = witness_items, .n = witness_n};
    bool had_witness = false;
    enum verdict verdict;
    struct machine m;
    struct item redeem = {0};
    struct span program;
    uint8_t version;

    machine_init(&m, spend, in_index, flags);
    if (machine_has(&m, SCRIPT_VERIFY(SIGPUSHONLY)) && !script_is_push_only(script_sig))
        return V_SCRIPT_SIG_PUSHONLY;
    verdict = machine_run(&m, script_sig);
    if (verdict != V_VALID)
        return verdict;
    if (m.stack_n > 0)
        redeem = *machine_top(&m, 1);
    verdict = machine_run(&m, script_pubkey);
    if (verdict == V_VALID)
        verdict = top_is_true(&m);
    if (verdict != V_VALID)
        return verdict;

    if (machine_has(&m, SCRIPT_VERIFY(WITNESS)) &&
        script_witness_program(script_pubkey, &version, &program)) {
        had_witness = true;
        if (script_sig.len > 0)
            return V_SCRIPT_WITNESS_MALLEATED;
        verdict = verify_program(&m, witness, version, program, false);
    } else if (machine_has(&m, SCRIPT_VERIFY(P2SH)) && script_is_p2sh(script_pubkey)) {
        /* script_pubkey took the redeem script off the stack and left true in its
         * place: without that, the stack is as script_sig made it. */
        m.stack_n--;
        verdict = verify_p2sh(&m, script_sig, item_span(&redeem), witness, &had_witness);
    }
    if (verdict != V_VALID)
        return verdict;
    if (machine_has(&m, SCRIPT_VERIFY(CLEANSTACK)) && !had_witness && m.stack_n != 1)
        return V_SCRIPT_CLEANSTACK;
    if (machine_has(&m, SCRIPT_VERIFY(WITNESS)) && !had_witness && witness_n > 0)
        return V_SCRIPT_WITNESS_UNEXPECTED;
    return V_VALID;
}

enum verdict script_verify_input(const struct spend *spend, uint32_t in_index, uint64_t flags)
{
    const struct tx_in *in;

    CHECK(in_index < spend->tx->in_n);
    in = &spend->tx->in[in_index];
    return script_verify(spend, in_index, in->script_sig, spend->spent[in_index].script_pubkey,
                         in->witness, in->witness_n, flags);
}
