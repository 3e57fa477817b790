/* SHA-1 (FIPS 180-4). Broken as a hash: here only for OP_SHA1. Any thread. */
#ifndef CRYPTO_SHA1_H
#define CRYPTO_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define SHA1_BYTES 20

/* One-shot, 20 bytes out. */
void sha1(uint8_t *ret_digest, const void *data, size_t len);

#endif /* CRYPTO_SHA1_H */
