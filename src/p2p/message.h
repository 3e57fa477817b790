/* The messages of the peer-to-peer protocol, version 70017: which there are, and
 * how every payload is read and written.
 *
 * Reading: payload is what followed the header, its length at most
 * MESSAGE_BYTES_MAX. Lists come from the caller's arena, sized only after their
 * count has been held against the bound and against the bytes that are there;
 * byte strings and transactions point into payload, which must outlive them.
 * Every message_read_* returns
 *   0            the payload was read; *ret is filled. Bytes left over are
 *                ignored, unless said otherwise (later versions may add fields);
 *   E_TRUNCATED  it ends too early,      } the network's custom is to drop the
 *   E_MALFORMED  it is not well-formed,  } message and keep the peer
 *   E_LIMIT      it holds more than the protocol allows: the peer misbehaves.
 * On failure *ret is undefined and err (may be NULL) says why in words fit for a
 * log.
 *
 * Writing: message_write_* appends a payload to buf. What the caller gives must
 * be within the bounds below (a CHECK).
 *
 * Pure; any thread.
 */
#ifndef P2P_MESSAGE_H
#define P2P_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "p2p/address.h"
#include "primitives/header.h"
#include "primitives/ids.h"
#include "primitives/tx.h"

#define PROTOCOL_VERSION 70017
#define PROTOCOL_VERSION_MIN_PEER 31800    /* Older peers are not talked to. */
#define PROTOCOL_VERSION_PONG 60001        /* BIP 31: from here on pings are answered. */
#define PROTOCOL_VERSION_SENDHEADERS 70012 /* BIP 130. */
#define PROTOCOL_VERSION_FEEFILTER 70013   /* BIP 133. */
#define PROTOCOL_VERSION_COMPACT 70014     /* BIP 152. */
#define PROTOCOL_VERSION_WTXIDRELAY 70016  /* BIP 339. */
#define PROTOCOL_VERSION_FEATURE 70017     /* BIP 434. */

/* Service bits. */
#define NODE_NETWORK (UINT64_C(1) << 0)
#define NODE_BLOOM (UINT64_C(1) << 2)            /* BIP 111. */
#define NODE_WITNESS (UINT64_C(1) << 3)          /* BIP 144. */
#define NODE_COMPACT_FILTERS (UINT64_C(1) << 6)  /* BIP 157. */
#define NODE_NETWORK_LIMITED (UINT64_C(1) << 10) /* BIP 159. */
#define NODE_P2P_V2 (UINT64_C(1) << 11)          /* BIP 324. */

/* Bounds: bytes of a whole payload, and how many of what. */
#define MESSAGE_BYTES_MAX 4000000U
#define MESSAGE_NAME_BYTES 12
#define USER_AGENT_BYTES_MAX 256
#define ADDR_N_MAX 1000
#define ADDRV2_ADDRESS_BYTES_MAX 512
#define INV_N_MAX 50000
#define LOCATOR_N_MAX 101
#define HEADERS_N_MAX 2000
#define FILTER_BYTES_MAX 36000
#define FILTER_HASH_FUNCS_MAX 50
#define FILTER_ADD_BYTES_MAX 520
#define COMPACT_TX_N_MAX 65535 /* Short ids and prefilled transactions of one block. */
#define FEATURE_ID_BYTES_MIN 4
#define FEATURE_ID_BYTES_MAX 80
#define FEATURE_DATA_BYTES_MAX 512
#define CFILTERS_N_MAX 1000  /* Blocks one getcfilters may span. */
#define CFHEADERS_N_MAX 2000 /* Blocks one getcfheaders may span. */
#define CFCHECKPT_INTERVAL 1000
#define CFCHECKPT_N_MAX 100000 /* Of a reply: a hundred million blocks. */

/* X(NAME, name on the wire, short id of BIP 324 (0: none)). Any type may have up
 * to MESSAGE_BYTES_MAX bytes: nobody drops a peer for bytes behind a payload. */
#define MESSAGE_MAP(X)                  \
    X(VERSION, "version", 0)            \
    X(VERACK, "verack", 0)              \
    X(ADDR, "addr", 1)                  \
    X(ADDRV2, "addrv2", 28)             \
    X(SENDADDRV2, "sendaddrv2", 0)      \
    X(INV, "inv", 14)                   \
    X(GETDATA, "getdata", 11)           \
    X(MERKLEBLOCK, "merkleblock", 16)   \
    X(GETBLOCKS, "getblocks", 9)        \
    X(GETHEADERS, "getheaders", 12)     \
    X(TX, "tx", 21)                     \
    X(HEADERS, "headers", 13)           \
    X(BLOCK, "block", 2)                \
    X(GETADDR, "getaddr", 0)            \
    X(MEMPOOL, "mempool", 15)           \
    X(PING, "ping", 18)                 \
    X(PONG, "pong", 19)                 \
    X(NOTFOUND, "notfound", 17)         \
    X(FILTERLOAD, "filterload", 8)      \
    X(FILTERADD, "filteradd", 6)        \
    X(FILTERCLEAR, "filterclear", 7)    \
    X(SENDHEADERS, "sendheaders", 0)    \
    X(FEEFILTER, "feefilter", 5)        \
    X(SENDCMPCT, "sendcmpct", 20)       \
    X(CMPCTBLOCK, "cmpctblock", 4)      \
    X(GETBLOCKTXN, "getblocktxn", 10)   \
    X(BLOCKTXN, "blocktxn", 3)          \
    X(GETCFILTERS, "getcfilters", 22)   \
    X(CFILTER, "cfilter", 23)           \
    X(GETCFHEADERS, "getcfheaders", 24) \
    X(CFHEADERS, "cfheaders", 25)       \
    X(GETCFCHECKPT, "getcfcheckpt", 26) \
    X(CFCHECKPT, "cfcheckpt", 27)       \
    X(WTXIDRELAY, "wtxidrelay", 0)      \
    X(SENDTXRCNCL, "sendtxrcncl", 0)    \
    X(FEATURE, "feature", 37)

/* MESSAGE_OTHER: a name not in the list, or none. Also an index for counters. */
enum message_type {
    MESSAGE_OTHER,
#define MESSAGE_ENUM(name, text, short_id) MESSAGE_##name,
    MESSAGE_MAP(MESSAGE_ENUM)
#undef MESSAGE_ENUM
        MESSAGE_TYPE_N
};

/* "version"; "*other*" for MESSAGE_OTHER. */
const char *message_name(enum message_type type);
/* name: terminated. MESSAGE_OTHER if it is not in the list. */
enum message_type message_type_of(const char *name) NONNULL(1);
/* BIP 324: 0 where there is none; MESSAGE_OTHER where the number means nothing. */
uint8_t message_short_id(enum message_type type);
enum message_type message_type_of_short_id(uint8_t short_id);

/* --- version --- */

struct message_version {
    int32_t version;
    uint64_t services;
    int64_t time_s; /* As sent; may be anything. */
    uint64_t to_services;
    struct net_address to; /* Whom the sender thinks it speaks with. */
    uint64_t from_services;
    struct net_address from; /* Nobody uses it. */
    uint64_t nonce;          /* 1 when the payload ends before it. */
    struct span user_agent;  /* Raw bytes of a stranger; empty when absent. */
    int32_t start_height;    /* -1 when absent. */
    bool relay;              /* BIP 37; true when absent. */
};

NODISCARD int message_read_version(struct message_version *ret, struct span payload,
                                   struct error *err) NONNULL(1);
void message_write_version(struct buf *buf, const struct message_version *version) NONNULL(1, 2);

/* --- addr, addrv2 (BIP 155) --- */

struct message_addr_entry {
    uint32_t time_s; /* When it was last seen, says the sender. */
    uint64_t services;
    struct net_address address; /* Not valid where its kind is not known to this node. */
};

struct message_addr {
    uint32_t n; /* At most ADDR_N_MAX. */
    struct message_addr_entry *entry;
};

NODISCARD int message_read_addr(struct message_addr *ret, struct span payload, bool v2,
                                struct arena *arena, struct error *err) NONNULL(1, 4);
/* v1 form: what net_address_fits_v1 is false for becomes zeros. */
void message_write_addr(struct buf *buf, const struct message_addr *addr, bool v2) NONNULL(1, 2);

/* --- inv, getdata, notfound --- */

#define INV_WITNESS_FLAG (1U << 30)
enum {
    INV_TX = 1,
    INV_BLOCK = 2,
    INV_FILTERED_BLOCK = 3,              /* BIP 37; only asked for. */
    INV_CMPCT_BLOCK = 4,                 /* BIP 152; only asked for. */
    INV_WTX = 5,                         /* BIP 339. */
    INV_WITNESS_TX = INV_TX | (1 << 30), /* BIP 144; only asked for. */
    INV_WITNESS_BLOCK = INV_BLOCK | (1 << 30),
};

struct inv {
    uint32_t type; /* INV_*, or anything. */
    uint8_t hash[HASH_BYTES];
};

/* "tx", "witness-block", ...; "unknown". */
const char *inv_type_name(uint32_t type);

struct message_inv {
    uint32_t n; /* At most INV_N_MAX. */
    struct inv *inv;
};

/* type: which of the three, for the words of err. */
NODISCARD int message_read_inv(struct message_inv *ret, struct span payload, enum message_type type,
                               struct arena *arena, struct error *err) NONNULL(1, 4);
void message_write_inv(struct buf *buf, const struct inv *inv, size_t n) NONNULL(1);

/* --- getblocks, getheaders --- */

struct message_locator {
    uint32_t version;
    uint32_t n;              /* At most LOCATOR_N_MAX. */
    struct block_hash *have; /* Newest first. */
    struct block_hash stop;  /* All zeros: none. */
};

NODISCARD int message_read_locator(struct message_locator *ret, struct span payload,
                                   struct arena *arena, struct error *err) NONNULL(1, 3);
void message_write_locator(struct buf *buf, const struct message_locator *locator) NONNULL(1, 2);

/* --- headers --- */

struct message_headers {
    uint32_t n; /* At most HEADERS_N_MAX. */
    struct header *header;
};

NODISCARD int message_read_headers(struct message_headers *ret, struct span payload,
                                   struct arena *arena, struct error *err) NONNULL(1, 3);
void message_write_headers(struct buf *buf, const struct header *header, size_t n) NONNULL(1);

/* --- block, tx: written by adding their bytes --- */

struct message_block {
    struct header header;
    struct block_hash hash;
    struct span raw; /* The whole payload; its transactions are not looked at. */
};

NODISCARD int message_read_block(struct message_block *ret, struct span payload, struct error *err)
    NONNULL(1);
/* The bytes are ret->raw. */
NODISCARD int message_read_tx(struct tx *ret, struct span payload, struct arena *arena,
                              struct error *err) NONNULL(1, 3);

/* --- ping, pong, feefilter --- */

/* pong: E_TRUNCATED for less than 8 bytes. A ping without nonce is older than
 * BIP 31: 0 bytes give E_TRUNCATED too. */
NODISCARD int message_read_nonce(uint64_t *ret_nonce, struct span payload, struct error *err)
    NONNULL(1);
void message_write_nonce(struct buf *buf, uint64_t nonce) NONNULL(1);

NODISCARD int message_read_feefilter(int64_t *ret_feerate_sat_kvb, struct span payload,
                                     struct error *err) NONNULL(1);
void message_write_feefilter(struct buf *buf, int64_t feerate_sat_kvb) NONNULL(1);

/* --- BIP 37 --- */

struct message_filterload {
    struct span filter;  /* At most FILTER_BYTES_MAX bytes. */
    uint32_t hash_funcs; /* At most FILTER_HASH_FUNCS_MAX. */
    uint32_t tweak;
    uint8_t flags;
};

NODISCARD int message_read_filterload(struct message_filterload *ret, struct span payload,
                                      struct error *err) NONNULL(1);
void message_write_filterload(struct buf *buf, const struct message_filterload *load) NONNULL(1, 2);
NODISCARD int message_read_filteradd(struct span *ret_data, struct span payload, struct error *err)
    NONNULL(1);
void message_write_filteradd(struct buf *buf, struct span data) NONNULL(1);

struct message_merkleblock {
    struct header header;
    uint32_t tx_n; /* Of the block, as claimed. */
    uint32_t hash_n;
    const uint8_t *hash; /* hash_n times 32 bytes, in the order of BIP 37. */
    struct span flags;   /* Bits, lowest of each byte first. */
};

NODISCARD int message_read_merkleblock(struct message_merkleblock *ret, struct span payload,
                                       struct arena *arena, struct error *err) NONNULL(1, 3);
void message_write_merkleblock(struct buf *buf, const struct message_merkleblock *merkleblock)
    NONNULL(1, 2);

/* --- BIP 152 --- */

struct message_sendcmpct {
    bool high_bandwidth;
    uint64_t version;
};

NODISCARD int message_read_sendcmpct(struct message_sendcmpct *ret, struct span payload,
                                     struct error *err) NONNULL(1);
void message_write_sendcmpct(struct buf *buf, const struct message_sendcmpct *sendcmpct)
    NONNULL(1, 2);

struct prefilled_tx {
    uint32_t index; /* Within the block; strictly rising. */
    struct tx tx;
};

struct message_cmpctblock {
    struct header header;
    uint64_t nonce;
    uint32_t short_n;   /* short_n + prefilled_n is at most COMPACT_TX_N_MAX. */
    uint64_t *short_id; /* Six bytes each. */
    uint32_t prefilled_n;
    struct prefilled_tx *prefilled;
};

NODISCARD int message_read_cmpctblock(struct message_cmpctblock *ret, struct span payload,
                                      struct arena *arena, struct error *err) NONNULL(1, 3);
/* Transactions are written from their raw bytes. */
void message_write_cmpctblock(struct buf *buf, const struct message_cmpctblock *cmpctblock)
    NONNULL(1, 2);

struct message_getblocktxn {
    struct block_hash block_hash;
    uint32_t n;      /* At most COMPACT_TX_N_MAX + 1. */
    uint16_t *index; /* Within the block; strictly rising. */
};

NODISCARD int message_read_getblocktxn(struct message_getblocktxn *ret, struct span payload,
                                       struct arena *arena, struct error *err) NONNULL(1, 3);
void message_write_getblocktxn(struct buf *buf, const struct message_getblocktxn *getblocktxn)
    NONNULL(1, 2);

struct message_blocktxn {
    struct block_hash block_hash;
    uint32_t n; /* At most COMPACT_TX_N_MAX + 1. */
    struct tx *tx;
};

NODISCARD int message_read_blocktxn(struct message_blocktxn *ret, struct span payload,
                                    struct arena *arena, struct error *err) NONNULL(1, 3);
/* Transactions are written from their raw bytes. */
void message_write_blocktxn(struct buf *buf, const struct message_blocktxn *blocktxn) NONNULL(1, 2);

/* --- BIP 157 --- */

/* getcfilters, getcfheaders. */
struct message_getcfilters {
    uint8_t filter_type;
    uint32_t start_height;
    struct block_hash stop;
};

NODISCARD int message_read_getcfilters(struct message_getcfilters *ret, struct span payload,
                                       struct error *err) NONNULL(1);
void message_write_getcfilters(struct buf *buf, const struct message_getcfilters *getcfilters)
    NONNULL(1, 2);

struct message_cfilter {
    uint8_t filter_type;
    struct block_hash block_hash;
    struct span filter;
};

NODISCARD int message_read_cfilter(struct message_cfilter *ret, struct span payload,
                                   struct error *err) NONNULL(1);
void message_write_cfilter(struct buf *buf, const struct message_cfilter *cfilter) NONNULL(1, 2);

struct message_cfheaders {
    uint8_t filter_type;
    struct block_hash stop;
    uint8_t prev_header[HASH_BYTES];
    uint32_t n;    /* At most CFHEADERS_N_MAX. */
    uint8_t *hash; /* n times 32 bytes. */
};

NODISCARD int message_read_cfheaders(struct message_cfheaders *ret, struct span payload,
                                     struct arena *arena, struct error *err) NONNULL(1, 3);
void message_write_cfheaders(struct buf *buf, const struct message_cfheaders *cfheaders)
    NONNULL(1, 2);

struct message_getcfcheckpt {
    uint8_t filter_type;
    struct block_hash stop;
};

NODISCARD int message_read_getcfcheckpt(struct message_getcfcheckpt *ret, struct span payload,
                                        struct error *err) NONNULL(1);
void message_write_getcfcheckpt(struct buf *buf, const struct message_getcfcheckpt *getcfcheckpt)
    NONNULL(1, 2);

struct message_cfcheckpt {
    uint8_t filter_type;
    struct block_hash stop;
    uint32_t n;      /* At most CFCHECKPT_N_MAX. */
    uint8_t *header; /* n times 32 bytes. */
};

NODISCARD int message_read_cfcheckpt(struct message_cfcheckpt *ret, struct span payload,
                                     struct arena *arena, struct error *err) NONNULL(1, 3);
void message_write_cfcheckpt(struct buf *buf, const struct message_cfcheckpt *cfcheckpt)
    NONNULL(1, 2);

/* --- BIP 330, BIP 434 --- */

struct message_sendtxrcncl {
    uint32_t version;
    uint64_t salt;
};

NODISCARD int message_read_sendtxrcncl(struct message_sendtxrcncl *ret, struct span payload,
                                       struct error *err) NONNULL(1);
void message_write_sendtxrcncl(struct buf *buf, const struct message_sendtxrcncl *sendtxrcncl)
    NONNULL(1, 2);

struct message_feature {
    struct span id;   /* FEATURE_ID_BYTES_MIN to FEATURE_ID_BYTES_MAX bytes. */
    struct span data; /* At most FEATURE_DATA_BYTES_MAX bytes. */
};

/* BIP 434 ends the connection over any failure, and over bytes left over
 * (E_MALFORMED). */
NODISCARD int message_read_feature(struct message_feature *ret, struct span payload,
                                   struct error *err) NONNULL(1);
void message_write_feature(struct buf *buf, const struct message_feature *feature) NONNULL(1, 2);

#endif /* P2P_MESSAGE_H */
