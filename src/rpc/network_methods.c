/* The network of a node that has none yet: no peers, no traffic. */
#include <stdio.h>

#include "base/check.h"
#include "rpc/args.h"
#include "rpc/block_json.h"
#include "rpc/groups.h"
#include "rpc/version.h"

#define FEERATE_SAT_KVB 100

static int get_connection_count(struct rpc_call *call)
{
    json_int(call->out, 0);
    return 0;
}

static int get_peer_info(struct rpc_call *call)
{
    json_begin_array(call->out);
    json_end_array(call->out);
    return 0;
}

static int get_net_totals(struct rpc_call *call)
{
    struct host *host = call->context->host;
    struct json_writer *w = call->out;

    json_begin_object(w);
    json_put_int(w, "totalbytesrecv", 0);
    json_put_int(w, "totalbytessent", 0);
    json_put_int(w, "timemillis", host->ops->now_s(host) * 1000);
    json_key(w, "uploadtarget");
    json_begin_object(w);
    json_put_int(w, "timeframe", 86400);
    json_put_int(w, "target", 0);
    json_put_bool(w, "target_reached", false);
    json_put_bool(w, "serve_historical_blocks", true);
    json_put_int(w, "bytes_left_in_cycle", 0);
    json_put_int(w, "time_left_in_cycle", 0);
    json_end_object(w);
    json_end_object(w);
    return 0;
}

static const char *const network_names[RPC_NETWORKS_N] = {
    [RPC_NETWORK_IPV4] = "ipv4", [RPC_NETWORK_IPV6] = "ipv6",   [RPC_NETWORK_ONION] = "onion",
    [RPC_NETWORK_I2P] = "i2p",   [RPC_NETWORK_CJDNS] = "cjdns",
};

static int get_address_table(struct rpc_call *call)
{
    struct json_writer *w = call->out;

    json_begin_object(w);
    for (size_t i = 0; i <= RPC_NETWORKS_N; i++) {
        json_key(w, i < RPC_NETWORKS_N ? network_names[i] : "all_networks");
        json_begin_object(w);
        json_put_int(w, "new", 0);
        json_put_int(w, "tried", 0);
        json_put_int(w, "total", 0);
        json_end_object(w);
    }
    json_end_object(w);
    return 0;
}

static void write_networks(struct json_writer *w, const struct rpc_context *context)
{
    json_key(w, "networks");
    json_begin_array(w);
    for (size_t i = 0; i < RPC_NETWORKS_N; i++) {
        const char *proxy = context->proxies[i] == NULL ? "" : context->proxies[i];
        bool is_socks = proxy[0] != '\0' && i != RPC_NETWORK_I2P;

        json_begin_object(w);
        json_put_string(w, "name", network_names[i]);
        json_put_bool(w, "limited", true);
        json_put_bool(w, "reachable", false);
        json_put_string(w, "proxy", proxy);
        json_put_bool(w, "proxy_randomize_credentials", is_socks && context->proxy_randomizes);
        json_end_object(w);
    }
    json_end_array(w);
}

/* What the node has to offer, whether or not somebody can ask for it. */
static void write_services(struct json_writer *w, const struct node_status *status)
{
    static const struct {
        const char *name;
        uint64_t bit;
    } services[] = {{"NETWORK", 1 << 0}, {"WITNESS", 1 << 3}, {"NETWORK_LIMITED", 1 << 10}};
    uint64_t bits = 0;
    char text[17];

    for (size_t i = status->pruned || status->has_background ? 1 : 0; i < ARRAY_LEN(services); i++)
        bits |= services[i].bit;
    (void)snprintf(text, sizeof(text), "%016llx", (unsigned long long)bits);
    json_put_string(w, "localservices", text);
    json_key(w, "localservicesnames");
    json_begin_array(w);
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        if ((bits & services[i].bit) != 0)
            json_string(w, services[i].name);
    }
    json_end_array(w);
}

static int get_network_info(struct rpc_call *call)
{
    struct node *node = call->context->node;
    struct json_writer *w = call->out;
    struct node_status status;

    node->ops->status(node, &status);
    json_begin_object(w);
    json_put_int(w, "version", CLIENT_VERSION);
    json_put_string(w, "subversion", call->context->user_agent);
    json_put_int(w, "protocolversion", PROTOCOL_VERSION);
    write_services(w, &status);
    json_put_bool(w, "localrelay", false);
    json_put_int(w, "timeoffset", 0);
    json_put_bool(w, "networkactive", false);
    json_put_int(w, "connections", 0);
    json_put_int(w, "connections_in", 0);
    json_put_int(w, "connections_out", 0);
    write_networks(w, call->context);
    json_put_amount(w, "relayfee", FEERATE_SAT_KVB);
    json_put_amount(w, "incrementalfee", FEERATE_SAT_KVB);
    json_key(w, "localaddresses");
    json_begin_array(w);
    json_end_array(w);
    write_warnings(call, &status);
    json_end_object(w);
    return 0;
}

const struct rpc_method rpc_network_methods[] = {
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
     .run = get_address_table},
    {.name = "getconnectioncount",
     .group = "network",
     .summary = "Returns how many peers are connected.",
     .results = RPC_RESULTS({RPC_NUM, .text = "Peers."}),
     .examples = RPC_EXAMPLES(""),
     .run = get_connection_count},
    {.name = "getnettotals",
     .group = "network",
     .summary = "Counts the bytes exchanged with peers.",
     .results = RPC_RESULTS(
         {RPC_OBJ, .inner = RPC_RESULTS(
                       {RPC_NUM, "totalbytesrecv", "Bytes received."},
                       {RPC_NUM, "totalbytessent", "Bytes sent."},
                       {RPC_NUM, "timemillis", "The time, milliseconds since 1970."},
                       {RPC_OBJ, "uploadtarget", "The bound on sending (-maxuploadtarget).",
                        RPC_RESULTS({RPC_NUM, "timeframe", "Seconds it holds for."},
                                    {RPC_NUM, "target", "Bytes; 0: no bound."},
                                    {RPC_BOOL, "target_reached", "Has it been reached?"},
                                    {RPC_BOOL, "serve_historical_blocks", "Are old blocks served?"},
                                    {RPC_NUM, "bytes_left_in_cycle", "Bytes left."},
                                    {RPC_NUM, "time_left_in_cycle", "Seconds left."})})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_net_totals},
    {.name = "getnetworkinfo",
     .group = "network",
     .summary = "Tells about the node's part in the network.",
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS(
              {RPC_NUM, "version", "The version as a number."},
              {RPC_STR, "subversion", "The user agent."},
              {RPC_NUM, "protocolversion", "Of the peer protocol."},
              {RPC_HEX, "localservices", "Services offered, a bit field."},
              {RPC_ARR, "localservicesnames", "Their names.", RPC_RESULTS({RPC_STR})},
              {RPC_BOOL, "localrelay", "Are transactions relayed?"},
              {RPC_NUM, "timeoffset", "Seconds that peers' clocks are ahead."},
              {RPC_BOOL, "networkactive", "Is there any networking?"},
              {RPC_NUM, "connections", "Peers."}, {RPC_NUM, "connections_in", "Inbound ones."},
              {RPC_NUM, "connections_out", "Outbound ones."},
              {RPC_ARR, "networks", "The networks.",
               RPC_RESULTS({RPC_OBJ, .inner = RPC_RESULTS(
                                         {RPC_STR, "name", "Its name."},
                                         {RPC_BOOL, "limited", "Is it not to be used?"},
                                         {RPC_BOOL, "reachable", "Can it be reached?"},
                                         {RPC_STR, "proxy", "The proxy for it, if any."},
                                         {RPC_BOOL, "proxy_randomize_credentials",
                                          "Does each connection use other credentials?"})})},
              {RPC_AMOUNT, "relayfee", "Least fee rate relayed, BTC/kvB."},
              {RPC_AMOUNT, "incrementalfee", "What a replacement must add, BTC/kvB."},
              {RPC_ARR, "localaddresses", "Own addresses.", RPC_RESULTS({RPC_ANY})},
              {RPC_ANY, "warnings", "Warnings, a list of texts."})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_network_info},
    {.name = "getpeerinfo",
     .group = "network",
     .summary = "Lists the connected peers.",
     .results = RPC_RESULTS({RPC_ARR, .inner = RPC_RESULTS({RPC_ANY, .text = "A peer."})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_peer_info},
    {.name = NULL},
};
