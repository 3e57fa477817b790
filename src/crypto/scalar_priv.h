/* Numbers modulo the order n of secp256k1: private to the crypto room. Not constant
 * time: for public data only.
 */
#ifndef CRYPTO_SCALAR_PRIV_H
#define CRYPTO_SCALAR_PRIV_H

#include <stdbool.h>
#include <stdint.h>

/* Least significant limb first; always below n. */
struct scalar {
    uint64_t d[4];
};

/* 32 bytes big-endian. False if the number was n or more; it is reduced then. */
bool scalar_read(struct scalar *ret_scalar, const uint8_t *bytes);
bool scalar_is_zero(const struct scalar *a);
bool scalar_is_high(const struct scalar *a); /* Over n / 2? */
void scalar_negate(struct scalar *ret_scalar, const struct scalar *a);
void scalar_add(struct scalar *ret_scalar, const struct scalar *a, const struct scalar *b);
void scalar_mul(struct scalar *ret_scalar, const struct scalar *a, const struct scalar *b);
/* By Fermat; the inverse of zero is zero. */
void scalar_inverse(struct scalar *ret_scalar, const struct scalar *a);

/* k = k1 + k2 * lambda (mod n) with both halves below 2^128 in size, where lambda
 * is the cube root of one that multiplies points by (beta * x, y). The sign of a
 * half is beside it. */
struct scalar_halves {
    uint64_t k1[2];
    uint64_t k2[2];
    bool k1_negative;
    bool k2_negative;
};
void scalar_split(struct scalar_halves *ret_halves, const struct scalar *k);

#endif /* CRYPTO_SCALAR_PRIV_H */
