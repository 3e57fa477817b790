#include "crypto/chacha20.h"

#include <string.h>

#include <sodium.h>

#include "base/alloc.h"
#include "base/check.h"

#define BLOCK_BYTES 64

void chacha20_stream(uint8_t *ret_data, size_t len, const uint8_t *key, const uint8_t *nonce)
{
    CHECK(crypto_stream_chacha20_ietf(ret_data, len, nonce, key) == 0);
}

/* BIP 324: 4 bytes of a counter, then 8 of how often the key was replaced. */
static void make_nonce(uint8_t *ret_nonce, uint32_t low, uint64_t rekeys)
{
    put_le32(ret_nonce, low);
    put_le64(ret_nonce + 4, rekeys);
}

void fs_chacha20_init(struct fs_chacha20 *fs, const uint8_t *key)
{
    memset(fs, 0, sizeof(*fs));
    memcpy(fs->key, key, sizeof(fs->key));
    fs->block_at = BLOCK_BYTES;
}

static uint8_t next_byte(struct fs_chacha20 *fs)
{
    static const uint8_t zeros[BLOCK_BYTES];
    uint8_t nonce[CHACHA20_NONCE_BYTES];

    if (fs->block_at == BLOCK_BYTES) {
        make_nonce(nonce, 0, fs->rekeys);
        CHECK(crypto_stream_chacha20_ietf_xor_ic(fs->block, zeros, BLOCK_BYTES, nonce,
                                                 fs->counter++, fs->key) == 0);
        fs->block_at = 0;
    }
    return fs->block[fs->block_at++];
}

void fs_chacha20_crypt(struct fs_chacha20 *fs, uint8_t *data, size_t len)
{
    uint8_t key[CHACHA20_KEY_BYTES];

    for (size_t i = 0; i < len; i++)
        data[i] ^= next_byte(fs);
    if (++fs->uses < FS_REKEY_INTERVAL)
        return;
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = next_byte(fs);
    memcpy(fs->key, key, sizeof(key));
    secret_wipe(key, sizeof(key));
    fs->uses = 0;
    fs->rekeys++;
    fs->counter = 0;
    fs->block_at = BLOCK_BYTES;
}

void fs_chacha20_clear(struct fs_chacha20 *fs)
{
    secret_wipe(fs, sizeof(*fs));
}

void fs_aead_init(struct fs_aead *fs, const uint8_t *key)
{
    memcpy(fs->key, key, sizeof(fs->key));
    fs->uses = 0;
    fs->rekeys = 0;
}

/* One packet is done; after the last of a key, the next key is the first half of
 * what zeros would encrypt to under a nonce no packet has. */
static void step(struct fs_aead *fs)
{
    static const uint8_t zeros[CHACHA20_KEY_BYTES];
    uint8_t nonce[CHACHA20_NONCE_BYTES];

    if (++fs->uses < FS_REKEY_INTERVAL)
        return;
    make_nonce(nonce, UINT32_MAX, fs->rekeys);
    uint8_t key[CHACHA20_KEY_BYTES];
    CHECK(crypto_stream_chacha20_ietf_xor_ic(key, zeros, sizeof(key), nonce, 1, fs->key) == 0);
    memcpy(fs->key, key, sizeof(key));
    secret_wipe(key, sizeof(key));
    fs->uses = 0;
    fs->rekeys++;
}

void fs_aead_seal(struct fs_aead *fs, uint8_t *data, size_t len, struct span aad, uint8_t *ret_tag)
{
    uint8_t nonce[CHACHA20_NONCE_BYTES];

    make_nonce(nonce, fs->uses, fs->rekeys);
    CHECK(crypto_aead_chacha20poly1305_ietf_encrypt_detached(
              data, ret_tag, NULL, data, len, aad.data, aad.len, NULL, nonce, fs->key) == 0);
    step(fs);
}

bool fs_aead_open(struct fs_aead *fs, uint8_t *data, size_t len, struct span aad,
                  const uint8_t *tag)
{
    uint8_t nonce[CHACHA20_NONCE_BYTES];
    bool fits;

    make_nonce(nonce, fs->uses, fs->rekeys);
    fits = crypto_aead_chacha20poly1305_ietf_decrypt_detached(data, NULL, data, len, tag, aad.data,
                                                              aad.len, nonce, fs->key) == 0;
    step(fs);
    return fits;
}

void fs_aead_clear(struct fs_aead *fs)
{
    secret_wipe(fs, sizeof(*fs));
}
