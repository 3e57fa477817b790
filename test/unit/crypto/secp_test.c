#include "crypto/secp.h"

#include "base/hex.h"
#include "crypto/sha256.h"
#include "test.h"

static const uint8_t seed[32] = {7};

static void random_key(uint8_t *ret_seckey, struct secp_pubkey *ret_pubkey)
{
    test_random_fill(ret_seckey, 32);
    ret_seckey[0] &= 0x7f; /* Below the group order for sure. */
    CHECK(secp_pubkey_of(ret_pubkey, ret_seckey));
}

static void scalar_minus(uint8_t *ret_out, const uint8_t *from, const uint8_t *what)
{
    unsigned borrow = 0;

    for (size_t i = 32; i-- > 0;) {
        unsigned d = (unsigned)from[i] - what[i] - borrow;

        ret_out[i] = (uint8_t)d;
        borrow = d >> 31;
    }
}

static const char order_hex[] = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

static void ecdsa_round_trip(void)
{
    uint8_t order[32];

    secp_init(seed);
    CHECK(hex_read(order, 32, order_hex, 64));
    for (int i = 0; i < 100; i++) {
        uint8_t seckey[32];
        uint8_t hash[32];
        uint8_t der[SECP_DER_BYTES_MAX];
        uint8_t bytes[65];
        struct secp_pubkey pubkey;
        struct ecdsa_sig sig;
        struct ecdsa_sig again;
        size_t len;

        random_key(seckey, &pubkey);
        test_random_fill(hash, 32);
        EXPECT_TRUE("sign", ecdsa_sign(&sig, hash, seckey, true));
        EXPECT_TRUE("low r", sig.r[0] < 0x80);
        EXPECT_TRUE("low s", ecdsa_sig_is_low_s(&sig));
        len = ecdsa_sig_write(der, &sig);
        EXPECT_TRUE("length", len <= 70);
        EXPECT_TRUE("strict", ecdsa_sig_read_strict(&again, der, len));
        EXPECT_BYTES("strict", &again, sizeof(again), &sig, sizeof(sig));
        EXPECT_TRUE("lax", ecdsa_sig_read_lax(&again, der, len));
        EXPECT_BYTES("lax", &again, sizeof(again), &sig, sizeof(sig));
        secp_pubkey_write(bytes, &pubkey);
        EXPECT_TRUE("compressed", ecdsa_verify_lax(der, len, hash, bytes, 33));
        secp_pubkey_write_long(bytes, &pubkey);
        EXPECT_TRUE("long", ecdsa_verify_lax(der, len, hash, bytes, 65));
        bytes[0] = (uint8_t)(6 | (bytes[64] & 1));
        EXPECT_TRUE("hybrid", ecdsa_verify_lax(der, len, hash, bytes, 65));
        bytes[0] ^= 1;
        EXPECT_TRUE("hybrid, other parity", !ecdsa_verify_lax(der, len, hash, bytes, 65));
        EXPECT_TRUE("33 of a long one", !ecdsa_verify_lax(der, len, hash, bytes, 33));
        scalar_minus(again.s, order, sig.s);
        EXPECT_TRUE("high s", !ecdsa_sig_is_low_s(&again));
        EXPECT_TRUE("high s", ecdsa_sig_verify(&again, hash, &pubkey));
        hash[i % 32] ^= 1;
        EXPECT_TRUE("other message", !ecdsa_sig_verify(&sig, hash, &pubkey));
    }
}

/* Nonces are those of RFC 6979: "Satoshi Nakamoto" under key 1, as many
 * implementations publish it. */
static void rfc_6979_nonce(void)
{
    uint8_t seckey[32] = {0};
    uint8_t hash[32];
    struct ecdsa_sig sig;
    char text[65];

    secp_init(seed);
    seckey[31] = 1;
    sha256(hash, "Satoshi Nakamoto", 16);
    EXPECT_TRUE("sign", ecdsa_sign(&sig, hash, seckey, false));
    hex_write(text, sig.r, 32);
    EXPECT_STR("r", text, "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8");
    hex_write(text, sig.s, 32);
    EXPECT_STR("s", text, "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5");
}

static void recovery(void)
{
    secp_init(seed);
    for (int i = 0; i < 50; i++) {
        uint8_t seckey[32];
        uint8_t hash[32];
        uint8_t want[33];
        uint8_t got[33];
        struct secp_pubkey pubkey;
        struct secp_pubkey found;
        struct ecdsa_sig sig;
        int recid;

        random_key(seckey, &pubkey);
        test_random_fill(hash, 32);
        EXPECT_TRUE("sign", ecdsa_sign_recoverable(&sig, &recid, hash, seckey));
        EXPECT_TRUE("recover", ecdsa_recover(&found, &sig, recid, hash));
        secp_pubkey_write(want, &pubkey);
        secp_pubkey_write(got, &found);
        EXPECT_BYTES("key", got, 33, want, 33);
        if (ecdsa_recover(&found, &sig, recid ^ 1, hash)) {
            secp_pubkey_write(got, &found);
            EXPECT_TRUE("other id, other key", memcmp(got, want, 33) != 0);
        }
        memset(&sig, 0, sizeof(sig));
        EXPECT_TRUE("zeros", !ecdsa_recover(&found, &sig, recid, hash));
    }
}

static void schnorr_round_trip(void)
{
    secp_init(seed);
    for (int i = 0; i < 50; i++) {
        uint8_t seckey[32];
        uint8_t hash[32];
        uint8_t aux[32];
        uint8_t xonly[32];
        uint8_t sig[64];
        struct secp_pubkey pubkey;
        bool odd;

        random_key(seckey, &pubkey);
        test_random_fill(hash, 32);
        test_random_fill(aux, 32);
        secp_xonly_of(xonly, &odd, &pubkey);
        EXPECT_TRUE("valid", secp_xonly_is_valid(xonly));
        EXPECT_TRUE("sign", schnorr_sign(sig, hash, seckey, i % 2 == 0 ? aux : NULL));
        EXPECT_TRUE("verify", schnorr_verify(sig, hash, 32, xonly));
        sig[test_random_below(64)] ^= (uint8_t)(1U << test_random_below(8));
        EXPECT_TRUE("bent", !schnorr_verify(sig, hash, 32, xonly));
    }
}

/* Tweaking secret and public key gives one pair, for both ways of tweaking. */
static void tweaks_agree(void)
{
    secp_init(seed);
    for (int i = 0; i < 50; i++) {
        uint8_t seckey[32];
        uint8_t other[32];
        uint8_t tweak[32];
        uint8_t internal[32];
        uint8_t xonly[32];
        uint8_t xonly_want[32];
        uint8_t got[33];
        uint8_t want[33];
        struct secp_pubkey pubkey;
        struct secp_pubkey tweaked;
        bool odd;
        bool odd_want;

        random_key(seckey, &pubkey);
        test_random_fill(tweak, 32);
        memcpy(other, seckey, 32);
        EXPECT_TRUE("seckey", secp_seckey_tweak_add(other, tweak));
        EXPECT_TRUE("its key", secp_pubkey_of(&tweaked, other));
        secp_pubkey_write(want, &tweaked);
        tweaked = pubkey;
        EXPECT_TRUE("pubkey", secp_pubkey_tweak_add(&tweaked, tweak));
        secp_pubkey_write(got, &tweaked);
        EXPECT_BYTES("plain", got, 33, want, 33);

        secp_xonly_of(internal, &odd, &pubkey);
        memcpy(other, seckey, 32);
        EXPECT_TRUE("seckey", secp_seckey_xonly_tweak_add(other, tweak));
        EXPECT_TRUE("its key", secp_pubkey_of(&tweaked, other));
        secp_xonly_of(xonly_want, &odd_want, &tweaked);
        EXPECT_TRUE("xonly", secp_xonly_tweak_add(xonly, &odd, internal, tweak));
        EXPECT_BYTES("xonly", xonly, 32, xonly_want, 32);
        EXPECT_INT("oddness", odd, odd_want);
        EXPECT_TRUE("check", secp_xonly_tweak_check(xonly, odd, internal, tweak));
        EXPECT_TRUE("check, other side", !secp_xonly_tweak_check(xonly, !odd, internal, tweak));
        tweak[31] ^= 1;
        EXPECT_TRUE("check, other tweak", !secp_xonly_tweak_check(xonly, odd, internal, tweak));
    }
}

static void secret_key_range(void)
{
    uint8_t key[32] = {0};
    struct secp_pubkey pubkey;
    struct ecdsa_sig sig;
    uint8_t out[64];

    secp_init(seed);
    EXPECT_TRUE("zero", !secp_seckey_is_valid(key));
    EXPECT_TRUE("zero", !secp_pubkey_of(&pubkey, key));
    EXPECT_TRUE("zero", !ecdsa_sign(&sig, key, key, true));
    EXPECT_TRUE("zero", !schnorr_sign(out, key, key, NULL));
    CHECK(hex_read(key, 32, order_hex, 64));
    EXPECT_TRUE("order", !secp_seckey_is_valid(key));
    key[31]--;
    EXPECT_TRUE("greatest", secp_seckey_is_valid(key));
    EXPECT_TRUE("greatest", secp_seckey_negate(key));
    memset(out, 0, 32);
    out[31] = 1;
    EXPECT_BYTES("negated", key, 32, out, 32);
    secp_clear();
    secp_init(seed);
}

/* Encodings: what each of the two readers takes, and the numbers it finds. */
static const struct {
    const char *label;
    const char *der;
    bool lax;
    bool strict;
    bool zero;
    uint8_t r;
    uint8_t s;
} der_rows[] = {
    {"least", "3006020101020101", true, true, false, 1, 1},
    {"zeros", "3006020100020100", true, true, true, 0, 0},
    {"empty", "", false, false, false, 0, 0},
    {"tag alone", "30", false, false, false, 0, 0},
    {"wrong tag", "3106020101020101", false, false, false, 0, 0},
    {"wrong tag of r", "3006030101020101", false, false, false, 0, 0},
    {"wrong tag of s", "3006020101030101", false, false, false, 0, 0},
    {"sequence too short by its length", "3000020101020101", true, false, false, 1, 1},
    {"sequence too long by its length", "307f020101020101", true, false, false, 1, 1},
    {"sequence in long form", "308106020101020101", true, false, false, 1, 1},
    {"sequence's length cut", "30ff020101020101", false, false, false, 0, 0},
    {"indefinite length", "3080020101020101", true, false, false, 1, 1},
    {"bytes behind", "3006020101020101ffff", true, false, false, 1, 1},
    {"bytes behind, counted", "3008020101020101ffff", true, false, false, 1, 1},
    {"padded r", "300702020001020101", true, false, false, 1, 1},
    {"padded s", "300702010102020001", true, false, false, 1, 1},
    {"needed zero", "30070202008102010a", true, true, false, 0x81, 10},
    {"negative r", "3006020181020101", true, false, false, 0x81, 1},
    {"negative s", "3006020101020181", true, false, false, 1, 0x81},
    {"no digits in r", "30050200020101", true, false, false, 0, 1},
    {"no digits in s", "30050201010200", true, false, false, 1, 0},
    {"r in long form", "300702810101020101", true, false, false, 1, 1},
    {"r in long form with zeros", "300b0285000000000101020101", true, false, false, 1, 1},
    {"r in long form, four bytes", "300a02840100000101020101", false, false, false, 0, 0},
    {"r in long form, wraps 64 bits", "300f02890100000000000000010102010100", false, false, false,
     0, 0},
    {"r indefinite", "300602800101020101", false, false, false, 0, 0},
    {"r too long", "3006020601020101", false, false, false, 0, 0},
    {"s cut", "3006020101020201", false, false, false, 0, 0},
    {"s missing", "3003020101", false, false, false, 0, 0},
    {"r is the order",
     "30260221"
     "00fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
     "020101",
     true, true, true, 0, 0},
    {"s of 33 digits",
     "3026020101"
     "0221"
     "010000000000000000000000000000000000000000000000000000000000000000",
     true, true, true, 0, 0},
};

static void der_readers(void)
{
    for (size_t i = 0; i < ARRAY_LEN(der_rows); i++) {
        const char *label = der_rows[i].label;
        struct buf der = {0};
        struct ecdsa_sig sig;
        struct ecdsa_sig want = {0};

        CHECK(hex_read_buf(&der, der_rows[i].der, strlen(der_rows[i].der)));
        if (!der_rows[i].zero) {
            want.r[31] = der_rows[i].r;
            want.s[31] = der_rows[i].s;
        }
        if (EXPECT_INT(label, ecdsa_sig_read_lax(&sig, der.data, der.len), der_rows[i].lax) &&
            der_rows[i].lax)
            EXPECT_BYTES(label, &sig, sizeof(sig), &want, sizeof(want));
        if (EXPECT_INT(label, ecdsa_sig_read_strict(&sig, der.data, der.len), der_rows[i].strict) &&
            der_rows[i].strict)
            EXPECT_BYTES(label, &sig, sizeof(sig), &want, sizeof(want));
        buf_clear(&der);
    }
}

/* The library's own strict reader against ours, over bent signatures. It reads
 * a negative number or one out of range as zero, by itself; ours refuses the
 * first and clears both numbers for the second. Neither can ever verify. */
static void compare_strict(const uint8_t *der, size_t len, int *ret_taken)
{
    static const uint8_t zero[32];
    secp256k1_ecdsa_signature theirs;
    struct ecdsa_sig ours;
    struct ecdsa_sig want;
    uint8_t compact[64];
    bool dead;

    if (secp256k1_ecdsa_signature_parse_der(secp256k1_context_static, &theirs, der, len) != 1) {
        EXPECT_TRUE("refused", !ecdsa_sig_read_strict(&ours, der, len));
        return;
    }
    CHECK(secp256k1_ecdsa_signature_serialize_compact(secp256k1_context_static, compact, &theirs) ==
          1);
    memcpy(want.r, compact, 32);
    memcpy(want.s, compact + 32, 32);
    dead = memcmp(want.r, zero, 32) == 0 || memcmp(want.s, zero, 32) == 0;
    if (!ecdsa_sig_read_strict(&ours, der, len)) {
        EXPECT_TRUE("refused by ours alone", dead);
        return;
    }
    (*ret_taken)++;
    if (dead)
        EXPECT_TRUE("dead", memcmp(ours.r, zero, 32) == 0 || memcmp(ours.s, zero, 32) == 0);
    else
        EXPECT_BYTES("numbers", &ours, sizeof(ours), &want, sizeof(want));
    want = ours;
    EXPECT_TRUE("lax", ecdsa_sig_read_lax(&ours, der, len));
    EXPECT_BYTES("lax", &ours, sizeof(ours), &want, sizeof(want));
}

static void strict_agrees_with_library(void)
{
    int taken = 0;

    for (int i = 0; i < 20000; i++) {
        uint8_t der[SECP_DER_BYTES_MAX + 2] = {0};
        struct ecdsa_sig sig;
        size_t len;

        test_random_fill(&sig, sizeof(sig));
        memset(sig.r, 0, test_random_below(33));
        memset(sig.s, 0, test_random_below(33));
        len = ecdsa_sig_write(der, &sig);
        for (uint64_t bends = test_random_below(3); bends > 0; bends--)
            der[test_random_below(6)] ^= (uint8_t)(1U << test_random_below(8));
        len -= test_random_below(20) == 0 ? 1 : 0;
        compare_strict(der, len, &taken);
    }
    EXPECT_TRUE("both kinds were met", taken > 2000 && taken < 18000);
}

TEST_LIST(TEST(ecdsa_round_trip), TEST(rfc_6979_nonce), TEST(recovery), TEST(schnorr_round_trip),
          TEST(tweaks_agree), TEST(secret_key_range), TEST(der_readers),
          TEST(strict_agrees_with_library))
