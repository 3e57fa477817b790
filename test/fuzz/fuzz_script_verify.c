/* Target: the script interpreter. Both interpreters give the same verdict, for any
 * scripts, witness and flags. Curves are replaced by a bit of the hash, so that
 * both results of a check are near and a wrong hash shows.
 *
 * Input: place of the script, flags (4 bytes), the transaction's fields (1 byte),
 * a length (2 bytes) of what comes before the script, and the script.
 */
#include "base/check.h"
#include "crypto/hash160.h"
#include "crypto/sha256.h"
#include "script/build.h"
#include "script/naive.h"
#include "script/script.h"
#include "script/sig_engine.h"
#include "script/sighash.h"

#define ITEMS_MAX 2000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool is_good(const uint8_t *hash, uint8_t byte)
{
    return ((hash[0] ^ byte) & 1) != 0;
}

static bool quick_ecdsa(struct span pubkey, struct span sig, const uint8_t *hash)
{
    (void)pubkey;
    return is_good(hash, sig.len > 0 ? sig.data[0] : 0);
}

static bool quick_schnorr(const uint8_t *pubkey, const uint8_t *sig, const uint8_t *hash)
{
    (void)pubkey;
    return is_good(hash, sig[0]);
}

static bool engine_ecdsa(const struct sig_engine *engine, struct span pubkey, struct span sig,
                         const uint8_t *hash)
{
    (void)engine;
    return quick_ecdsa(pubkey, sig, hash);
}

static bool engine_schnorr(const struct sig_engine *engine, const uint8_t *pubkey,
                           const uint8_t *sig, const uint8_t *hash)
{
    (void)engine;
    return quick_schnorr(pubkey, sig, hash);
}

/* Any control block of the right size leads to any key. */
static bool quick_tweak(const uint8_t *output_key, bool odd, const uint8_t *internal_key,
                        const uint8_t *tweak)
{
    (void)output_key;
    (void)internal_key;
    return !odd || (tweak[0] & 1) != 0;
}

static bool engine_tweak(const struct sig_engine *engine, const uint8_t *output_key, bool odd,
                         const uint8_t *internal_key, const uint8_t *tweak)
{
    (void)engine;
    return quick_tweak(output_key, odd, internal_key, tweak);
}

static const struct sig_engine quick_engine = {
    .ecdsa = engine_ecdsa, .schnorr = engine_schnorr, .tweak = engine_tweak};

struct input {
    struct span before;
    struct span script;
    struct span items[ITEMS_MAX];
    uint32_t items_n;
    struct buf script_sig;
    struct buf script_pubkey;
};

/* A length byte and that many bytes, again and again. */
static void split_items(struct input *in)
{
    struct span rest = in->before;

    while (rest.len > 0 && in->items_n + 3 < ITEMS_MAX) {
        size_t item = rest.data[0];

        if (item > rest.len - 1)
            item = rest.len - 1;
        in->items[in->items_n++] = span_of(rest.data + 1, item);
        rest = span_of(rest.data + 1 + item, rest.len - 1 - item);
    }
}

static void place_script(struct input *in, unsigned place)
{
    static const uint8_t key[32] = {4};
    uint8_t hash[32];

    if (place <= 1) {
        buf_add(&in->script_sig, in->before.data, in->before.len);
        if (place == 1) {
            script_add_push(&in->script_sig, in->script);
            hash160(hash, in->script.data, in->script.len);
            script_add_p2sh(&in->script_pubkey, hash);
        } else {
            buf_add(&in->script_pubkey, in->script.data, in->script.len);
        }
        return;
    }
    split_items(in);
    if (place == 2) {
        in->items[in->items_n++] = in->script;
        sha256(hash, in->script.data, in->script.len);
        script_add_witness_program(&in->script_pubkey, 0, span_of(hash, 32));
    } else if (place == 3) {
        static const uint8_t control[33] = {0xc0};

        in->items[in->items_n++] = in->script;
        in->items[in->items_n++] = span_of(control, 33);
        script_add_witness_program(&in->script_pubkey, 1, span_of(key, 32));
    } else if (place == 4) { /* The items are all of the witness. */
        script_add_witness_program(&in->script_pubkey, 1, span_of(key, 32));
    } else {
        buf_add(&in->script_pubkey, in->script.data, in->script.len);
    }
}

static uint64_t make_flags(uint32_t bits)
{
    uint64_t flags = bits & ((UINT64_C(1) << SCRIPT_FLAG_BITS) - 1);

    if (flags & SCRIPT_VERIFY(CLEANSTACK))
        flags |= SCRIPT_VERIFY(WITNESS);
    if (flags & SCRIPT_VERIFY(WITNESS))
        flags |= SCRIPT_VERIFY(P2SH);
    return flags;
}

static void compare(struct input *input, uint8_t fields, uint64_t flags)
{
    static const uint32_t sequences[] = {0, 5, 0x400005, 0xffffffff};
    struct tx_out spent[2] = {{.value_sat = 7}, {.value_sat = 9}};
    struct tx_in in[2] = {{.sequence = sequences[fields & 3]}, {.sequence = 3}};
    struct tx_out out[2] = {{.value_sat = 1}, {.value_sat = 2}};
    struct tx tx = {.version = (fields & 4) ? 1 : 2,
                    .lock_time = (fields & 8) ? 500000007 : 7,
                    .in_n = (fields & 16) ? 2 : 1,
                    .out_n = fields >> 6,
                    .in = in,
                    .out = out};
    uint32_t index = tx.in_n - 1;
    struct sighash_cache cache;
    struct spend spend = {.tx = &tx, .spent = spent, .sighash = &cache, .engine = &quick_engine};
    struct arena arena;

    if (tx.out_n > 2)
        tx.out_n = 2;
    in[index].script_sig = span_of_buf(&input->script_sig);
    in[index].witness = input->items;
    in[index].witness_n = input->items_n;
    spent[index].script_pubkey = span_of_buf(&input->script_pubkey);
    arena_init(&arena);
    tx_finish(&tx, &arena);
    sighash_cache_init(&cache, &tx, spent, (fields & 32) ? &arena : NULL);
    CHECK(script_verify_input(&spend, index, flags) ==
          naive_verify(&tx, spent, index, in[index].script_sig, spent[index].script_pubkey,
                       input->items, input->items_n, flags));
    arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct input input;
    size_t before;

    if (len < 8)
        return 0;
    naive_ecdsa = quick_ecdsa;
    naive_schnorr = quick_schnorr;
    naive_tweak = quick_tweak;
    before = get_le16(data + 6);
    if (before > len - 8)
        before = len - 8;
    input.before = span_of(data + 8, before);
    input.script = span_of(data + 8 + before, len - 8 - before);
    input.items_n = 0;
    input.script_sig.len = 0;
    input.script_pubkey.len = 0;
    place_script(&input, data[0] % 6);
    compare(&input, data[5], make_flags(get_le32(data + 1)));
    return 0;
}
