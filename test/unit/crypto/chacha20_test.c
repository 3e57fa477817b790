#include "crypto/chacha20.h"

#include "base/hex.h"
#include "test.h"

/* RFC 8439, A.1, vectors 1 and 2: the first two blocks of zero key and nonce. */
static void published_stream(void)
{
    static const char want[] = "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
                               "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
                               "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
                               "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f";
    uint8_t key[32] = {0};
    uint8_t nonce[12] = {0};
    uint8_t stream[128];
    uint8_t wanted[128];

    EXPECT_TRUE("hex", hex_read(wanted, sizeof(wanted), want, strlen(want)));
    chacha20_stream(stream, sizeof(stream), key, nonce);
    EXPECT_BYTES("stream", stream, sizeof(stream), wanted, sizeof(wanted));
}

/* The piecewise cipher against the definition of BIP 324 spelled out: within one key
 * the stream goes on, the key after 224 pieces is its next 32 bytes. */
static void pieces_are_one_stream(void)
{
    uint8_t key[32];
    uint8_t nonce[12] = {0};
    struct fs_chacha20 fs;
    uint8_t stream[FS_REKEY_INTERVAL * 40 + 32];

    test_random_fill(key, sizeof(key));
    fs_chacha20_init(&fs, key);
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        size_t at = 0;

        put_le64(nonce + 4, epoch);
        chacha20_stream(stream, sizeof(stream), key, nonce);
        for (int piece = 0; piece < FS_REKEY_INTERVAL; piece++) {
            uint8_t data[40] = {0};
            size_t len = test_random_below(sizeof(data) + 1);

            fs_chacha20_crypt(&fs, data, len);
            EXPECT_BYTES("piece", data, len, stream + at, len);
            at += len;
        }
        memcpy(key, stream + at, sizeof(key));
    }
}

static void packets_come_back(void)
{
    uint8_t key[32];
    uint8_t data[300];
    uint8_t sealed[300];
    uint8_t tag[POLY1305_TAG_BYTES];
    struct fs_aead ours;
    struct fs_aead theirs;

    test_random_fill(key, sizeof(key));
    fs_aead_init(&ours, key);
    fs_aead_init(&theirs, key);
    for (int i = 0; i < 3 * FS_REKEY_INTERVAL; i++) {
        size_t len = test_random_below(sizeof(data) + 1);
        uint8_t aad[20];
        size_t aad_len = test_random_below(sizeof(aad) + 1);

        test_random_fill(data, len);
        test_random_fill(aad, sizeof(aad));
        memcpy(sealed, data, len);
        fs_aead_seal(&ours, sealed, len, span_of(aad, aad_len), tag);
        EXPECT_TRUE("opens", fs_aead_open(&theirs, sealed, len, span_of(aad, aad_len), tag));
        EXPECT_BYTES("data", sealed, len, data, len);
    }
    EXPECT_TRUE("another key by now", memcmp(ours.key, key, sizeof(key)) != 0);
}

/* One bit anywhere: data, tag, associated data, or the place in the sequence. */
static void any_change_is_seen(void)
{
    uint8_t key[32];

    test_random_fill(key, sizeof(key));
    for (int round = 0; round < 500; round++) {
        uint8_t data[50];
        uint8_t aad[10];
        uint8_t tag[POLY1305_TAG_BYTES];
        struct fs_aead ours;
        struct fs_aead theirs;
        uint8_t bit = (uint8_t)(1U << test_random_below(8));

        test_random_fill(data, sizeof(data));
        test_random_fill(aad, sizeof(aad));
        fs_aead_init(&ours, key);
        fs_aead_init(&theirs, key);
        fs_aead_seal(&ours, data, sizeof(data), span_of(aad, sizeof(aad)), tag);
        switch (round % 4) {
        case 0:
            data[test_random_below(sizeof(data))] ^= bit;
            break;
        case 1:
            aad[test_random_below(sizeof(aad))] ^= bit;
            break;
        case 2:
            tag[test_random_below(sizeof(tag))] ^= bit;
            break;
        default:
            theirs.uses++;
            break;
        }
        EXPECT_TRUE("refused",
                    !fs_aead_open(&theirs, data, sizeof(data), span_of(aad, sizeof(aad)), tag));
    }
}

TEST_LIST(TEST(published_stream), TEST(pieces_are_one_stream), TEST(packets_come_back),
          TEST(any_change_is_seen))
