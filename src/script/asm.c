#include "script/asm.h"

#include <inttypes.h>

#include "base/check.h"
#include "base/hex.h"
#include "primitives/coin.h"
#include "script/encoding.h"
#include "script/flags.h"
#include "script/number.h"
#include "script/parse.h"
#include "script/sighash.h"

static const struct {
    const char *name;
    uint8_t type;
} hash_types[] = {
    {"ALL", SIGHASH_ALL},       {"ALL|ANYONECANPAY", SIGHASH_ALL | SIGHASH_ANYONECANPAY},
    {"NONE", SIGHASH_NONE},     {"NONE|ANYONECANPAY", SIGHASH_NONE | SIGHASH_ANYONECANPAY},
    {"SINGLE", SIGHASH_SINGLE}, {"SINGLE|ANYONECANPAY", SIGHASH_SINGLE | SIGHASH_ANYONECANPAY},
};

const char *sighash_type_name(uint8_t hash_type)
{
    for (size_t i = 0; i < ARRAY_LEN(hash_types); i++) {
        if (hash_types[i].type == hash_type)
            return hash_types[i].name;
    }
    return NULL;
}

int sighash_type_of(const char *name)
{
    if (strcmp(name, "DEFAULT") == 0)
        return SIGHASH_DEFAULT;
    for (size_t i = 0; i < ARRAY_LEN(hash_types); i++) {
        if (strcmp(hash_types[i].name, name) == 0)
            return hash_types[i].type;
    }
    return -1;
}

static void add_push(struct buf *text, struct span push, bool show_hash_type)
{
    const char *hash_type = NULL;
    int64_t number;

    if (script_number_read(&number, push, SCRIPT_NUMBER_BYTES, false)) {
        buf_add_printf(text, "%" PRId64, number);
        return;
    }
    if (show_hash_type && sig_encoding_verdict(push, SCRIPT_VERIFY(STRICTENC)) == V_VALID) {
        hash_type = sighash_type_name(push.data[push.len - 1]);
        if (hash_type != NULL)
            push.len--;
    }
    hex_write_buf(text, push);
    if (hash_type != NULL)
        buf_add_printf(text, "[%s]", hash_type);
}

void script_asm(struct buf *text, struct span script, bool show_hash_types)
{
    struct script_iter iter = script_iter_of(script);
    bool show = show_hash_types && !script_is_unspendable(script);
    bool is_first = true;

    while (!script_iter_done(&iter)) {
        struct span push;
        uint8_t op;

        if (!is_first)
            buf_add_byte(text, ' ');
        is_first = false;
        if (!script_next(&iter, &op, &push)) {
            buf_add_string(text, "[error]");
            return;
        }
        if (op <= OP_PUSHDATA4)
            add_push(text, push, show);
        else
            buf_add_string(text, opcode_name(op));
    }
}
