/* HASH160: RIPEMD-160 of SHA-256, the hash of keys and scripts in addresses.
 * Any thread. */
#ifndef CRYPTO_HASH160_H
#define CRYPTO_HASH160_H

#include <stddef.h>
#include <stdint.h>

#define HASH160_BYTES 20

/* Writes 20 bytes. */
void hash160(uint8_t *ret_digest, const void *data, size_t len);

#endif /* CRYPTO_HASH160_H */
