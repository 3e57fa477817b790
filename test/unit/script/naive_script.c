#include "naive.h"

#include <stdlib.h>

#include "base/check.h"
#include "codec/writer.h"
#include "crypto/hash160.h"
#include "crypto/ripemd160.h"
#include "crypto/secp.h"
#include "crypto/sha1.h"
#include "crypto/sha256.h"
#include "script/flags.h"
#include "script/opcodes.h"

static bool curve_ecdsa(struct span pubkey, struct span sig, const uint8_t *hash)
{
    return ecdsa_verify_lax(sig.data, sig.len, hash, pubkey.data, pubkey.len);
}

static bool curve_schnorr(const uint8_t *pubkey, const uint8_t *sig, const uint8_t *hash)
{
    return schnorr_verify(sig, hash, 32, pubkey);
}

bool (*naive_ecdsa)(struct span, struct span, const uint8_t *) = curve_ecdsa;
bool (*naive_schnorr)(const uint8_t *, const uint8_t *, const uint8_t *) = curve_schnorr;
bool (*naive_tweak)(const uint8_t *, bool, const uint8_t *,
                    const uint8_t *) = secp_xonly_tweak_check;

enum rules { RULES_LEGACY, RULES_V0, RULES_TAPSCRIPT };

struct stack {
    struct span *items;
    size_t n;
};

struct world {
    const struct tx *tx;
    const struct tx_out *spent;
    uint32_t in_index;
    uint64_t flags;
    struct arena arena;

    enum rules rules;
    struct span script;
    struct stack stack;
    struct stack alt;
    bool *conditions;
    size_t conditions_n;
    size_t code_begin;
    unsigned counted;
    struct naive_taproot taproot;
    int64_t budget;
};

static bool flag(const struct world *w, uint64_t bit)
{
    return (w->flags & bit) != 0;
}

/* --- Elements --- */

static void push(struct world *w, struct span bytes)
{
    w->stack.items[w->stack.n++] = naive_copy(bytes, &w->arena);
}

static struct span pop(struct world *w)
{
    CHECK(w->stack.n > 0);
    return w->stack.items[--w->stack.n];
}

static struct span peek(const struct world *w, size_t from_top)
{
    CHECK(from_top >= 1 && from_top <= w->stack.n);
    return w->stack.items[w->stack.n - from_top];
}

static void push_number(struct world *w, int64_t number)
{
    uint8_t bytes[10];
    uint64_t rest = (uint64_t)llabs(number);
    size_t len = 0;

    while (rest != 0) {
        bytes[len++] = (uint8_t)(rest % 256);
        rest /= 256;
    }
    if (len > 0 && bytes[len - 1] >= 128)
        bytes[len++] = 0;
    if (number < 0)
        bytes[len - 1] = (uint8_t)(bytes[len - 1] + 128);
    push(w, span_of(bytes, len));
}

static void push_bool(struct world *w, bool value)
{
    push_number(w, value ? 1 : 0);
}

static bool to_number(const struct world *w, struct span bytes, size_t len_max, int64_t *ret)
{
    int64_t value = 0;
    int64_t weight = 1;
    bool negative = bytes.len > 0 && bytes.data[bytes.len - 1] >= 128;

    if (bytes.len > len_max)
        return false;
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t byte = bytes.data[i];

        if (i + 1 == bytes.len && negative)
            byte = (uint8_t)(byte - 128);
        value += byte * weight;
        weight *= 256;
    }
    if (flag(w, SCRIPT_VERIFY(MINIMALDATA)) && bytes.len > 0) {
        uint8_t last = bytes.data[bytes.len - 1];

        if (last == 0 || last == 128) {
            if (bytes.len == 1 || bytes.data[bytes.len - 2] < 128)
                return false;
        }
    }
    *ret = negative ? -value : value;
    return true;
}

static bool is_true(struct span bytes)
{
    bool any = false;

    for (size_t i = 0; i < bytes.len; i++) {
        bool is_last = i + 1 == bytes.len;

        any = any || (is_last ? bytes.data[i] != 0 && bytes.data[i] != 0x80 : bytes.data[i] != 0);
    }
    return any;
}

/* --- Signatures --- */

static bool is_whole_pubkey(struct span key, bool allow_hybrid)
{
    if (key.len == 33 && (key.data[0] == 2 || key.data[0] == 3))
        return true;
    if (key.len == 65 && key.data[0] == 4)
        return true;
    return allow_hybrid && key.len == 65 && (key.data[0] == 6 || key.data[0] == 7);
}

/* BIP 66, as its code has it: each condition on its own. */
static bool is_bip66(struct span sig)
{
    const uint8_t *s = sig.data;
    size_t r_len;
    size_t s_len;

    if (sig.len < 9 || sig.len > 73 || s[0] != 0x30 || s[1] != sig.len - 3)
        return false;
    r_len = s[3];
    if (5 + r_len >= sig.len)
        return false;
    s_len = s[5 + r_len];
    if (r_len + s_len + 7 != sig.len)
        return false;
    if (s[2] != 2 || r_len == 0 || s[4] >= 128 || (r_len > 1 && s[4] == 0 && s[5] < 128))
        return false;
    s += r_len + 4;
    return s[0] == 2 && s_len > 0 && s[2] < 128 && !(s_len > 1 && s[2] == 0 && s[3] < 128);
}

static enum verdict check_forms(const struct world *w, struct span sig, struct span key)
{
    if (sig.len > 0) {
        uint8_t type = sig.data[sig.len - 1];

        if ((flag(w, SCRIPT_VERIFY(DERSIG)) || flag(w, SCRIPT_VERIFY(LOW_S)) ||
             flag(w, SCRIPT_VERIFY(STRICTENC))) &&
            !is_bip66(sig))
            return V_SCRIPT_SIG_DER;
        if (flag(w, SCRIPT_VERIFY(LOW_S))) {
            struct ecdsa_sig numbers;

            if (!ecdsa_sig_read_strict(&numbers, sig.data, sig.len - 1) ||
                !ecdsa_sig_is_low_s(&numbers))
                return V_SCRIPT_SIG_HIGH_S;
        }
        if (flag(w, SCRIPT_VERIFY(STRICTENC)) && type != 1 && type != 2 && type != 3 &&
            type != 0x81 && type != 0x82 && type != 0x83)
            return V_SCRIPT_SIG_HASHTYPE;
    }
    if (flag(w, SCRIPT_VERIFY(STRICTENC)) && !is_whole_pubkey(key, false))
        return V_SCRIPT_PUBKEYTYPE;
    if (flag(w, SCRIPT_VERIFY(WITNESS_PUBKEYTYPE)) && w->rules == RULES_V0 &&
        !(key.len == 33 && is_whole_pubkey(key, false)))
        return V_SCRIPT_WITNESS_PUBKEYTYPE;
    return V_VALID;
}

static bool ecdsa_holds(struct world *w, struct span sig, struct span key, struct span code)
{
    uint8_t hash[32];
    uint8_t type;

    if (!is_whole_pubkey(key, true) || sig.len == 0)
        return false;
    type = sig.data[sig.len - 1];
    if (w->rules == RULES_V0)
        naive_sighash_v0(hash, w->tx, w->in_index, code, w->spent[w->in_index].value_sat, type,
                         &w->arena);
    else
        naive_sighash_legacy(hash, w->tx, w->in_index, code, type, &w->arena);
    return naive_ecdsa(key, span_of(sig.data, sig.len - 1), hash);
}

static enum verdict schnorr_holds(struct world *w, struct span sig, struct span key)
{
    uint8_t type = 0;
    uint8_t hash[32];

    if (sig.len != 64 && sig.len != 65)
        return V_SCRIPT_SCHNORR_SIG_SIZE;
    if (sig.len == 65)
        type = sig.data[64];
    if (sig.len == 65 && type == 0)
        return V_SCRIPT_SCHNORR_SIG_HASHTYPE;
    if (!naive_sighash_taproot(hash, w->tx, w->spent, w->in_index, type, &w->taproot))
        return V_SCRIPT_SCHNORR_SIG_HASHTYPE;
    return naive_schnorr(key.data, sig.data, hash) ? V_VALID : V_SCRIPT_SCHNORR_SIG;
}

static struct span encode_push(struct span bytes, struct arena *arena)
{
    struct buf out = {0};
    struct span copy;

    if (bytes.len < 76) {
        write_u8(&out, (uint8_t)bytes.len);
    } else if (bytes.len < 256) {
        write_u8(&out, 76);
        write_u8(&out, (uint8_t)bytes.len);
    } else {
        write_u8(&out, 77);
        write_le16(&out, (uint16_t)bytes.len);
    }
    write_span(&out, bytes);
    copy = naive_copy(span_of_buf(&out), arena);
    buf_clear(&out);
    return copy;
}

/* Where an operation starts and the pattern stands, it is dropped, again and
 * again; the reading goes on behind it. */
static struct span delete_pattern(struct world *w, struct span code, struct span pattern,
                                  bool *ret_found)
{
    struct buf kept = {0};
    struct span rest = code;
    struct span copy;

    *ret_found = false;
    for (;;) {
        struct naive_op op;

        while (rest.len >= pattern.len && memcmp(rest.data, pattern.data, pattern.len) == 0) {
            rest = span_of(rest.data + pattern.len, rest.len - pattern.len);
            *ret_found = true;
        }
        if (rest.len == 0)
            break;
        op = naive_read_op(rest, 0);
        if (op.is_broken)
            op.end = rest.len;
        buf_add(&kept, rest.data, op.end);
        rest = span_of(rest.data + op.end, rest.len - op.end);
        if (op.is_broken)
            break;
    }
    copy = naive_copy(span_of_buf(&kept), &w->arena);
    buf_clear(&kept);
    return copy;
}

static struct span code_now(const struct world *w)
{
    return span_of(w->script.data + w->code_begin, w->script.len - w->code_begin);
}

static enum verdict check_sig(struct world *w, struct span sig, struct span key, bool *ret_good)
{
    struct span code = code_now(w);
    enum verdict verdict;
    bool found = false;

    if (w->rules == RULES_TAPSCRIPT) {
        *ret_good = sig.len > 0;
        if (sig.len > 0)
            w->budget -= 50;
        if (w->budget < 0)
            return V_SCRIPT_TAPSCRIPT_VALIDATION_WEIGHT;
        if (key.len == 0)
            return V_SCRIPT_TAPSCRIPT_EMPTY_PUBKEY;
        if (key.len == 32)
            return sig.len > 0 ? schnorr_holds(w, sig, key) : V_VALID;
        return flag(w, SCRIPT_VERIFY(DISCOURAGE_UPGRADABLE_PUBKEYTYPE))
                   ? V_SCRIPT_DISCOURAGE_UPGRADABLE_PUBKEYTYPE
                   : V_VALID;
    }
    if (w->rules == RULES_LEGACY)
        code = delete_pattern(w, code, encode_push(sig, &w->arena), &found);
    if (found && flag(w, SCRIPT_VERIFY(CONST_SCRIPTCODE)))
        return V_SCRIPT_SIG_FINDANDDELETE;
    verdict = check_forms(w, sig, key);
    if (verdict != V_VALID)
        return verdict;
    *ret_good = ecdsa_holds(w, sig, key, code);
    if (!*ret_good && sig.len > 0 && flag(w, SCRIPT_VERIFY(NULLFAIL)))
        return V_SCRIPT_SIG_NULLFAIL;
    return V_VALID;
}

static enum verdict op_checksig(struct world *w, bool verify)
{
    enum verdict verdict;
    struct span sig;
    struct span key;
    bool good = false;

    if (w->stack.n < 2)
        return V_SCRIPT_INVALID_STACK_OPERATION;
    key = pop(w);
    sig = pop(w);
    verdict = check_sig(w, sig, key, &good);
    if (verdict != V_VALID)
        return verdict;
    if (verify && !good)
        return V_SCRIPT_CHECKSIGVERIFY;
    if (!verify)
        push_bool(w, good);
    return V_VALID;
}

static enum verdict op_checksigadd(struct world *w)
{
    enum verdict verdict;
    struct span number_bytes;
    struct span sig;
    struct span key;
    int64_t number;
    bool good = false;

    if (w->rules != RULES_TAPSCRIPT)
        return V_SCRIPT_BAD_OPCODE;
    if (w->stack.n < 3)
        return V_SCRIPT_INVALID_STACK_OPERATION;
    key = pop(w);
    number_bytes = pop(w);
    sig = pop(w);
    if (!to_number(w, number_bytes, 4, &number))
        return V_SCRIPT_SCRIPTNUM;
    verdict = check_sig(w, sig, key, &good);
    if (verdict == V_VALID)
        push_number(w, number + (good ? 1 : 0));
    return verdict;
}

/* Takes a count and that many elements off: the one pushed last comes first. */
static enum verdict pop_list(struct world *w, int64_t most, enum verdict too_many,
                             struct span *ret_items, size_t *ret_n)
{
    int64_t count;

    if (w->stack.n < 1)
        return V_SCRIPT_INVALID_STACK_OPERATION;
    if (!to_number(w, pop(w), 4, &count))
        return V_SCRIPT_SCRIPTNUM;
    if (count < 0 || count > most)
        return too_many;
    if (too_many == V_SCRIPT_PUBKEY_COUNT) {
        w->counted += (unsigned)count;
        if (w->counted > 201)
            return V_SCRIPT_OP_COUNT;
    }
    /* Something must be left: a count of signatures, or the extra element. */
    if (w->stack.n < (size_t)count + 1)
        return V_SCRIPT_INVALID_STACK_OPERATION;
    for (int64_t i = 0; i < count; i++)
        ret_items[i] = pop(w);
    *ret_n = (size_t)count;
    return V_VALID;
}

static enum verdict op_checkmultisig(struct world *w, bool verify)
{
    struct span keys[20];
    struct span sigs[20];
    struct span code = code_now(w);
    enum verdict verdict;
    struct span extra;
    size_t keys_n = 0;
    size_t sigs_n = 0;
    size_t key = 0;
    size_t sig = 0;
    bool good = true;

    if (w->rules == RULES_TAPSCRIPT)
        return V_SCRIPT_TAPSCRIPT_CHECKMULTISIG;
    verdict = pop_list(w, 20, V_SCRIPT_PUBKEY_COUNT, keys, &keys_n);
    if (verdict == V_VALID)
        verdict = pop_list(w, (int64_t)keys_n, V_SCRIPT_SIG_COUNT, sigs, &sigs_n);
    if (verdict != V_VALID)
        return verdict;
    for (size_t i = 0; i < sigs_n && w->rules == RULES_LEGACY; i++) {
        bool found;

        code = delete_pattern(w, code, encode_push(sigs[i], &w->arena), &found);
        if (found && flag(w, SCRIPT_VERIFY(CONST_SCRIPTCODE)))
            return V_SCRIPT_SIG_FINDANDDELETE;
    }
    while (good && sig < sigs_n) {
        verdict = check_forms(w, sigs[sig], keys[key]);
        if (verdict != V_VALID)
            return verdict;
        if (ecdsa_holds(w, sigs[sig], keys[key], code))
            sig++;
        key++;
        if (sigs_n - sig > keys_n - key)
            good = false;
    }
    for (size_t i = 0; i < sigs_n && !good; i++) {
        if (sigs[i].len > 0 && flag(w, SCRIPT_VERIFY(NULLFAIL)))
            return V_SCRIPT_SIG_NULLFAIL;
    }
    extra = pop(w);
    if (extra.len > 0 && flag(w, SCRIPT_VERIFY(NULLDUMMY)))
        return V_SCRIPT_SIG_NULLDUMMY;
    if (verify && !good)
        return V_SCRIPT_CHECKMULTISIGVERIFY;
    if (!verify)
        push_bool(w, good);
    return V_VALID;
}

/* --- Lock times --- */

static enum verdict op_locktime(struct world *w)
{
    int64_t wanted;
    int64_t have = w->tx->lock_time;

    if (!flag(w, SCRIPT_VERIFY(CHECKLOCKTIMEVERIFY)))
        return V_VALID;
    if (w->stack.n < 1)
        return V_SCRIPT_INVALID_STACK_OPERATION;
    if (!to_number(w, peek(w, 1), 5, &wanted))
        return V_SCRIPT_SCRIPTNUM;
    if (wanted < 0)
        return V_SCRIPT_NEGATIVE_LOCKTIME;
    if (wanted >= 500000000 && have < 500000000)
        return V_SCRIPT_UNSATISFIED_LOCKTIME;
    if (wanted < 500000000 && have >= 500000000)
        return V_SCRIPT_UNSATISFIED_LOCKTIME;
    if (wanted > have || w->tx->in[w->in_index].sequence == 0xffffffff)
        return V_SCRIPT_UNSATISFIED_LOCKTIME;
    return V_VALID;
}

static enum verdict op_sequence(struct world *w)
{
    int64_t have = w->tx->in[w->in_index].sequence;
    int64_t wanted;
    bool by_time;

    if (!flag(w, SCRIPT_VERIFY(CHECKSEQUENCEVERIFY)))
        return V_VALID;
    if (w->stack.n < 1)
        return V_SCRIPT_INVALID_STACK_OPERATION;
    if (!to_number(w, peek(w, 1), 5, &wanted))
        return V_SCRIPT_SCRIPTNUM;
    if (wanted < 0)
        return V_SCRIPT_NEGATIVE_LOCKTIME;
    if (wanted / 0x80000000 % 2 == 1)
        return V_VALID;
    if (w->tx->version == 0 || w->tx->version == 1 || have >= 0x80000000)
        return V_SCRIPT_UNSATISFIED_LOCKTIME;
    by_time = wanted / 0x400000 % 2 == 1;
    if (by_time != (have / 0x400000 % 2 == 1))
        return V_SCRIPT_UNSATISFIED_LOCKTIME;
    return wanted % 65536 > have % 65536 ? V_SCRIPT_UNSATISFIED_LOCKTIME : V_VALID;
}

/* --- Other operations --- */

static enum verdict op_condition(struct world *w, uint8_t op, bool runs)
{
    bool value = false;

    if (op == OP_IF || op == OP_NOTIF) {
        if (runs) {
            struct span top;
            bool is_bit;

            if (w->stack.n < 1)
                return V_SCRIPT_INVALID_STACK_OPERATION;
            top = pop(w);
            is_bit = top.len == 0 || (top.len == 1 && top.data[0] == 1);
            if (w->rules == RULES_TAPSCRIPT && !is_bit)
                return V_SCRIPT_TAPSCRIPT_MINIMALIF;
            if (w->rules == RULES_V0 && flag(w, SCRIPT_VERIFY(MINIMALIF)) && !is_bit)
                return V_SCRIPT_MINIMALIF;
            value = op == OP_IF ? is_true(top) : !is_true(top);
        }
        w->conditions[w->conditions_n++] = value;
        return V_VALID;
    }
    if (op != OP_ELSE && op != OP_ENDIF)
        return V_SCRIPT_BAD_OPCODE;
    if (w->conditions_n == 0)
        return V_SCRIPT_UNBALANCED_CONDITIONAL;
    if (op == OP_ELSE)
        w->conditions[w->conditions_n - 1] = !w->conditions[w->conditions_n - 1];
    else
        w->conditions_n--;
    return V_VALID;
}

/* Reordering: what the top `takes` elements become, written as letters, 'a' the
 * deepest of them. */
static enum verdict rearrange(struct world *w, size_t takes, const char *becomes)
{
    struct span taken[6];

    if (w->stack.n < takes)
        return V_SCRIPT_INVALID_STACK_OPERATION;
    for (size_t i = takes; i > 0; i--)
        taken[i - 1] = pop(w);
    for (; *becomes != '\0'; becomes++)
        push(w, taken[*becomes - 'a']);
    return V_VALID;
}

static enum verdict op_pick(struct world *w, bool roll)
{
    struct span chosen;
    int64_t n;
    size_t at;

    if (w->stack.n < 2)
        return V_SCRIPT_INVALID_STACK_OPERATION;
    if (!to_number(w, pop(w), 4, &n))
        return V_SCRIPT_SCRIPTNUM;
    if (n < 0 || n >= (int64_t)w->stack.n)
        return V_SCRIPT_INVALID_STACK_OPERATION;
    at = w->stack.n - 1 - (size_t)n;
    chosen = w->stack.items[at];
    if (roll) {
        for (size_t i = at; i + 1 < w->stack.n; i++)
            w->stack.items[i] = w->stack.items[i + 1];
        w->stack.n--;
    }
    push(w, chosen);
    return V_VALID;
}

static enum verdict op_stack(struct world *w, uint8_t op)
{
    switch (op) {
    case OP_TOALTSTACK:
        if (w->stack.n < 1)
            return V_SCRIPT_INVALID_STACK_OPERATION;
        w->alt.items[w->alt.n++] = pop(w);
        return V_VALID;
    case OP_FROMALTSTACK:
        if (w->alt.n < 1)
            return V_SCRIPT_INVALID_ALTSTACK_OPERATION;
        push(w, w->alt.items[--w->alt.n]);
        return V_VALID;
    case OP_2DROP:
        return rearrange(w, 2, "");
    case OP_2DUP:
        return rearrange(w, 2, "abab");
    case OP_3DUP:
        return rearrange(w, 3, "abcabc");
    case OP_2OVER:
        return rearrange(w, 4, "abcdab");
    case OP_2ROT:
        return rearrange(w, 6, "cdefab");
    case OP_2SWAP:
        return rearrange(w, 4, "cdab");
    case OP_IFDUP:
        if (w->stack.n < 1)
            return V_SCRIPT_INVALID_STACK_OPERATION;
        return is_true(peek(w, 1)) ? rearrange(w, 1, "aa") : V_VALID;
    case OP_DEPTH:
        push_number(w, (int64_t)w->stack.n);
        return V_VALID;
    case OP_DROP:
        return rearrange(w, 1, "");
    case OP_DUP:
        return rearrange(w, 1, "aa");
    case OP_NIP:
        return rearrange(w, 2, "b");
    case OP_OVER:
        return rearrange(w, 2, "aba");
    case OP_PICK:
        return op_pick(w, false);
    case OP_ROLL:
        return op_pick(w, true);
    case OP_ROT:
        return rearrange(w, 3, "bca");
    case OP_SWAP:
        return rearrange(w, 2, "ba");
    default:
        CHECK(op == OP_TUCK);
        return rearrange(w, 2, "bab");
    }
}

static enum verdict op_hash(struct world *w, uint8_t op)
{
    uint8_t hash[32];
    uint8_t inner[32];
    struct span in;

    if (w->stack.n < 1)
        return V_SCRIPT_INVALID_STACK_OPERATION;
    in = pop(w);
    sha256(inner, in.data, in.len);
    switch (op) {
    case OP_RIPEMD160:
        ripemd160(hash, in.data, in.len);
        break;
    case OP_SHA1:
        sha1(hash, in.data, in.len);
        break;
    case OP_SHA256:
        memcpy(hash, inner, 32);
        break;
    case OP_HASH160:
        ripemd160(hash, inner, 32);
        break;
    default:
        sha256(hash, inner, 32);
        break;
    }
    push(w, span_of(hash, op == OP_SHA256 || op == OP_HASH256 ? 32 : 20));
    return V_VALID;
}

/* Takes `takes` numbers off; a is the deepest. */
static enum verdict pop_numbers(struct world *w, size_t takes, int64_t *ret_numbers)
{
    if (w->stack.n < takes)
        return V_SCRIPT_INVALID_STACK_OPERATION;
    for (size_t i = takes; i > 0; i--) {
        if (!to_number(w, pop(w), 4, &ret_numbers[i - 1]))
            return V_SCRIPT_SCRIPTNUM;
    }
    return V_VALID;
}

static enum verdict op_arithmetic(struct world *w, uint8_t op)
{
    int64_t n[3] = {0};
    size_t takes = op <= OP_0NOTEQUAL ? 1 : op == OP_WITHIN ? 3 : 2;
    enum verdict verdict = pop_numbers(w, takes, n);
    int64_t result = 0;

    if (verdict != V_VALID)
        return verdict;
    if (op == OP_1ADD)
        result = n[0] + 1;
    if (op == OP_1SUB)
        result = n[0] - 1;
    if (op == OP_NEGATE)
        result = -n[0];
    if (op == OP_ABS)
        result = llabs(n[0]);
    if (op == OP_NOT)
        result = n[0] == 0 ? 1 : 0;
    if (op == OP_0NOTEQUAL)
        result = n[0] == 0 ? 0 : 1;
    if (op == OP_ADD)
        result = n[0] + n[1];
    if (op == OP_SUB)
        result = n[0] - n[1];
    if (op == OP_BOOLAND)
        result = n[0] != 0 && n[1] != 0;
    if (op == OP_BOOLOR)
        result = n[0] != 0 || n[1] != 0;
    if (op == OP_NUMEQUAL || op == OP_NUMEQUALVERIFY)
        result = n[0] == n[1];
    if (op == OP_NUMNOTEQUAL)
        result = n[0] != n[1];
    if (op == OP_LESSTHAN)
        result = n[0] < n[1];
    if (op == OP_GREATERTHAN)
        result = n[0] > n[1];
    if (op == OP_LESSTHANOREQUAL)
        result = n[0] <= n[1];
    if (op == OP_GREATERTHANOREQUAL)
        result = n[0] >= n[1];
    if (op == OP_MIN)
        result = n[0] < n[1] ? n[0] : n[1];
    if (op == OP_MAX)
        result = n[0] > n[1] ? n[0] : n[1];
    if (op == OP_WITHIN)
        result = n[1] <= n[0] && n[0] < n[2];
    if (op == OP_NUMEQUALVERIFY)
        return result != 0 ? V_VALID : V_SCRIPT_NUMEQUALVERIFY;
    push_number(w, result);
    return V_VALID;
}

static enum verdict op_equal(struct world *w, bool verify)
{
    struct span a;
    struct span b;

    if (w->stack.n < 2)
        return V_SCRIPT_INVALID_STACK_OPERATION;
    a = pop(w);
    b = pop(w);
    if (verify)
        return span_equal(a, b) ? V_VALID : V_SCRIPT_EQUALVERIFY;
    push_bool(w, span_equal(a, b));
    return V_VALID;
}

static bool is_arithmetic(uint8_t op)
{
    return op == OP_1ADD || op == OP_1SUB || (op >= OP_NEGATE && op <= OP_SUB) ||
           (op >= OP_BOOLAND && op <= OP_WITHIN);
}

static enum verdict run_op(struct world *w, const struct naive_op *op, size_t number)
{
    if (op->op == OP_1NEGATE || (op->op >= OP_1 && op->op <= OP_16)) {
        push_number(w, (int64_t)op->op - 80);
        return V_VALID;
    }
    if (op->op >= OP_TOALTSTACK && op->op <= OP_TUCK)
        return op_stack(w, op->op);
    if (is_arithmetic(op->op))
        return op_arithmetic(w, op->op);
    if (op->op >= OP_RIPEMD160 && op->op <= OP_HASH256)
        return op_hash(w, op->op);
    switch (op->op) {
    case OP_NOP:
        return V_VALID;
    case OP_VERIFY:
        if (w->stack.n < 1)
            return V_SCRIPT_INVALID_STACK_OPERATION;
        return is_true(pop(w)) ? V_VALID : V_SCRIPT_VERIFY;
    case OP_RETURN:
        return V_SCRIPT_OP_RETURN;
    case OP_SIZE:
        if (w->stack.n < 1)
            return V_SCRIPT_INVALID_STACK_OPERATION;
        push_number(w, (int64_t)peek(w, 1).len);
        return V_VALID;
    case OP_EQUAL:
    case OP_EQUALVERIFY:
        return op_equal(w, op->op == OP_EQUALVERIFY);
    case OP_CODESEPARATOR:
        w->code_begin = op->end;
        w->taproot.code_separator = (uint32_t)number;
        return V_VALID;
    case OP_CHECKSIG:
    case OP_CHECKSIGVERIFY:
        return op_checksig(w, op->op == OP_CHECKSIGVERIFY);
    case OP_CHECKSIGADD:
        return op_checksigadd(w);
    case OP_CHECKMULTISIG:
    case OP_CHECKMULTISIGVERIFY:
        return op_checkmultisig(w, op->op == OP_CHECKMULTISIGVERIFY);
    case OP_CHECKLOCKTIMEVERIFY:
        return op_locktime(w);
    case OP_CHECKSEQUENCEVERIFY:
        return op_sequence(w);
    default:
        if (op->op != OP_NOP1 && (op->op < OP_NOP4 || op->op > OP_NOP10))
            return V_SCRIPT_BAD_OPCODE;
        return flag(w, SCRIPT_VERIFY(DISCOURAGE_UPGRADABLE_NOPS))
                   ? V_SCRIPT_DISCOURAGE_UPGRADABLE_NOPS
                   : V_VALID;
    }
}

static bool is_disabled(uint8_t op)
{
    static const uint8_t disabled[] = {OP_CAT, OP_SUBSTR, OP_LEFT, OP_RIGHT,  OP_INVERT,
                                       OP_AND, OP_OR,     OP_XOR,  OP_2MUL,   OP_2DIV,
                                       OP_MUL, OP_DIV,    OP_MOD,  OP_LSHIFT, OP_RSHIFT};

    return memchr(disabled, op, sizeof(disabled)) != NULL;
}

/* The shortest way to push what op pushes. */
static bool is_shortest(const struct naive_op *op, struct arena *arena)
{
    struct span shortest;

    if (op->push.len == 1 &&
        (op->push.data[0] == 0x81 || (op->push.data[0] >= 1 && op->push.data[0] <= 16)))
        return false;
    shortest = encode_push(op->push, arena);
    return shortest.data[0] == op->op;
}

static enum verdict step(struct world *w, const struct naive_op *op, size_t number)
{
    bool runs = true;

    for (size_t i = 0; i < w->conditions_n; i++)
        runs = runs && w->conditions[i];
    if (op->is_broken)
        return V_SCRIPT_BAD_OPCODE;
    if (op->push.len > 520)
        return V_SCRIPT_PUSH_SIZE;
    if (w->rules != RULES_TAPSCRIPT && op->op > OP_16) {
        w->counted++;
        if (w->counted > 201)
            return V_SCRIPT_OP_COUNT;
    }
    if (is_disabled(op->op))
        return V_SCRIPT_DISABLED_OPCODE;
    if (op->op == OP_CODESEPARATOR && w->rules == RULES_LEGACY &&
        flag(w, SCRIPT_VERIFY(CONST_SCRIPTCODE)))
        return V_SCRIPT_OP_CODESEPARATOR;
    if (op->op >= OP_IF && op->op <= OP_ENDIF)
        return op_condition(w, op->op, runs);
    if (!runs)
        return V_VALID;
    if (op->op > OP_PUSHDATA4)
        return run_op(w, op, number);
    if (flag(w, SCRIPT_VERIFY(MINIMALDATA)) && !is_shortest(op, &w->arena))
        return V_SCRIPT_MINIMALDATA;
    push(w, op->push);
    return V_VALID;
}

static enum verdict run(struct world *w, struct span script)
{
    struct span *wider;
    struct naive_op *ops;
    size_t n;

    if (w->rules != RULES_TAPSCRIPT && script.len > 10000)
        return V_SCRIPT_SCRIPT_SIZE;
    n = naive_parse(&ops, script, &w->arena);
    /* An operation adds at most three elements. */
    wider = arena_array(&w->arena, w->stack.n + 3 * n + 3, sizeof(*wider));
    if (w->stack.n > 0)
        memcpy(wider, w->stack.items, w->stack.n * sizeof(*wider));
    w->stack.items = wider;
    w->alt = (struct stack){.items = arena_array(&w->arena, n + 1, sizeof(struct span))};
    w->conditions = arena_array(&w->arena, n + 1, sizeof(bool));
    w->conditions_n = 0;
    w->script = script;
    w->code_begin = 0;
    w->counted = 0;
    w->taproot.code_separator = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        enum verdict verdict = step(w, &ops[i], i);

        if (verdict != V_VALID)
            return verdict;
        if (w->stack.n + w->alt.n > 1000)
            return V_SCRIPT_STACK_SIZE;
    }
    return w->conditions_n > 0 ? V_SCRIPT_UNBALANCED_CONDITIONAL : V_VALID;
}

static enum verdict leaves_true(const struct world *w)
{
    return w->stack.n > 0 && is_true(peek(w, 1)) ? V_VALID : V_SCRIPT_EVAL_FALSE;
}

static enum verdict run_witness(struct world *w, const struct span *items, size_t n,
                                struct span script, enum rules rules)
{
    enum verdict verdict;

    w->rules = rules;
    if (rules == RULES_TAPSCRIPT) {
        struct naive_op *ops;
        size_t ops_n = naive_parse(&ops, script, &w->arena);

        for (size_t i = 0; i < ops_n; i++) {
            if (ops[i].is_broken)
                return V_SCRIPT_BAD_OPCODE;
            if (!opcode_is_success(ops[i].op))
                continue;
            return flag(w, SCRIPT_VERIFY(DISCOURAGE_OP_SUCCESS)) ? V_SCRIPT_DISCOURAGE_OP_SUCCESS
                                                                 : V_VALID;
        }
        if (n > 1000)
            return V_SCRIPT_STACK_SIZE;
    }
    w->stack = (struct stack){.items = arena_array(&w->arena, n + 1, sizeof(struct span))};
    for (size_t i = 0; i < n; i++) {
        if (items[i].len > 520)
            return V_SCRIPT_PUSH_SIZE;
        push(w, items[i]);
    }
    verdict = run(w, script);
    if (verdict != V_VALID)
        return verdict;
    return w->stack.n != 1 ? V_SCRIPT_CLEANSTACK : leaves_true(w);
}

/* --- Witness programs --- */

static enum verdict verify_v0(struct world *w, struct span program, const struct span *items,
                              size_t n)
{
    struct buf script = {0};
    struct span copy;
    uint8_t hash[32];

    if (program.len == 20) {
        buf_add(&script, "\x76\xa9\x14", 3);
        write_span(&script, program);
        buf_add(&script, "\x88\xac", 2);
        copy = naive_copy(span_of_buf(&script), &w->arena);
        buf_clear(&script);
        return n == 2 ? run_witness(w, items, n, copy, RULES_V0)
                      : V_SCRIPT_WITNESS_PROGRAM_MISMATCH;
    }
    if (program.len != 32)
        return V_SCRIPT_WITNESS_PROGRAM_WRONG_LENGTH;
    if (n == 0)
        return V_SCRIPT_WITNESS_PROGRAM_WITNESS_EMPTY;
    sha256(hash, items[n - 1].data, items[n - 1].len);
    if (memcmp(hash, program.data, 32) != 0)
        return V_SCRIPT_WITNESS_PROGRAM_MISMATCH;
    return run_witness(w, items, n - 1, items[n - 1], RULES_V0);
}

/* BIP 341, "Script validation rules". */
static bool control_fits(struct span control, struct span script, struct span program,
                         uint8_t *ret_leaf_hash)
{
    struct buf bytes = {0};
    uint8_t k[32];

    write_u8(&bytes, control.data[0] & 0xfe);
    write_var_bytes(&bytes, script);
    naive_tagged(ret_leaf_hash, "TapLeaf", span_of_buf(&bytes));
    memcpy(k, ret_leaf_hash, 32);
    for (size_t at = 33; at < control.len; at += 32) {
        bytes.len = 0;
        if (memcmp(k, control.data + at, 32) < 0) {
            buf_add(&bytes, k, 32);
            buf_add(&bytes, control.data + at, 32);
        } else {
            buf_add(&bytes, control.data + at, 32);
            buf_add(&bytes, k, 32);
        }
        naive_tagged(k, "TapBranch", span_of_buf(&bytes));
    }
    bytes.len = 0;
    buf_add(&bytes, control.data + 1, 32);
    buf_add(&bytes, k, 32);
    naive_tagged(k, "TapTweak", span_of_buf(&bytes));
    buf_clear(&bytes);
    return naive_tweak(program.data, control.data[0] % 2 == 1, control.data + 1, k);
}

static enum verdict verify_taproot(struct world *w, struct span program, const struct span *items,
                                   size_t n)
{
    struct buf whole = {0};
    struct span control;
    size_t left = n;

    if (!flag(w, SCRIPT_VERIFY(TAPROOT)))
        return V_VALID;
    if (n == 0)
        return V_SCRIPT_WITNESS_PROGRAM_WITNESS_EMPTY;
    w->taproot = (struct naive_taproot){.code_separator = 0xffffffff};
    if (n >= 2 && items[n - 1].len > 0 && items[n - 1].data[0] == 0x50) {
        w->taproot.has_annex = true;
        w->taproot.annex = items[n - 1];
        left--;
    }
    if (left == 1)
        return schnorr_holds(w, items[0], program);
    control = items[left - 1];
    if (control.len < 33 || control.len > 33 + 32 * 128 || (control.len - 33) % 32 != 0)
        return V_SCRIPT_TAPROOT_WRONG_CONTROL_SIZE;
    if (!control_fits(control, items[left - 2], program, w->taproot.leaf_hash))
        return V_SCRIPT_WITNESS_PROGRAM_MISMATCH;
    if ((control.data[0] & 0xfe) != 0xc0)
        return flag(w, SCRIPT_VERIFY(DISCOURAGE_UPGRADABLE_TAPROOT_VERSION))
                   ? V_SCRIPT_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION
                   : V_VALID;
    w->taproot.has_leaf = true;
    write_compact_size(&whole, n);
    for (size_t i = 0; i < n; i++)
        write_var_bytes(&whole, items[i]);
    w->budget = 50 + (int64_t)whole.len;
    buf_clear(&whole);
    return run_witness(w, items, left - 2, items[left - 2], RULES_TAPSCRIPT);
}

/* A version and a program, or not. */
static bool is_program(struct span script, unsigned *ret_version, struct span *ret_program)
{
    if (script.len < 4 || script.len > 42 || script.data[1] != script.len - 2)
        return false;
    if (script.data[0] != 0 && (script.data[0] < 81 || script.data[0] > 96))
        return false;
    *ret_version = script.data[0] == 0 ? 0 : script.data[0] - 80U;
    *ret_program = span_of(script.data + 2, script.len - 2);
    return true;
}

static enum verdict verify_program(struct world *w, unsigned version, struct span program,
                                   const struct span *items, size_t n, bool nested)
{
    if (version == 0)
        return verify_v0(w, program, items, n);
    if (version == 1 && program.len == 32 && !nested)
        return verify_taproot(w, program, items, n);
    if (version == 1 && program.len == 2 && memcmp(program.data, "\x4e\x73", 2) == 0 && !nested)
        return V_VALID;
    return flag(w, SCRIPT_VERIFY(DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM))
               ? V_SCRIPT_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM
               : V_VALID;
}

static bool pushes_only(struct world *w, struct span script)
{
    struct naive_op *ops;
    size_t n = naive_parse(&ops, script, &w->arena);

    for (size_t i = 0; i < n; i++) {
        if (ops[i].is_broken || ops[i].op > OP_16)
            return false;
    }
    return true;
}

static enum verdict verify(struct world *w, struct span script_sig, struct span script_pubkey,
                           const struct span *items, size_t n)
{
    struct stack before = {0};
    enum verdict verdict;
    struct span program;
    struct span redeem;
    unsigned version;
    bool used_witness = false;

    if (flag(w, SCRIPT_VERIFY(SIGPUSHONLY)) && !pushes_only(w, script_sig))
        return V_SCRIPT_SIG_PUSHONLY;
    verdict = run(w, script_sig);
    if (verdict != V_VALID)
        return verdict;
    before.n = w->stack.n;
    before.items = arena_array(&w->arena, w->stack.n + 1, sizeof(struct span));
    memcpy(before.items, w->stack.items, w->stack.n * sizeof(struct span));
    verdict = run(w, script_pubkey);
    if (verdict == V_VALID)
        verdict = leaves_true(w);
    if (verdict != V_VALID)
        return verdict;
    if (flag(w, SCRIPT_VERIFY(WITNESS)) && is_program(script_pubkey, &version, &program)) {
        used_witness = true;
        if (script_sig.len != 0)
            return V_SCRIPT_WITNESS_MALLEATED;
        verdict = verify_program(w, version, program, items, n, false);
        if (verdict != V_VALID)
            return verdict;
        w->stack.n = 1;
    }
    if (flag(w, SCRIPT_VERIFY(P2SH)) && script_pubkey.len == 23 && script_pubkey.data[0] == 0xa9 &&
        script_pubkey.data[1] == 20 && script_pubkey.data[22] == 0x87) {
        if (!pushes_only(w, script_sig))
            return V_SCRIPT_SIG_PUSHONLY;
        w->stack = before;
        redeem = pop(w);
        verdict = run(w, redeem);
        if (verdict == V_VALID)
            verdict = leaves_true(w);
        if (verdict != V_VALID)
            return verdict;
        if (flag(w, SCRIPT_VERIFY(WITNESS)) && is_program(redeem, &version, &program)) {
            used_witness = true;
            if (!span_equal(script_sig, encode_push(redeem, &w->arena)))
                return V_SCRIPT_WITNESS_MALLEATED_P2SH;
            verdict = verify_program(w, version, program, items, n, true);
            if (verdict != V_VALID)
                return verdict;
            w->stack.n = 1;
        }
    }
    if (flag(w, SCRIPT_VERIFY(CLEANSTACK)) && w->stack.n != 1)
        return V_SCRIPT_CLEANSTACK;
    if (flag(w, SCRIPT_VERIFY(WITNESS)) && !used_witness && n > 0)
        return V_SCRIPT_WITNESS_UNEXPECTED;
    return V_VALID;
}

enum verdict naive_verify(const struct tx *tx, const struct tx_out *spent, uint32_t in_index,
                          struct span script_sig, struct span script_pubkey,
                          const struct span *witness, uint32_t witness_n, uint64_t flags)
{
    struct world w = {.tx = tx, .spent = spent, .in_index = in_index, .flags = flags};
    enum verdict verdict;

    arena_init(&w.arena);
    verdict = verify(&w, script_sig, script_pubkey, witness, witness_n);
    arena_clear(&w.arena);
    return verdict;
}
