/* Bech32 (BIP 173) and Bech32m (BIP 350): a prefix, the digit 1, values of five
 * bits and a checksum of six of them. What the values mean is keys/address.h. */
#ifndef CODEC_BECH32_H
#define CODEC_BECH32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

#define BECH32_TEXT_MAX 90
#define BECH32_CHECKSUM 6
#define BECH32_PREFIX_MAX 83
#define BECH32_VALUES_MAX 82

enum bech32_encoding { BECH32_CLASSIC, BECH32_M };

struct bech32 {
    enum bech32_encoding encoding;
    char prefix[BECH32_PREFIX_MAX + 1]; /* Lower case. */
    uint8_t values[BECH32_VALUES_MAX];  /* Without the checksum; each 0 to 31. */
    size_t values_n;
};

/* False, with *ret undefined, if text is neither of the two encodings. */
NODISCARD bool bech32_read(struct bech32 *ret, const char *text, size_t len) NONNULL(1);

/* Append. The prefix is lower case and not empty, the whole at most
 * BECH32_TEXT_MAX. */
void bech32_write(struct buf *buf, enum bech32_encoding encoding, const char *prefix,
                  const uint8_t *values, size_t values_n) NONNULL(1, 3);

/* Why bech32_read refused text, and at which characters (counted from 0): the
 * wrong digits where one or two explain a bad checksum (BIP 173, "Checksum
 * design"). What they should be is not told, so that nobody sends money to a
 * guess.
 *
 * Returns: a sentence with static lifetime, as RPC shows it; "" if the text is
 *          right.
 * Out:     ret_at: heap array, yours; NULL if there is none.
 *          ret_n:  its length, at most len. */
const char *bech32_find_errors(size_t **ret_at, size_t *ret_n, const char *text, size_t len)
    NONNULL(1, 2);

/* Bytes to five-bit values, zero bits behind. ret_values has room for
 * (8 * len + 4) / 5. Returns how many there are. */
size_t bech32_values_of_bytes(uint8_t *ret_values, const uint8_t *data, size_t len) NONNULL(1);

/* And back. ret_data has room for 5 * values_n / 8 bytes. False if five or more
 * bits are left over or one of them is set. */
NODISCARD bool bech32_bytes_of_values(uint8_t *ret_data, size_t *ret_len, const uint8_t *values,
                                      size_t values_n) NONNULL(1, 2);

#endif /* CODEC_BECH32_H */
