/* What kind of output a script_pubkey makes, and what stands in it. */
#ifndef SCRIPT_SOLVER_H
#define SCRIPT_SOLVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "script/parse.h"

/* X(name, text as shown by RPC) */
#define SCRIPT_TYPE_MAP(X)                            \
    X(NONSTANDARD, "nonstandard")                     \
    X(PUBKEY, "pubkey")                               \
    X(PUBKEYHASH, "pubkeyhash")                       \
    X(SCRIPTHASH, "scripthash")                       \
    X(MULTISIG, "multisig")                           \
    X(NULL_DATA, "nulldata")                          \
    X(ANCHOR, "anchor")                               \
    X(WITNESS_V0_KEYHASH, "witness_v0_keyhash")       \
    X(WITNESS_V0_SCRIPTHASH, "witness_v0_scripthash") \
    X(WITNESS_V1_TAPROOT, "witness_v1_taproot")       \
    X(WITNESS_UNKNOWN, "witness_unknown")

enum script_type {
#define SCRIPT_TYPE_ENUM(name, text) SCRIPT_TYPE_##name,
    SCRIPT_TYPE_MAP(SCRIPT_TYPE_ENUM)
#undef SCRIPT_TYPE_ENUM
};

/* Static; never NULL. */
const char *script_type_name(enum script_type type);

/* What a script says, as spans into it. */
struct solution {
    enum script_type type;
    /* PUBKEY: the key. PUBKEYHASH, SCRIPTHASH: 20 bytes. WITNESS_*: the program.
     * Else empty. */
    struct span data;
    uint8_t witness_version; /* WITNESS_*, ANCHOR. */
    /* MULTISIG: required of keys_n keys. Their form is checked, not that they are
     * points. */
    uint8_t required;
    uint8_t keys_n;
    struct span keys[SCRIPT_MULTISIG_KEYS_MAX];
};

/* Never fails: what fits nothing is NONSTANDARD. Returns ret_solution->type. */
enum script_type script_solve(struct solution *ret_solution, struct span script_pubkey);

#endif /* SCRIPT_SOLVER_H */
