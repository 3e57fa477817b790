#include "script/solver.h"

#include "script/encoding.h"
#include "script/number.h"

const char *script_type_name(enum script_type type)
{
    static const char *const names[] = {
#define SCRIPT_TYPE_TEXT(name, text) [SCRIPT_TYPE_##name] = (text),
        SCRIPT_TYPE_MAP(SCRIPT_TYPE_TEXT)
#undef SCRIPT_TYPE_TEXT
    };

    return names[type];
}

static enum script_type solve_program(struct solution *solution)
{
    size_t len = solution->data.len;

    if (solution->witness_version == 0)
        return len == 20   ? SCRIPT_TYPE_WITNESS_V0_KEYHASH
               : len == 32 ? SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH
                           : SCRIPT_TYPE_NONSTANDARD;
    if (solution->witness_version == 1 && len == 32)
        return SCRIPT_TYPE_WITNESS_V1_TAPROOT;
    return SCRIPT_TYPE_WITNESS_UNKNOWN;
}

static bool is_p2pk(struct span script, struct span *ret_pubkey)
{
    struct span pubkey;

    if (script.len < 2 || script.data[0] != script.len - 2 ||
        script.data[script.len - 1] != OP_CHECKSIG)
        return false;
    pubkey = span_of(script.data + 1, script.len - 2);
    if (!pubkey_length_fits(pubkey))
        return false;
    *ret_pubkey = pubkey;
    return true;
}

static bool is_p2pkh(struct span script)
{
    return script.len == 25 && script.data[0] == OP_DUP && script.data[1] == OP_HASH160 &&
           script.data[2] == 20 && script.data[23] == OP_EQUALVERIFY &&
           script.data[24] == OP_CHECKSIG;
}

/* A number from least to most, pushed in the shortest way. */
static bool is_count(uint8_t op, struct span push, int64_t least, int64_t most, uint8_t *ret_count)
{
    int64_t count = opcode_small_number(op);

    if (op <= OP_PUSHDATA4 && (!script_push_is_minimal(op, push) ||
                               !script_number_read(&count, push, SCRIPT_NUMBER_BYTES, true)))
        return false;
    if (count < least || count > most)
        return false;
    *ret_count = (uint8_t)count;
    return true;
}

static bool is_multisig(struct span script, struct solution *solution)
{
    struct script_iter iter = script_iter_of(script);
    struct span push;
    uint8_t keys_n;
    uint8_t op;

    if (script.len == 0 || script.data[script.len - 1] != OP_CHECKMULTISIG)
        return false;
    if (!script_next(&iter, &op, &push) ||
        !is_count(op, push, 1, SCRIPT_MULTISIG_KEYS_MAX, &solution->required))
        return false;
    solution->keys_n = 0;
    for (;;) {
        if (!script_next(&iter, &op, &push))
            return false;
        if (!pubkey_length_fits(push))
            break;
        if (solution->keys_n == SCRIPT_MULTISIG_KEYS_MAX)
            return false;
        solution->keys[solution->keys_n++] = push;
    }
    return is_count(op, push, solution->required, SCRIPT_MULTISIG_KEYS_MAX, &keys_n) &&
           keys_n == solution->keys_n && iter.at + 1 == iter.end;
}

static enum script_type solve(struct solution *solution, struct span script)
{
    if (script_is_p2sh(script)) {
        solution->data = span_of(script.data + 2, 20);
        return SCRIPT_TYPE_SCRIPTHASH;
    }
    if (script_witness_program(script, &solution->witness_version, &solution->data))
        return script_is_anchor(script) ? SCRIPT_TYPE_ANCHOR : solve_program(solution);
    if (script.len > 0 && script.data[0] == OP_RETURN &&
        script_is_push_only(span_of(script.data + 1, script.len - 1)))
        return SCRIPT_TYPE_NULL_DATA;
    if (is_p2pk(script, &solution->data))
        return SCRIPT_TYPE_PUBKEY;
    if (is_p2pkh(script)) {
        solution->data = span_of(script.data + 3, 20);
        return SCRIPT_TYPE_PUBKEYHASH;
    }
    return is_multisig(script, solution) ? SCRIPT_TYPE_MULTISIG : SCRIPT_TYPE_NONSTANDARD;
}

enum script_type script_solve(struct solution *ret_solution, struct span script_pubkey)
{
    ret_solution->data = (struct span){0};
    ret_solution->witness_version = 0;
    ret_solution->required = 0;
    ret_solution->keys_n = 0;
    ret_solution->type = solve(ret_solution, script_pubkey);
    switch (ret_solution->type) {
    case SCRIPT_TYPE_MULTISIG:
        break;
    case SCRIPT_TYPE_NONSTANDARD:
    case SCRIPT_TYPE_ANCHOR:
        ret_solution->data = (struct span){0};
        /* fall through */
    default:
        ret_solution->required = 0;
        ret_solution->keys_n = 0;
        break;
    }
    return ret_solution->type;
}
