/* Methods that make, end and forbid connections. */
#include <ctype.h>
#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "iface/peers.h"
#include "rpc/args.h"
#include "rpc/groups.h"
#include "rpc/help.h"
#include "rpc/peers_json.h"

#define SERVICE_P2P_V2 (UINT64_C(1) << 11)
#define MESSAGE_NAME_MAX 12

static int put_null(struct rpc_call *call)
{
    json_null(call->out);
    return 0;
}

/* The help as the error: how wrong words have always been answered. */
static int fail_with_help(struct rpc_call *call, int code)
{
    struct buf text = {0};
    int rc;

    rpc_help_method(&text, call->method);
    rc = rpc_fail(call, code, "%s", buf_string(&text));
    buf_clear(&text);
    return rc;
}

static int ping(struct rpc_call *call)
{
    struct peers *peers = call->context->peers;

    if (peers == NULL)
        return rpc_fail_no_peers(call);
    peers->ops->ping_all(peers);
    return put_null(call);
}

static int set_network_active(struct rpc_call *call)
{
    struct peers *peers = call->context->peers;
    bool is_active;
    int rc = rpc_arg_bool(call, &is_active, 0);

    if (rc < 0)
        return rc;
    if (peers == NULL)
        return rpc_fail_no_peers(call);
    peers->ops->set_active(peers, is_active);
    json_bool(call->out, is_active);
    return 0;
}

/* --- addnode, addconnection --- */

static bool is_blank(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return *text == '\0';
}

/* Which transport: what the call says, else what the node speaks. */
static int read_v2(struct rpc_call *call, bool *ret_v2, bool *ret_node_v2, size_t index)
{
    struct peers_status status;
    int rc = rpc_peers_status(call, &status);

    if (rc < 0)
        return rc;
    *ret_node_v2 = (status.local_services & SERVICE_P2P_V2) != 0;
    *ret_v2 = *ret_node_v2;
    return rpc_arg_given(call, index) ? rpc_arg_bool(call, ret_v2, index) : 0;
}

static int add_node(struct rpc_call *call)
{
    struct peers *peers = call->context->peers;
    const char *node;
    const char *command;
    bool use_v2;
    bool node_v2;
    enum peers_answer answer;
    int rc = rpc_arg_string(call, &command, 1);

    if (rc == 0 && strcmp(command, "add") != 0 && strcmp(command, "remove") != 0 &&
        strcmp(command, "onetry") != 0)
        return fail_with_help(call, RPC_MISC_ERROR);
    if (rc == 0)
        rc = rpc_arg_string(call, &node, 0);
    if (rc == 0 && is_blank(node))
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Error: Node address cannot be empty");
    if (rc == 0)
        rc = read_v2(call, &use_v2, &node_v2, 2);
    if (rc < 0)
        return rc;
    if (use_v2 && !node_v2)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Error: v2transport requested but not enabled (see -v2transport)");
    answer = peers->ops->add_node(peers, node, command, use_v2);
    if (answer == PEERS_EXISTS)
        return rpc_fail(call, RPC_CLIENT_NODE_ALREADY_ADDED, "Error: Node already added");
    if (answer == PEERS_NOT_FOUND)
        return rpc_fail(call, RPC_CLIENT_NODE_NOT_ADDED,
                        "Error: Node could not be removed. It has not been added previously.");
    return put_null(call);
}

static int add_connection(struct rpc_call *call)
{
    static const char *const types[] = {"outbound-full-relay", "block-relay-only", "addr-fetch",
                                        "feeler"};
    struct peers *peers = call->context->peers;
    const char *address;
    const char *type;
    bool use_v2;
    bool node_v2;
    bool is_known = false;
    int rc;

    if (strcmp(call->context->params->name, "regtest") != 0)
        return rpc_fail(call, RPC_MISC_ERROR,
                        "addconnection is for regression testing (-regtest mode) only.");
    rc = rpc_arg_string(call, &address, 0);
    if (rc == 0)
        rc = rpc_arg_string(call, &type, 1);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        is_known = is_known || strcmp(types[i], type) == 0;
    if (!is_known)
        return fail_with_help(call, RPC_INVALID_PARAMETER);
    rc = read_v2(call, &use_v2, &node_v2, 2);
    if (rc < 0)
        return rc;
    if (use_v2 && !node_v2)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Error: Adding v2transport connections requires -v2transport init flag to "
                        "be set.");
    if (peers->ops->add_connection(peers, address, type, use_v2) != PEERS_OK)
        return rpc_fail(call, RPC_CLIENT_NODE_CAPACITY_REACHED,
                        "Error: Already at capacity for specified connection type.");
    json_begin_object(call->out);
    json_put_string(call->out, "address", address);
    json_put_string(call->out, "connection_type", type);
    json_end_object(call->out);
    return 0;
}

/* --- disconnectnode, getaddednodeinfo, sendmsgtopeer --- */

static int disconnect_node(struct rpc_call *call)
{
    struct peers *peers = call->context->peers;
    const char *address = NULL;
    int64_t id = 0;
    bool has_id = rpc_arg_given(call, 1);
    int rc = rpc_arg_given(call, 0) ? rpc_arg_string(call, &address, 0) : 0;

    if (rc == 0 && has_id)
        rc = rpc_arg_int(call, &id, 1, INT64_MIN, INT64_MAX);
    if (rc < 0)
        return rc;
    if (peers == NULL)
        return rpc_fail_no_peers(call);
    if (has_id ? address != NULL && address[0] != '\0' : address == NULL)
        return rpc_fail(call, RPC_INVALID_PARAMS,
                        "Only one of address and nodeid should be provided.");
    if (peers->ops->disconnect(peers, has_id ? NULL : address, id) != PEERS_OK)
        return rpc_fail(call, RPC_CLIENT_NODE_NOT_CONNECTED, "Node not found in connected nodes");
    return put_null(call);
}

static void put_added(struct json_writer *w, const struct peers_added *added)
{
    json_begin_object(w);
    json_put_string(w, "addednode", added->node);
    json_put_bool(w, "connected", added->is_connected);
    json_key(w, "addresses");
    json_begin_array(w);
    if (added->is_connected) {
        json_begin_object(w);
        json_put_string(w, "address", added->address);
        json_put_string(w, "connected", added->is_inbound ? "inbound" : "outbound");
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
}

static int get_added_node_info(struct rpc_call *call)
{
    struct peers *peers = call->context->peers;
    const char *node = NULL;
    struct peers_added *list;
    size_t n;
    size_t shown = 0;
    int rc = rpc_arg_given(call, 0) ? rpc_arg_string(call, &node, 0) : 0;

    if (rc < 0)
        return rc;
    if (peers == NULL)
        return rpc_fail_no_peers(call);
    peers->ops->added(peers, &list, &n, call->arena);
    json_begin_array(call->out);
    for (size_t i = 0; i < n; i++) {
        if (node != NULL && strcmp(list[i].node, node) != 0)
            continue;
        put_added(call->out, &list[i]);
        shown++;
    }
    json_end_array(call->out);
    if (node != NULL && shown == 0)
        return rpc_fail(call, RPC_CLIENT_NODE_NOT_ADDED, "Error: Node has not been added.");
    return 0;
}

static int send_payload(struct rpc_call *call, int64_t id, const char *type, const char *hex)
{
    struct peers *peers = call->context->peers;
    struct buf payload = {0};
    enum peers_answer answer = PEERS_OFF;
    int rc = 0;

    if (!hex_read_buf(&payload, hex, strlen(hex)))
        rc = rpc_fail(call, RPC_INVALID_PARAMETER, "Error parsing input for msg");
    else
        answer = peers->ops->send_raw(peers, id, type, span_of_buf(&payload));
    if (rc == 0 && answer != PEERS_OK)
        rc = rpc_fail(call, RPC_MISC_ERROR, "Error: Could not send message to peer");
    buf_clear(&payload);
    return rc;
}

static int send_msg_to_peer(struct rpc_call *call)
{
    const char *type;
    const char *hex;
    int64_t id;
    int rc = rpc_arg_int(call, &id, 0, INT64_MIN, INT64_MAX);

    if (rc == 0)
        rc = rpc_arg_string(call, &type, 1);
    if (rc == 0 && strlen(type) > MESSAGE_NAME_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Error: msg_type too long, max length is %d",
                        MESSAGE_NAME_MAX);
    if (rc == 0)
        rc = rpc_arg_string(call, &hex, 2);
    if (rc == 0 && call->context->peers == NULL)
        rc = rpc_fail_no_peers(call);
    if (rc == 0)
        rc = send_payload(call, id, type, hex);
    if (rc < 0)
        return rc;
    json_begin_object(call->out);
    json_end_object(call->out);
    return 0;
}

const struct rpc_method rpc_connection_methods[] = {
    {.name = "addconnection",
     .group = "hidden",
     .summary = "Opens a connection of a kind to a node; for tests (regtest).",
     .params = RPC_PARAMS({"address", RPC_STR, RPC_REQUIRED, "Address and port."},
                          {"connection_type", RPC_STR, RPC_REQUIRED,
                           "outbound-full-relay, block-relay-only, addr-fetch or feeler."},
                          {"v2transport", RPC_BOOL, RPC_REQUIRED, "Speak v2?"}),
     .results =
         RPC_RESULTS({RPC_OBJ, .inner = RPC_RESULTS({RPC_STR, "address", "The address."},
                                                    {RPC_STR, "connection_type", "The kind."})}),
     .examples = RPC_EXAMPLES("\"192.168.0.6:8333\" \"outbound-full-relay\" true"),
     .run = add_connection},
    {.name = "addnode",
     .group = "network",
     .summary =
         "Adds a node to the list of those to stay connected with, takes it off the list, or "
         "tries to connect with it once. Such nodes may offer less than others must, are not "
         "dropped for misbehaving, and do not count for -maxconnections; 8 at a time.",
     .params = RPC_PARAMS({"node", RPC_STR, RPC_REQUIRED, "Address or name, with or without port."},
                          {"command", RPC_STR, RPC_REQUIRED, "add, remove or onetry."},
                          {"v2transport", RPC_BOOL, "~set by -v2transport", "Speak v2?"}),
     .results = RPC_RESULTS({RPC_NULL}),
     .examples = RPC_EXAMPLES("\"192.168.0.6:8333\" \"onetry\" true"),
     .run = add_node},
    {.name = "disconnectnode",
     .group = "network",
     .summary = "Ends the connection with a peer, named by its address or by its id, not by both.",
     .params = RPC_PARAMS({"address", RPC_STR, "~fallback to nodeid",
                           "Its address and port, as getpeerinfo shows it."},
                          {"nodeid", RPC_NUM, "~fallback to address", "Its id."}),
     .results = RPC_RESULTS({RPC_NULL}),
     .examples = RPC_EXAMPLES("\"192.168.0.6:8333\"", "\"\" 1"),
     .run = disconnect_node},
    {.name = "getaddednodeinfo",
     .group = "network",
     .summary = "Tells about one added node, or about all of them (not those of onetry).",
     .params = RPC_PARAMS({"node", RPC_STR, "~all nodes", "As it was added."}),
     .results = RPC_RESULTS(
         {RPC_ARR,
          .inner = RPC_RESULTS(
              {RPC_OBJ,
               .inner = RPC_RESULTS(
                   {RPC_STR, "addednode", "As it was added."},
                   {RPC_BOOL, "connected", "Is there a connection?"},
                   {RPC_ARR, "addresses", "The connection.",
                    RPC_RESULTS({RPC_OBJ, .inner = RPC_RESULTS({RPC_STR, "address", "With whom."},
                                                               {RPC_STR, "connected",
                                                                "inbound or outbound."})})})})}),
     .examples = RPC_EXAMPLES("\"192.168.0.201\""),
     .run = get_added_node_info},
    {.name = "ping",
     .group = "network",
     .summary = "Sends a ping to every peer; getpeerinfo shows how long the answers took. A ping "
                "waits its turn behind other messages, so it measures load, too.",
     .results = RPC_RESULTS({RPC_NULL}),
     .examples = RPC_EXAMPLES(""),
     .run = ping},
    {.name = "sendmsgtopeer",
     .group = "hidden",
     .summary = "Sends a message to a peer; for tests.",
     .params = RPC_PARAMS({"peer_id", RPC_NUM, RPC_REQUIRED, "The peer."},
                          {"msg_type", RPC_STR, RPC_REQUIRED, "At most 12 characters."},
                          {"msg", RPC_HEX, RPC_REQUIRED, "What stands behind the header."}),
     .results = RPC_RESULTS({RPC_OBJ}),
     .examples = RPC_EXAMPLES("0 \"addr\" \"ffffff\""),
     .run = send_msg_to_peer},
    {.name = "setnetworkactive",
     .group = "network",
     .summary = "Switches the network off, ending all connections, or on again.",
     .params = RPC_PARAMS({"state", RPC_BOOL, RPC_REQUIRED, "On?"}),
     .results = RPC_RESULTS({RPC_BOOL, .text = "The same."}),
     .examples = RPC_EXAMPLES("false"),
     .run = set_network_active},
    {.name = NULL},
};
