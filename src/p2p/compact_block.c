#include "p2p/compact_block.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "codec/writer.h"
#include "consensus/rules.h"
#include "crypto/sha256.h"
#include "primitives/merkle.h"

#define SHORT_ID_BYTES 6
#define SHORT_ID_MASK UINT64_C(0xffffffffffff)
/* A longer run of the table does not come about by chance. */
#define PROBES_MAX 64
#define SLOT_FREE UINT64_MAX

/* --- Making --- */

struct siphash_key compact_key_of(const struct header *header, uint64_t nonce)
{
    uint8_t bytes[HEADER_BYTES + 8];
    uint8_t digest[SHA256_BYTES];

    header_write(bytes, header);
    put_le64(bytes + HEADER_BYTES, nonce);
    sha256(digest, bytes, sizeof(bytes));
    return (struct siphash_key){.k0 = get_le64(digest), .k1 = get_le64(digest + 8)};
}

uint64_t compact_short_id(const struct siphash_key *key, const struct wtxid *wtxid)
{
    return siphash_id(key, wtxid->b) & SHORT_ID_MASK;
}

void compact_block_write(struct buf *buf, const struct block *block, uint64_t nonce,
                         const uint32_t *prefill, size_t prefill_n)
{
    struct siphash_key key = compact_key_of(&block->header, nonce);
    size_t at = 0;
    uint32_t next = 1;
    uint8_t *short_ids;

    CHECK(block->tx_n <= COMPACT_TX_N_MAX && prefill_n < block->tx_n);
    header_write(buf_extend(buf, HEADER_BYTES), &block->header);
    write_le64(buf, nonce);
    write_compact_size(buf, block->tx_n - 1 - prefill_n);
    short_ids = buf_extend(buf, (block->tx_n - 1 - prefill_n) * SHORT_ID_BYTES);
    for (uint32_t i = 1; i < block->tx_n; i++) {
        uint8_t word[8];

        if (at < prefill_n && prefill[at] == i) {
            at++;
            continue;
        }
        put_le64(word, compact_short_id(&key, &block->tx[i].wtxid));
        memcpy(short_ids, word, SHORT_ID_BYTES);
        short_ids += SHORT_ID_BYTES;
    }
    CHECK(at == prefill_n); /* They were rising and in the block. */
    write_compact_size(buf, 1 + prefill_n);
    write_compact_size(buf, 0);
    write_span(buf, block->tx[0].raw);
    for (size_t i = 0; i < prefill_n; i++) {
        write_compact_size(buf, prefill[i] - next);
        write_span(buf, block->tx[prefill[i]].raw);
        next = prefill[i] + 1;
    }
}

bool compact_block_answer(struct buf *buf, const struct block *block,
                          const struct message_getblocktxn *getblocktxn)
{
    for (uint32_t i = 0; i < getblocktxn->n; i++)
        if (getblocktxn->index[i] >= block->tx_n)
            return false;
    buf_add(buf, getblocktxn->block_hash.b, HASH_BYTES);
    write_compact_size(buf, getblocktxn->n);
    for (uint32_t i = 0; i < getblocktxn->n; i++)
        write_span(buf, block->tx[getblocktxn->index[i]].raw);
    return true;
}

/* --- Putting together --- */

struct prefilled {
    struct txid txid;
    uint32_t at; /* In prefilled_raw. */
    uint32_t len;
};

/* Where a transaction of the block comes from. */
struct place {
    const struct tx_ref *ref; /* Held. */
    uint32_t prefilled;       /* Index + 1; 0: not prefilled. */
    bool is_ambiguous;        /* Two different ones were offered. */
};

struct compact_block {
    struct header header;
    struct block_hash hash;
    struct siphash_key key;
    uint32_t tx_n;
    uint32_t short_n;
    uint32_t found_n;
    struct place *places;
    struct prefilled *prefilled;
    uint32_t prefilled_n;
    struct buf prefilled_raw;
    /* Short name in the upper 48 bits, index in the lower 16; linear probing from a
     * place that only we can foresee. */
    uint64_t *slots;
    uint64_t salt;
    uint32_t slot_shift; /* 64 minus the binary logarithm of their number. */
    uint32_t slot_mask;
};

static uint32_t first_slot(const struct compact_block *block, uint64_t short_id)
{
    return (uint32_t)(short_id * block->salt >> block->slot_shift);
}

/* False if the name is there already, or the table is as no chance makes it. */
static bool add_short_id(struct compact_block *block, uint64_t short_id, uint32_t index)
{
    uint32_t at = first_slot(block, short_id);

    for (uint32_t probes = 0; probes < PROBES_MAX; probes++) {
        if (block->slots[at] == SLOT_FREE) {
            block->slots[at] = short_id << 16 | index;
            return true;
        }
        if (block->slots[at] >> 16 == short_id)
            return false;
        at = (at + 1) & block->slot_mask;
    }
    return false;
}

/* The index of the transaction of that name; -1: none. */
static int64_t find_short_id(const struct compact_block *block, uint64_t short_id)
{
    uint32_t at = first_slot(block, short_id);

    while (block->slots[at] != SLOT_FREE) {
        if (block->slots[at] >> 16 == short_id)
            return (int64_t)(block->slots[at] & 0xffff);
        at = (at + 1) & block->slot_mask;
    }
    return -1;
}

static bool take_prefilled(struct compact_block *block, const struct message_cmpctblock *message)
{
    block->prefilled_n = message->prefilled_n;
    block->prefilled = alloc_array(MAX(message->prefilled_n, 1U), sizeof(*block->prefilled));
    for (uint32_t i = 0; i < message->prefilled_n; i++) {
        const struct prefilled_tx *prefilled = &message->prefilled[i];

        if (prefilled->tx.in_n == 0 && prefilled->tx.out_n == 0)
            return false;
        CHECK(prefilled->index < block->tx_n); /* The reader has seen to it. */
        block->prefilled[i] = (struct prefilled){
            .txid = prefilled->tx.txid,
            .at = (uint32_t)block->prefilled_raw.len,
            .len = (uint32_t)prefilled->tx.raw.len,
        };
        buf_add(&block->prefilled_raw, prefilled->tx.raw.data, prefilled->tx.raw.len);
        block->places[prefilled->index].prefilled = i + 1;
    }
    return true;
}

static bool take_short_ids(struct compact_block *block, const struct message_cmpctblock *message)
{
    uint32_t slots_bits = 3;
    uint32_t at = 0;

    while ((UINT32_C(1) << slots_bits) < 2 * message->short_n)
        slots_bits++;
    block->slot_shift = 64 - slots_bits;
    block->slot_mask = (UINT32_C(1) << slots_bits) - 1;
    block->slots = alloc((size_t)8 << slots_bits);
    memset(block->slots, 0xff, (size_t)8 << slots_bits);
    for (uint32_t i = 0; i < message->short_n; i++) {
        while (block->places[at].prefilled != 0)
            at++;
        if (!add_short_id(block, message->short_id[i], at++))
            return false;
    }
    return true;
}

enum compact_result compact_block_new(struct compact_block **ret_block,
                                      const struct message_cmpctblock *cmpctblock, uint64_t salt)
{
    struct compact_block *block;
    enum compact_result result = COMPACT_OK;

    if (cmpctblock->header.bits == 0 || cmpctblock->short_n + cmpctblock->prefilled_n == 0)
        return COMPACT_INVALID;
    block = alloc_zero(sizeof(*block));
    block->header = cmpctblock->header;
    block->hash = header_hash(&cmpctblock->header);
    block->key = compact_key_of(&cmpctblock->header, cmpctblock->nonce);
    block->salt = salt | 1;
    block->short_n = cmpctblock->short_n;
    block->tx_n = cmpctblock->short_n + cmpctblock->prefilled_n;
    block->places = alloc_array(block->tx_n, sizeof(*block->places));
    if (!take_prefilled(block, cmpctblock))
        result = COMPACT_INVALID;
    else if (!take_short_ids(block, cmpctblock))
        result = COMPACT_FAILED;
    if (result != COMPACT_OK)
        compact_block_free(block);
    else
        *ret_block = block;
    return result;
}

void compact_block_free(struct compact_block *own_block)
{
    if (own_block == NULL)
        return;
    for (uint32_t i = 0; i < own_block->tx_n; i++)
        tx_ref_drop(own_block->places[i].ref);
    free(own_block->places);
    free(own_block->prefilled);
    buf_clear(&own_block->prefilled_raw);
    free(own_block->slots);
    free(own_block);
}

bool compact_block_offer(struct compact_block *block, const struct tx_ref *tx)
{
    int64_t index = find_short_id(block, compact_short_id(&block->key, &tx->tx.wtxid));
    struct place *place;

    if (index < 0)
        return block->found_n < block->short_n;
    place = &block->places[index];
    if (place->ref == NULL && !place->is_ambiguous) {
        place->ref = tx_ref_hold(tx);
        block->found_n++;
    } else if (place->ref != NULL && !wtxid_equal(&place->ref->tx.wtxid, &tx->tx.wtxid)) {
        tx_ref_drop(place->ref);
        place->ref = NULL;
        place->is_ambiguous = true;
        block->found_n--;
    }
    return block->found_n < block->short_n;
}

const struct header *compact_block_header(const struct compact_block *block)
{
    return &block->header;
}

const struct block_hash *compact_block_hash(const struct compact_block *block)
{
    return &block->hash;
}

uint32_t compact_block_tx_n(const struct compact_block *block)
{
    return block->tx_n;
}

uint32_t compact_block_prefilled_n(const struct compact_block *block)
{
    return block->prefilled_n;
}

uint32_t compact_block_found_n(const struct compact_block *block)
{
    return block->found_n;
}

static bool is_missing(const struct place *place)
{
    return place->prefilled == 0 && place->ref == NULL;
}

void compact_block_missing(const struct compact_block *block,
                           struct message_getblocktxn *ret_getblocktxn, struct arena *arena)
{
    uint32_t n = 0;

    ret_getblocktxn->block_hash = block->hash;
    ret_getblocktxn->n = block->short_n - block->found_n;
    ret_getblocktxn->index =
        arena_array(arena, ret_getblocktxn->n, sizeof(*ret_getblocktxn->index));
    for (uint32_t i = 0; i < block->tx_n; i++)
        if (is_missing(&block->places[i]))
            ret_getblocktxn->index[n++] = (uint16_t)i;
    CHECK(n == ret_getblocktxn->n);
}

/* One transaction of the block: its bytes and its txid. */
static struct span part_at(const struct compact_block *block, uint32_t index,
                           const struct tx *missing, size_t *missing_at, const struct txid **ret_id)
{
    const struct place *place = &block->places[index];

    if (place->prefilled != 0) {
        const struct prefilled *prefilled = &block->prefilled[place->prefilled - 1];

        *ret_id = &prefilled->txid;
        return span_of(block->prefilled_raw.data + prefilled->at, prefilled->len);
    }
    if (place->ref != NULL) {
        *ret_id = &place->ref->tx.txid;
        return place->ref->tx.raw;
    }
    *ret_id = &missing[*missing_at].txid;
    return missing[(*missing_at)++].raw;
}

enum compact_result compact_block_fill(const struct compact_block *block, const struct tx *missing,
                                       size_t missing_n, struct buf *buf)
{
    enum compact_result result = COMPACT_OK;
    uint8_t *leaves;
    uint8_t root[HASH_BYTES];
    bool is_mutated;
    size_t start = buf->len;
    size_t missing_at = 0;

    if (missing_n != block->short_n - block->found_n)
        return COMPACT_INVALID;
    leaves = alloc((size_t)block->tx_n * HASH_BYTES);
    header_write(buf_extend(buf, HEADER_BYTES), &block->header);
    write_compact_size(buf, block->tx_n);
    for (uint32_t i = 0; i < block->tx_n && result == COMPACT_OK; i++) {
        const struct txid *txid;
        struct span raw = part_at(block, i, missing, &missing_at, &txid);

        if (buf->len - start + raw.len > BLOCK_BYTES_MAX)
            result = COMPACT_FAILED;
        else
            buf_add(buf, raw.data, raw.len);
        memcpy(leaves + (size_t)i * HASH_BYTES, txid->b, HASH_BYTES);
    }
    if (result == COMPACT_OK) {
        merkle_root_of(root, &is_mutated, leaves, block->tx_n);
        if (is_mutated || memcmp(root, block->header.merkle_root.b, HASH_BYTES) != 0)
            result = COMPACT_FAILED;
    }
    if (result != COMPACT_OK)
        buf->len = start;
    free(leaves);
    return result;
}
