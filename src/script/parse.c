#include "script/parse.h"

bool script_push_is_minimal(uint8_t op, struct span push)
{
    if (push.len == 0)
        return op == OP_0;
    if (push.len == 1 && ((push.data[0] >= 1 && push.data[0] <= 16) || push.data[0] == 0x81))
        return false; /* OP_1 .. OP_16 and OP_1NEGATE are shorter. */
    if (push.len < OP_PUSHDATA1)
        return op == push.len;
    if (push.len <= UINT8_MAX)
        return op == OP_PUSHDATA1;
    if (push.len <= UINT16_MAX)
        return op == OP_PUSHDATA2;
    return true;
}

bool script_is_push_only(struct span script)
{
    struct script_iter iter = script_iter_of(script);
    struct span push;
    uint8_t op;

    while (!script_iter_done(&iter)) {
        if (!script_next(&iter, &op, &push) || op > OP_16)
            return false;
    }
    return true;
}

bool script_is_anchor(struct span script)
{
    static const uint8_t anchor[4] = {OP_1, 2, 0x4e, 0x73};

    return span_equal(script, span_of(anchor, sizeof(anchor)));
}

bool script_witness_program(struct span script, uint8_t *ret_version, struct span *ret_program)
{
    int version;

    if (script.len < 4 || script.len > 2 + WITNESS_PROGRAM_BYTES_MAX)
        return false;
    version = opcode_small_number(script.data[0]);
    if (version < 0 || (size_t)script.data[1] + 2 != script.len)
        return false;
    *ret_version = (uint8_t)version;
    *ret_program = span_of(script.data + 2, script.len - 2);
    return true;
}

bool script_has_valid_ops(struct span script)
{
    struct script_iter iter = script_iter_of(script);
    struct span push;
    uint8_t op;

    while (!script_iter_done(&iter)) {
        if (!script_next(&iter, &op, &push) || op > OP_NOP10 || push.len > SCRIPT_ELEMENT_BYTES_MAX)
            return false;
    }
    return true;
}
