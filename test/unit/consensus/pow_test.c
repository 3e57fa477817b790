/* Targets, work and retargets: against a naive bit-by-bit arithmetic, and against
 * the headers of real chains. */
#include "consensus/pow.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "consensus/chain_of.h"
#include "test.h"

/* The naive number: 512 bits, one bit a byte, least significant first. */
#define BITS 512
struct naive {
    uint8_t bit[BITS];
};

static struct naive naive_of(const struct u256 *v)
{
    struct naive out = {{0}};

    for (unsigned i = 0; i < 256; i++)
        out.bit[i] = v->limb[i / 64] >> i % 64 & 1;
    return out;
}

static struct u256 naive_low(const struct naive *v)
{
    struct u256 out = {{0}};

    for (unsigned i = 0; i < 256; i++)
        out.limb[i / 64] |= (uint64_t)v->bit[i] << i % 64;
    return out;
}

static int naive_compare(const struct naive *a, const struct naive *b)
{
    for (int i = BITS - 1; i >= 0; i--) {
        if (a->bit[i] != b->bit[i])
            return a->bit[i] < b->bit[i] ? -1 : 1;
    }
    return 0;
}

static void naive_subtract(struct naive *a, const struct naive *b)
{
    int borrow = 0;

    for (int i = 0; i < BITS; i++) {
        int d = a->bit[i] - b->bit[i] - borrow;

        borrow = d < 0;
        a->bit[i] = (uint8_t)(d & 1);
    }
}

static void naive_add(struct naive *a, const struct naive *b)
{
    int carry = 0;

    for (int i = 0; i < BITS; i++) {
        int s = a->bit[i] + b->bit[i] + carry;

        carry = s >> 1;
        a->bit[i] = (uint8_t)(s & 1);
    }
}

static struct naive naive_shifted(const struct naive *a, int up)
{
    struct naive out = {{0}};

    for (int i = 0; i < BITS; i++) {
        if (i - up >= 0 && i - up < BITS)
            out.bit[i] = a->bit[i - up];
    }
    return out;
}

static struct naive naive_divide(struct naive a, const struct naive *b)
{
    struct naive quotient = {{0}};
    struct naive rest = {{0}};

    for (int i = BITS - 1; i >= 0; i--) {
        rest = naive_shifted(&rest, 1);
        rest.bit[0] = a.bit[i];
        if (naive_compare(&rest, b) >= 0) {
            naive_subtract(&rest, b);
            quotient.bit[i] = 1;
        }
    }
    return quotient;
}

static struct naive naive_number(uint64_t v)
{
    struct u256 small = {{v}};

    return naive_of(&small);
}

/* word * 256^(size - 3), as the format is defined. */
static struct naive naive_target(uint32_t bits)
{
    struct naive word = naive_number(bits & 0x7fffff);

    return naive_shifted(&word, 8 * ((int)(bits >> 24) - 3));
}

static const struct {
    uint32_t bits;
    const char *target;
    bool negative;
    bool overflow;
    uint32_t again; /* What the target is written as. */
} compact_rows[] = {
    {0x00000000, "00", false, false, 0},
    {0x00123456, "00", false, false, 0},
    {0x01003456, "00", false, false, 0},
    {0x02000056, "00", false, false, 0},
    {0x03000000, "00", false, false, 0},
    {0x04000000, "00", false, false, 0},
    {0x00923456, "00", false, false, 0},
    {0x01803456, "00", false, false, 0},
    {0x02800056, "00", false, false, 0},
    {0x03800000, "00", false, false, 0},
    {0x04800000, "00", false, false, 0},
    {0x01123456, "12", false, false, 0x01120000},
    {0x01fedcba, "7e", true, false, 0x017e0000},
    {0x02123456, "1234", false, false, 0x02123400},
    {0x03123456, "123456", false, false, 0x03123456},
    {0x04123456, "12345600", false, false, 0x04123456},
    {0x04923456, "12345600", true, false, 0x04123456},
    {0x05009234, "92340000", false, false, 0x05009234},
    {0x20123456, "1234560000000000000000000000000000000000000000000000000000000000", false, false,
     0x20123456},
    {0x1d00ffff, "ffff0000000000000000000000000000000000000000000000000000", false, false,
     0x1d00ffff},
    {0x21ffff00, "ff00000000000000000000000000000000000000000000000000000000000000", true, true,
     0x2100ff00},
    {0x22000080, "8000000000000000000000000000000000000000000000000000000000000000", false, false,
     0x21008000},
    {0x23000001, "00", false, true, 0},
    {0xff123456, "00", false, true, 0},
    {0xff000000, "00", false, false, 0},
};

static void compact_bits_decode(void)
{
    for (size_t i = 0; i < ARRAY_LEN(compact_rows); i++) {
        struct u256 want;
        char label[16];
        char got_hex[65];
        char want_hex[65];
        bool negative;
        bool overflow;
        struct u256 target = target_of_bits(compact_rows[i].bits, &negative, &overflow);

        (void)snprintf(label, sizeof(label), "%08x", compact_rows[i].bits);
        CHECK(u256_from_hex(&want, compact_rows[i].target));
        u256_to_hex(got_hex, &target);
        u256_to_hex(want_hex, &want);
        EXPECT_STR(label, got_hex, want_hex);
        EXPECT_INT(label, negative, compact_rows[i].negative);
        EXPECT_INT(label, overflow, compact_rows[i].overflow);
        EXPECT_U64(label, bits_of_target(&target), compact_rows[i].again);
    }
}

static uint32_t random_bits(void)
{
    return (uint32_t)(test_random_below(36) << 24 | (test_random() & 0xffffff));
}

static void compact_bits_agree_with_naive_arithmetic(void)
{
    for (int i = 0; i < 3000; i++) {
        uint32_t bits = random_bits();
        bool negative;
        bool overflow;
        struct u256 target = target_of_bits(bits, &negative, &overflow);
        struct naive naive = naive_target(bits);
        struct u256 low = naive_low(&naive);
        bool any_high = false;
        char label[16];

        (void)snprintf(label, sizeof(label), "%08x", bits);
        for (int k = 256; k < BITS; k++)
            any_high = any_high || naive.bit[k] != 0;
        EXPECT_INT(label, overflow, any_high);
        if (!any_high)
            EXPECT_INT(label, u256_compare(&target, &low), 0);
        if (!overflow && !negative) {
            /* Writing and reading again loses nothing that the form can hold. */
            uint32_t again = bits_of_target(&target);
            struct u256 same = target_of_bits(again, &negative, &overflow);

            EXPECT_INT(label, u256_compare(&target, &same), 0);
            EXPECT_TRUE(label, !negative && !overflow);
        }
    }
}

static void any_target_is_rounded_down(void)
{
    for (int i = 0; i < 3000; i++) {
        struct u256 target;
        struct u256 back;
        struct u256 difference;
        char hex[65];

        test_random_fill(&target, sizeof(target));
        for (unsigned k = 0; k < 4 && test_random_below(2) == 0; k++)
            target.limb[3 - k] = 0;
        target.limb[0] >>= test_random_below(64);
        u256_to_hex(hex, &target);
        back = target_of_bits(bits_of_target(&target), NULL, NULL);
        EXPECT_TRUE(hex, u256_compare(&back, &target) <= 0);
        /* At least the top fifteen bits are kept. */
        difference = u256_subtract(&target, &back);
        EXPECT_TRUE(hex, u256_to_double(&difference) <= ldexp(u256_to_double(&target), -15));
    }
}

static void work_agrees_with_naive_division(void)
{
    for (int i = 0; i < 200; i++) {
        uint32_t bits = (uint32_t)((test_random_below(33) + 1) << 24 | (test_random() & 0x7fffff));
        bool overflow;
        struct u256 target = target_of_bits(bits, NULL, &overflow);
        struct u256 work = work_of_bits(bits);
        struct naive divisor = naive_of(&target);
        struct naive one = naive_number(1);
        struct naive numerator = naive_shifted(&one, 256);
        struct u256 want = {{0}};
        char label[16];

        (void)snprintf(label, sizeof(label), "%08x", bits);
        if (!overflow && (target.limb[0] | target.limb[1] | target.limb[2] | target.limb[3])) {
            naive_add(&divisor, &one);
            numerator = naive_divide(numerator, &divisor);
            want = naive_low(&numerator);
        }
        EXPECT_INT(label, u256_compare(&work, &want), 0);
    }
    EXPECT_U64("negative", work_of_bits(0x1d80ffff).limb[0], 0);
    EXPECT_U64("overflow", work_of_bits(0xff7fffff).limb[0], 0);
    EXPECT_U64("genesis", work_of_bits(0x1d00ffff).limb[0], 0x100010001);
    EXPECT_U64("regtest", work_of_bits(0x207fffff).limb[0], 2);
}

static void sums_wrap_and_compare(void)
{
    for (int i = 0; i < 2000; i++) {
        struct u256 a;
        struct u256 b;
        struct u256 sum;
        struct u256 back;
        struct naive na;
        struct naive nb;
        struct u256 want;

        test_random_fill(&a, sizeof(a));
        test_random_fill(&b, sizeof(b));
        if (i % 3 == 0)
            b.limb[3] = a.limb[3];
        na = naive_of(&a);
        nb = naive_of(&b);
        EXPECT_INT("compare", u256_compare(&a, &b), naive_compare(&na, &nb));
        naive_add(&na, &nb);
        want = naive_low(&na);
        sum = u256_add(&a, &b);
        EXPECT_INT("add", u256_compare(&sum, &want), 0);
        back = u256_subtract(&sum, &b);
        EXPECT_INT("subtract", u256_compare(&back, &a), 0);
    }
}

static void hex_reads_and_writes(void)
{
    struct u256 v;
    char hex[65];

    EXPECT_TRUE("short", u256_from_hex(&v, "1f"));
    EXPECT_U64("short", v.limb[0], 0x1f);
    u256_to_hex(hex, &v);
    EXPECT_STR("short", hex, "000000000000000000000000000000000000000000000000000000000000001f");
    EXPECT_TRUE("empty", !u256_from_hex(&v, ""));
    EXPECT_TRUE("letter", !u256_from_hex(&v, "g"));
    EXPECT_TRUE(
        "long",
        !u256_from_hex(&v, "10000000000000000000000000000000000000000000000000000000000000000"));
}

static void proof_of_work_is_bounded_by_the_limit(void)
{
    const struct params *params = params_of(NETWORK_MAIN);
    struct block_hash hash = {{0}};

    EXPECT_TRUE("zero hash", pow_check(&hash, 0x1d00ffff, params));
    EXPECT_TRUE("over the limit", !pow_check(&hash, 0x1d010000, params));
    EXPECT_TRUE("zero target", !pow_check(&hash, 0, params));
    EXPECT_TRUE("negative", !pow_check(&hash, 0x1c800001 | 0x800000, params));
    EXPECT_TRUE("overflow", !pow_check(&hash, 0xff123456, params));
    /* The target itself is still good, one more is not. */
    hash.b[26] = 0xff;
    hash.b[27] = 0xff;
    EXPECT_TRUE("equal", pow_check(&hash, 0x1d00ffff, params));
    hash.b[0] = 1;
    EXPECT_TRUE("one more", !pow_check(&hash, 0x1d00ffff, params));
}

/* Reads consecutive headers; false without the file. */
static bool load_headers(struct chain_of *chain, struct block_hash **ret_hashes,
                         const char *relative, int32_t base_height)
{
    const char *path = test_data_path(relative);
    struct buf bytes = {0};
    struct block_hash *hashes;
    struct reader r;

    if (path == NULL) {
        test_skip("no ASSAY_DATA");
        return false;
    }
    CHECK(test_read_file(&bytes, path));
    *chain = (struct chain_of){.base_height = base_height};
    hashes = alloc_array(bytes.len / HEADER_BYTES, sizeof(*hashes));
    reader_init(&r, bytes.data, bytes.len);
    while (r.left > 0) {
        struct header header;

        header_read(&header, &r);
        hashes[chain->n] = header_hash(&header);
        if (chain->n > 0)
            EXPECT_BYTES(relative, header.prev.b, 32, hashes[chain->n - 1].b, 32);
        chain_of_add(chain, header.version, header.time, header.bits);
    }
    EXPECT_INT(relative, r.rc, 0);
    *ret_hashes = hashes;
    buf_clear(&bytes);
    return true;
}

static const struct {
    const char *file;
    enum network network;
    int32_t base_height;
    int32_t from; /* The first whose bits its file's ancestors settle. */
} header_files[] = {
    {"headers/mainnet_0_10236.bin", NETWORK_MAIN, 0, 1},
    {"headers/mainnet_822528_830592.bin", NETWORK_MAIN, 822528, 822529},
    {"headers/signet_0_2015.bin", NETWORK_SIGNET, 0, 1},
    {"headers/testnet4_141120_143136.bin", NETWORK_TESTNET4, 141120, 141121},
};

static void real_headers_follow_the_retarget_rules(void)
{
    for (size_t i = 0; i < ARRAY_LEN(header_files); i++) {
        const struct params *params = params_of(header_files[i].network);
        const char *label = header_files[i].file;
        struct block_hash *hashes = NULL;
        struct chain_of chain;

        if (!load_headers(&chain, &hashes, label, header_files[i].base_height))
            return;
        for (size_t k = 0; k < chain.n; k++) {
            int32_t height = chain.base_height + (int32_t)k;
            struct ancestry ancestry = chain_of_ancestry(&chain, height - 1);
            uint32_t bits = chain.blocks[k].bits;

            EXPECT_TRUE(label, pow_check(&hashes[k], bits, params));
            if (height < header_files[i].from)
                continue;
            EXPECT_U64(label, pow_next_bits(&ancestry, chain.blocks[k].time, params), bits);
            EXPECT_TRUE(label,
                        pow_transition_allowed(height, chain.blocks[k - 1].bits, bits, params));
            if (k >= 11)
                EXPECT_TRUE(label, median_time_past(&ancestry) < chain.blocks[k].time);
        }
        EXPECT_TRUE(label, chain.n > 2000);
        chain_of_clear(&chain);
        free(hashes);
    }
}

/* All of mainnet's retargets to 832,608: first and last header of each period are
 * all that a retarget looks at. */
struct sparse {
    int32_t height[2];
    struct ancestor block[2];
};

static struct ancestor sparse_at(const void *context, int32_t height)
{
    const struct sparse *sparse = context;

    for (int i = 0; i < 2; i++) {
        if (sparse->height[i] == height)
            return sparse->block[i];
    }
    check_failed("a block that a retarget has no business with", __FILE__, __LINE__);
}

static struct ancestor next_line(FILE *file, int32_t *ret_height)
{
    char hex[HEADER_BYTES * 2 + 1];
    uint8_t bytes[HEADER_BYTES];
    struct header header;
    struct reader r;

    *ret_height = -1;
    if (fscanf(file, "%" SCNd32 " %160s", ret_height, hex) != 2)
        return (struct ancestor){0};
    CHECK(hex_read(bytes, sizeof(bytes), hex, strlen(hex)));
    reader_init(&r, bytes, sizeof(bytes));
    header_read(&header, &r);
    return (struct ancestor){.version = header.version, .time = header.time, .bits = header.bits};
}

static struct ancestry sparse_ancestry(struct sparse *sparse)
{
    return (struct ancestry){.tip_height = sparse->height[1], .at = sparse_at, .context = sparse};
}

static void every_mainnet_retarget_is_right(void)
{
    const struct params *params = params_of(NETWORK_MAIN);
    const char *path = test_data_path("headers/mainnet_diffchange_827.txt");
    const char *work_path = test_data_path("headers/mainnet_chainwork_at_retargets.txt");
    struct u256 work = {{0}};
    struct sparse period = {0};
    int retargets = 0;
    FILE *work_file;
    FILE *file;

    if (path == NULL || work_path == NULL) {
        test_skip("no ASSAY_DATA");
        return;
    }
    file = fopen(path, "r");
    work_file = fopen(work_path, "r");
    CHECK(file != NULL && work_file != NULL);
    for (int32_t height = 0;; height += 2016) {
        struct ancestry ancestry = sparse_ancestry(&period);
        struct ancestor first = next_line(file, &period.height[0]);
        struct u256 one = work_of_bits(first.bits);
        struct u256 want;
        char hex[65];
        int32_t at;

        if (period.height[0] < 0)
            break;
        EXPECT_INT("height", period.height[0], height);
        if (height > 0) {
            /* period still holds the blocks before; only its first was read over. */
            period.height[0] = height - 2016;
            EXPECT_U64("bits", pow_next_bits(&ancestry, first.time, params), first.bits);
            EXPECT_TRUE("transition",
                        pow_transition_allowed(height, period.block[1].bits, first.bits, params));
            retargets++;
        }
        period.block[0] = first;
        period.height[0] = height;
        period.block[1] = next_line(file, &period.height[1]);
        if (period.height[1] < 0)
            break;
        EXPECT_INT("last height", period.height[1], height + 2015);
        for (int i = 0; i < 2016; i++) {
            work = u256_add(&work, &one);
            if (i != 0 && i != 2015)
                continue;
            CHECK(fscanf(work_file, "%" SCNd32 " %64s", &at, hex) == 2);
            EXPECT_INT("work height", at, height + i);
            CHECK(u256_from_hex(&want, hex));
            EXPECT_INT("work", u256_compare(&work, &want), 0);
        }
    }
    EXPECT_TRUE("retargets", retargets >= 400);
    (void)fclose(file);
    (void)fclose(work_file);
}

#define T0 1500000000U

/* A period of made-up blocks: every one at 600 s, the last at a given time. */
static struct chain_of period_of(uint32_t first_bits, uint32_t last_bits, uint32_t span_s)
{
    struct chain_of chain = {0};

    for (uint32_t i = 0; i < 2016; i++)
        chain_of_add(&chain, 4, i == 2015 ? T0 + span_s : T0 + i, i == 0 ? first_bits : last_bits);
    return chain;
}

#define TWO_WEEKS 1209600U

static const struct {
    const char *label;
    enum network network;
    uint32_t first_bits;
    uint32_t last_bits;
    uint32_t span_s; /* From the first to the last of 2,016 blocks. */
    uint32_t want;
} retarget_rows[] = {
    /* 2,015 intervals of 600 s are not two weeks: the difficulty rises a little. */
    {"off by one", NETWORK_MAIN, 0x1b00ffff, 0x1b00ffff, 2015 * 600, 0x1b00ffde},
    {"two weeks", NETWORK_MAIN, 0x1b00ffff, 0x1b00ffff, TWO_WEEKS, 0x1b00ffff},
    {"fastest", NETWORK_MAIN, 0x1b00ffff, 0x1b00ffff, 1, 0x1a3fffc0},
    {"a quarter", NETWORK_MAIN, 0x1b00ffff, 0x1b00ffff, TWO_WEEKS / 4, 0x1a3fffc0},
    {"slowest", NETWORK_MAIN, 0x1b00ffff, 0x1b00ffff, TWO_WEEKS * 40, 0x1b03fffc},
    {"at the limit", NETWORK_MAIN, 0x1d00ffff, 0x1d00ffff, TWO_WEEKS * 4, 0x1d00ffff},
    /* testnet3 takes the last block's bits, even those of a twenty-minute block. */
    {"testnet3 from a minimum block", NETWORK_TEST, 0x1b00ffff, 0x1d00ffff, TWO_WEEKS, 0x1d00ffff},
    {"testnet3 the other way", NETWORK_TEST, 0x1d00ffff, 0x1b00ffff, TWO_WEEKS, 0x1b00ffff},
    /* BIP 94 takes the first's. */
    {"testnet4 from a minimum block", NETWORK_TESTNET4, 0x1b00ffff, 0x1d00ffff, TWO_WEEKS,
     0x1b00ffff},
};

static void retargets_of_made_up_periods(void)
{
    for (size_t i = 0; i < ARRAY_LEN(retarget_rows); i++) {
        const struct params *params = params_of(retarget_rows[i].network);
        struct chain_of chain = period_of(retarget_rows[i].first_bits, retarget_rows[i].last_bits,
                                          retarget_rows[i].span_s);
        struct ancestry ancestry = chain_of_ancestry(&chain, 2015);

        EXPECT_U64(retarget_rows[i].label, pow_next_bits(&ancestry, T0, params),
                   retarget_rows[i].want);
        chain_of_clear(&chain);
    }
}

/* timespan * target / two weeks, clamped, all in naive arithmetic. */
static uint32_t naive_retarget(uint32_t bits, int64_t span_s, const struct params *params)
{
    struct naive sum = {{0}};
    struct naive target = naive_target(bits);
    struct naive divisor = naive_number(TWO_WEEKS);
    struct u256 limit = u256_of_hash(params->pow_limit);
    struct u256 out;

    if (span_s < TWO_WEEKS / 4)
        span_s = TWO_WEEKS / 4;
    if (span_s > TWO_WEEKS * INT64_C(4))
        span_s = TWO_WEEKS * INT64_C(4);
    for (int i = 0; i < 32; i++) {
        if (span_s >> i & 1) {
            struct naive part = naive_shifted(&target, i);

            naive_add(&sum, &part);
        }
    }
    sum = naive_divide(sum, &divisor);
    out = naive_low(&sum);
    return bits_of_target(u256_compare(&out, &limit) > 0 ? &limit : &out);
}

static void retargets_agree_with_naive_arithmetic(void)
{
    const struct params *params = params_of(NETWORK_MAIN);

    for (int i = 0; i < 150; i++) {
        uint32_t bits = (uint32_t)((0x14 + test_random_below(9)) << 24 |
                                   (test_random_below(0x7f0000) + 0x8000));
        uint32_t span_s = (uint32_t)test_random_below(TWO_WEEKS * 5);
        struct chain_of chain = period_of(bits, bits, span_s);
        struct ancestry ancestry = chain_of_ancestry(&chain, 2015);
        uint32_t got = pow_next_bits(&ancestry, T0, params);
        char label[32];

        (void)snprintf(label, sizeof(label), "%08x %u", bits, span_s);
        EXPECT_U64(label, got, naive_retarget(bits, span_s, params));
        EXPECT_TRUE(label, pow_transition_allowed(2016, bits, got, params));
        chain_of_clear(&chain);
    }
}

static void testnet_blocks_after_twenty_minutes_are_easy(void)
{
    const struct params *params = params_of(NETWORK_TEST);
    struct chain_of chain = {0};
    struct ancestry ancestry;

    for (uint32_t i = 0; i < 2020; i++)
        chain_of_add(&chain, 4, T0 + 600 * i, i >= 2017 ? 0x1d00ffff : 0x1b001234);
    ancestry = chain_of_ancestry(&chain, 2016);
    EXPECT_U64("just within", pow_next_bits(&ancestry, T0 + 600 * 2016 + 1200, params), 0x1b001234);
    EXPECT_U64("a second more", pow_next_bits(&ancestry, T0 + 600 * 2016 + 1201, params),
               0x1d00ffff);
    ancestry = chain_of_ancestry(&chain, 2019);
    EXPECT_U64("back over easy ones", pow_next_bits(&ancestry, T0 + 600 * 2020, params),
               0x1b001234);
    /* An easy first block of a period ends the walk. */
    chain.blocks[2016].bits = 0x1d00ffff;
    EXPECT_U64("to the period's first", pow_next_bits(&ancestry, T0 + 600 * 2020, params),
               0x1d00ffff);
    EXPECT_U64("main knows no such rule",
               pow_next_bits(&ancestry, T0 + 600 * 3000, params_of(NETWORK_MAIN)), 0x1d00ffff);
    chain_of_clear(&chain);
}

static void regtest_never_retargets(void)
{
    const struct params *params = params_of(NETWORK_REGTEST);
    struct chain_of chain = {0};
    struct ancestry ancestry;

    for (uint32_t i = 0; i < 144; i++)
        chain_of_add(&chain, 4, T0 + i, 0x207fffff);
    ancestry = chain_of_ancestry(&chain, 143);
    EXPECT_U64("at a period's end", pow_next_bits(&ancestry, T0 + 200, params), 0x207fffff);
    ancestry.tip_height = -1;
    EXPECT_U64("without blocks", pow_next_bits(&ancestry, T0, params), 0x207fffff);
    chain_of_clear(&chain);
}

static const struct {
    const char *label;
    int32_t height;
    uint32_t old_bits;
    uint32_t new_bits;
    bool allowed;
} transition_rows[] = {
    {"within a period, same", 2017, 0x1b00ffff, 0x1b00ffff, true},
    {"within a period, other", 2017, 0x1b00ffff, 0x1b00fffe, false},
    {"greatest fall", 2016, 0x1b00ffff, 0x1b03fffc, true},
    {"a bit more", 2016, 0x1b00ffff, 0x1b03fffd, false},
    {"greatest rise", 2016, 0x1b00ffff, 0x1a3fffc0, true},
    {"a bit more", 2016, 0x1b00ffff, 0x1a3fffbf, false},
    {"over the limit", 2016, 0x1d00ffff, 0x1d010000, false},
};

static void transitions_are_bounded(void)
{
    for (size_t i = 0; i < ARRAY_LEN(transition_rows); i++) {
        EXPECT_INT(transition_rows[i].label,
                   pow_transition_allowed(transition_rows[i].height, transition_rows[i].old_bits,
                                          transition_rows[i].new_bits, params_of(NETWORK_MAIN)),
                   transition_rows[i].allowed);
        EXPECT_TRUE("testnet allows anything",
                    pow_transition_allowed(transition_rows[i].height, transition_rows[i].old_bits,
                                           transition_rows[i].new_bits, params_of(NETWORK_TEST)));
    }
}

static void median_is_the_middle_of_eleven(void)
{
    static const uint32_t times[] = {50, 10, 40, 20, 30, 70, 60, 90, 80, 11, 12, 13};
    static const uint32_t want[] = {50, 50, 40, 40, 30, 40, 40, 50, 50, 50, 40, 30};
    struct chain_of chain = {0};
    struct ancestry ancestry = chain_of_ancestry(&chain, -1);

    EXPECT_U64("no block", median_time_past(&ancestry), 0);
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        char label[16];

        (void)snprintf(label, sizeof(label), "height %zu", i);
        chain_of_add(&chain, 4, times[i], 0);
        ancestry = chain_of_ancestry(&chain, (int32_t)i);
        EXPECT_U64(label, median_time_past(&ancestry), want[i]);
    }
    chain_of_clear(&chain);
}

TEST_LIST(TEST(compact_bits_decode), TEST(compact_bits_agree_with_naive_arithmetic),
          TEST(any_target_is_rounded_down), TEST(work_agrees_with_naive_division),
          TEST(sums_wrap_and_compare), TEST(hex_reads_and_writes),
          TEST(proof_of_work_is_bounded_by_the_limit), TEST(real_headers_follow_the_retarget_rules),
          TEST(every_mainnet_retarget_is_right), TEST(retargets_of_made_up_periods),
          TEST(retargets_agree_with_naive_arithmetic),
          TEST(testnet_blocks_after_twenty_minutes_are_easy), TEST(regtest_never_retargets),
          TEST(transitions_are_bounded), TEST(median_is_the_middle_of_eleven))
