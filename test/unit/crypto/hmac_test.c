#include "crypto/hmac.h"

#include "base/hex.h"
#include "test.h"

/* RFC 4231, test cases 1 to 4, 6 and 7; keys and data as hex. */
static const struct {
    const char *label;
    const char *key;
    const char *data;
    const char *mac256;
    const char *mac512;
} rows[] = {
    {"case 1", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
     "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702"
     "038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
    {"case 2", "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a"
     "6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
    {"case 3", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
     "dddddddddddddddddddd",
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
     "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c8"
     "06b485a47e67c807b946a337bee8942674278859e13292fb"},
    {"case 4", "0102030405060708090a0b0c0d0e0f10111213141516171819",
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
     "cdcdcdcdcdcdcdcdcdcd",
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
     "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4"
     "d679275cc5788063a5f19741120c4f2de2adebeb10a298dd"},
    {"case 6",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaa",
     "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d20"
     "48617368204b6579204669727374",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
     "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598"
     "bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
    {"case 7",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaa",
     "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b"
     "2d73697a65206b657920616e642061206c6172676572207468616e20626c6f636b2d73697a652064"
     "6174612e20546865206b6579206e6565647320746f20626520686173686564206265666f72652062"
     "65696e6720757365642062792074686520484d414320616c676f726974686d2e",
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
     "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b1"
     "0d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58"},
};

static void rfc_4231(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf key = {0};
        struct buf data = {0};
        uint8_t mac[64];
        char text[129];

        EXPECT_TRUE(rows[i].label, hex_read_buf(&key, rows[i].key, strlen(rows[i].key)));
        EXPECT_TRUE(rows[i].label, hex_read_buf(&data, rows[i].data, strlen(rows[i].data)));
        hmac_sha256(mac, key.data, key.len, data.data, data.len);
        hex_write(text, mac, 32);
        EXPECT_STR(rows[i].label, text, rows[i].mac256);
        hmac_sha512(mac, key.data, key.len, data.data, data.len);
        hex_write(text, mac, 64);
        EXPECT_STR(rows[i].label, text, rows[i].mac512);
        buf_clear(&key);
        buf_clear(&data);
    }
}

/* Keys at the block's border, against the definition: H(k ^ o, H(k ^ i, m)). */
static void keys_around_the_block(void)
{
    for (size_t len = 60; len <= 132; len++) {
        uint8_t key[132];
        uint8_t block[128 + 64];
        uint8_t padded[128] = {0};
        uint8_t mac[64];

        test_random_fill(key, len);
        if (len > 64)
            sha256(padded, key, len);
        else
            memcpy(padded, key, len);
        for (size_t i = 0; i < 64; i++)
            block[i] = padded[i] ^ 0x36;
        block[64] = 'm';
        sha256(block + 64, block, 65);
        for (size_t i = 0; i < 64; i++)
            block[i] = padded[i] ^ 0x5c;
        sha256(block, block, 96);
        hmac_sha256(mac, key, len, "m", 1);
        EXPECT_BYTES("sha256", mac, 32, block, 32);

        memset(padded, 0, sizeof(padded));
        if (len > 128)
            sha512(padded, key, len);
        else
            memcpy(padded, key, len);
        for (size_t i = 0; i < 128; i++)
            block[i] = padded[i] ^ 0x36;
        block[128] = 'm';
        sha512(block + 128, block, 129);
        for (size_t i = 0; i < 128; i++)
            block[i] = padded[i] ^ 0x5c;
        sha512(block, block, 192);
        hmac_sha512(mac, key, len, "m", 1);
        EXPECT_BYTES("sha512", mac, 64, block, 64);
    }
}

TEST_LIST(TEST(rfc_4231), TEST(keys_around_the_block))
