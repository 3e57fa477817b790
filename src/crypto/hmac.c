#include "crypto/hmac.h"

#include <string.h>

#include "base/alloc.h"

#define INNER_PAD 0x36
#define OUTER_PAD 0x5c

void hmac_sha256_init(struct hmac_sha256 *mac, const void *key, size_t key_len)
{
    uint8_t pad[SHA256_BLOCK_BYTES] = {0};

    if (key_len > sizeof(pad))
        sha256(pad, key, key_len);
    else if (key_len > 0)
        memcpy(pad, key, key_len);
    for (size_t i = 0; i < sizeof(pad); i++)
        pad[i] ^= INNER_PAD;
    sha256_init(&mac->inner);
    sha256_add(&mac->inner, pad, sizeof(pad));
    for (size_t i = 0; i < sizeof(pad); i++)
        pad[i] ^= INNER_PAD ^ OUTER_PAD;
    sha256_init(&mac->outer);
    sha256_add(&mac->outer, pad, sizeof(pad));
    secret_wipe(pad, sizeof(pad));
}

void hmac_sha256_add(struct hmac_sha256 *mac, const void *data, size_t len)
{
    sha256_add(&mac->inner, data, len);
}

void hmac_sha256_finish(struct hmac_sha256 *mac, uint8_t *ret_digest)
{
    uint8_t digest[SHA256_BYTES];

    sha256_finish(&mac->inner, digest);
    sha256_add(&mac->outer, digest, sizeof(digest));
    sha256_finish(&mac->outer, ret_digest);
    secret_wipe(digest, sizeof(digest));
    secret_wipe(mac, sizeof(*mac));
}

void hmac_sha256(uint8_t *ret_digest, const void *key, size_t key_len, const void *data, size_t len)
{
    struct hmac_sha256 mac;

    hmac_sha256_init(&mac, key, key_len);
    hmac_sha256_add(&mac, data, len);
    hmac_sha256_finish(&mac, ret_digest);
}

void hmac_sha512_init(struct hmac_sha512 *mac, const void *key, size_t key_len)
{
    uint8_t pad[SHA512_BLOCK_BYTES] = {0};

    if (key_len > sizeof(pad))
        sha512(pad, key, key_len);
    else if (key_len > 0)
        memcpy(pad, key, key_len);
    for (size_t i = 0; i < sizeof(pad); i++)
        pad[i] ^= INNER_PAD;
    sha512_init(&mac->inner);
    sha512_add(&mac->inner, pad, sizeof(pad));
    for (size_t i = 0; i < sizeof(pad); i++)
        pad[i] ^= INNER_PAD ^ OUTER_PAD;
    sha512_init(&mac->outer);
    sha512_add(&mac->outer, pad, sizeof(pad));
    secret_wipe(pad, sizeof(pad));
}

void hmac_sha512_add(struct hmac_sha512 *mac, const void *data, size_t len)
{
    sha512_add(&mac->inner, data, len);
}

void hmac_sha512_finish(struct hmac_sha512 *mac, uint8_t *ret_digest)
{
    uint8_t digest[SHA512_BYTES];

    sha512_finish(&mac->inner, digest);
    sha512_add(&mac->outer, digest, sizeof(digest));
    sha512_finish(&mac->outer, ret_digest);
    secret_wipe(digest, sizeof(digest));
    secret_wipe(mac, sizeof(*mac));
}

void hmac_sha512(uint8_t *ret_digest, const void *key, size_t key_len, const void *data, size_t len)
{
    struct hmac_sha512 mac;

    hmac_sha512_init(&mac, key, key_len);
    hmac_sha512_add(&mac, data, len);
    hmac_sha512_finish(&mac, ret_digest);
}
