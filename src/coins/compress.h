/* Core's short forms of amounts, scripts and integers, as in undo files and UTXO
 * snapshots. Any thread.
 */
#ifndef COINS_COMPRESS_H
#define COINS_COMPRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "codec/reader.h"
#include "primitives/coin.h"

/* Integers: base 128, most significant group first, each but the last with the top
 * bit set and one subtracted, so that every number has exactly one form. */
#define VARINT_BYTES_MAX 10
/* Returns the bytes used, at most VARINT_BYTES_MAX. */
size_t varint_write(uint8_t *out, uint64_t value);
/* Fails (E_MALFORMED) when the value is above max. */
uint64_t read_varint(struct reader *r, uint64_t max);

/* Amounts: trailing decimal zeros become an exponent. One to one for amounts in
 * the money range. */
uint64_t amount_compress(uint64_t amount_sat);
uint64_t amount_decompress(uint64_t compressed);

/* A whole output: compressed amount, then the script, of which six kinds have a
 * short form: key hash (00 + 20 bytes), script hash (01 + 20), public key
 * (02..05 + 32; 04 and 05: it was uncompressed). Others: varint length + 6, bytes. */
#define TXOUT_COMPRESSED_OVERHEAD (2 * VARINT_BYTES_MAX + 1)
/* Writes at most script.len + TXOUT_COMPRESSED_OVERHEAD bytes; returns how many. */
size_t txout_write_compressed(uint8_t *out, int64_t value_sat, struct span script_pubkey);

/* The script is made in arena where it had a short form (67 bytes at most), else it
 * points into the reader's input.
 *
 * On failure r is failed: E_TRUNCATED, or E_MALFORMED for an amount out of range, a
 * script over 10,000 bytes (never a coin) or a key that is no point. */
void read_txout_compressed(struct reader *r, int64_t *ret_value_sat, struct span *ret_script_pubkey,
                           struct arena *arena);

#endif /* COINS_COMPRESS_H */
