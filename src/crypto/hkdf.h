/* HKDF (RFC 5869) over SHA-256, outputs of one hash. Any thread. */
#ifndef CRYPTO_HKDF_H
#define CRYPTO_HKDF_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

#define HKDF_BYTES 32

/* HKDF-Extract: 32 bytes. */
void hkdf_extract(uint8_t *ret_prk, struct span salt, struct span input_key) NONNULL(1);
/* HKDF-Expand with L = 32. prk as from hkdf_extract. */
void hkdf_expand(uint8_t *ret_key, const uint8_t *prk, struct span info) NONNULL(1, 2);

#endif /* CRYPTO_HKDF_H */
