/* The lanes against libsecp256k1, on plain C and, where the processor has it, on
 * AVX-512 IFMA. */
#include "crypto/sigbatch.h"

#include "crypto/secp.h"
#include "crypto/sigbatch_priv.h"
#include "test.h"

#define ITEMS 150 /* Not a multiple of eight, and more than one batch. */

static struct sigbatch_item items[ITEMS];
static bool wanted[ITEMS];

static const struct {
    const char *label;
    lanes_run_fn *run;
} engines[] = {
    {"plain", lanes_run_plain},
#if defined(__x86_64__)
    {"ifma", lanes_run_ifma},
#endif
};

static bool engine_is_here(size_t i)
{
    return i == 0 || strcmp(sigbatch_select(true), "avx512-ifma") == 0;
}

static void prepare_secp(void)
{
    uint8_t seed[32];

    test_random_fill(seed, sizeof(seed));
    secp_init(seed);
}

static void make_valid(struct sigbatch_item *item)
{
    struct secp_pubkey pubkey;
    uint8_t seckey[32];
    bool odd;

    *item = (struct sigbatch_item){.kind = (enum sigbatch_kind)test_random_below(3)};
    test_random_fill(seckey, sizeof(seckey));
    test_random_fill(item->hash, sizeof(item->hash));
    CHECK(secp_pubkey_of(&pubkey, seckey));
    if (item->kind == SIGBATCH_ECDSA) {
        struct ecdsa_sig sig;

        CHECK(ecdsa_sign(&sig, item->hash, seckey, false));
        memcpy(item->r, sig.r, 32);
        memcpy(item->s, sig.s, 32);
        item->pubkey_len = test_random_below(2) == 0 ? 33 : 65;
        if (item->pubkey_len == 33)
            secp_pubkey_write(item->pubkey, &pubkey);
        else
            secp_pubkey_write_long(item->pubkey, &pubkey);
        if (item->pubkey_len == 65 && test_random_below(2) == 0)
            item->pubkey[0] = (uint8_t)(6 + (item->pubkey[64] & 1));
        return;
    }
    item->pubkey_len = 32;
    secp_xonly_of(item->pubkey, &odd, &pubkey);
    if (item->kind == SIGBATCH_SCHNORR) {
        uint8_t sig[64];

        CHECK(schnorr_sign(sig, item->hash, seckey, NULL));
        memcpy(item->r, sig, 32);
        memcpy(item->s, sig + 32, 32);
    } else {
        test_random_fill(item->s, sizeof(item->s));
        CHECK(secp_xonly_tweak_add(item->r, &item->odd, item->pubkey, item->s));
    }
}

/* One bit of one part flipped; seldom, the oddness of a tweak. */
static void spoil(struct sigbatch_item *item)
{
    uint8_t *parts[] = {item->r, item->s, item->pubkey + (item->pubkey_len > 32 ? 1 : 0),
                        item->kind == SIGBATCH_TWEAK ? item->s : item->hash};

    if (item->kind == SIGBATCH_TWEAK && test_random_below(4) == 0)
        item->odd = !item->odd;
    else
        parts[test_random_below(4)][test_random_below(32)] ^= (uint8_t)(1U << test_random_below(8));
}

static bool wants(const struct sigbatch_item *item)
{
    struct sigbatch_item alone = *item;

    CHECK(sigbatch_use(NULL));
    sigbatch_verify(&alone, 1);
    return alone.is_valid;
}

static void agree_with_libsecp256k1(void)
{
    prepare_secp();
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < ITEMS; i++) {
            make_valid(&items[i]);
            if (test_random_below(2) == 0)
                spoil(&items[i]);
            wanted[i] = wants(&items[i]);
        }
        for (size_t e = 0; e < ARRAY_LEN(engines); e++) {
            if (!engine_is_here(e))
                continue;
            EXPECT_TRUE(engines[e].label, sigbatch_use(engines[e].run));
            sigbatch_verify(items, ITEMS);
            for (size_t i = 0; i < ITEMS; i++)
                EXPECT_INT(engines[e].label, items[i].is_valid, wanted[i]);
        }
    }
    CHECK(sigbatch_use(NULL));
    secp_clear();
}

/* Valid items must be settled by the lanes, or nothing is gained. */
static void valid_ones_stay_in_the_lanes(void)
{
    prepare_secp();
    for (size_t i = 0; i < ITEMS; i++)
        make_valid(&items[i]);
    for (size_t e = 0; e < ARRAY_LEN(engines); e++) {
        struct sigbatch_stats before = sigbatch_stats();
        struct sigbatch_stats after;

        if (!engine_is_here(e))
            continue;
        EXPECT_TRUE(engines[e].label, sigbatch_use(engines[e].run));
        sigbatch_verify(items, ITEMS);
        after = sigbatch_stats();
        EXPECT_U64(engines[e].label, after.lanes - before.lanes, ITEMS);
        EXPECT_U64(engines[e].label, after.again - before.again, 0);
        EXPECT_U64(engines[e].label, after.directly - before.directly, 0);
    }
    CHECK(sigbatch_use(NULL));
    secp_clear();
}

TEST_LIST(TEST(agree_with_libsecp256k1), TEST(valid_ones_stay_in_the_lanes))
