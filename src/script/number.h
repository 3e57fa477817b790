/* Numbers on the script stack: little-endian, the sign in the highest bit of the
 * last byte, zero is the empty string.
 */
#ifndef SCRIPT_NUMBER_H
#define SCRIPT_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* Operands have at most this many bytes; results may have one more. */
#define SCRIPT_NUMBER_BYTES 4
/* BIP 65, BIP 112: lock times reach to 2^39 - 1. */
#define SCRIPT_LOCK_NUMBER_BYTES 5
/* Room for any number script_number_write can be asked for. */
#define SCRIPT_NUMBER_BYTES_MAX 9

/* Decode a number of at most bytes_max (up to 8) bytes.
 *
 * Returns: false, leaving ret_number alone, if it is longer, or if minimal is
 *          asked for and a shorter encoding exists. */
bool script_number_read(int64_t *ret_number, struct span bytes, size_t bytes_max, bool minimal);

/* Encode in the shortest way. ret_bytes has SCRIPT_NUMBER_BYTES_MAX bytes of
 * room; number is not INT64_MIN. Returns the bytes used. */
size_t script_number_write(uint8_t *ret_bytes, int64_t number);

/* Is a stack element true? False is zero of any length, negative zero too. */
bool script_bool(struct span bytes);

#endif /* SCRIPT_NUMBER_H */
