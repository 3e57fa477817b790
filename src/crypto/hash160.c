#include "crypto/hash160.h"

#include "crypto/ripemd160.h"
#include "crypto/sha256.h"

void hash160(uint8_t *ret_digest, const void *data, size_t len)
{
    uint8_t digest[SHA256_BYTES];

    sha256(digest, data, len);
    ripemd160(ret_digest, digest, sizeof(digest));
}
