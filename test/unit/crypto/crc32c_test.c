#include "crypto/crc32c.h"

#include "test.h"

/* RFC 3720 appendix B.4, and the check value of the polynomial's catalogue. */
static void published_answers(void)
{
    uint8_t data[32];

    memset(data, 0, sizeof(data));
    EXPECT_U64("zeros", crc32c(0, data, sizeof(data)), 0x8a9136aa);
    memset(data, 0xff, sizeof(data));
    EXPECT_U64("ones", crc32c(0, data, sizeof(data)), 0x62a8ab43);
    for (uint8_t i = 0; i < 32; i++)
        data[i] = i;
    EXPECT_U64("ascending", crc32c(0, data, sizeof(data)), 0x46dd794e);
    for (uint8_t i = 0; i < 32; i++)
        data[i] = (uint8_t)(31 - i);
    EXPECT_U64("descending", crc32c(0, data, sizeof(data)), 0x113fdb5c);
    EXPECT_U64("digits", crc32c(0, "123456789", 9), 0xe3069283);
    EXPECT_U64("digits, portable", crc32c_portable(0, "123456789", 9), 0xe3069283);
    EXPECT_U64("nothing", crc32c(0, NULL, 0), 0);
    EXPECT_U64("nothing more", crc32c(0xe3069283, NULL, 0), 0xe3069283);
}

static uint32_t bit_by_bit(uint32_t crc, const uint8_t *data, size_t len)
{
    crc = ~crc;
    for (size_t i = 0; i < 8 * len; i++) {
        uint32_t bit = (crc ^ (uint32_t)(data[i / 8] >> i % 8)) & 1;

        crc = crc >> 1 ^ (bit != 0 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

/* Lengths around the stripes of the fast way, at every alignment. */
static void all_ways_agree(void)
{
    static uint8_t data[8192];

    test_random_fill(data, sizeof(data));
    for (int round = 0; round < 2000; round++) {
        size_t at = test_random_below(64);
        size_t len = test_random_below(round % 2 == 0 ? 64 : sizeof(data) - 64);
        size_t cut = test_random_below(len + 1);
        uint32_t start = (uint32_t)test_random();
        uint32_t want = bit_by_bit(start, data + at, len);
        uint32_t head = crc32c(start, data + at, cut);

        EXPECT_U64("fast", crc32c(start, data + at, len), want);
        EXPECT_U64("portable", crc32c_portable(start, data + at, len), want);
        EXPECT_U64("in two pieces", crc32c(head, data + at + cut, len - cut), want);
    }
    for (size_t len = 1530; len < 1545; len++)
        EXPECT_U64("three stripes", crc32c(0, data, len), bit_by_bit(0, data, len));
}

TEST_LIST(TEST(published_answers), TEST(all_ways_agree))
