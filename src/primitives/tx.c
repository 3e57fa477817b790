#include "primitives/tx.h"

#include "base/check.h"
#include "codec/writer.h"
#include "crypto/sha256.h"

/* The fewest bytes an input, an output and a witness item can take: what a
 * claimed count is held against before memory is given to it. */
#define TX_IN_BYTES_MIN 41
#define TX_OUT_BYTES_MIN 9
#define WITNESS_ITEM_BYTES_MIN 1

#define WITNESS_FLAG 1

static uint32_t read_count(struct reader *r, size_t item_bytes_min)
{
    uint32_t count = read_length(r);

    if (count > r->left / item_bytes_min) {
        (void)reader_fail(r, E_TRUNCATED);
        return 0;
    }
    return count;
}

static struct tx_in *read_inputs(struct tx *tx, uint32_t count, struct reader *r,
                                 struct arena *arena)
{
    struct tx_in *in = arena_alloc(arena, count * sizeof(*in));

    for (uint32_t i = 0; i < count; i++) {
        read_bytes(r, in[i].prevout.txid.b, HASH_BYTES);
        in[i].prevout.vout = read_le32(r);
        in[i].script_sig = read_var_bytes(r);
        in[i].sequence = read_le32(r);
        in[i].witness_n = 0;
        in[i].witness = NULL;
    }
    tx->in = in;
    tx->in_n = count;
    return in;
}

static void read_outputs(struct tx *tx, struct reader *r, struct arena *arena)
{
    uint32_t count = read_count(r, TX_OUT_BYTES_MIN);
    struct tx_out *out = arena_alloc(arena, count * sizeof(*out));

    for (uint32_t i = 0; i < count; i++) {
        out[i].value_sat = (int64_t)read_le64(r);
        out[i].script_pubkey = read_var_bytes(r);
    }
    tx->out = out;
    tx->out_n = count;
}

/* BIP 144: one stack per input, in input order. */
static void read_witnesses(struct tx_in *in, uint32_t count, struct reader *r, struct arena *arena)
{
    bool any = false;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t items = read_count(r, WITNESS_ITEM_BYTES_MIN);
        struct span *stack;

        if (items == 0)
            continue;
        any = true;
        stack = arena_alloc(arena, items * sizeof(*stack));
        for (uint32_t k = 0; k < items; k++)
            stack[k] = read_var_bytes(r);
        in[i].witness = stack;
        in[i].witness_n = items;
    }
    /* A witness encoding without any witness would give one transaction two
     * serializations. */
    if (!any)
        (void)reader_fail_why(r, E_MALFORMED, "Superfluous witness record");
}

static void hash_ids(struct tx *tx)
{
    struct sha256_job jobs[2] = {
        {.piece = {span_of(tx->raw.data, 4), tx->body, span_of(tx->raw.data + tx->raw.len - 4, 4)},
         .ret_digest = tx->txid.b},
        {.piece = {tx->raw}, .ret_digest = tx->wtxid.b},
    };

    sha256d_many(jobs, tx->has_witness ? 2 : 1);
    if (!tx->has_witness)
        memcpy(tx->wtxid.b, tx->txid.b, HASH_BYTES);
}

static int read_any(struct tx *ret_tx, struct reader *r, struct arena *arena, bool allow_witness,
                    enum tx_read_mode mode)
{
    const uint8_t *start = r->at;
    const uint8_t *body = start + 4;
    const uint8_t *body_end;
    struct tx tx = {0};
    struct tx_in *in = NULL;
    uint8_t flags = 0;
    uint32_t in_n;

    tx.version = read_le32(r);
    in_n = read_count(r, TX_IN_BYTES_MIN);
    if (in_n == 0 && allow_witness) {
        /* Either the marker of BIP 144 or a transaction without inputs. */
        flags = read_u8(r);
        if (flags != 0) {
            body = r->at;
            in_n = read_count(r, TX_IN_BYTES_MIN);
            in = read_inputs(&tx, in_n, r, arena);
            read_outputs(&tx, r, arena);
        } else {
            /* The zero flag byte was the output count: nothing follows. */
            in = read_inputs(&tx, 0, r, arena);
            tx.out = arena_alloc(arena, 1);
        }
    } else {
        in = read_inputs(&tx, in_n, r, arena);
        read_outputs(&tx, r, arena);
    }
    body_end = r->at;
    if (flags & WITNESS_FLAG) {
        flags ^= WITNESS_FLAG;
        tx.has_witness = true;
        read_witnesses(in, tx.in_n, r, arena);
    }
    if (flags != 0)
        (void)reader_fail_why(r, E_MALFORMED, "Unknown transaction optional data");
    tx.lock_time = read_le32(r);
    if (r->rc < 0)
        return r->rc;

    tx.raw = span_of(start, (size_t)(r->at - start));
    tx.body = span_of(body, (size_t)(body_end - body));
    tx.total_bytes = (uint32_t)tx.raw.len;
    tx.base_bytes = (uint32_t)tx.body.len + 8;
    *ret_tx = tx;
    if (mode == TX_READ_IDS)
        hash_ids(ret_tx);
    return 0;
}

int tx_read(struct tx *ret_tx, struct reader *r, struct arena *arena, enum tx_read_mode mode)
{
    return read_any(ret_tx, r, arena, true, mode);
}

int tx_read_no_witness(struct tx *ret_tx, struct reader *r, struct arena *arena)
{
    return read_any(ret_tx, r, arena, false, TX_READ_IDS);
}

static void write_body(struct buf *buf, const struct tx *tx)
{
    write_compact_size(buf, tx->in_n);
    for (uint32_t i = 0; i < tx->in_n; i++) {
        buf_add(buf, tx->in[i].prevout.txid.b, HASH_BYTES);
        write_le32(buf, tx->in[i].prevout.vout);
        write_var_bytes(buf, tx->in[i].script_sig);
        write_le32(buf, tx->in[i].sequence);
    }
    write_compact_size(buf, tx->out_n);
    for (uint32_t i = 0; i < tx->out_n; i++) {
        write_le64(buf, (uint64_t)tx->out[i].value_sat);
        write_var_bytes(buf, tx->out[i].script_pubkey);
    }
}

static bool any_witness(const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->in_n; i++) {
        if (tx->in[i].witness_n > 0)
            return true;
    }
    return false;
}

void tx_write(struct buf *buf, const struct tx *tx, bool with_witness)
{
    bool extended = with_witness && any_witness(tx);

    write_le32(buf, tx->version);
    if (extended) {
        write_u8(buf, 0);
        write_u8(buf, WITNESS_FLAG);
    }
    write_body(buf, tx);
    if (extended) {
        for (uint32_t i = 0; i < tx->in_n; i++) {
            write_compact_size(buf, tx->in[i].witness_n);
            for (uint32_t k = 0; k < tx->in[i].witness_n; k++)
                write_var_bytes(buf, tx->in[i].witness[k]);
        }
    }
    write_le32(buf, tx->lock_time);
}

void tx_finish(struct tx *tx, struct arena *arena)
{
    struct buf body = {0};
    struct buf raw = {0};
    uint8_t *copy;

    write_body(&body, tx);
    tx_write(&raw, tx, true);
    tx->has_witness = any_witness(tx);
    copy = arena_alloc(arena, raw.len);
    memcpy(copy, raw.data, raw.len);
    tx->raw = span_of(copy, raw.len);
    tx->body = span_of(copy + (tx->has_witness ? 6 : 4), body.len);
    tx->total_bytes = (uint32_t)raw.len;
    tx->base_bytes = (uint32_t)body.len + 8;
    hash_ids(tx);
    buf_clear(&body);
    buf_clear(&raw);
}
