/* The bytes of a coin: scripts of the common kinds without their fixed parts, in
 * memory and on disk, and the record on disk. Private to the coins room.
 *
 * A record on disk is the outpoint, and behind it the coin, unless it was spent:
 *
 *     txid 32 | vout | height * 2 + coinbase | amount | script kind 1 | script
 *
 * Numbers are base 128, lowest digits first, shortest form only. The outpoint is
 * the record's key: it is never the beginning of another.
 */
#ifndef COINS_RECORD_PRIV_H
#define COINS_RECORD_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "crypto/siphash.h"
#include "primitives/coin.h"

#define RECORD_KEY_BYTES_MAX (HASH_BYTES + 5)
#define RECORD_BYTES_MAX (RECORD_KEY_BYTES_MAX + 5 + 8 + 1 + SCRIPT_BYTES_MAX)

enum script_kind {
    SCRIPT_KIND_OTHER,
    SCRIPT_KIND_P2PKH,
    SCRIPT_KIND_P2SH,
    SCRIPT_KIND_P2WPKH,
    SCRIPT_KIND_P2WSH,
    SCRIPT_KIND_P2TR,
    SCRIPT_KIND_P2PK_EVEN,
    SCRIPT_KIND_P2PK_ODD,
    SCRIPT_KIND_P2PK_LONG,
    SCRIPT_KIND_COUNT
};

/* What is left of a script when the fixed parts of its kind are gone. */
struct packed_script {
    enum script_kind kind;
    struct span rest; /* Borrowed. */
};

struct packed_script script_pack(struct span script);
/* Length of the whole script; 0 rest bytes is fine for SCRIPT_KIND_OTHER only. */
size_t script_unpacked_len(struct packed_script packed);
/* ret_script: script_unpacked_len bytes. */
void script_unpack(uint8_t *ret_script, struct packed_script packed);

struct record {
    struct outpoint outpoint;
    bool is_spent; /* Then nothing below is set. */
    uint32_t height;
    bool is_coinbase;
    int64_t value_sat;
    struct packed_script script;
};

/* Both return the bytes written, to room for RECORD_KEY_BYTES_MAX / RECORD_BYTES_MAX. */
size_t record_key_write(uint8_t *out, const struct outpoint *outpoint);
size_t record_write(uint8_t *out, const struct record *record);
/* 0 or E_CORRUPT. Only what record_write would write is accepted. */
NODISCARD int record_read(struct record *ret_record, struct span body);
/* The outpoint alone. */
NODISCARD int record_read_key(struct outpoint *ret_outpoint, struct span body);

/* SipHash-1-3 of the outpoint: strangers choose outpoints but cannot see or guess
 * hashes, so the shorter variant is enough and takes 9 ns instead of 15. */
static inline uint64_t outpoint_hash(const struct siphash_key *salt,
                                     const struct outpoint *outpoint)
{
    uint64_t v0 = salt->k0 ^ 0x736f6d6570736575;
    uint64_t v1 = salt->k1 ^ 0x646f72616e646f6d;
    uint64_t v2 = salt->k0 ^ 0x6c7967656e657261;
    uint64_t v3 = salt->k1 ^ 0x7465646279746573;

    for (size_t i = 0; i < 5; i++) {
        uint64_t word =
            i < 4 ? get_le64(outpoint->txid.b + 8 * i) : (uint64_t)36 << 56 | outpoint->vout;

        v3 ^= word;
        SIPHASH_ROUND(v0, v1, v2, v3);
        v0 ^= word;
    }
    v2 ^= 0xff;
    SIPHASH_ROUND(v0, v1, v2, v3);
    SIPHASH_ROUND(v0, v1, v2, v3);
    SIPHASH_ROUND(v0, v1, v2, v3);
    return v0 ^ v1 ^ v2 ^ v3;
}

#endif /* COINS_RECORD_PRIV_H */
