#include "crypto/crc32c.h"

#include "base/bytes.h"

/* Every half byte shifted through the reflected polynomial, 0x82f63b78. */
static const uint32_t nibble_table[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};

uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *at = data;

    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= at[i];
        crc = crc >> 4 ^ nibble_table[crc & 15];
        crc = crc >> 4 ^ nibble_table[crc & 15];
    }
    return ~crc;
}

#if defined(__x86_64__)

#include <immintrin.h>

/* One step of the instruction takes three cycles but one can start each cycle,
 * so three independent stripes are folded together by shifting a crc over a
 * stripe's length of zero bytes. */
#define STRIPE_BYTES ((size_t)512)

/* crc of stripe, moved over STRIPE_BYTES zero bytes, is the xor of one entry for
 * each of its four bytes. */
static uint32_t stripe_shift[4][256];

__attribute__((target("sse4.2"))) static void make_stripe_shift(void)
{
    for (uint32_t byte = 0; byte < 4; byte++) {
        for (uint32_t value = 0; value < 256; value++) {
            uint64_t crc = (uint64_t)value << 8 * byte;

            for (size_t i = 0; i < STRIPE_BYTES; i += 8)
                crc = _mm_crc32_u64(crc, 0);
            stripe_shift[byte][value] = (uint32_t)crc;
        }
    }
}

static uint64_t over_stripe(uint64_t crc)
{
    return stripe_shift[0][crc & 255] ^ stripe_shift[1][crc >> 8 & 255] ^
           stripe_shift[2][crc >> 16 & 255] ^ stripe_shift[3][crc >> 24 & 255];
}

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t seed, const uint8_t *at,
                                                               size_t len)
{
    uint64_t crc = (uint32_t)~seed;

    for (; len >= 3 * STRIPE_BYTES; at += 3 * STRIPE_BYTES, len -= 3 * STRIPE_BYTES) {
        uint64_t second = 0;
        uint64_t third = 0;

        for (size_t i = 0; i < STRIPE_BYTES; i += 8) {
            crc = _mm_crc32_u64(crc, get_le64(at + i));
            second = _mm_crc32_u64(second, get_le64(at + STRIPE_BYTES + i));
            third = _mm_crc32_u64(third, get_le64(at + 2 * STRIPE_BYTES + i));
        }
        crc = over_stripe(crc) ^ second;
        crc = over_stripe(crc) ^ third;
    }
    for (; len >= 8; at += 8, len -= 8)
        crc = _mm_crc32_u64(crc, get_le64(at));
    for (; len > 0; at++, len--)
        crc = _mm_crc32_u8((uint32_t)crc, *at);
    return ~(uint32_t)crc;
}

static bool has_instruction;

/* Before main, so that no call has to ask whether the table is there. */
__attribute__((constructor)) static void prepare(void)
{
    __builtin_cpu_init();
    has_instruction = __builtin_cpu_supports("sse4.2") != 0;
    if (has_instruction)
        make_stripe_shift();
}

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
    return has_instruction ? crc32c_sse42(crc, data, len) : crc32c_portable(crc, data, len);
}

#else

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
    return crc32c_portable(crc, data, len);
}

#endif
