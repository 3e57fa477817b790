#include "crypto/sha3.h"

#include "base/alloc.h"
#include "base/hex.h"

#include "test.h"

/* From NIST's example values for SHA3-256: no bits, and 200 bytes of 0xa3; and the
 * lengths round the block of 136 bytes as another implementation (Python's hashlib)
 * answers them. */
static const struct {
    size_t len;
    uint8_t byte;
    const char *digest;
} rows[] = {
    {0, 0, "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"},
    {200, 0xa3, "79f38adec5c20307a98ef76e8324afbfd46cfd81b22e3973c65fa1bd9de31787"},
    {1, 0x61, "80084bf2fba02475726feb2cab2d8215eab14bc6bdd8bfb2c8151257032ecd8b"},
    {7, 0x01, "37e95dc0d6a867a04a612e29998141d4da5ef2f7e0267a20f0ef6b82d18716e4"},
    {8, 0x02, "be5f299e24795805028e85fd1c40e47da763377b7e0bccd686af83db5b65f217"},
    {135, 0x03, "457619b089ab07e3eba7749b6e40bf3221757a5dc31f766c61be3c22c004e8a0"},
    {136, 0x04, "18b47a1f4834e55cfb257f32779f96d6d09c8d4eff1c8d92a7f8957fdaaa88e7"},
    {137, 0x05, "0e950fb40ad2cce4fada1ffca194c2081cca0772509209a82c05f9e9f6854dcb"},
    {271, 0x06, "1dd2dd71eba6a65e6973ab0875bf171a2ba5d9b2dd9c428176f65973d2c780af"},
    {272, 0x07, "9cfc80cb52b0330c67173510cb5f210e79b839e6d31959765be477d11379669d"},
    {1000, 0x08, "579a89001f5ceea4428a19ac2a0c908d143f9f660b410636aabccca6325955a4"},
};

static void published_answers(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t *data = alloc(rows[i].len + 1);
        uint8_t digest[SHA3_256_BYTES];
        char text[2 * SHA3_256_BYTES + 1];

        memset(data, rows[i].byte, rows[i].len);
        sha3_256(digest, data, rows[i].len);
        hex_write(text, digest, sizeof(digest));
        EXPECT_STR("digest", text, rows[i].digest);
        free(data);
    }
}

TEST_LIST(TEST(published_answers))
