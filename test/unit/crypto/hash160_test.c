#include "crypto/hash160.h"

#include "base/hex.h"
#include "test.h"

/* BIP 173 names this key and the hash in its address. */
static void key_of_bip_173(void)
{
    static const char key_hex[] =
        "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    uint8_t key[33];
    uint8_t digest[HASH160_BYTES];
    char text[2 * HASH160_BYTES + 1];

    CHECK(hex_read(key, sizeof(key), key_hex, strlen(key_hex)));
    hash160(digest, key, sizeof(key));
    hex_write(text, digest, sizeof(digest));
    EXPECT_STR("key", text, "751e76e8199196d454941c45d1b3a323f1433bd6");
}

TEST_LIST(TEST(key_of_bip_173))
