#include "crypto/ellswift.h"

#include "base/hex.h"
#include "csv.h"
#include "test.h"

static bool read_hex32(uint8_t *ret, const char *text)
{
    return hex_read(ret, 32, text, strlen(text));
}

static void expect_x(const char *label, const uint8_t *ell, const char *x_hex)
{
    struct secp_pubkey point;
    uint8_t x[32];
    char hex[65];
    bool odd;

    ellswift_decode(&point, ell);
    secp_xonly_of(x, &odd, &point);
    hex_write(hex, x, sizeof(x));
    EXPECT_STR(label, hex, x_hex);
}

static void bip324_decode(void)
{
    struct csv csv;
    size_t rows = 0;

    if (!csv_open(&csv, "vectors/bips/bip-0324__ellswift_decode_test_vectors.csv"))
        return;
    while (csv_next(&csv)) {
        const char *text = csv_get(&csv, "ellswift");
        uint8_t ell[ELLSWIFT_BYTES];

        EXPECT_TRUE(text, hex_read(ell, sizeof(ell), text, strlen(text)));
        expect_x(text, ell, csv_get(&csv, "x"));
        rows++;
    }
    EXPECT_TRUE("rows", rows > 50);
    csv_close(&csv);
}

/* For every u and x the published t's, all of which must decode to x. */
static void bip324_inverse(void)
{
    struct csv csv;
    size_t found = 0;

    if (!csv_open(&csv, "vectors/bips/bip-0324__xswiftec_inv_test_vectors.csv"))
        return;
    while (csv_next(&csv)) {
        for (int i = 0; i < 8; i++) {
            char column[16];
            const char *t;
            uint8_t ell[ELLSWIFT_BYTES];

            (void)snprintf(column, sizeof(column), "case%d_t", i);
            t = csv_get(&csv, column);
            if (t[0] == '\0')
                continue;
            EXPECT_TRUE("u", read_hex32(ell, csv_get(&csv, "u")));
            EXPECT_TRUE("t", read_hex32(ell + 32, t));
            expect_x(column, ell, csv_get(&csv, "x"));
            found++;
        }
    }
    EXPECT_TRUE("found", found > 50);
    csv_close(&csv);
}

static void both_sides_agree(void)
{
    for (int round = 0; round < 50; round++) {
        uint8_t keys[2][32];
        uint8_t aux[32];
        uint8_t ell[2][ELLSWIFT_BYTES];
        uint8_t secret[3][32];
        struct secp_pubkey point;
        struct secp_pubkey want;
        uint8_t bytes[2][33];

        for (int i = 0; i < 2; i++) {
            do
                test_random_fill(keys[i], 32);
            while (!secp_seckey_is_valid(keys[i]));
            test_random_fill(aux, sizeof(aux));
            EXPECT_TRUE("made", ellswift_make(ell[i], keys[i], aux));
        }
        ellswift_decode(&point, ell[0]);
        EXPECT_TRUE("key", secp_pubkey_of(&want, keys[0]));
        secp_pubkey_write(bytes[0], &point);
        secp_pubkey_write(bytes[1], &want);
        EXPECT_BYTES("encodes the key", bytes[0], 33, bytes[1], 33);

        EXPECT_TRUE("ours", ellswift_shared(secret[0], ell[0], ell[1], keys[0], true));
        EXPECT_TRUE("theirs", ellswift_shared(secret[1], ell[1], ell[0], keys[1], false));
        EXPECT_BYTES("agree", secret[0], 32, secret[1], 32);
        EXPECT_TRUE("roles", ellswift_shared(secret[2], ell[1], ell[0], keys[1], true));
        EXPECT_TRUE("roles matter", memcmp(secret[0], secret[2], 32) != 0);
    }
}

static void plain_ecdh(void)
{
    uint8_t keys[2][32] = {{[31] = 2}, {[31] = 3}};
    uint8_t pubkeys[2][33];
    uint8_t secret[2][32];
    uint8_t zero[32] = {0};

    for (int i = 0; i < 2; i++) {
        struct secp_pubkey point;

        EXPECT_TRUE("key", secp_pubkey_of(&point, keys[i]));
        secp_pubkey_write(pubkeys[i], &point);
    }
    EXPECT_TRUE("a", ecdh_shared(secret[0], keys[0], pubkeys[1]));
    EXPECT_TRUE("b", ecdh_shared(secret[1], keys[1], pubkeys[0]));
    EXPECT_BYTES("agree", secret[0], 32, secret[1], 32);
    EXPECT_TRUE("no key", !ecdh_shared(secret[0], zero, pubkeys[1]));
    pubkeys[1][0] = 5;
    EXPECT_TRUE("no point", !ecdh_shared(secret[0], keys[0], pubkeys[1]));
}

static void start(void)
{
    uint8_t seed[32] = {1};

    secp_init(seed);
    EXPECT_TRUE("this build has it", ellswift_is_built());
}

static void stop(void)
{
    secp_clear();
}

TEST_LIST(TEST(start), TEST(bip324_decode), TEST(bip324_inverse), TEST(both_sides_agree),
          TEST(plain_ecdh), TEST(stop))
