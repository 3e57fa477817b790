#include "script/machine_priv.h"

#include "base/check.h"
#include "crypto/hash160.h"
#include "crypto/ripemd160.h"
#include "crypto/sha1.h"

/* An operation that finds too little on the stack. */
#define NEED(m, count)                               \
    do {                                             \
        if ((m)->stack_n < (size_t)(count))          \
            return V_SCRIPT_INVALID_STACK_OPERATION; \
    } while (0)

static void push_copy(struct machine *m, size_t from_top)
{
    m->slot[m->stack_n] = *machine_top(m, from_top);
    m->stack_n++;
}

static void swap_items(struct item *a, struct item *b)
{
    struct item kept = *a;

    *a = *b;
    *b = kept;
}

/* Takes out the element at from_top; those above it move down. */
static void remove_item(struct machine *m, size_t from_top)
{
    struct item *item = machine_top(m, from_top);

    memmove(item, item + 1, (from_top - 1) * sizeof(*item));
    m->stack_n--;
}

static bool top_number(struct machine *m, size_t from_top, int64_t *ret_number)
{
    return script_number_read(ret_number, item_span(machine_top(m, from_top)), SCRIPT_NUMBER_BYTES,
                              machine_has(m, SCRIPT_VERIFY(MINIMALDATA)));
}

/* --- Control --- */

static enum verdict op_if(struct machine *m, uint8_t op, bool is_live)
{
    bool taken = false;

    if (is_live) {
        struct span value;
        bool is_minimal;

        NEED(m, 1);
        value = item_span(machine_top(m, 1));
        is_minimal = value.len == 0 || (value.len == 1 && value.data[0] == 1);
        if (!is_minimal && m->version == SCRIPT_TAPSCRIPT)
            return V_SCRIPT_TAPSCRIPT_MINIMALIF;
        if (!is_minimal && m->version == SCRIPT_V0 && machine_has(m, SCRIPT_VERIFY(MINIMALIF)))
            return V_SCRIPT_MINIMALIF;
        taken = script_bool(value) == (op == OP_IF);
        m->stack_n--;
    }
    if (!taken && m->dead_from == MACHINE_ALL_TAKEN)
        m->dead_from = m->branches_n;
    m->branches_n++;
    return V_VALID;
}

/* Only the outermost untaken branch decides whether anything runs: what OP_ELSE
 * does further in cannot be seen. */
static enum verdict op_else(struct machine *m)
{
    if (m->branches_n == 0)
        return V_SCRIPT_UNBALANCED_CONDITIONAL;
    if (m->dead_from == MACHINE_ALL_TAKEN)
        m->dead_from = m->branches_n - 1;
    else if (m->dead_from == m->branches_n - 1)
        m->dead_from = MACHINE_ALL_TAKEN;
    return V_VALID;
}

static enum verdict op_endif(struct machine *m)
{
    if (m->branches_n == 0)
        return V_SCRIPT_UNBALANCED_CONDITIONAL;
    m->branches_n--;
    if (m->dead_from == m->branches_n)
        m->dead_from = MACHINE_ALL_TAKEN;
    return V_VALID;
}

static enum verdict op_verify(struct machine *m)
{
    NEED(m, 1);
    if (!script_bool(item_span(machine_top(m, 1))))
        return V_SCRIPT_VERIFY;
    m->stack_n--;
    return V_VALID;
}

/* --- Lock times --- */

static enum verdict read_lock(struct machine *m, int64_t *ret_lock)
{
    NEED(m, 1);
    if (!script_number_read(ret_lock, item_span(machine_top(m, 1)), SCRIPT_LOCK_NUMBER_BYTES,
                            machine_has(m, SCRIPT_VERIFY(MINIMALDATA))))
        return V_SCRIPT_SCRIPTNUM;
    return *ret_lock < 0 ? V_SCRIPT_NEGATIVE_LOCKTIME : V_VALID;
}

/* BIP 65. */
static enum verdict op_check_lock_time(struct machine *m)
{
    const struct tx *tx = m->spend->tx;
    enum verdict verdict;
    int64_t lock;

    if (!machine_has(m, SCRIPT_VERIFY(CHECKLOCKTIMEVERIFY)))
        return V_VALID;
    verdict = read_lock(m, &lock);
    if (verdict != V_VALID)
        return verdict;
    /* Heights are only compared with heights, times with times; and the lock of a
     * final input is not in force. */
    if ((lock < LOCKTIME_THRESHOLD) != (tx->lock_time < LOCKTIME_THRESHOLD) ||
        lock > tx->lock_time || tx->in[m->sighash.in_index].sequence == SEQUENCE_FINAL)
        return V_SCRIPT_UNSATISFIED_LOCKTIME;
    return V_VALID;
}

/* BIP 112. */
static enum verdict op_check_sequence(struct machine *m)
{
    const uint32_t kept = SEQUENCE_LOCKTIME_TYPE_FLAG | SEQUENCE_LOCKTIME_MASK;
    const struct tx *tx = m->spend->tx;
    uint32_t sequence = tx->in[m->sighash.in_index].sequence;
    enum verdict verdict;
    int64_t lock;

    if (!machine_has(m, SCRIPT_VERIFY(CHECKSEQUENCEVERIFY)))
        return V_VALID;
    verdict = read_lock(m, &lock);
    if (verdict != V_VALID)
        return verdict;
    if (lock & SEQUENCE_LOCKTIME_DISABLE_FLAG)
        return V_VALID;
    if (tx->version < 2 || (sequence & SEQUENCE_LOCKTIME_DISABLE_FLAG))
        return V_SCRIPT_UNSATISFIED_LOCKTIME;
    sequence &= kept;
    lock &= kept;
    if ((lock < SEQUENCE_LOCKTIME_TYPE_FLAG) != (sequence < SEQUENCE_LOCKTIME_TYPE_FLAG) ||
        lock > sequence)
        return V_SCRIPT_UNSATISFIED_LOCKTIME;
    return V_VALID;
}

/* --- Stack --- */

/* How many elements each of OP_TOALTSTACK .. OP_TUCK needs. */
static const uint8_t stack_op_needs[OP_TUCK - OP_TOALTSTACK + 1] = {
    [OP_TOALTSTACK - OP_TOALTSTACK] = 1, [OP_2DROP - OP_TOALTSTACK] = 2,
    [OP_2DUP - OP_TOALTSTACK] = 2,       [OP_3DUP - OP_TOALTSTACK] = 3,
    [OP_2OVER - OP_TOALTSTACK] = 4,      [OP_2ROT - OP_TOALTSTACK] = 6,
    [OP_2SWAP - OP_TOALTSTACK] = 4,      [OP_IFDUP - OP_TOALTSTACK] = 1,
    [OP_DROP - OP_TOALTSTACK] = 1,       [OP_DUP - OP_TOALTSTACK] = 1,
    [OP_NIP - OP_TOALTSTACK] = 2,        [OP_OVER - OP_TOALTSTACK] = 2,
    [OP_PICK - OP_TOALTSTACK] = 2,       [OP_ROLL - OP_TOALTSTACK] = 2,
    [OP_ROT - OP_TOALTSTACK] = 3,        [OP_SWAP - OP_TOALTSTACK] = 2,
    [OP_TUCK - OP_TOALTSTACK] = 2,
};

static enum verdict op_pick_or_roll(struct machine *m, uint8_t op)
{
    int64_t depth;
    size_t from_top;

    if (!top_number(m, 1, &depth))
        return V_SCRIPT_SCRIPTNUM;
    m->stack_n--;
    if (depth < 0 || (uint64_t)depth >= m->stack_n + m->hidden_n)
        return V_SCRIPT_INVALID_STACK_OPERATION;
    if ((uint64_t)depth >= m->stack_n)
        return V_SCRIPT_STACK_SIZE; /* Only a stack that is too large hides any. */
    from_top = (size_t)depth + 1;
    push_copy(m, from_top);
    if (op == OP_ROLL)
        remove_item(m, from_top + 1);
    return V_VALID;
}

static enum verdict op_alt(struct machine *m, uint8_t op)
{
    struct item *alt_top = &m->slot[MACHINE_SLOTS - m->alt_n];

    if (op == OP_TOALTSTACK) {
        alt_top[-1] = *machine_top(m, 1);
        m->stack_n--;
        m->alt_n++;
    } else {
        if (m->alt_n == 0)
            return V_SCRIPT_INVALID_ALTSTACK_OPERATION;
        m->slot[m->stack_n++] = *alt_top;
        m->alt_n--;
    }
    return V_VALID;
}

/* OP_2DROP .. OP_2SWAP. */
static void op_stack_pairs(struct machine *m, uint8_t op)
{
    switch (op) {
    case OP_2DROP:
        m->stack_n -= 2;
        break;
    case OP_2DUP:
        push_copy(m, 2);
        push_copy(m, 2);
        break;
    case OP_3DUP:
        push_copy(m, 3);
        push_copy(m, 3);
        push_copy(m, 3);
        break;
    case OP_2OVER:
        push_copy(m, 4);
        push_copy(m, 4);
        break;
    case OP_2ROT:
        push_copy(m, 6);
        push_copy(m, 6);
        remove_item(m, 8);
        remove_item(m, 7);
        break;
    default: /* OP_2SWAP */
        swap_items(machine_top(m, 4), machine_top(m, 2));
        swap_items(machine_top(m, 3), machine_top(m, 1));
        break;
    }
}

/* OP_TOALTSTACK .. OP_TUCK. */
static enum verdict op_stack(struct machine *m, uint8_t op)
{
    NEED(m, stack_op_needs[op - OP_TOALTSTACK]);
    switch (op) {
    case OP_TOALTSTACK:
    case OP_FROMALTSTACK:
        return op_alt(m, op);
    case OP_IFDUP:
        if (script_bool(item_span(machine_top(m, 1))))
            push_copy(m, 1);
        break;
    case OP_DEPTH:
        item_set_number(&m->slot[m->stack_n], (int64_t)(m->stack_n + m->hidden_n));
        m->stack_n++;
        break;
    case OP_DROP:
        m->stack_n--;
        break;
    case OP_DUP:
        push_copy(m, 1);
        break;
    case OP_NIP:
        remove_item(m, 2);
        break;
    case OP_OVER:
        push_copy(m, 2);
        break;
    case OP_PICK:
    case OP_ROLL:
        return op_pick_or_roll(m, op);
    case OP_ROT:
        swap_items(machine_top(m, 3), machine_top(m, 2));
        swap_items(machine_top(m, 2), machine_top(m, 1));
        break;
    case OP_SWAP:
        swap_items(machine_top(m, 2), machine_top(m, 1));
        break;
    case OP_TUCK:
        push_copy(m, 1);
        swap_items(machine_top(m, 2), machine_top(m, 3));
        break;
    default:
        op_stack_pairs(m, op);
        break;
    }
    return V_VALID;
}

/* --- Comparison, numbers, hashes --- */

static enum verdict op_equal(struct machine *m, uint8_t op)
{
    bool equal;

    NEED(m, 2);
    equal = span_equal(item_span(machine_top(m, 2)), item_span(machine_top(m, 1)));
    m->stack_n -= 2;
    if (op == OP_EQUALVERIFY)
        return equal ? V_VALID : V_SCRIPT_EQUALVERIFY;
    item_set_bool(&m->slot[m->stack_n++], equal);
    return V_VALID;
}

static enum verdict op_unary(struct machine *m, uint8_t op)
{
    int64_t v;

    NEED(m, 1);
    if (!top_number(m, 1, &v))
        return V_SCRIPT_SCRIPTNUM;
    switch (op) {
    case OP_1ADD:
        v++;
        break;
    case OP_1SUB:
        v--;
        break;
    case OP_NEGATE:
        v = -v;
        break;
    case OP_ABS:
        v = v < 0 ? -v : v;
        break;
    case OP_NOT:
        v = v == 0;
        break;
    default: /* OP_0NOTEQUAL */
        v = v != 0;
        break;
    }
    item_set_number(machine_top(m, 1), v);
    return V_VALID;
}

static int64_t binary_result(uint8_t op, int64_t a, int64_t b)
{
    switch (op) {
    case OP_ADD:
        return a + b;
    case OP_SUB:
        return a - b;
    case OP_BOOLAND:
        return a != 0 && b != 0;
    case OP_BOOLOR:
        return a != 0 || b != 0;
    case OP_NUMEQUAL:
    case OP_NUMEQUALVERIFY:
        return a == b;
    case OP_NUMNOTEQUAL:
        return a != b;
    case OP_LESSTHAN:
        return a < b;
    case OP_GREATERTHAN:
        return a > b;
    case OP_LESSTHANOREQUAL:
        return a <= b;
    case OP_GREATERTHANOREQUAL:
        return a >= b;
    case OP_MIN:
        return MIN(a, b);
    default: /* OP_MAX */
        return MAX(a, b);
    }
}

static enum verdict op_binary(struct machine *m, uint8_t op)
{
    int64_t a;
    int64_t b;

    NEED(m, 2);
    if (!top_number(m, 2, &a) || !top_number(m, 1, &b))
        return V_SCRIPT_SCRIPTNUM;
    m->stack_n -= 2;
    if (op == OP_NUMEQUALVERIFY)
        return a == b ? V_VALID : V_SCRIPT_NUMEQUALVERIFY;
    item_set_number(&m->slot[m->stack_n++], binary_result(op, a, b));
    return V_VALID;
}

static enum verdict op_within(struct machine *m)
{
    int64_t v;
    int64_t least;
    int64_t limit;

    NEED(m, 3);
    if (!top_number(m, 3, &v) || !top_number(m, 2, &least) || !top_number(m, 1, &limit))
        return V_SCRIPT_SCRIPTNUM;
    m->stack_n -= 2;
    item_set_bool(machine_top(m, 1), least <= v && v < limit);
    return V_VALID;
}

static enum verdict op_hash(struct machine *m, uint8_t op)
{
    uint8_t digest[ITEM_OWN_BYTES];
    struct item *top;
    struct span in;

    NEED(m, 1);
    top = machine_top(m, 1);
    in = item_span(top);
    if (op == OP_HASH160)
        hash160(digest, in.data, in.len);
    else if (op == OP_SHA256)
        sha256(digest, in.data, in.len);
    else if (op == OP_HASH256)
        sha256d(digest, in.data, in.len);
    else if (op == OP_RIPEMD160)
        ripemd160(digest, in.data, in.len);
    else
        sha1(digest, in.data, in.len);
    top->data = NULL;
    top->len = op == OP_SHA256 || op == OP_HASH256 ? 32 : 20;
    memcpy(top->own, digest, top->len);
    return V_VALID;
}

/* --- The loop --- */

/* OP_VERIFY .. OP_WITHIN but the stack group. */
static enum verdict execute_middle(struct machine *m, uint8_t op)
{
    switch (op) {
    case OP_VERIFY:
        return op_verify(m);
    case OP_RETURN:
        return V_SCRIPT_OP_RETURN;
    case OP_SIZE:
        NEED(m, 1);
        item_set_number(&m->slot[m->stack_n], machine_top(m, 1)->len);
        m->stack_n++;
        return V_VALID;
    case OP_EQUAL:
    case OP_EQUALVERIFY:
        return op_equal(m, op);
    case OP_1ADD:
    case OP_1SUB:
    case OP_NEGATE:
    case OP_ABS:
    case OP_NOT:
    case OP_0NOTEQUAL:
        return op_unary(m, op);
    case OP_ADD:
    case OP_SUB:
        return op_binary(m, op);
    case OP_WITHIN:
        return op_within(m);
    default:
        if (op >= OP_BOOLAND && op <= OP_MAX)
            return op_binary(m, op);
        return V_SCRIPT_BAD_OPCODE;
    }
}

/* OP_RIPEMD160 and all above it. */
static enum verdict execute_high(struct machine *m, uint8_t op, const uint8_t *next)
{
    switch (op) {
    case OP_RIPEMD160:
    case OP_SHA1:
    case OP_SHA256:
    case OP_HASH160:
    case OP_HASH256:
        return op_hash(m, op);
    case OP_CODESEPARATOR:
        m->code_start = next;
        m->taproot.code_separator = m->position;
        return V_VALID;
    case OP_CHECKSIG:
    case OP_CHECKSIGVERIFY:
        return machine_check_sig(m, op);
    case OP_CHECKSIGADD:
        return machine_check_sig_add(m);
    case OP_CHECKMULTISIG:
    case OP_CHECKMULTISIGVERIFY:
        return machine_check_multisig(m, op);
    case OP_CHECKLOCKTIMEVERIFY:
        return op_check_lock_time(m);
    case OP_CHECKSEQUENCEVERIFY:
        return op_check_sequence(m);
    default:
        if (op < OP_NOP1 || op > OP_NOP10)
            return V_SCRIPT_BAD_OPCODE;
        return machine_has(m, SCRIPT_VERIFY(DISCOURAGE_UPGRADABLE_NOPS))
                   ? V_SCRIPT_DISCOURAGE_UPGRADABLE_NOPS
                   : V_VALID;
    }
}

/* Any operation above OP_PUSHDATA4. next: where the script goes on. */
static enum verdict execute(struct machine *m, uint8_t op, bool is_live, const uint8_t *next)
{
    if (op >= OP_RIPEMD160)
        return execute_high(m, op, next);
    if (op >= OP_TOALTSTACK && op <= OP_TUCK)
        return op_stack(m, op);
    if (op > OP_ENDIF)
        return execute_middle(m, op);
    switch (op) {
    case OP_NOP:
        return V_VALID;
    case OP_IF:
    case OP_NOTIF:
        return op_if(m, op, is_live);
    case OP_ELSE:
        return op_else(m);
    case OP_ENDIF:
        return op_endif(m);
    default:
        if (op != OP_1NEGATE && (op < OP_1 || op > OP_16))
            return V_SCRIPT_BAD_OPCODE;
        item_set_number(&m->slot[m->stack_n++], op - (OP_1 - 1));
        return V_VALID;
    }
}

/* CVE-2010-5137: not even in a branch that is not taken. */
static bool is_disabled(uint8_t op)
{
    return op >= OP_CAT && op <= OP_RSHIFT &&
           (op <= OP_RIGHT || (op >= OP_INVERT && op <= OP_XOR) || op == OP_2MUL || op == OP_2DIV ||
            op >= OP_MUL);
}

static void begin(struct machine *m, const struct script_iter *script)
{
    m->script_end = script->end;
    m->code_start = script->at;
    m->ops_n = 0;
    m->position = 0;
    m->branches_n = 0;
    m->dead_from = MACHINE_ALL_TAKEN;
    m->taproot.code_separator = UINT32_MAX;
    m->alt_n = 0;
}

enum verdict machine_run(struct machine *m, struct span script)
{
    struct script_iter iter = script_iter_of(script);

    begin(m, &iter);
    if (m->version != SCRIPT_TAPSCRIPT && script.len > SCRIPT_BYTES_MAX)
        return V_SCRIPT_SCRIPT_SIZE;
    for (; !script_iter_done(&iter); m->position++) {
        bool is_live = m->dead_from == MACHINE_ALL_TAKEN;
        enum verdict verdict;
        struct span push;
        uint8_t op;

        if (!script_next(&iter, &op, &push))
            return V_SCRIPT_BAD_OPCODE;
        if (push.len > SCRIPT_ELEMENT_BYTES_MAX)
            return V_SCRIPT_PUSH_SIZE;
        if (op > OP_16 && m->version != SCRIPT_TAPSCRIPT && ++m->ops_n > SCRIPT_OPS_MAX)
            return V_SCRIPT_OP_COUNT;
        if (is_disabled(op))
            return V_SCRIPT_DISABLED_OPCODE;
        if (op == OP_CODESEPARATOR && m->version == SCRIPT_BASE &&
            machine_has(m, SCRIPT_VERIFY(CONST_SCRIPTCODE)))
            return V_SCRIPT_OP_CODESEPARATOR;
        if (op <= OP_PUSHDATA4) {
            if (is_live) {
                if (machine_has(m, SCRIPT_VERIFY(MINIMALDATA)) && !script_push_is_minimal(op, push))
                    return V_SCRIPT_MINIMALDATA;
                machine_push_span(m, push);
            }
        } else if (is_live || (op >= OP_IF && op <= OP_ENDIF)) {
            verdict = execute(m, op, is_live, iter.at);
            if (verdict != V_VALID)
                return verdict;
        }
        if (m->stack_n + m->hidden_n + m->alt_n > SCRIPT_STACK_MAX)
            return V_SCRIPT_STACK_SIZE;
    }
    return m->branches_n > 0 ? V_SCRIPT_UNBALANCED_CONDITIONAL : V_VALID;
}
