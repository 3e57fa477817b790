/* The files of methods: X(noun) stands for src/rpc/<noun>_methods.c and its array
 * rpc_<noun>_methods. One line each, sorted, so that two branches that add a
 * file do not meet. */
#ifndef RPC_GROUPS_H
#define RPC_GROUPS_H

#include "rpc/method.h"

#define RPC_GROUPS(X) \
    X(address)        \
    X(ban)            \
    X(block)          \
    X(blockchain)     \
    X(coins)          \
    X(connection)     \
    X(control)        \
    X(engine)         \
    X(fee)            \
    X(known)          \
    X(mempool)        \
    X(mining)         \
    X(network)        \
    X(proof)          \
    X(relay)          \
    X(scan)           \
    X(submission)     \
    X(template)       \
    X(transaction)

#define RPC_GROUP_EXTERN(noun) extern const struct rpc_method rpc_##noun##_methods[];
RPC_GROUPS(RPC_GROUP_EXTERN)
#undef RPC_GROUP_EXTERN

#endif /* RPC_GROUPS_H */
