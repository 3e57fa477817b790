#include "crypto/base58check.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/sha256.h"

#define CHECKSUM_BYTES 4

bool base58check_read(uint8_t *ret_data, size_t *ret_len, size_t max_len, const char *text,
                      size_t text_len)
{
    uint8_t data[BASE58_BYTES_MAX];
    uint8_t digest[SHA256_BYTES];
    size_t len;
    bool good = false;

    CHECK(max_len <= BASE58CHECK_BYTES_MAX);
    if (base58_read(data, &len, max_len + CHECKSUM_BYTES, text, text_len) &&
        len >= CHECKSUM_BYTES) {
        len -= CHECKSUM_BYTES;
        sha256d(digest, data, len);
        good = memcmp(digest, data + len, CHECKSUM_BYTES) == 0;
        if (good) {
            memcpy(ret_data, data, len);
            *ret_len = len;
        }
    }
    secret_wipe(data, sizeof(data));
    return good;
}

void base58check_write(struct buf *buf, const uint8_t *data, size_t len)
{
    uint8_t all[BASE58_BYTES_MAX];
    uint8_t digest[SHA256_BYTES];

    CHECK(len <= BASE58CHECK_BYTES_MAX);
    if (len > 0)
        memcpy(all, data, len);
    sha256d(digest, data, len);
    memcpy(all + len, digest, CHECKSUM_BYTES);
    base58_write(buf, all, len + CHECKSUM_BYTES);
    secret_wipe(all, sizeof(all));
}
