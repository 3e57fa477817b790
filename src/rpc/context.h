/* What the methods work on. Filled by app before the server starts and not
 * changed afterwards; all that changes lies behind the vtables.
 */
#ifndef RPC_CONTEXT_H
#define RPC_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "consensus/params.h"
#include "iface/host.h"
#include "iface/mempool.h"
#include "iface/node.h"

struct miner;
struct peers;
struct rpc_server;

struct rpc_context {
    struct node *node;
    struct mempool_view *mempool; /* NULL: none (tests). */
    struct host *host;
    struct peers *peers;       /* iface/peers.h */
    struct rpc_server *server; /* Set by rpc_server_new. */
    struct miner *miner;       /* iface/miner.h */
    const struct params *params;
    const char *const *deprecated; /* -deprecatedrpc: methods turned on again. */
    size_t deprecated_n;
    bool check_results;     /* -rpcdoccheck: hold replies against the table. */
    bool log_ips;           /* -logips */
    const char *user_agent; /* "/Satoshi:31.99.0(comment)/" */
};

/* Did the user ask for this deprecated behaviour? */
bool rpc_is_deprecated_enabled(const struct rpc_context *context, const char *name);

#endif /* RPC_CONTEXT_H */
