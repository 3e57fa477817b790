/* What the node's part in the network is: its peers, its traffic, itself. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "iface/mempool.h"
#include "iface/peers.h"
#include "rpc/args.h"
#include "rpc/block_json.h"
#include "rpc/groups.h"
#include "rpc/peers_json.h"
#include "rpc/version.h"

static int get_connection_count(struct rpc_call *call)
{
    struct peers_status status;
    int rc = rpc_peers_status(call, &status);

    if (rc == 0)
        json_int(call->out, status.connections);
    return rc;
}

/* --- getpeerinfo --- */

static void put_seconds(struct json_writer *w, const char *key, int64_t us)
{
    json_put_double(w, key, (double)us / 1000000);
}

static int compare_traffic(const void *a, const void *b)
{
    return strcmp(((const struct peer_traffic *)a)->type, ((const struct peer_traffic *)b)->type);
}

static void put_traffic(struct json_writer *w, const char *key, struct peer_traffic *list, size_t n)
{
    qsort(list, n, sizeof(*list), compare_traffic);
    json_key(w, key);
    json_begin_object(w);
    for (size_t i = 0; i < n; i++)
        json_put_uint(w, list[i].type, list[i].bytes);
    json_end_object(w);
}

static void put_identity(struct json_writer *w, const struct peer_info *info)
{
    json_put_int(w, "id", info->id);
    json_put_string(w, "addr", info->addr);
    if (info->addr_bind[0] != '\0')
        json_put_string(w, "addrbind", info->addr_bind);
    if (info->addr_local[0] != '\0')
        json_put_string(w, "addrlocal", info->addr_local);
    json_put_string(w, "network", info->network);
    if (info->mapped_as != 0)
        json_put_uint(w, "mapped_as", info->mapped_as);
    write_services(w, "services", "servicesnames", info->services);
}

static void put_activity(struct json_writer *w, const struct peer_info *info)
{
    json_put_bool(w, "relaytxes", info->relays_txs);
    json_put_uint(w, "last_inv_sequence", info->last_inv_sequence);
    json_put_uint(w, "inv_to_send", info->inv_to_send);
    json_put_int(w, "lastsend", info->last_send);
    json_put_int(w, "lastrecv", info->last_recv);
    json_put_int(w, "last_transaction", info->last_transaction);
    json_put_int(w, "last_block", info->last_block);
    json_put_uint(w, "bytessent", info->bytes_sent);
    json_put_uint(w, "bytesrecv", info->bytes_recv);
    json_put_int(w, "conntime", info->connected_at);
    json_put_int(w, "timeoffset", info->time_offset_s);
    if (info->ping_us > 0)
        put_seconds(w, "pingtime", info->ping_us);
    if (info->ping_min_us >= 0)
        put_seconds(w, "minping", info->ping_min_us);
    if (info->ping_wait_us > 0)
        put_seconds(w, "pingwait", info->ping_wait_us);
}

static void put_state(struct json_writer *w, const struct peer_info *info)
{
    json_put_uint(w, "version", info->version);
    json_put_string(w, "subver", info->sub_version);
    json_put_bool(w, "inbound", info->is_inbound);
    json_put_bool(w, "bip152_hb_to", info->bip152_hb_to);
    json_put_bool(w, "bip152_hb_from", info->bip152_hb_from);
    json_put_int(w, "presynced_headers", info->presynced_headers);
    json_put_int(w, "synced_headers", info->synced_headers);
    json_put_int(w, "synced_blocks", info->synced_blocks);
    json_key(w, "inflight");
    json_begin_array(w);
    for (size_t i = 0; i < info->inflight_n; i++)
        json_int(w, info->inflight[i]);
    json_end_array(w);
    json_put_bool(w, "addr_relay_enabled", info->addr_relay);
    json_put_uint(w, "addr_processed", info->addr_processed);
    json_put_uint(w, "addr_rate_limited", info->addr_rate_limited);
    json_key(w, "permissions");
    json_begin_array(w);
    for (size_t i = 0; i < info->permissions_n; i++)
        json_string(w, info->permissions[i]);
    json_end_array(w);
    json_put_amount(w, "minfeefilter", info->min_fee_sat_kvb);
}

static int get_peer_info(struct rpc_call *call)
{
    struct peers *peers = call->context->peers;
    struct json_writer *w = call->out;
    struct peer_info *list;
    size_t n;

    if (peers == NULL)
        return rpc_fail_no_peers(call);
    peers->ops->list(peers, &list, &n, call->arena);
    json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(w);
        put_identity(w, &list[i]);
        put_activity(w, &list[i]);
        put_state(w, &list[i]);
        put_traffic(w, "bytessent_per_msg", list[i].sent_by, list[i].sent_by_n);
        put_traffic(w, "bytesrecv_per_msg", list[i].recv_by, list[i].recv_by_n);
        json_put_string(w, "connection_type", list[i].connection_type);
        json_put_string(w, "transport_protocol_type", list[i].transport);
        json_put_string(w, "session_id", list[i].session_id);
        if (list[i].pinned_key != NULL)
            json_put_string(w, "peerkey", list[i].pinned_key);
        json_end_object(w);
    }
    json_end_array(w);
    return 0;
}

static int get_peer_key(struct rpc_call *call)
{
    struct peers *peers = call->context->peers;
    char text[PEER_TEXT_SIZE];

    if (peers == NULL)
        return rpc_fail_no_peers(call);
    if (peers->ops->own_key(peers, text, sizeof(text)) != PEERS_OK)
        return rpc_fail(call, RPC_MISC_ERROR, "Error: no key: %s", text);
    json_begin_object(call->out);
    json_put_string(call->out, "peerkey", text);
    json_end_object(call->out);
    return 0;
}

static int get_net_totals(struct rpc_call *call)
{
    struct host *host = call->context->host;
    struct json_writer *w = call->out;
    struct peers_status status;
    int rc = rpc_peers_status(call, &status);

    if (rc < 0)
        return rc;
    json_begin_object(w);
    json_put_uint(w, "totalbytesrecv", status.bytes_recv);
    json_put_uint(w, "totalbytessent", status.bytes_sent);
    json_put_int(w, "timemillis", host->ops->now_s(host) * 1000);
    json_key(w, "uploadtarget");
    json_begin_object(w);
    json_put_uint(w, "timeframe", status.upload_span_s);
    json_put_uint(w, "target", status.upload_target_bytes);
    json_put_bool(w, "target_reached", status.upload_reached);
    json_put_bool(w, "serve_historical_blocks", status.upload_serves_old);
    json_put_uint(w, "bytes_left_in_cycle", status.upload_left_bytes);
    json_put_uint(w, "time_left_in_cycle", status.upload_left_s);
    json_end_object(w);
    json_end_object(w);
    return 0;
}

static void write_networks(struct json_writer *w, const struct peers_status *status)
{
    json_key(w, "networks");
    json_begin_array(w);
    for (size_t i = 0; i < status->networks_n; i++) {
        const struct peers_network *network = &status->networks[i];

        json_begin_object(w);
        json_put_string(w, "name", network->name);
        json_put_bool(w, "limited", network->limited);
        json_put_bool(w, "reachable", network->reachable);
        json_put_string(w, "proxy", network->proxy);
        json_put_bool(w, "proxy_randomize_credentials", network->proxy_randomize);
        json_end_object(w);
    }
    json_end_array(w);
}

static void write_locals(struct json_writer *w, const struct peers_status *status)
{
    json_key(w, "localaddresses");
    json_begin_array(w);
    for (size_t i = 0; i < status->locals_n; i++) {
        json_begin_object(w);
        json_put_string(w, "address", status->locals[i].address);
        json_put_uint(w, "port", status->locals[i].port);
        json_put_int(w, "score", status->locals[i].score);
        json_end_object(w);
    }
    json_end_array(w);
}

static void write_backlog(struct json_writer *w, const char *key,
                          const struct peers_backlog *backlog)
{
    json_key(w, key);
    json_begin_object(w);
    json_put_uint(w, "backlog", backlog->n);
    json_put_double(w, "count_tok", backlog->count_tokens);
    json_put_double(w, "size_tok", backlog->byte_tokens);
    json_end_object(w);
}

static int get_network_info(struct rpc_call *call)
{
    struct node *node = call->context->node;
    struct json_writer *w = call->out;
    struct node_status status;
    struct mempool_view *pool = call->context->mempool;
    struct peers_status net;
    int rc = rpc_peers_status(call, &net);

    if (rc < 0)
        return rc;
    node->ops->status(node, &status);
    json_begin_object(w);
    json_put_int(w, "version", CLIENT_VERSION);
    json_put_string(w, "subversion", call->context->user_agent);
    json_put_int(w, "protocolversion", PROTOCOL_VERSION);
    write_services(w, "localservices", "localservicesnames", net.local_services);
    json_put_bool(w, "localrelay", net.local_relay);
    json_put_int(w, "timeoffset", net.time_offset_s);
    json_put_uint(w, "tx_send_rate", net.tx_send_rate);
    json_key(w, "inv_buckets");
    json_begin_object(w);
    write_backlog(w, "inbound", &net.inbound_backlog);
    write_backlog(w, "outbound", &net.outbound_backlog);
    json_end_object(w);
    json_put_bool(w, "networkactive", net.is_active);
    json_put_int(w, "connections", net.connections);
    json_put_int(w, "connections_in", net.inbound);
    json_put_int(w, "connections_out", net.outbound);
    write_networks(w, &net);
    if (pool != NULL) {
        struct mempool_status pool_status;

        pool->ops->status(pool, &pool_status);
        json_put_amount(w, "relayfee", pool_status.min_relay_sat_kvb);
        json_put_amount(w, "incrementalfee", pool_status.incremental_sat_kvb);
    }
    write_locals(w, &net);
    write_warnings(call, &status);
    json_end_object(w);
    return 0;
}

const struct rpc_method rpc_network_methods[] = {
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
              {RPC_NUM, "tx_send_rate", "Transactions a second announced to inbound peers."},
              {RPC_OBJ_DYN, "inv_buckets", "Announcements that wait, inbound and outbound.",
               RPC_RESULTS({RPC_OBJ, "direction", "Of connections.",
                            RPC_RESULTS({RPC_NUM, "backlog", "Transactions that wait."},
                                        {RPC_NUM, "count_tok", "So many may go out now."},
                                        {RPC_NUM, "size_tok", "So many bytes may."})})},
              {RPC_BOOL, "networkactive", "Is there any networking?"},
              {RPC_NUM, "connections", "Peers."}, {RPC_NUM, "connections_in", "Inbound ones."},
              {RPC_NUM, "connections_out", "Outbound ones."},
              {RPC_ARR, "networks", "The networks.",
               RPC_RESULTS(
                   {RPC_OBJ, .inner = RPC_RESULTS(
                                 {RPC_STR, "name", "Network (ipv4, ipv6, onion, i2p, cjdns)."},
                                 {RPC_BOOL, "limited", "Is it not to be used?"},
                                 {RPC_BOOL, "reachable", "Can it be reached?"},
                                 {RPC_STR, "proxy", "The proxy for it, if any."},
                                 {RPC_BOOL, "proxy_randomize_credentials",
                                  "Does each connection use other credentials?"})})},
              {RPC_AMOUNT, "relayfee", "Least fee rate relayed, BTC/kvB."},
              {RPC_AMOUNT, "incrementalfee", "What a replacement must add, BTC/kvB."},
              {RPC_ARR, "localaddresses", "Own addresses.",
               RPC_RESULTS({RPC_OBJ, .inner = RPC_RESULTS({RPC_STR, "address", "The address."},
                                                          {RPC_NUM, "port", "Its port."},
                                                          {RPC_NUM, "score", "Its score."})})},
              {RPC_ANY, "warnings", "Warnings, a list of texts."})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_network_info},
    {.name = "getpeerkey",
     .group = "network",
     .summary =
         "Shows this node's public key, for -peerkey of the owner's other nodes. Both sides need "
         "each other's; see the file docs/p2p.md. The secret key is made when it is first asked "
         "for, and kept in the file peer_key of the data directory.",
     .results = RPC_RESULTS({RPC_OBJ, .inner = RPC_RESULTS({RPC_HEX, "peerkey", "The key."})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_peer_key},
    {.name = "getpeerinfo",
     .group = "network",
     .summary = "Lists the connected peers.",
     .results = RPC_RESULTS(
         {RPC_ARR, .inner = RPC_RESULTS({RPC_OBJ, .inner = RPC_RESULTS(PEER_RESULTS)})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_peer_info},
    {.name = NULL},
};
