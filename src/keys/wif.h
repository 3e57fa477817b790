/* Secret keys as text (WIF): base58 with checksum. Any thread. */
#ifndef KEYS_WIF_H
#define KEYS_WIF_H

#include "consensus/params.h"
#include "keys/key.h"

/* Text of a key, terminator included. */
#define WIF_TEXT_MAX 53

/* False: not a key of this network; ret_key is then wiped. */
bool wif_read(struct seckey *ret_key, struct span text, const struct params *params) NONNULL(1, 3);
void wif_write(struct buf *text, const struct seckey *key, const struct params *params)
    NONNULL(1, 2, 3);

#endif /* KEYS_WIF_H */
