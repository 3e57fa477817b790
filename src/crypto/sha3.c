#include "crypto/sha3.h"

#include <string.h>

#include "base/bytes.h"

#define RATE_BYTES 136 /* 1600 bits less twice the 256 of the digest. */
#define ROUNDS 24

static uint64_t rotate(uint64_t v, unsigned by)
{
    return by == 0 ? v : v << by | v >> (64 - by);
}

/* FIPS 202, algorithm 5: one bit of the register that makes round constants. */
static unsigned next_bit(unsigned *lfsr)
{
    unsigned bit = *lfsr & 1;

    *lfsr = *lfsr << 1 ^ ((*lfsr >> 7 & 1) != 0 ? 0x171U : 0U);
    return bit;
}

static void mix_columns(uint64_t *a)
{
    uint64_t parity[5];

    for (unsigned x = 0; x < 5; x++)
        parity[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    for (unsigned x = 0; x < 5; x++) {
        uint64_t change = parity[(x + 4) % 5] ^ rotate(parity[(x + 1) % 5], 1);

        for (unsigned y = 0; y < 25; y += 5)
            a[x + y] ^= change;
    }
}

/* Rotation of the lanes and their move to another place, in one walk. */
static void turn_and_move(uint64_t *a)
{
    uint64_t carried = a[1];
    unsigned x = 1;
    unsigned y = 0;

    for (unsigned t = 1; t <= ROUNDS; t++) {
        unsigned next_y = (2 * x + 3 * y) % 5;
        uint64_t kept;

        x = y;
        y = next_y;
        kept = a[x + 5 * y];
        a[x + 5 * y] = rotate(carried, t * (t + 1) / 2 % 64);
        carried = kept;
    }
}

static void mix_rows(uint64_t *a)
{
    for (unsigned y = 0; y < 25; y += 5) {
        uint64_t row[5];

        memcpy(row, a + y, sizeof(row));
        for (unsigned x = 0; x < 5; x++)
            a[x + y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
    }
}

static void permute(uint64_t *a)
{
    unsigned lfsr = 1;

    for (unsigned round = 0; round < ROUNDS; round++) {
        mix_columns(a);
        turn_and_move(a);
        mix_rows(a);
        for (unsigned j = 0; j < 7; j++)
            a[0] ^= (uint64_t)next_bit(&lfsr) << ((1U << j) - 1);
    }
}

static void take_block(uint64_t *a, const uint8_t *block)
{
    for (unsigned i = 0; i < RATE_BYTES / 8; i++)
        a[i] ^= get_le64(block + 8 * (size_t)i);
    permute(a);
}

void sha3_256(uint8_t *ret_digest, const void *data, size_t len)
{
    const uint8_t *at = (const uint8_t *)data;
    uint8_t last[RATE_BYTES] = {0};
    uint64_t a[25] = {0};

    for (; len >= RATE_BYTES; len -= RATE_BYTES, at += RATE_BYTES)
        take_block(a, at);
    if (len > 0)
        memcpy(last, at, len);
    last[len] ^= 0x06;
    last[RATE_BYTES - 1] ^= 0x80;
    take_block(a, last);
    for (unsigned i = 0; i < SHA3_256_BYTES / 8; i++)
        put_le64(ret_digest + 8 * (size_t)i, a[i]);
}
