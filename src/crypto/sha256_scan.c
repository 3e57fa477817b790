#include "crypto/sha256_scan.h"

#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/sha256_priv.h"

#define NONCE_AT 76

const uint32_t sha256_scan_fixed[8] = {0xd807aa98 + 0x80000000,
                                       0x12835b01,
                                       0x243185be,
                                       0x550c7dc3,
                                       0x72be5d74,
                                       0x80deb1fe,
                                       0x9bdc06a7,
                                       0xc19bf174 + 8 * SHA256_BYTES};

static uint32_t rotate(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static uint32_t small_sigma0(uint32_t x)
{
    return rotate(x, 7) ^ rotate(x, 18) ^ x >> 3;
}

static uint32_t small_sigma1(uint32_t x)
{
    return rotate(x, 17) ^ rotate(x, 19) ^ x >> 10;
}

/* One round on the state in its natural order. */
static void one_round(uint32_t *s, uint32_t kw)
{
    uint32_t t1 = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) +
                  (s[6] ^ (s[4] & (s[5] ^ s[6]))) + kw;
    uint32_t t2 = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) +
                  ((s[0] & s[1]) | (s[2] & (s[0] | s[1])));

    memmove(s + 1, s, 7 * sizeof(*s));
    s[4] += t1;
    s[0] = t1 + t2;
}

void sha256_scan_init(struct sha256_scan *scan, const uint8_t *header)
{
    uint32_t second[8];

    memcpy(scan->midstate, sha256_initial, sizeof(scan->midstate));
    sha256_blocks_portable(scan->midstate, header, 1);
    for (size_t i = 0; i < 3; i++)
        scan->tail[i] = get_be32(header + SHA256_BLOCK_BYTES + 4 * i);

    /* Of the fourth round everything but the nonce, which is added to both words that it
     * makes. */
    memcpy(scan->after, scan->midstate, sizeof(scan->after));
    for (size_t i = 0; i < 4; i++)
        one_round(scan->after, sha256_constants[i] + (i < 3 ? scan->tail[i] : 0));
    memcpy(scan->first, sha256_constants, sizeof(scan->first));
    scan->first[4] += 0x80000000U;
    scan->first[15] += SHA256_SCAN_BITS;
    scan->w16 = scan->tail[0] + small_sigma0(scan->tail[1]);
    scan->w17 = scan->tail[1] + small_sigma0(scan->tail[2]) + small_sigma1(SHA256_SCAN_BITS);
    scan->w18 = scan->tail[2] + small_sigma1(scan->w16);
    scan->w19 = small_sigma0(0x80000000U) + small_sigma1(scan->w17);
    scan->w30 = small_sigma0(SHA256_SCAN_BITS);
    scan->w31 = SHA256_SCAN_BITS + small_sigma0(scan->w16);

    memcpy(second, sha256_initial, sizeof(second));
    one_round(second, sha256_constants[0]);
    scan->second_a = second[0];
    scan->second_e = second[4];
}

static uint32_t turn(uint32_t x)
{
    return x >> 24 | (x >> 8 & 0xff00) | (x << 8 & 0xff0000) | x << 24;
}

/* The rest of a header as a block of its own. */
static void write_block(uint8_t *block, const struct sha256_scan *scan, uint32_t nonce)
{
    memset(block, 0, SHA256_BLOCK_BYTES);
    for (size_t i = 0; i < 3; i++)
        put_be32(block + 4 * i, scan->tail[i]);
    put_le32(block + 12, nonce);
    block[16] = 0x80;
    put_be32(block + 60, SHA256_SCAN_BITS);
}

static bool is_good(const struct sha256_scan *scan, uint32_t nonce, uint32_t bound)
{
    uint8_t block[SHA256_BLOCK_BYTES];
    uint32_t state[8];

    write_block(block, scan, nonce);
    memcpy(state, scan->midstate, sizeof(state));
    sha256_blocks_portable(state, block, 1);
    memset(block, 0, sizeof(block));
    for (size_t i = 0; i < 8; i++)
        put_be32(block + 4 * i, state[i]);
    block[32] = 0x80;
    put_be32(block + 60, 8 * SHA256_BYTES);
    memcpy(state, sha256_initial, sizeof(state));
    sha256_blocks_portable(state, block, 1);
    return turn(state[7]) <= bound;
}

/* With the steps of engines that have nothing better. blocks: their lanes, the headers'
 * parts but for the nonces filled in. */
static unsigned scan_steps(const struct sha256_lanes *lanes, const struct sha256_scan *scan,
                           uint32_t nonce, uint32_t bound)
{
    uint8_t blocks[SHA256_LANES_MAX][SHA256_BLOCK_BYTES];
    uint32_t state[8 * SHA256_LANES_MAX] __attribute__((aligned(64)));
    const uint8_t *at[SHA256_LANES_MAX];
    unsigned best = lanes->lanes;

    for (unsigned lane = 0; lane < lanes->lanes; lane++) {
        at[lane] = blocks[lane];
        write_block(blocks[lane], scan, nonce + lane);
        for (size_t i = 0; i < 8; i++)
            state[i * lanes->word_stride + lane * lanes->lane_stride] = scan->midstate[i];
    }
    lanes->step(state, at);
    for (unsigned lane = 0; lane < lanes->lanes; lane++) {
        memset(blocks[lane] + 32, 0, 32);
        blocks[lane][32] = 0x80;
        put_be32(blocks[lane] + 60, 8 * SHA256_BYTES);
        for (size_t i = 0; i < 8; i++) {
            uint32_t *word = &state[i * lanes->word_stride + lane * lanes->lane_stride];

            put_be32(blocks[lane] + 4 * i, *word);
            *word = sha256_initial[i];
        }
    }
    lanes->step(state, at);
    for (unsigned lane = lanes->lanes; lane-- > 0;)
        if (turn(state[7 * lanes->word_stride + lane * lanes->lane_stride]) <= bound)
            best = lane;
    return best;
}

static unsigned scan_some(const struct sha256_lanes *lanes, const struct sha256_scan *scan,
                          uint32_t nonce, uint32_t bound)
{
    return lanes->scan != NULL ? lanes->scan(scan, nonce, bound)
                               : scan_steps(lanes, scan, nonce, bound);
}

uint64_t sha256_scan_run(const struct sha256_scan *scan, uint32_t first, uint64_t count,
                         uint32_t bound)
{
    const struct sha256_lanes *lanes = sha256_lanes_in_use();
    uint64_t done = 0;

    while (lanes != NULL && count - done >= lanes->lanes) {
        unsigned at = scan_some(lanes, scan, first + (uint32_t)done, bound);

        done += at;
        if (at < lanes->lanes)
            return done;
    }
    while (done < count && !is_good(scan, first + (uint32_t)done, bound))
        done++;
    return done;
}

/* A good nonce behind at least SHA256_LANES_MAX bad ones. */
static uint32_t lonely_nonce(const struct sha256_scan *scan, uint32_t bound)
{
    uint32_t nonce = 0xfff0;
    unsigned bad_n = 0;

    for (;; nonce++) {
        bool good = is_good(scan, nonce, bound);

        if (good && bad_n >= SHA256_LANES_MAX)
            return nonce;
        bad_n = good ? 0 : bad_n + 1;
    }
}

bool sha256_scan_agrees(const struct sha256_lanes *lanes)
{
    const uint32_t bound = UINT32_MAX >> 5;
    uint8_t header[SHA256_SCAN_HEADER_BYTES];
    struct sha256_scan scan;
    uint32_t nonce;

    for (size_t i = 0; i < sizeof(header); i++)
        header[i] = (uint8_t)(i * 37 + 11);
    sha256_scan_init(&scan, header);
    nonce = lonely_nonce(&scan, bound);
    /* Every lane finds it, and none what is one behind them. */
    for (unsigned lane = 0; lane <= lanes->lanes; lane++)
        if (scan_some(lanes, &scan, nonce - lane, bound) != lane)
            return false;
    return true;
}
