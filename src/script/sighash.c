#include "script/sighash.h"

#include "base/check.h"
#include "codec/writer.h"
#include "script/parse.h"

#define OUTPOINT_BYTES 36
#define BLANK_INPUT_BYTES (OUTPOINT_BYTES + 1 + 4)

/* Gathers small pieces, so that hashing sees long runs. */
struct feed {
    struct sha256 hash;
    size_t len;
    uint8_t bytes[1024];
};

static void feed_init(struct feed *feed)
{
    sha256_init(&feed->hash);
    feed->len = 0;
}

/* State of a context that has taken SHA256(tag) twice (BIP 340); the unit test
 * holds it against sha256_tagged_init. */
static void feed_init_tagged(struct feed *feed, const uint32_t *state)
{
    memcpy(feed->hash.state, state, sizeof(feed->hash.state));
    feed->hash.len = SHA256_BLOCK_BYTES;
    feed->len = 0;
}

static void feed_flush(struct feed *feed)
{
    sha256_add(&feed->hash, feed->bytes, feed->len);
    feed->len = 0;
}

static uint8_t *feed_space(struct feed *feed, size_t len)
{
    uint8_t *space;

    VERIFY(len <= sizeof(feed->bytes));
    if (len > sizeof(feed->bytes) - feed->len)
        feed_flush(feed);
    space = feed->bytes + feed->len;
    feed->len += len;
    return space;
}

static void feed_bytes(struct feed *feed, const uint8_t *data, size_t len)
{
    if (len > sizeof(feed->bytes) / 2) {
        feed_flush(feed);
        sha256_add(&feed->hash, data, len);
    } else if (len > 0) {
        memcpy(feed_space(feed, len), data, len);
    }
}

static void feed_u8(struct feed *feed, uint8_t v)
{
    *feed_space(feed, 1) = v;
}

static void feed_le32(struct feed *feed, uint32_t v)
{
    put_le32(feed_space(feed, 4), v);
}

static void feed_le64(struct feed *feed, uint64_t v)
{
    put_le64(feed_space(feed, 8), v);
}

static void feed_compact_size(struct feed *feed, uint64_t v)
{
    uint8_t bytes[COMPACT_SIZE_BYTES_MAX];

    feed_bytes(feed, bytes, compact_size_write(bytes, v));
}

static void feed_var_bytes(struct feed *feed, struct span data)
{
    feed_compact_size(feed, data.len);
    feed_bytes(feed, data.data, data.len);
}

static void write_outpoint(uint8_t *at, const struct outpoint *outpoint)
{
    memcpy(at, outpoint->txid.b, HASH_BYTES);
    put_le32(at + HASH_BYTES, outpoint->vout);
}

static void feed_outpoint(struct feed *feed, const struct outpoint *outpoint)
{
    write_outpoint(feed_space(feed, OUTPOINT_BYTES), outpoint);
}

static void feed_output(struct feed *feed, const struct tx_out *out)
{
    feed_le64(feed, (uint64_t)out->value_sat);
    feed_var_bytes(feed, out->script_pubkey);
}

static void feed_finish(struct feed *feed, uint8_t *ret_hash)
{
    feed_flush(feed);
    sha256_finish(&feed->hash, ret_hash);
}

/* Inputs begin .. end - 1 without their scripts. */
static void feed_blank_inputs(struct feed *feed, const struct tx *tx, uint32_t begin, uint32_t end,
                              bool keep_sequences)
{
    for (uint32_t i = begin; i < end; i++) {
        uint8_t *at = feed_space(feed, BLANK_INPUT_BYTES);

        write_outpoint(at, &tx->in[i].prevout);
        at[OUTPOINT_BYTES] = 0;
        put_le32(at + OUTPOINT_BYTES + 1, keep_sequences ? tx->in[i].sequence : 0);
    }
}

static struct span find_outputs(const struct tx *tx)
{
    size_t len = 0;

    for (uint32_t i = 0; i < tx->out_n; i++) {
        size_t script_len = tx->out[i].script_pubkey.len;

        len += 8 + compact_size_len(script_len) + script_len;
    }
    VERIFY(len < tx->body.len);
    return span_of(tx->body.data + tx->body.len - len, len);
}

static void hash_prevouts(uint8_t *ret_hash, const struct tx *tx)
{
    struct feed feed;

    feed_init(&feed);
    for (uint32_t i = 0; i < tx->in_n; i++)
        feed_outpoint(&feed, &tx->in[i].prevout);
    feed_finish(&feed, ret_hash);
}

static void hash_sequences(uint8_t *ret_hash, const struct tx *tx)
{
    struct feed feed;

    feed_init(&feed);
    for (uint32_t i = 0; i < tx->in_n; i++)
        feed_le32(&feed, tx->in[i].sequence);
    feed_finish(&feed, ret_hash);
}

static void hash_once(struct sighash_cache *cache)
{
    hash_prevouts(cache->prevouts, cache->tx);
    hash_sequences(cache->sequences, cache->tx);
    sha256(cache->outs, cache->outputs.data, cache->outputs.len);
    cache->has_once = true;
}

static void hash_twice(struct sighash_cache *cache)
{
    sha256(cache->prevouts_twice, cache->prevouts, SHA256_BYTES);
    sha256(cache->sequences_twice, cache->sequences, SHA256_BYTES);
    sha256(cache->outs_twice, cache->outs, SHA256_BYTES);
    cache->has_twice = true;
}

static void hash_spent(struct sighash_cache *cache)
{
    const struct tx_out *spent = cache->spent;
    struct feed feed;

    feed_init(&feed);
    for (uint32_t i = 0; i < cache->tx->in_n; i++)
        feed_le64(&feed, (uint64_t)spent[i].value_sat);
    feed_finish(&feed, cache->amounts);
    feed_init(&feed);
    for (uint32_t i = 0; i < cache->tx->in_n; i++)
        feed_var_bytes(&feed, spent[i].script_pubkey);
    feed_finish(&feed, cache->scripts);
    cache->has_spent = true;
}

/* The cache itself where it has what is asked for; else local, completed. That
 * happens when a witness is judged that is not the transaction's own. */
static const struct sighash_cache *with_hashes(const struct sighash_cache *cache,
                                               struct sighash_cache *local, bool twice, bool spent)
{
    if (cache->has_once && (cache->has_twice || !twice) && (cache->has_spent || !spent))
        return cache;
    *local = *cache;
    if (!local->has_once)
        hash_once(local);
    if (twice && !local->has_twice)
        hash_twice(local);
    if (spent && !local->has_spent)
        hash_spent(local);
    return local;
}

static void keep_prefixes(struct sighash_cache *cache, struct arena *arena)
{
    const struct tx *tx = cache->tx;
    uint32_t count = (tx->in_n - 1) / SIGHASH_PREFIX_STRIDE + 1;
    struct sha256 *prefix = arena_alloc(arena, count * sizeof(*prefix));
    struct feed feed;

    feed_init(&feed);
    feed_le32(&feed, tx->version);
    feed_compact_size(&feed, tx->in_n);
    feed_flush(&feed);
    prefix[0] = feed.hash;
    for (uint32_t k = 1; k < count; k++) {
        feed_blank_inputs(&feed, tx, (k - 1) * SIGHASH_PREFIX_STRIDE, k * SIGHASH_PREFIX_STRIDE,
                          true);
        feed_flush(&feed);
        prefix[k] = feed.hash;
    }
    cache->prefix = prefix;
    cache->prefix_n = count;
}

void sighash_cache_init(struct sighash_cache *cache, const struct tx *tx,
                        const struct tx_out *spent, struct arena *arena)
{
    uint32_t without_witness = 0;
    bool any_v0 = false;
    bool any_taproot = false;

    cache->tx = tx;
    cache->spent = spent;
    cache->outputs = find_outputs(tx);
    cache->has_once = false;
    cache->has_twice = false;
    cache->has_spent = false;
    cache->prefix_n = 0;
    cache->prefix = NULL;
    for (uint32_t i = 0; i < tx->in_n; i++) {
        if (tx->in[i].witness_n == 0)
            without_witness++;
        else if (spent != NULL && script_is_p2tr(spent[i].script_pubkey))
            any_taproot = true;
        else
            any_v0 = true;
    }
    if (any_v0 || any_taproot)
        hash_once(cache);
    if (any_v0)
        hash_twice(cache);
    if (any_taproot)
        hash_spent(cache);
    if (without_witness > SIGHASH_PREFIX_STRIDE && arena != NULL)
        keep_prefixes(cache, arena);
}

void sighash_input_init(struct sighash_input *input, const struct sighash_cache *cache,
                        uint32_t in_index)
{
    VERIFY(in_index < cache->tx->in_n);
    input->cache = cache;
    input->in_index = in_index;
    input->has_single = false;
    input->entry_set = 0;
}

static bool is_single(uint32_t hash_type)
{
    return (hash_type & SIGHASH_OUTPUT_MASK) == SIGHASH_SINGLE;
}

static bool is_none(uint32_t hash_type)
{
    return (hash_type & SIGHASH_OUTPUT_MASK) == SIGHASH_NONE;
}

/* Hash types that differ in other bits give equal bytes up to the type itself. */
static unsigned kind_of(uint32_t hash_type)
{
    unsigned outputs = is_single(hash_type) ? 2 : is_none(hash_type) ? 1 : 0;

    return outputs + ((hash_type & SIGHASH_ANYONECANPAY) != 0 ? 3 : 0);
}

/* Ends a pass that stands before the hash type. */
static void finish_with_type(const struct sha256 *midstate, uint8_t *ret_hash, uint32_t hash_type)
{
    struct sha256 hash = *midstate;
    uint8_t type[4];

    put_le32(type, hash_type);
    sha256_add(&hash, type, sizeof(type));
    sha256d_finish(&hash, ret_hash);
}

static bool entry_matches(const struct sighash_entry *entry, const struct script_code *code,
                          bool is_v0)
{
    uint8_t digest[SHA256_BYTES];

    if (entry->is_v0 != is_v0 || entry->code.len != code->bytes.len)
        return false;
    if (!code->is_scratch)
        return entry->code.data == code->bytes.data;
    if (entry->code.data != NULL)
        return false;
    sha256(digest, code->bytes.data, code->bytes.len);
    return memcmp(digest, entry->code_digest, sizeof(digest)) == 0;
}

static bool entry_find(const struct sighash_input *input, uint8_t *ret_hash,
                       const struct script_code *code, bool is_v0, uint32_t hash_type)
{
    unsigned kind = kind_of(hash_type);

    if ((input->entry_set >> kind & 1) == 0 || !entry_matches(&input->entry[kind], code, is_v0))
        return false;
    finish_with_type(&input->entry[kind].midstate, ret_hash, hash_type);
    return true;
}

static void entry_keep(struct sighash_input *input, const struct sha256 *midstate,
                       const struct script_code *code, bool is_v0, uint32_t hash_type)
{
    unsigned kind = kind_of(hash_type);
    struct sighash_entry *entry = &input->entry[kind];

    entry->code = code->bytes;
    if (code->is_scratch) {
        entry->code.data = NULL;
        sha256(entry->code_digest, code->bytes.data, code->bytes.len);
    }
    entry->is_v0 = is_v0;
    entry->midstate = *midstate;
    input->entry_set |= (uint8_t)(1U << kind);
}

/* The hash of the output with the input's number, which exists. */
static void need_single(struct sighash_input *input)
{
    struct feed feed;

    if (input->has_single)
        return;
    feed_init(&feed);
    feed_output(&feed, &input->cache->tx->out[input->in_index]);
    feed_finish(&feed, input->single);
    sha256(input->single_twice, input->single, SHA256_BYTES);
    input->has_single = true;
}

/* The script code as legacy hashes take it: every OP_CODESEPARATOR left out, up to
 * where the script can be read. */
static void feed_legacy_code(struct feed *feed, struct span code)
{
    struct script_iter iter = script_iter_of(code);
    const uint8_t *piece = code.data;
    struct span push;
    size_t separators = 0;
    uint8_t op;

    if (code.len == 0 || memchr(code.data, OP_CODESEPARATOR, code.len) == NULL) {
        feed_var_bytes(feed, code);
        return;
    }
    while (script_next(&iter, &op, &push))
        separators += op == OP_CODESEPARATOR;
    feed_compact_size(feed, code.len - separators);
    iter = script_iter_of(code);
    while (script_next(&iter, &op, &push)) {
        if (op == OP_CODESEPARATOR) {
            feed_bytes(feed, piece, (size_t)(iter.at - 1 - piece));
            piece = iter.at;
        }
    }
    feed_bytes(feed, piece, (size_t)(code.data + code.len - piece));
}

/* Version and all inputs. */
static void feed_legacy_inputs(struct feed *feed, const struct sighash_input *input,
                               struct span code, uint32_t hash_type)
{
    const struct sighash_cache *cache = input->cache;
    const struct tx *tx = cache->tx;
    bool alone = (hash_type & SIGHASH_ANYONECANPAY) != 0;
    bool keep_sequences = !is_single(hash_type) && !is_none(hash_type);
    uint32_t index = input->in_index;
    uint32_t begin = 0;

    if (!alone && keep_sequences && cache->prefix_n > 0) {
        uint32_t k = index / SIGHASH_PREFIX_STRIDE;

        feed->hash = cache->prefix[k];
        begin = k * SIGHASH_PREFIX_STRIDE;
    } else {
        feed_le32(feed, tx->version);
        feed_compact_size(feed, alone ? 1 : tx->in_n);
    }
    if (!alone)
        feed_blank_inputs(feed, tx, begin, index, keep_sequences);
    feed_outpoint(feed, &tx->in[index].prevout);
    feed_legacy_code(feed, code);
    feed_le32(feed, tx->in[index].sequence);
    if (!alone)
        feed_blank_inputs(feed, tx, index + 1, tx->in_n, keep_sequences);
}

static void feed_legacy_outputs(struct feed *feed, const struct sighash_input *input,
                                uint32_t hash_type)
{
    const struct tx *tx = input->cache->tx;

    if (is_none(hash_type)) {
        feed_compact_size(feed, 0);
    } else if (is_single(hash_type)) {
        feed_compact_size(feed, (uint64_t)input->in_index + 1);
        for (uint32_t i = 0; i < input->in_index; i++) {
            /* An output that nobody could sign: value -1, no script. */
            feed_le64(feed, UINT64_MAX);
            feed_u8(feed, 0);
        }
        feed_output(feed, &tx->out[input->in_index]);
    } else {
        feed_compact_size(feed, tx->out_n);
        feed_bytes(feed, input->cache->outputs.data, input->cache->outputs.len);
    }
    feed_le32(feed, tx->lock_time);
}

void sighash_legacy(struct sighash_input *input, uint8_t *ret_hash, const struct script_code *code,
                    uint32_t hash_type)
{
    struct feed feed;

    if (is_single(hash_type) && input->in_index >= input->cache->tx->out_n) {
        memset(ret_hash, 0, SHA256_BYTES);
        ret_hash[0] = 1;
        return;
    }
    if (entry_find(input, ret_hash, code, false, hash_type))
        return;
    feed_init(&feed);
    feed_legacy_inputs(&feed, input, code->bytes, hash_type);
    feed_legacy_outputs(&feed, input, hash_type);
    feed_flush(&feed);
    entry_keep(input, &feed.hash, code, false, hash_type);
    finish_with_type(&feed.hash, ret_hash, hash_type);
}

void sighash_v0(struct sighash_input *input, uint8_t *ret_hash, const struct script_code *code,
                int64_t amount_sat, uint32_t hash_type)
{
    static const uint8_t zeros[SHA256_BYTES];
    const struct tx *tx = input->cache->tx;
    const struct tx_in *in = &tx->in[input->in_index];
    bool alone = (hash_type & SIGHASH_ANYONECANPAY) != 0;
    bool all_outputs = !is_single(hash_type) && !is_none(hash_type);
    const uint8_t *outputs = zeros;
    const struct sighash_cache *cache;
    struct sighash_cache local;
    struct feed feed;

    if (entry_find(input, ret_hash, code, true, hash_type))
        return;
    cache = with_hashes(input->cache, &local, true, false);
    if (all_outputs) {
        outputs = cache->outs_twice;
    } else if (is_single(hash_type) && input->in_index < tx->out_n) {
        need_single(input);
        outputs = input->single_twice;
    }
    feed_init(&feed);
    feed_le32(&feed, tx->version);
    feed_bytes(&feed, alone ? zeros : cache->prevouts_twice, SHA256_BYTES);
    feed_bytes(&feed, !alone && all_outputs ? cache->sequences_twice : zeros, SHA256_BYTES);
    feed_outpoint(&feed, &in->prevout);
    feed_var_bytes(&feed, code->bytes);
    feed_le64(&feed, (uint64_t)amount_sat);
    feed_le32(&feed, in->sequence);
    feed_bytes(&feed, outputs, SHA256_BYTES);
    feed_le32(&feed, tx->lock_time);
    feed_flush(&feed);
    entry_keep(input, &feed.hash, code, true, hash_type);
    finish_with_type(&feed.hash, ret_hash, hash_type);
}

static const uint32_t tag_sighash[8] = {0xf504a425, 0xd7f8783b, 0x1363868a, 0xe3e55658,
                                        0x6eee945d, 0xbc7888dd, 0x02a6e2c3, 0x1873fe9f};
static const uint32_t tag_leaf[8] = {0x9ce0e4e6, 0x7c116c39, 0x38b3caf2, 0xc30f5089,
                                     0xd3f3936c, 0x47636e60, 0x7db33eea, 0xddc6f0c9};
static const uint32_t tag_branch[8] = {0x23a865a9, 0xb8a40da7, 0x977c1e04, 0xc49e246f,
                                       0xb5be1376, 0x9d24c9b7, 0xb583b5d4, 0xa8d226d2};

bool sighash_taproot(struct sighash_input *input, uint8_t *ret_hash, uint8_t hash_type,
                     const struct sighash_taproot *extra)
{
    const struct tx *tx = input->cache->tx;
    const struct tx_in *in = &tx->in[input->in_index];
    bool alone = (hash_type & SIGHASH_ANYONECANPAY) != 0;
    uint8_t outputs = hash_type & 3;
    const struct sighash_cache *cache;
    struct sighash_cache local;
    struct feed feed;

    if ((hash_type & ~(SIGHASH_ANYONECANPAY | 3U)) != 0 || hash_type == SIGHASH_ANYONECANPAY)
        return false;
    if (input->cache->spent == NULL)
        return false;
    if (outputs == SIGHASH_SINGLE && input->in_index >= tx->out_n)
        return false;
    cache = with_hashes(input->cache, &local, false, true);
    feed_init_tagged(&feed, tag_sighash);
    feed_u8(&feed, 0); /* The epoch. */
    feed_u8(&feed, hash_type);
    feed_le32(&feed, tx->version);
    feed_le32(&feed, tx->lock_time);
    if (!alone) {
        feed_bytes(&feed, cache->prevouts, SHA256_BYTES);
        feed_bytes(&feed, cache->amounts, SHA256_BYTES);
        feed_bytes(&feed, cache->scripts, SHA256_BYTES);
        feed_bytes(&feed, cache->sequences, SHA256_BYTES);
    }
    if (outputs == SIGHASH_DEFAULT || outputs == SIGHASH_ALL)
        feed_bytes(&feed, cache->outs, SHA256_BYTES);
    feed_u8(&feed,
            (uint8_t)((extra->leaf_hash != NULL ? 2 : 0) + (extra->annex_hash != NULL ? 1 : 0)));
    if (alone) {
        feed_outpoint(&feed, &in->prevout);
        feed_output(&feed, &cache->spent[input->in_index]);
        feed_le32(&feed, in->sequence);
    } else {
        feed_le32(&feed, input->in_index);
    }
    if (extra->annex_hash != NULL)
        feed_bytes(&feed, extra->annex_hash, SHA256_BYTES);
    if (outputs == SIGHASH_SINGLE) {
        need_single(input);
        feed_bytes(&feed, input->single, SHA256_BYTES);
    }
    if (extra->leaf_hash != NULL) {
        feed_bytes(&feed, extra->leaf_hash, SHA256_BYTES);
        feed_u8(&feed, 0); /* The key version of BIP 342. */
        feed_le32(&feed, extra->code_separator);
    }
    feed_finish(&feed, ret_hash);
    return true;
}

void tapleaf_hash(uint8_t *ret_hash, uint8_t leaf_version, struct span script)
{
    struct feed feed;

    feed_init_tagged(&feed, tag_leaf);
    feed_u8(&feed, leaf_version);
    feed_var_bytes(&feed, script);
    feed_finish(&feed, ret_hash);
}

void tapbranch_hash(uint8_t *ret_hash, const uint8_t *a, const uint8_t *b)
{
    bool in_order = memcmp(a, b, SHA256_BYTES) < 0;
    struct feed feed;

    feed_init_tagged(&feed, tag_branch);
    feed_bytes(&feed, in_order ? a : b, SHA256_BYTES);
    feed_bytes(&feed, in_order ? b : a, SHA256_BYTES);
    feed_finish(&feed, ret_hash);
}
