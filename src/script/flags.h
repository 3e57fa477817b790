/* Verification flags: which rules a script is held to. Bits of a uint64_t. The
 * same list feeds tests and RPC: X(name, bit). */
#ifndef SCRIPT_FLAGS_H
#define SCRIPT_FLAGS_H

#include <stdint.h>

#define SCRIPT_FLAG_MAP(X)                       \
    X(P2SH, 0)                                   \
    X(STRICTENC, 1)                              \
    X(DERSIG, 2)                                 \
    X(LOW_S, 3)                                  \
    X(NULLDUMMY, 4)                              \
    X(SIGPUSHONLY, 5)                            \
    X(MINIMALDATA, 6)                            \
    X(DISCOURAGE_UPGRADABLE_NOPS, 7)             \
    X(CLEANSTACK, 8)                             \
    X(CHECKLOCKTIMEVERIFY, 9)                    \
    X(CHECKSEQUENCEVERIFY, 10)                   \
    X(WITNESS, 11)                               \
    X(DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM, 12) \
    X(MINIMALIF, 13)                             \
    X(NULLFAIL, 14)                              \
    X(WITNESS_PUBKEYTYPE, 15)                    \
    X(CONST_SCRIPTCODE, 16)                      \
    X(TAPROOT, 17)                               \
    X(DISCOURAGE_UPGRADABLE_TAPROOT_VERSION, 18) \
    X(DISCOURAGE_OP_SUCCESS, 19)                 \
    X(DISCOURAGE_UPGRADABLE_PUBKEYTYPE, 20)

enum {
#define SCRIPT_FLAG_BIT(name, bit) SCRIPT_FLAG_BIT_##name = (bit),
    SCRIPT_FLAG_MAP(SCRIPT_FLAG_BIT)
#undef SCRIPT_FLAG_BIT
        SCRIPT_FLAG_BITS
};

#define SCRIPT_VERIFY_NONE UINT64_C(0)
#define SCRIPT_VERIFY(name) (UINT64_C(1) << SCRIPT_FLAG_BIT_##name)

#endif /* SCRIPT_FLAGS_H */
