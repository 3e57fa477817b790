/* CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of our records on
 * disk. It finds accidents, not attackers. Uses the processor's instruction
 * where there is one (SSE 4.2, found out before main); results are equal
 * everywhere. Any thread. */
#ifndef CRYPTO_CRC32C_H
#define CRYPTO_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from crc, the value so far (0 to start): crc32c(crc32c(0, a), b) is
 * the checksum of a followed by b. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/* The same in portable C: what the fast one is tested against. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len);

#endif /* CRYPTO_CRC32C_H */
