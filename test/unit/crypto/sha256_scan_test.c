/* The scan for nonces, on every engine, against hashing whole headers. */
#include "crypto/sha256_scan.h"

#include "crypto/sha256_priv.h"
#include "test.h"

typedef const struct sha256_lanes *lanes_fn(void);

static const struct {
    const char *name;
    lanes_fn *lanes;
} engines[] = {
    {"none", NULL},
    {"sha-ni", sha256_lanes_shani},
    {"avx2", sha256_lanes_avx2},
    {"avx512", sha256_lanes_avx512},
};

static uint64_t slow_scan(const uint8_t *header, uint32_t first, uint64_t count, uint32_t bound)
{
    uint8_t copy[SHA256_SCAN_HEADER_BYTES];
    uint8_t digest[SHA256_BYTES];

    memcpy(copy, header, sizeof(copy));
    for (uint64_t i = 0; i < count; i++) {
        put_le32(copy + 76, first + (uint32_t)i);
        sha256d(digest, copy, sizeof(copy));
        if (get_le32(digest + 28) <= bound)
            return i;
    }
    return count;
}

static void every_engine_finds_the_same(void)
{
    for (size_t e = 0; e < ARRAY_LEN(engines); e++) {
        const struct sha256_lanes *lanes = engines[e].lanes == NULL ? NULL : engines[e].lanes();

        if (engines[e].lanes != NULL && lanes == NULL)
            continue;
        for (int round = 0; round < 300; round++) {
            uint8_t header[SHA256_SCAN_HEADER_BYTES];
            uint64_t count = test_random_below(100);
            uint32_t first = round % 10 == 0 ? UINT32_MAX - (uint32_t)count : (uint32_t)round * 977;
            uint32_t bound = UINT32_MAX >> test_random_below(8);
            struct sha256_scan scan;

            test_random_fill(header, sizeof(header));
            sha256_use(sha256_blocks_portable, lanes, NULL);
            sha256_scan_init(&scan, header);
            EXPECT_U64(engines[e].name, sha256_scan_run(&scan, first, count, bound),
                       slow_scan(header, first, count, bound));
        }
    }
    sha256_select(true);
}

/* The engine with one lane gone blind, or finding too early, is found out. */
static const struct sha256_lanes *real;
static unsigned bent_lane;

static unsigned blind_scan(const struct sha256_scan *scan, uint32_t nonce, uint32_t bound)
{
    unsigned at = real->scan(scan, nonce, bound);

    return at == bent_lane ? real->lanes : at;
}

static void a_bent_engine_is_noticed(void)
{
    for (size_t e = 2; e < ARRAY_LEN(engines); e++) {
        struct sha256_lanes bent;

        real = engines[e].lanes();
        if (real == NULL)
            continue;
        EXPECT_TRUE("right", sha256_scan_agrees(real));
        bent = *real;
        bent.scan = blind_scan;
        for (bent_lane = 0; bent_lane < real->lanes; bent_lane++)
            EXPECT_TRUE("blind", !sha256_scan_agrees(&bent));
    }
}

TEST_LIST(TEST(every_engine_finds_the_same), TEST(a_bent_engine_is_noticed))
