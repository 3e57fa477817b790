#include "mining/scan.h"

#include "crypto/sha256.h"

#define NONCE_AT 76

/* The first 64 bytes do not change with the nonce: hashed once. */
static bool is_good(const struct sha256 *midstate, const uint8_t *header, const struct u256 *target)
{
    struct sha256 hash = *midstate;
    uint8_t digest[SHA256_BYTES];
    struct u256 value;

    sha256_add(&hash, header + SHA256_BLOCK_BYTES, HEADER_BYTES - SHA256_BLOCK_BYTES);
    sha256d_finish(&hash, digest);
    /* Nearly all fail in the highest word. */
    if (get_le64(digest + 24) > target->limb[3])
        return false;
    value = u256_of_hash(digest);
    return u256_compare(&value, target) <= 0;
}

enum scan_result nonce_scan(uint8_t *header, const struct u256 *target, uint64_t *tries,
                            bool (*go_on)(void *context), void *context)
{
    uint32_t nonce = get_le32(header + NONCE_AT);
    struct sha256 midstate;

    sha256_init(&midstate);
    sha256_add(&midstate, header, SHA256_BLOCK_BYTES);
    while (*tries > 0 && nonce < UINT32_MAX && !is_good(&midstate, header, target)) {
        put_le32(header + NONCE_AT, ++nonce);
        --*tries;
        if (go_on != NULL && nonce % SCAN_ASK_EVERY == 0 && !go_on(context))
            return SCAN_STOPPED;
    }
    if (*tries == 0)
        return SCAN_NO_TRIES;
    return nonce == UINT32_MAX ? SCAN_NO_NONCES : SCAN_FOUND;
}
