#include "rpc/peers_json.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"

int rpc_fail_no_peers(struct rpc_call *call)
{
    return rpc_fail(call, RPC_CLIENT_P2P_DISABLED,
                    "Error: Peer-to-peer functionality missing or disabled");
}

int rpc_peers_status(struct rpc_call *call, struct peers_status *ret_status)
{
    struct peers *peers = call->context->peers;

    if (peers == NULL)
        return rpc_fail_no_peers(call);
    peers->ops->status(peers, ret_status, call->arena);
    return 0;
}

void write_services(struct json_writer *w, const char *key, const char *names_key,
                    uint64_t services)
{
    static const char *const names[64] = {
        [0] = "NETWORK",          [2] = "BLOOM",  [3] = "WITNESS", [6] = "COMPACT_FILTERS",
        [10] = "NETWORK_LIMITED", [11] = "P2P_V2"};
    char text[32];

    (void)snprintf(text, sizeof(text), "%016" PRIx64, services);
    json_put_string(w, key, text);
    json_key(w, names_key);
    json_begin_array(w);
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        if ((services >> i & 1) == 0)
            continue;
        (void)snprintf(text, sizeof(text), "UNKNOWN[2^%u]", i);
        json_string(w, names[i] != NULL ? names[i] : text);
    }
    json_end_array(w);
}
