/* The addresses of peers that the node knows. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "iface/peers.h"
#include "rpc/args.h"
#include "rpc/groups.h"
#include "rpc/peers_json.h"

#define WHY_SIZE 64

static bool is_network(const char *name)
{
    static const char *const names[] = {"ipv4", "ipv6", "onion", "i2p", "cjdns"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcasecmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static int get_node_addresses(struct rpc_call *call)
{
    struct peers *peers = call->context->peers;
    struct json_writer *w = call->out;
    const char *network = NULL;
    struct peers_address *list;
    int64_t count = 1;
    int rc = 0;
    size_t n;

    if (rpc_arg_given(call, 0))
        rc = rpc_arg_int(call, &count, 0, INT32_MIN, INT32_MAX);
    if (rc == 0 && count < 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Address count out of range");
    if (rc == 0 && rpc_arg_given(call, 1))
        rc = rpc_arg_string(call, &network, 1);
    if (rc < 0)
        return rc;
    if (peers == NULL)
        return rpc_fail_no_peers(call);
    if (network != NULL && !is_network(network))
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Network not recognized: %s", network);
    peers->ops->addresses(peers, &list, &n, (size_t)count, network, call->arena);
    json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(w);
        json_put_int(w, "time", list[i].time_s);
        json_put_uint(w, "services", list[i].services);
        json_put_string(w, "address", list[i].address);
        json_put_uint(w, "port", list[i].port);
        json_put_string(w, "network", list[i].network);
        json_end_object(w);
    }
    json_end_array(w);
    return 0;
}

static int add_peer_address(struct rpc_call *call)
{
    struct peers *peers = call->context->peers;
    struct json_writer *w = call->out;
    enum peers_answer answer;
    char why[WHY_SIZE];
    const char *address;
    bool tried = false;
    int64_t port;
    int rc = rpc_arg_string(call, &address, 0);

    if (rc == 0)
        rc = rpc_arg_int(call, &port, 1, 0, UINT16_MAX);
    if (rc == 0 && rpc_arg_given(call, 2))
        rc = rpc_arg_bool(call, &tried, 2);
    if (rc < 0)
        return rc;
    if (peers == NULL)
        return rpc_fail_no_peers(call);
    answer = peers->ops->add_address(peers, address, (uint16_t)port, tried, why, sizeof(why));
    if (answer == PEERS_BAD_ADDRESS)
        return rpc_fail(call, RPC_CLIENT_INVALID_IP_OR_SUBNET, "Invalid IP address");
    json_begin_object(w);
    if (why[0] != '\0')
        json_put_string(w, "error", why);
    json_put_bool(w, "success", answer == PEERS_OK);
    json_end_object(w);
    return 0;
}

static void put_counts(struct json_writer *w, const char *key, uint64_t fresh, uint64_t tried)
{
    json_key(w, key);
    json_begin_object(w);
    json_put_uint(w, "new", fresh);
    json_put_uint(w, "tried", tried);
    json_put_uint(w, "total", fresh + tried);
    json_end_object(w);
}

static int get_addrman_info(struct rpc_call *call)
{
    struct peers *peers = call->context->peers;
    struct json_writer *w = call->out;
    struct peers_counts *list;
    uint64_t fresh = 0;
    uint64_t tried = 0;
    size_t n;

    if (peers == NULL)
        return rpc_fail_no_peers(call);
    peers->ops->address_counts(peers, &list, &n, call->arena);
    json_begin_object(w);
    for (size_t i = 0; i < n; i++) {
        put_counts(w, list[i].network, list[i].fresh, list[i].tried);
        fresh += list[i].fresh;
        tried += list[i].tried;
    }
    put_counts(w, "all_networks", fresh, tried);
    json_end_object(w);
    return 0;
}

static void put_entry(struct json_writer *w, const struct peers_address *entry)
{
    char place[32];

    (void)snprintf(place, sizeof(place), "%d/%d", entry->bucket, entry->position);
    json_key(w, place);
    json_begin_object(w);
    json_put_string(w, "address", entry->address);
    if (entry->mapped_as != 0)
        json_put_uint(w, "mapped_as", entry->mapped_as);
    json_put_uint(w, "port", entry->port);
    json_put_uint(w, "services", entry->services);
    json_put_int(w, "time", entry->time_s);
    json_put_string(w, "network", entry->network);
    json_put_string(w, "source", entry->source);
    json_put_string(w, "source_network", entry->source_network);
    if (entry->source_mapped_as != 0)
        json_put_uint(w, "source_mapped_as", entry->source_mapped_as);
    json_end_object(w);
}

static int get_raw_addrman(struct rpc_call *call)
{
    struct peers *peers = call->context->peers;
    struct json_writer *w = call->out;
    struct peers_address *list;
    size_t n;

    if (peers == NULL)
        return rpc_fail_no_peers(call);
    peers->ops->raw_addresses(peers, &list, &n, call->arena);
    json_begin_object(w);
    for (unsigned is_tried = 0; is_tried < 2; is_tried++) {
        json_key(w, is_tried == 0 ? "new" : "tried");
        json_begin_object(w);
        for (size_t i = 0; i < n; i++) {
            if (list[i].is_tried == (is_tried != 0))
                put_entry(w, &list[i]);
        }
        json_end_object(w);
    }
    json_end_object(w);
    return 0;
}

static int export_asmap(struct rpc_call *call)
{
    return rpc_fail(call, RPC_MISC_ERROR, "No embedded ASMap data available");
}

#define ENTRY_RESULTS                                                                       \
    {RPC_STR, "address", "The address."},                                                   \
        {RPC_NUM, "mapped_as", "Its autonomous system.", .flags = RPC_OPTIONAL},            \
        {RPC_NUM, "port", "Its port."}, {RPC_NUM, "services", "What it is said to offer."}, \
        {RPC_TIME, "time", "When it was last seen."},                                       \
        {RPC_STR, "network", "ipv4, ipv6, onion, i2p or cjdns."},                           \
        {RPC_STR, "source", "Who told of it first."},                                       \
        {RPC_STR, "source_network", "The network of that one."},                            \
    {                                                                                       \
        RPC_NUM, "source_mapped_as", "Its autonomous system.", .flags = RPC_OPTIONAL        \
    }

const struct rpc_method rpc_known_methods[] = {
    {.name = "addpeeraddress",
     .group = "hidden",
     .summary = "Puts an address into the tables, as if it had told of itself (for tests).",
     .params = RPC_PARAMS({"address", RPC_STR, RPC_REQUIRED, "The address."},
                          {"port", RPC_NUM, RPC_REQUIRED, "Its port."},
                          {"tried", RPC_BOOL, "=false", "As if we had been connected with it."}),
     .results = RPC_RESULTS(
         {RPC_OBJ, .inner = RPC_RESULTS({RPC_BOOL, "success", "Is it there now, as asked?"},
                                        {RPC_STR, "error", "Why not.", .flags = RPC_OPTIONAL})}),
     .examples = RPC_EXAMPLES("\"1.2.3.4\" 8333 true"),
     .run = add_peer_address},
    {.name = "exportasmap",
     .group = "hidden",
     .summary = "Writes the map of autonomous systems that is built in to a file; there is none.",
     .params = RPC_PARAMS({"path", RPC_STR, RPC_REQUIRED, "The file."}),
     .results =
         RPC_RESULTS({RPC_OBJ, .inner = RPC_RESULTS({RPC_STR, "path", "The file."},
                                                    {RPC_NUM, "bytes_written", "Its bytes."},
                                                    {RPC_HEX, "file_hash", "Their SHA-256."})}),
     .examples = RPC_EXAMPLES("\"asmap.dat\""),
     .run = export_asmap},
    {.name = "getaddrmaninfo",
     .group = "network",
     .summary = "Counts the addresses of peers that the node knows, by network.",
     .results = RPC_RESULTS(
         {RPC_OBJ_DYN,
          .inner = RPC_RESULTS({RPC_OBJ, "network", "The network; all_networks: the sum.",
                                RPC_RESULTS({RPC_NUM, "new", "Heard of, never connected with."},
                                            {RPC_NUM, "tried", "Connected with at some time."},
                                            {RPC_NUM, "total", "Both."})})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_addrman_info},
    {.name = "getnodeaddresses",
     .group = "network",
     .summary = "Returns addresses of nodes that may be reachable, some at random.",
     .params = RPC_PARAMS({"count", RPC_NUM, "=1", "How many at most; 0: all."},
                          {"network", RPC_STR, "~all networks",
                           "ipv4, ipv6, onion, i2p or cjdns: only of that network."}),
     .results = RPC_RESULTS(
         {RPC_ARR,
          .inner = RPC_RESULTS(
              {RPC_OBJ, .inner = RPC_RESULTS({RPC_TIME, "time", "When it was last seen."},
                                             {RPC_NUM, "services", "What it is said to offer."},
                                             {RPC_STR, "address", "The address."},
                                             {RPC_NUM, "port", "Its port."},
                                             {RPC_STR, "network", "The network."})})}),
     .examples = RPC_EXAMPLES("8", "4 \"i2p\""),
     .run = get_node_addresses},
    {.name = "getrawaddrman",
     .group = "hidden",
     .summary = "Shows the tables of addresses, place by place (may change).",
     .results = RPC_RESULTS(
         {RPC_OBJ_DYN, .inner = RPC_RESULTS({RPC_OBJ_DYN, "table", "new or tried.",
                                             RPC_RESULTS({RPC_OBJ, "bucket/position", "The place.",
                                                          RPC_RESULTS(ENTRY_RESULTS)})})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_raw_addrman},
    {.name = NULL},
};
