/* Keys for one's own nodes: ours, in a file, and those of the others, as -peerkey names
 * them. What they prove is in wire.h (wire_set_pins), why in docs/decisions/0010.
 *
 * One thread: that of p2p.
 */
#ifndef P2P_PINS_H
#define P2P_PINS_H

#include "os/disk.h"
#include "p2p/address.h"
#include "p2p/random.h"
#include "p2p/wire.h"

struct pins;

#define PINS_FILE "peer_key"
#define PIN_KEY_BYTES 33
#define PIN_KEY_TEXT_SIZE (2 * PIN_KEY_BYTES + 1)

struct pins_options {
    struct disk *disk;            /* Borrowed, as random. */
    const char *path;             /* Of the own secret key: 64 hex digits. Copied. */
    struct random_source *random; /* For the own key, when there is none yet. */
    uint16_t default_port;
    const char *const *keys; /* "<66 hex digits>[@host[:port]]"; at most WIRE_PINS_MAX. */
    size_t keys_n;
};

/* Without keys nothing is read or made. Errors are fit for the user: E_MALFORMED or
 * E_LIMIT for an option, E_CORRUPT for the file, E_IO ... */
NODISCARD int pins_new(struct pins **ret_pins, const struct pins_options *options,
                       struct error *err);
void pins_free(struct pins *own_pins);

/* Our public key, for the others' -peerkey, PIN_KEY_TEXT_SIZE characters; makes the file
 * where there is none. */
NODISCARD int pins_own_key(struct pins *pins, char *ret_text, struct error *err);

/* How many keys there are, and where the i-th one's node is said to be ("host:port"; NULL:
 * it calls us). */
size_t pins_count(const struct pins *pins);
const char *pins_place(const struct pins *pins, size_t i);
/* The key of the i-th one as text. */
const char *pins_key(const struct pins *pins, size_t i);

/* Must who is called by this name (NULL or "": by address only) prove a key? Which: an
 * index, or -1. */
int pins_find(const struct pins *pins, const char *name, const struct net_address *address);

/* Before the wire is fed. Initiator: i is what pins_find said. */
void pins_set_one(const struct pins *pins, struct wire *wire, int i);
/* Responder: whoever of them calls, is known. */
void pins_set_all(const struct pins *pins, struct wire *wire);

#endif /* P2P_PINS_H */
