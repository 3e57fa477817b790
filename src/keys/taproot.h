/* Taproot outputs (BIP 341): a tree of scripts committed to by a key. */
#ifndef KEYS_TAPROOT_H
#define KEYS_TAPROOT_H

#include "base/arena.h"
#include "keys/key.h"

#define TAPROOT_DEPTH_MAX 128
#define TAPROOT_LEAF_TAPSCRIPT 0xc0
#define TAPROOT_CONTROL_BASE_BYTES 33

struct taproot_leaf {
    uint8_t depth;   /* In the tree; 0 for a lone script. */
    uint8_t version; /* TAPROOT_LEAF_TAPSCRIPT. */
    struct span script;
    uint8_t hash[32];
    struct span control; /* The control block that reveals it. */
};

struct taproot {
    uint8_t internal_key[XONLY_BYTES];
    uint8_t output_key[XONLY_BYTES];
    uint8_t merkle_root[32]; /* Zeros: no scripts. */
    bool output_is_odd;
    const struct taproot_leaf *leaves; /* Left to right. */
    size_t leaves_n;
};

/* Build the output of a tree whose leaves carry depth, version and script; hash
 * and control are filled in. The depths are whole.
 *
 * Returns: false if internal_key is no point.
 * Out:     ret_taproot: points to leaves; control blocks lie in arena. */
bool taproot_build(struct taproot *ret_taproot, const uint8_t *internal_key,
                   struct taproot_leaf *leaves, size_t leaves_n, struct arena *arena)
    NONNULL(1, 2, 5);

#endif /* KEYS_TAPROOT_H */
