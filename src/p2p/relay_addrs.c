/* Where other nodes are: what peers tell us goes into the address manager, what is fresh
 * to one or two others; each asker gets the same sample for a day; and now and then we
 * tell where we are ourselves. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "p2p/p2p_priv.h"

#define FRESH_S (10 * 60)
#define EARLIEST_TIME_S 100000000
#define UNKNOWN_AGE_S (5 * 24 * 60 * 60) /* Taken for a time that cannot be. */
#define PENALTY_S (2 * 60 * 60)
#define FEW 10 /* Larger messages are answers, not news. */
#define CACHE_MS (21 * 60 * 60 * 1000)
#define CACHE_MORE_MS (6 * 60 * 60 * 1000)
#define USEFUL_SERVICES (NODE_NETWORK | NODE_NETWORK_LIMITED)

void relay_addrs_init(struct p2p *p2p)
{
    p2p->relay.caches = alloc_array(RELAY_NETWORKS_MAX, sizeof(*p2p->relay.caches));
}

void relay_addrs_clear(struct p2p *p2p)
{
    for (size_t i = 0; i < p2p->relay.caches_n; i++)
        free(p2p->relay.caches[i].list);
    free(p2p->relay.caches);
}

/* --- Who takes part --- */

/* Not those that are only for blocks (their being connected is nobody's business) and not
 * those that end at once. An inbound peer does as soon as it speaks of addresses. */
static bool take_part(struct peer *peer)
{
    struct peer_relay *relay = &peer->relay;
    struct siphash_key key = relay_random_key(peer->p2p);

    if (peer->kind == PEER_BLOCK_RELAY || peer->kind == PEER_FEELER)
        return false;
    if (!relay->has_addrs) {
        relay->has_addrs = true;
        rolling_set_init(&relay->known_addrs, RELAY_KNOWN_ADDRS, &key);
    }
    return true;
}

void relay_addrs_ready(struct peer *peer)
{
    if (peer_is_inbound(peer) || !take_part(peer))
        return;
    peer_send_empty(peer, MESSAGE_GETADDR);
    peer->relay.getaddr_sent = true;
    peer->relay.addr_tokens += ADDR_N_MAX; /* The answer is let through. */
}

/* --- Telling --- */

struct addr_key {
    uint8_t bytes[NET_ADDRESS_BYTES_MAX + 3];
    size_t len;
};

static struct addr_key key_of(const struct net_address *address)
{
    struct addr_key key = {.len = address->len};

    memcpy(key.bytes, address->bytes, address->len);
    key.bytes[key.len++] = (uint8_t)address->net;
    key.bytes[key.len++] = (uint8_t)(address->port >> 8);
    key.bytes[key.len++] = (uint8_t)address->port;
    return key;
}

static bool knows(const struct peer *peer, const struct net_address *address)
{
    struct addr_key key = key_of(address);

    return rolling_set_has_bytes(&peer->relay.known_addrs, key.bytes, key.len);
}

static void remember(struct peer *peer, const struct net_address *address)
{
    struct addr_key key = key_of(address);

    rolling_set_add_bytes(&peer->relay.known_addrs, key.bytes, key.len);
}

static bool can_be_told(const struct peer *peer, const struct net_address *address)
{
    return peer_wants_addrv2(peer) || net_address_fits_v1(address);
}

static void push(struct peer *peer, const struct message_addr_entry *entry)
{
    struct peer_relay *relay = &peer->relay;

    if (!net_address_is_valid(&entry->address) || knows(peer, &entry->address) ||
        !can_be_told(peer, &entry->address))
        return;
    if (relay->addrs_n >= ADDR_N_MAX) {
        relay->addrs[random_below(&peer->p2p->random, relay->addrs_n)] = *entry;
        return;
    }
    if (relay->addrs_n == relay->addrs_capacity) {
        relay->addrs_capacity = MAX(relay->addrs_capacity * 2, 8U);
        relay->addrs = realloc_array(relay->addrs, relay->addrs_capacity, sizeof(*relay->addrs));
    }
    relay->addrs[relay->addrs_n++] = *entry;
}

/* To the same one or two peers for a day, wherever it comes from in the meantime: telling it
 * us often does not spread it further. */
static void spread(struct p2p *p2p, int64_t from, const struct message_addr_entry *entry,
                   bool is_reachable)
{
    static const struct siphash_key fixed = {0, 0};
    uint64_t address_hash = net_address_hash(&fixed, &entry->address);
    uint64_t day = ((uint64_t)p2p_now_s(p2p) + address_hash) / RELAY_ADDR_ROTATE_S;
    struct siphash hash, coin;
    struct {
        uint64_t rank;
        struct peer *peer;
    } best[2] = {{0, NULL}, {0, NULL}};
    size_t n;

    if (!is_reachable && !net_address_is_relayable(&entry->address))
        return;
    siphash_init(&hash, &p2p->relay.addr_key);
    siphash_add_u64(&hash, address_hash);
    siphash_add_u64(&hash, day);
    coin = hash;
    n = is_reachable || (siphash_finish(&coin) & 1) ? 2 : 1;
    for (struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        struct siphash ranking = hash;
        uint64_t rank;

        if (!peer->relay.has_addrs || peer->id == from || !can_be_told(peer, &entry->address))
            continue;
        siphash_add_u64(&ranking, (uint64_t)peer->id);
        rank = siphash_finish(&ranking);
        if (rank > best[0].rank) {
            best[1] = best[0];
            best[0].rank = rank;
            best[0].peer = peer;
        } else if (rank > best[1].rank) {
            best[1].rank = rank;
            best[1].peer = peer;
        }
    }
    for (size_t i = 0; i < n && best[i].peer != NULL; i++)
        push(best[i].peer, entry);
}

/* --- Hearing --- */

static void fill_tokens(struct peer *peer)
{
    struct peer_relay *relay = &peer->relay;
    int64_t now_ms = p2p_now_ms(peer->p2p);
    double passed_s = (double)MAX(now_ms - relay->addr_tokens_ms, (int64_t)0) / 1000;

    if (relay->addr_tokens < ADDR_N_MAX)
        relay->addr_tokens =
            MIN(relay->addr_tokens + passed_s * RELAY_ADDR_TOKENS_PER_S, (double)ADDR_N_MAX);
    relay->addr_tokens_ms = now_ms;
}

/* False: it has told us too many of late. */
static bool take_token(struct peer *peer)
{
    struct peer_relay *relay = &peer->relay;

    if (relay->addr_tokens < 1.0)
        return peer_has(peer, PERMISSION_ADDR);
    relay->addr_tokens -= 1.0;
    return true;
}

static bool is_useful(const struct p2p *p2p, uint64_t services)
{
    uint64_t wanted = handshake_desirable_services(p2p, services);

    return (services & USEFUL_SERVICES) != 0 || (services & wanted) == wanted;
}

static void shuffle(struct random_source *random, struct message_addr_entry *entries, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t other = random_below(random, i);
        struct message_addr_entry entry = entries[i - 1];

        entries[i - 1] = entries[other];
        entries[other] = entry;
    }
}

/* One address of a message; returns whether it is to be kept, in *ret. */
static bool hear(struct peer *peer, struct message_addr_entry *entry, uint32_t message_n,
                 struct addrman_address *ret)
{
    struct p2p *p2p = peer->p2p;
    int64_t now_s = p2p_now_s(p2p);
    bool is_reachable;

    if (!is_useful(p2p, entry->services))
        return false;
    if (entry->time_s <= EARLIEST_TIME_S || entry->time_s > now_s + FRESH_S)
        entry->time_s = (uint32_t)(now_s - UNKNOWN_AGE_S);
    remember(peer, &entry->address);
    if (connect_is_refused(p2p, &entry->address))
        return false;
    peer->relay.addrs_processed++;
    is_reachable = connect_is_reachable(p2p, entry->address.net);
    if (entry->time_s > now_s - FRESH_S && !peer->relay.getaddr_sent && message_n <= FEW &&
        net_address_is_routable(&entry->address))
        spread(p2p, peer->id, entry, is_reachable);
    *ret = (struct addrman_address){
        .address = entry->address, .services = entry->services, .time_s = entry->time_s};
    return is_reachable;
}

static void hear_all(struct peer *peer, struct message_addr *addr, struct arena *arena)
{
    struct p2p *p2p = peer->p2p;
    struct peer_relay *relay = &peer->relay;
    struct addrman_address *kept = arena_array(arena, MAX(addr->n, 1U), sizeof(*kept));
    uint64_t processed = relay->addrs_processed, dropped = relay->addrs_dropped;
    size_t kept_n = 0;

    fill_tokens(peer);
    /* Which ones are dropped is not the sender's choice. */
    shuffle(&p2p->random, addr->entry, addr->n);
    for (uint32_t i = 0; i < addr->n; i++) {
        if (!take_token(peer))
            relay->addrs_dropped++;
        else if (hear(peer, &addr->entry[i], addr->n, &kept[kept_n]))
            kept_n++;
    }
    log_debug("net",
              "Received addr: %" PRIu32 " addresses (%" PRIu64 " processed, %" PRIu64
              " rate-limited) from peer=%" PRId64,
              addr->n, relay->addrs_processed - processed, relay->addrs_dropped - dropped,
              peer->id);
    (void)addrman_add(connect_addrman(p2p), kept, kept_n, &peer->address, PENALTY_S,
                      p2p_now_s(p2p));
    if (addr->n < ADDR_N_MAX)
        relay->getaddr_sent = false;
    /* A single one may be its own. */
    if (peer->kind == PEER_ADDR_FETCH && addr->n > 1)
        peer_disconnect(peer, "addrfetch connection completed");
}

void relay_addrs_received(struct peer *peer, const struct wire_message *message,
                          struct arena *arena)
{
    struct message_addr addr;
    struct error err = {0};
    int rc;

    if (!take_part(peer)) {
        log_debug("net", "ignoring %s message from %s peer=%" PRId64, message->name,
                  peer_kind_name(peer->kind), peer->id);
        return;
    }
    rc = message_read_addr(&addr, message->payload, message->type == MESSAGE_ADDRV2, arena, &err);
    if (rc == E_LIMIT)
        peer_misbehaved(peer, "%s", error_text(&err));
    else if (rc < 0)
        peer_garbled(peer, message, &err);
    else
        hear_all(peer, &addr, arena);
}

/* --- Being asked --- */

static size_t sample(struct p2p *p2p, struct message_addr_entry **ret)
{
    struct addrman_address *list;
    size_t n = addrman_get(connect_addrman(p2p), &list, ADDR_N_MAX, RELAY_ADDR_PERCENT, NET_COUNT,
                           true, p2p_now_s(p2p));
    size_t kept = 0;

    *ret = alloc_array(MAX(n, (size_t)1), sizeof(**ret));
    for (size_t i = 0; i < n; i++)
        if (!connect_is_refused(p2p, &list[i].address))
            (*ret)[kept++] = (struct message_addr_entry){.time_s = (uint32_t)list[i].time_s,
                                                         .services = list[i].services,
                                                         .address = list[i].address};
    free(list);
    return kept;
}

/* The sample of the day for whoever comes by this network: many connections learn no more
 * than one, and times of entries do not tell what we are doing now. */
static const struct addr_cache *cached(struct peer *peer)
{
    struct p2p *p2p = peer->p2p;
    struct p2p_relay *relay = &p2p->relay;
    int64_t now_ms = p2p_now_ms(p2p);
    uint64_t key = relay_network_key(peer);
    struct addr_cache *cache = NULL;

    for (size_t i = 0; i < relay->caches_n; i++)
        if (relay->caches[i].network_key == key)
            cache = &relay->caches[i];
    if (cache == NULL) {
        cache = &relay->caches[relay->caches_n < RELAY_NETWORKS_MAX ? relay->caches_n++ : 0];
        cache->network_key = key;
        cache->until_ms = 0;
    }
    if (cache->until_ms < now_ms) {
        free(cache->list);
        cache->n = sample(p2p, &cache->list);
        cache->until_ms = now_ms + CACHE_MS + (int64_t)random_below(&p2p->random, CACHE_MORE_MS);
    }
    return cache;
}

void relay_addrs_asked(struct peer *peer)
{
    struct peer_relay *relay = &peer->relay;

    /* Whom we called ourselves could have told us made-up addresses to know us again by. */
    if (!peer_is_inbound(peer)) {
        log_debug("net", "Ignoring \"getaddr\" from %s connection. peer=%" PRId64,
                  peer_kind_name(peer->kind), peer->id);
        return;
    }
    (void)take_part(peer);
    if (relay->getaddr_came) {
        log_debug("net", "Ignoring repeated \"getaddr\". peer=%" PRId64, peer->id);
        return;
    }
    relay->getaddr_came = true;
    relay->addrs_n = 0;
    if (peer_has(peer, PERMISSION_ADDR)) {
        struct message_addr_entry *list;
        size_t n = sample(peer->p2p, &list);

        for (size_t i = 0; i < n; i++)
            push(peer, &list[i]);
        free(list);
    } else {
        const struct addr_cache *cache = cached(peer);

        for (size_t i = 0; i < cache->n; i++)
            push(peer, &cache->list[i]);
    }
}

/* --- Sending --- */

static void write_addrs(struct peer *peer, struct message_addr_entry *entries, uint32_t n)
{
    struct message_addr addr = {.n = n, .entry = entries};
    bool v2 = peer_wants_addrv2(peer);

    message_write_addr(peer_begin(peer, v2 ? MESSAGE_ADDRV2 : MESSAGE_ADDR), &addr, v2);
    peer_end(peer);
}

/* About once a day. The first time in a message of its own: a peer that lets through but
 * one address of a stranger takes ours. */
static void tell_own(struct peer *peer, int64_t now_ms)
{
    struct p2p *p2p = peer->p2p;
    struct peer_relay *relay = &peer->relay;
    struct message_addr_entry own = {.time_s = (uint32_t)p2p_now_s(p2p),
                                     .services = peer_our_services(peer)};
    bool is_first = relay->next_local_ms == 0;

    if (!p2p->options.listen || relay->next_local_ms >= now_ms ||
        p2p->options.ground.is_initial_block_download(p2p->options.ground.context))
        return;
    if (!is_first)
        rolling_set_reset(&relay->known_addrs); /* Or it would count as known. */
    if (connect_local_address(peer, &own.address)) {
        if (!is_first)
            push(peer, &own);
        else if (can_be_told(peer, &own.address))
            write_addrs(peer, &own, 1);
    }
    relay->next_local_ms = now_ms + (int64_t)random_poisson(&p2p->random, RELAY_LOCAL_ADDR_MEAN_MS);
}

void relay_addrs_send(struct peer *peer, int64_t now_ms)
{
    struct peer_relay *relay = &peer->relay;
    uint32_t kept = 0;

    if (!relay->has_addrs)
        return;
    tell_own(peer, now_ms);
    if (now_ms <= relay->next_addr_ms)
        return;
    relay->next_addr_ms = now_ms + (int64_t)random_poisson(&peer->p2p->random, RELAY_ADDR_MEAN_MS);
    for (uint32_t i = 0; i < relay->addrs_n; i++) {
        if (knows(peer, &relay->addrs[i].address))
            continue;
        remember(peer, &relay->addrs[i].address);
        relay->addrs[kept++] = relay->addrs[i];
    }
    relay->addrs_n = 0;
    if (kept > 0)
        write_addrs(peer, relay->addrs, kept);
    if (relay->addrs_capacity > 40) { /* The great answer is sent once. */
        free(relay->addrs);
        relay->addrs = NULL;
        relay->addrs_capacity = 0;
    }
}
