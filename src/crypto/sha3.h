/* SHA3-256 (FIPS 202): the checksum in the names of Tor's onion services. Any
 * thread. */
#ifndef CRYPTO_SHA3_H
#define CRYPTO_SHA3_H

#include <stddef.h>
#include <stdint.h>

#define SHA3_256_BYTES 32

/* One-shot, 32 bytes out. */
void sha3_256(uint8_t *ret_digest, const void *data, size_t len);

#endif /* CRYPTO_SHA3_H */
