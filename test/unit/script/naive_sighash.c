#include "naive.h"

#include "base/check.h"
#include "codec/writer.h"
#include "crypto/sha256.h"
#include "script/opcodes.h"

struct span naive_copy(struct span bytes, struct arena *arena)
{
    uint8_t *copy = arena_alloc(arena, bytes.len + 1);

    if (bytes.len > 0)
        memcpy(copy, bytes.data, bytes.len);
    return span_of(copy, bytes.len);
}

void naive_tagged(uint8_t *ret_hash, const char *tag, struct span bytes)
{
    struct buf all = {0};
    uint8_t tag_hash[32];

    sha256(tag_hash, tag, strlen(tag));
    buf_add(&all, tag_hash, 32);
    buf_add(&all, tag_hash, 32);
    buf_add(&all, bytes.data, bytes.len);
    sha256(ret_hash, all.data, all.len);
    buf_clear(&all);
}

struct naive_op naive_read_op(struct span script, size_t begin)
{
    struct naive_op op = {.begin = begin, .op = script.data[begin], .is_broken = true};
    size_t at = begin + 1;
    size_t width = 0;
    uint64_t len = 0;

    if (op.op > 0 && op.op < 76)
        len = op.op;
    else if (op.op >= 76 && op.op <= 78)
        width = (size_t)1 << (op.op - 76);
    if (script.len - at < width)
        return op;
    for (size_t i = 0; i < width; i++)
        len |= (uint64_t)script.data[at + i] << (8 * i);
    at += width;
    if (script.len - at < len)
        return op;
    op.is_broken = false;
    op.push = span_of(script.data + at, (size_t)len);
    op.end = at + (size_t)len;
    return op;
}

size_t naive_parse(struct naive_op **ret_ops, struct span script, struct arena *arena)
{
    struct naive_op *ops = arena_array(arena, script.len + 1, sizeof(*ops));
    size_t at = 0;
    size_t n = 0;

    while (at < script.len) {
        ops[n] = naive_read_op(script, at);
        at = ops[n].end;
        if (ops[n++].is_broken)
            break;
    }
    *ret_ops = ops;
    return n;
}

/* The script without its separators; what cannot be read stays. */
static struct span without_separators(struct span code, struct arena *arena)
{
    struct buf kept = {0};
    struct naive_op *ops;
    size_t n = naive_parse(&ops, code, arena);
    struct span copy;

    for (size_t i = 0; i < n; i++) {
        size_t end = ops[i].is_broken ? code.len : ops[i].end;

        if (ops[i].is_broken || ops[i].op != OP_CODESEPARATOR)
            buf_add(&kept, code.data + ops[i].begin, end - ops[i].begin);
    }
    copy = naive_copy(span_of_buf(&kept), arena);
    buf_clear(&kept);
    return copy;
}

void naive_sighash_legacy(uint8_t *ret_hash, const struct tx *tx, uint32_t in_index,
                          struct span code, uint32_t hash_type, struct arena *arena)
{
    uint32_t outputs = hash_type % 32;
    struct tx copy = *tx;
    struct tx_in *in = arena_array(arena, tx->in_n + 1, sizeof(*in));
    struct tx_out *out = arena_array(arena, (size_t)tx->out_n + in_index + 1, sizeof(*out));
    struct buf bytes = {0};

    if (outputs == 3 && in_index >= tx->out_n) {
        memset(ret_hash, 0, 32);
        ret_hash[0] = 1;
        return;
    }
    for (uint32_t i = 0; i < tx->in_n; i++) {
        in[i].prevout = tx->in[i].prevout;
        in[i].sequence = tx->in[i].sequence;
        if (i != in_index && (outputs == 2 || outputs == 3))
            in[i].sequence = 0;
    }
    in[in_index].script_sig = without_separators(code, arena);
    for (uint32_t i = 0; i < tx->out_n; i++)
        out[i] = tx->out[i];
    if (outputs == 2)
        copy.out_n = 0;
    if (outputs == 3) {
        copy.out_n = in_index + 1;
        for (uint32_t i = 0; i < in_index; i++)
            out[i] = (struct tx_out){.value_sat = -1};
    }
    if (hash_type & 0x80) {
        in[0] = in[in_index];
        copy.in_n = 1;
    }
    copy.in = in;
    copy.out = out;
    tx_write(&bytes, &copy, false);
    write_le32(&bytes, hash_type);
    sha256d(ret_hash, bytes.data, bytes.len);
    buf_clear(&bytes);
}

static void add_outpoint(struct buf *bytes, const struct tx_in *in)
{
    buf_add(bytes, in->prevout.txid.b, 32);
    write_le32(bytes, in->prevout.vout);
}

static void add_output(struct buf *bytes, const struct tx_out *out)
{
    write_le64(bytes, (uint64_t)out->value_sat);
    write_var_bytes(bytes, out->script_pubkey);
}

enum part { PREVOUTS, SEQUENCES, OUTPUTS, AMOUNTS, SCRIPTS };

static struct buf all_of(enum part part, const struct tx *tx, const struct tx_out *spent)
{
    struct buf bytes = {0};

    for (uint32_t i = 0; part == OUTPUTS && i < tx->out_n; i++)
        add_output(&bytes, &tx->out[i]);
    for (uint32_t i = 0; part != OUTPUTS && i < tx->in_n; i++) {
        if (part == PREVOUTS)
            add_outpoint(&bytes, &tx->in[i]);
        else if (part == SEQUENCES)
            write_le32(&bytes, tx->in[i].sequence);
        else if (part == AMOUNTS)
            write_le64(&bytes, (uint64_t)spent[i].value_sat);
        else
            write_var_bytes(&bytes, spent[i].script_pubkey);
    }
    return bytes;
}

/* Adds the single or double hash of one part. */
static void add_hash_of(struct buf *bytes, enum part part, const struct tx *tx,
                        const struct tx_out *spent, bool twice)
{
    struct buf all = all_of(part, tx, spent);
    uint8_t hash[32];

    if (twice)
        sha256d(hash, all.data, all.len);
    else
        sha256(hash, all.data, all.len);
    buf_add(bytes, hash, 32);
    buf_clear(&all);
}

static void add_hash_of_one(struct buf *bytes, const struct tx_out *out, bool twice)
{
    struct buf one = {0};
    uint8_t hash[32];

    add_output(&one, out);
    if (twice)
        sha256d(hash, one.data, one.len);
    else
        sha256(hash, one.data, one.len);
    buf_add(bytes, hash, 32);
    buf_clear(&one);
}

static void add_zeros(struct buf *bytes)
{
    memset(buf_extend(bytes, 32), 0, 32);
}

/* BIP 143, "Specification", items 1 to 10. */
void naive_sighash_v0(uint8_t *ret_hash, const struct tx *tx, uint32_t in_index, struct span code,
                      int64_t amount_sat, uint32_t hash_type, struct arena *arena)
{
    bool anyone = (hash_type & 0x80) != 0;
    bool none = (hash_type & 0x1f) == 2;
    bool single = (hash_type & 0x1f) == 3;
    struct buf bytes = {0};

    (void)arena;
    write_le32(&bytes, tx->version);
    if (anyone)
        add_zeros(&bytes);
    else
        add_hash_of(&bytes, PREVOUTS, tx, NULL, true);
    if (anyone || none || single)
        add_zeros(&bytes);
    else
        add_hash_of(&bytes, SEQUENCES, tx, NULL, true);
    add_outpoint(&bytes, &tx->in[in_index]);
    write_var_bytes(&bytes, code);
    write_le64(&bytes, (uint64_t)amount_sat);
    write_le32(&bytes, tx->in[in_index].sequence);
    if (!none && !single)
        add_hash_of(&bytes, OUTPUTS, tx, NULL, true);
    else if (single && in_index < tx->out_n)
        add_hash_of_one(&bytes, &tx->out[in_index], true);
    else
        add_zeros(&bytes);
    write_le32(&bytes, tx->lock_time);
    write_le32(&bytes, hash_type);
    sha256d(ret_hash, bytes.data, bytes.len);
    buf_clear(&bytes);
}

/* BIP 341, "Common signature message", and BIP 342's extension. */
bool naive_sighash_taproot(uint8_t *ret_hash, const struct tx *tx, const struct tx_out *spent,
                           uint32_t in_index, uint8_t hash_type, const struct naive_taproot *how)
{
    bool anyone = hash_type >= 0x81;
    bool none = hash_type == 2 || hash_type == 0x82;
    bool single = hash_type == 3 || hash_type == 0x83;
    struct buf bytes = {0};

    if (hash_type > 3 && !(hash_type >= 0x81 && hash_type <= 0x83))
        return false;
    if (single && in_index >= tx->out_n)
        return false;
    write_u8(&bytes, 0);
    write_u8(&bytes, hash_type);
    write_le32(&bytes, tx->version);
    write_le32(&bytes, tx->lock_time);
    if (!anyone) {
        add_hash_of(&bytes, PREVOUTS, tx, spent, false);
        add_hash_of(&bytes, AMOUNTS, tx, spent, false);
        add_hash_of(&bytes, SCRIPTS, tx, spent, false);
        add_hash_of(&bytes, SEQUENCES, tx, spent, false);
    }
    if (!none && !single)
        add_hash_of(&bytes, OUTPUTS, tx, spent, false);
    write_u8(&bytes, (uint8_t)(how->has_leaf * 2 + how->has_annex));
    if (anyone) {
        add_outpoint(&bytes, &tx->in[in_index]);
        add_output(&bytes, &spent[in_index]);
        write_le32(&bytes, tx->in[in_index].sequence);
    } else {
        write_le32(&bytes, in_index);
    }
    if (how->has_annex) {
        struct buf annex = {0};
        uint8_t hash[32];

        write_var_bytes(&annex, how->annex);
        sha256(hash, annex.data, annex.len);
        buf_add(&bytes, hash, 32);
        buf_clear(&annex);
    }
    if (single)
        add_hash_of_one(&bytes, &tx->out[in_index], false);
    if (how->has_leaf) {
        buf_add(&bytes, how->leaf_hash, 32);
        write_u8(&bytes, 0);
        write_le32(&bytes, how->code_separator);
    }
    naive_tagged(ret_hash, "TapSighash", span_of_buf(&bytes));
    buf_clear(&bytes);
    return true;
}
