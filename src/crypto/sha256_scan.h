/* The inner loop of mining: double SHA-256 of 80-byte block headers that differ in their
 * last four bytes, the nonce. What does not change with it is computed once. Uses what
 * sha256_select chose. Pure; any thread.
 */
#ifndef CRYPTO_SHA256_SCAN_H
#define CRYPTO_SHA256_SCAN_H

#include <stdint.h>

#define SHA256_SCAN_HEADER_BYTES 80

/* A header without its nonce, taken as far as possible. */
struct sha256_scan {
    uint32_t midstate[8]; /* After its first 64 bytes. */
    uint32_t tail[3];     /* The next twelve, as words. */
    /* For vectors of nonces: the state after four rounds but for the nonce, the words
     * of those that follow with the rounds' constants added, and constant parts of
     * words 16 to 19, 30 and 31. */
    uint32_t after[8];
    uint32_t first[16];
    uint32_t w16, w17, w18, w19, w30, w31;
    uint32_t second_a, second_e; /* The second hash after its first round, likewise. */
};

/* header: 80 bytes; the last four are not looked at. */
void sha256_scan_init(struct sha256_scan *scan, const uint8_t *header);

/* Tries count nonces from first on, in order (first + count is at most 2^32). One is good
 * when the hash's last four bytes, as a little-endian number, are at most bound: the
 * hash as a number is then below (bound + 1) * 2^224.
 *
 * Returns: how many stand before the first good one; count: none is good. */
uint64_t sha256_scan_run(const struct sha256_scan *scan, uint32_t first, uint64_t count,
                         uint32_t bound);

#endif /* CRYPTO_SHA256_SCAN_H */
