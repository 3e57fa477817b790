/* Addresses: what an output script pays to, as text. Pure; any thread. */
#ifndef KEYS_ADDRESS_H
#define KEYS_ADDRESS_H

#include "base/bytes.h"
#include "consensus/params.h"
#include "keys/key.h"

#define ADDRESS_ERROR_MAX 160
/* Positions of errors that bech32 can name. */
#define ADDRESS_LOCATIONS_MAX 128
/* Terminator included. */
#define ADDRESS_TEXT_MAX 91

enum destination_kind {
    DESTINATION_NONE, /* The script has no address. */
    DESTINATION_PUBKEY_HASH,
    DESTINATION_SCRIPT_HASH,
    DESTINATION_WITNESS_V0_KEY_HASH,
    DESTINATION_WITNESS_V0_SCRIPT_HASH,
    DESTINATION_TAPROOT,
    DESTINATION_ANCHOR,
    DESTINATION_WITNESS_UNKNOWN,
    DESTINATION_PUBKEY, /* A bare key: known, but without an address. */
};

struct destination {
    enum destination_kind kind;
    uint8_t version; /* Of a witness program. */
    uint8_t len;     /* Bytes of hash or program in use; 0 for PUBKEY. */
    uint8_t b[40];
};

/* Where and why a text is no address. */
struct address_error {
    char text[ADDRESS_ERROR_MAX];            /* As Bitcoin Core words it. */
    size_t locations[ADDRESS_LOCATIONS_MAX]; /* Positions in the text, if known. */
    size_t locations_n;
};

/* Returns: false if text is no address of this network; ret_destination is then
 *          DESTINATION_NONE.
 * Out:     ret_error: may be NULL. */
bool address_read(struct destination *ret_destination, struct span text,
                  const struct params *params, struct address_error *ret_error) NONNULL(1, 3);

/* Append the text; false, and nothing, for a destination that has none. */
bool address_write(struct buf *text, const struct destination *destination,
                   const struct params *params) NONNULL(1, 2, 3);

/* Append the output script; nothing for NONE and PUBKEY. */
void destination_write_script(struct buf *script, const struct destination *destination)
    NONNULL(1, 2);

/* What script pays to. */
struct destination destination_of_script(struct span script);

static inline bool destination_has_address(const struct destination *destination)
{
    return destination->kind != DESTINATION_NONE && destination->kind != DESTINATION_PUBKEY;
}

bool destination_equal(const struct destination *a, const struct destination *b) NONNULL(1, 2);

#endif /* KEYS_ADDRESS_H */
