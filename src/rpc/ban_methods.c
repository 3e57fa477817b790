/* Whom the node does not want as peers. */
#include <string.h>

#include "iface/host.h"
#include "iface/peers.h"
#include "rpc/args.h"
#include "rpc/groups.h"
#include "rpc/help.h"
#include "rpc/peers_json.h"

static int put_null(struct rpc_call *call)
{
    json_null(call->out);
    return 0;
}

static int64_t now_s(struct rpc_call *call)
{
    return call->context->host->ops->now_s(call->context->host);
}

static int fail_with_help(struct rpc_call *call)
{
    struct buf text = {0};
    int rc;

    rpc_help_method(&text, call->method);
    rc = rpc_fail(call, RPC_MISC_ERROR, "%s", buf_string(&text));
    buf_clear(&text);
    return rc;
}

/* Until when: bantime counts from now, or is the time itself. 0: as long as -bantime
 * says. */
static int read_until(struct rpc_call *call, int64_t *ret_until_s)
{
    int64_t begin_s = now_s(call);
    int64_t time_s = 0;
    bool is_absolute = false;
    int rc = 0;

    if (rpc_arg_given(call, 2))
        rc = rpc_arg_int(call, &time_s, 2, INT64_MIN, INT64_MAX);
    if (rc == 0 && rpc_arg_given(call, 3))
        rc = rpc_arg_bool(call, &is_absolute, 3);
    if (rc < 0)
        return rc;
    if (is_absolute && time_s < begin_s)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Error: Absolute timestamp is in the past");
    *ret_until_s = time_s;
    if (time_s > 0 && !is_absolute && __builtin_add_overflow(begin_s, time_s, ret_until_s))
        *ret_until_s = INT64_MAX;
    if (time_s < 0)
        *ret_until_s = 0;
    return 0;
}

static int add_ban(struct rpc_call *call, const char *subnet)
{
    struct peers *peers = call->context->peers;
    int64_t until_s = 0;
    int rc = read_until(call, &until_s);

    if (rc < 0)
        return rc;
    switch (peers->ops->ban(peers, subnet, until_s)) {
    case PEERS_BAD_ADDRESS:
        return rpc_fail(call, RPC_CLIENT_INVALID_IP_OR_SUBNET, "Error: Invalid IP/Subnet");
    case PEERS_EXISTS:
        return rpc_fail(call, RPC_CLIENT_NODE_ALREADY_ADDED, "Error: IP/Subnet already banned");
    default:
        return put_null(call);
    }
}

static int set_ban(struct rpc_call *call)
{
    struct peers *peers = call->context->peers;
    const char *subnet;
    const char *command;
    int rc = rpc_arg_string(call, &command, 1);

    if (rc == 0 && strcmp(command, "add") != 0 && strcmp(command, "remove") != 0)
        return fail_with_help(call);
    if (rc == 0)
        rc = rpc_arg_string(call, &subnet, 0);
    if (rc < 0)
        return rc;
    if (peers == NULL)
        return rpc_fail_no_peers(call);
    if (strcmp(command, "add") == 0)
        return add_ban(call, subnet);
    switch (peers->ops->unban(peers, subnet)) {
    case PEERS_BAD_ADDRESS:
        return rpc_fail(call, RPC_CLIENT_INVALID_IP_OR_SUBNET, "Error: Invalid IP/Subnet");
    case PEERS_NOT_FOUND:
        return rpc_fail(call, RPC_CLIENT_INVALID_IP_OR_SUBNET,
                        "Error: Unban failed. Requested address/subnet was not previously manually "
                        "banned.");
    default:
        return put_null(call);
    }
}

static int list_banned(struct rpc_call *call)
{
    struct peers *peers = call->context->peers;
    struct json_writer *w = call->out;
    int64_t begin_s = now_s(call);
    struct peers_ban *list;
    size_t n;

    if (peers == NULL)
        return rpc_fail_no_peers(call);
    peers->ops->bans(peers, &list, &n, call->arena);
    json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(w);
        json_put_string(w, "address", list[i].subnet);
        json_put_int(w, "ban_created", list[i].created_s);
        json_put_int(w, "banned_until", list[i].until_s);
        json_put_int(w, "ban_duration", list[i].until_s - list[i].created_s);
        json_put_int(w, "time_remaining", list[i].until_s - begin_s);
        json_end_object(w);
    }
    json_end_array(w);
    return 0;
}

static int clear_banned(struct rpc_call *call)
{
    struct peers *peers = call->context->peers;

    if (peers == NULL)
        return rpc_fail_no_peers(call);
    peers->ops->clear_bans(peers);
    return put_null(call);
}

const struct rpc_method rpc_ban_methods[] = {
    {.name = "clearbanned",
     .group = "network",
     .summary = "Takes back all bans.",
     .results = RPC_RESULTS({RPC_NULL}),
     .examples = RPC_EXAMPLES(""),
     .run = clear_banned},
    {.name = "listbanned",
     .group = "network",
     .summary = "Lists the addresses, networks and autonomous systems that are banned.",
     .results = RPC_RESULTS(
         {RPC_ARR, .inner = RPC_RESULTS(
                       {RPC_OBJ, .inner = RPC_RESULTS(
                                     {RPC_STR, "address",
                                      "An address, a network of addresses, or AS and a number."},
                                     {RPC_TIME, "ban_created", "Since when."},
                                     {RPC_TIME, "banned_until", "Until when."},
                                     {RPC_TIME, "ban_duration", "For how long, in seconds."},
                                     {RPC_TIME, "time_remaining", "What is left of that."})})}),
     .examples = RPC_EXAMPLES(""),
     .run = list_banned},
    {.name = "setban",
     .group = "network",
     .summary = "Bans an address, a network of addresses or an autonomous system, or takes that "
                "back. Peers that are connected from there are ended.",
     .params =
         RPC_PARAMS({"subnet", RPC_STR, RPC_REQUIRED,
                     "1.2.3.4, 1.2.3.0/24, an onion or I2P address, or AS64496 (with -asmap)."},
                    {"command", RPC_STR, RPC_REQUIRED, "add or remove."},
                    {"bantime", RPC_NUM, "=0", "Seconds; 0: as long as -bantime says."},
                    {"absolute", RPC_BOOL, "=false", "bantime is the time at which the ban ends."}),
     .results = RPC_RESULTS({RPC_NULL}),
     .examples = RPC_EXAMPLES("\"192.168.0.6\" \"add\" 86400", "\"192.168.0.0/24\" \"add\""),
     .run = set_ban},
    {.name = NULL},
};
