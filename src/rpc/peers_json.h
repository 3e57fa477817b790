/* What methods about peers share. */
#ifndef RPC_PEERS_JSON_H
#define RPC_PEERS_JSON_H

#include "codec/json.h"
#include "iface/peers.h"
#include "rpc/method.h"

/* For a node without peers (context->peers is NULL). */
int rpc_fail_no_peers(struct rpc_call *call);
/* 0 or rpc_fail. */
NODISCARD int rpc_peers_status(struct rpc_call *call, struct peers_status *ret_status);

/* Two members: bits as sixteen digits, names of those that have one. */
void write_services(struct json_writer *w, const char *key, const char *names_key,
                    uint64_t services);

/* The entries of a peer, for the table of results. */
#define PEER_RESULTS                                                                             \
    {RPC_NUM, "id", "Counts connections."}, {RPC_STR, "addr", "Address and port, or name."},     \
        {RPC_STR, "addrbind", "Our end of the connection.", .flags = RPC_OPTIONAL},              \
        {RPC_STR, "addrlocal", "Where the peer thinks we are.", .flags = RPC_OPTIONAL},          \
        {RPC_STR, "network", "Network (ipv4, ipv6, onion, i2p, cjdns, not_publicly_routable)."}, \
        {RPC_NUM, "mapped_as", "Its autonomous system (-asmap).", .flags = RPC_OPTIONAL},        \
        {RPC_HEX, "services", "What it offers, a bit field."},                                   \
        {RPC_ARR, "servicesnames", "Names of these.", RPC_RESULTS({RPC_STR})},                   \
        {RPC_BOOL, "relaytxes", "Are transactions announced to it?"},                            \
        {RPC_NUM, "last_inv_sequence", "Of the mempool, when it was last announced to."},        \
        {RPC_NUM, "inv_to_send", "Transactions that wait to be announced to it."},               \
        {RPC_TIME, "lastsend", "When something was last sent."},                                 \
        {RPC_TIME, "lastrecv", "When something last came."},                                     \
        {RPC_TIME, "last_transaction", "When a good transaction last came."},                    \
        {RPC_TIME, "last_block", "When a block last came."},                                     \
        {RPC_NUM, "bytessent", "Bytes sent."}, {RPC_NUM, "bytesrecv", "Bytes received."},        \
        {RPC_TIME, "conntime", "When it was connected."},                                        \
        {RPC_NUM, "timeoffset", "Seconds that its clock is ahead."},                             \
        {RPC_NUM, "pingtime", "Seconds of the last ping.", .flags = RPC_OPTIONAL},               \
        {RPC_NUM, "minping", "Seconds of the fastest ping.", .flags = RPC_OPTIONAL},             \
        {RPC_NUM, "pingwait", "Seconds that a ping is waiting.", .flags = RPC_OPTIONAL},         \
        {RPC_NUM, "version", "Its protocol version."}, {RPC_STR, "subver", "Its user agent."},   \
        {RPC_BOOL, "inbound", "Did it call us?"},                                                \
        {RPC_BOOL, "bip152_hb_to", "Shall it send compact blocks unasked?"},                     \
        {RPC_BOOL, "bip152_hb_from", "Does it want them unasked?"},                              \
        {RPC_NUM, "presynced_headers", "Height of the first pass over its headers; -1: none."},  \
        {RPC_NUM, "synced_headers", "Height of the last header in common."},                     \
        {RPC_NUM, "synced_blocks", "Height of the last block in common."},                       \
        {RPC_ARR, "inflight", "Heights of blocks asked of it.", RPC_RESULTS({RPC_NUM})},         \
        {RPC_BOOL, "addr_relay_enabled", "Are addresses told to it?"},                           \
        {RPC_NUM, "addr_processed", "Addresses it told that were taken."},                       \
        {RPC_NUM, "addr_rate_limited", "Those dropped since they were too many."},               \
        {RPC_ARR, "permissions", "What it may do.", RPC_RESULTS({RPC_STR})},                     \
        {RPC_AMOUNT, "minfeefilter", "The feerate below which it takes nothing."},               \
        {RPC_OBJ_DYN, "bytessent_per_msg", "Bytes sent by message type.",                        \
         RPC_RESULTS({RPC_NUM, "msg", "Bytes."})},                                               \
        {RPC_OBJ_DYN, "bytesrecv_per_msg", "Bytes received by message type.",                    \
         RPC_RESULTS({RPC_NUM, "msg", "Bytes."})},                                               \
        {RPC_STR, "connection_type", "Why it is connected."},                                    \
        {RPC_STR, "transport_protocol_type", "detecting, v1 or v2."},                            \
        {RPC_STR, "session_id", "Of v2: the same at both ends."},                                \
    {                                                                                            \
        RPC_HEX, "peerkey", "The public key it has proven, if it is one of -peerkey.",           \
            .flags = RPC_OPTIONAL                                                                \
    }

#endif /* RPC_PEERS_JSON_H */
