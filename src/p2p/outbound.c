#include "p2p/outbound.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"

#define PAUSE_MS 500
#define FEELER_MEAN_MS (2 * 60 * 1000)
#define FEELER_NOISE_MS 1000
#define EXTRA_BLOCK_RELAY_MEAN_MS (5 * 60 * 1000)
#define EXTRA_NETWORK_MEAN_MS (5 * 60 * 1000)
#define SEED_NODE_AGAIN_MS 10000
#define SEED_NODE_ENOUGH 2
#define FIXED_SEEDS_AFTER_MS 60000
#define FIXED_SEED_WEEK_S (7LL * 24 * 60 * 60)
#define TRIES_MAX 100
#define TRIES_OF_RECENT 30 /* From then on, addresses tried just now are fine. */
#define TRIES_OF_BAD_PORTS 50
#define RECENT_S (10 * 60)
#define FETCHES_MAX 64

/* Bits of services; the version message has them all. */
#define SERVICE_NETWORK (1U << 0)
#define SERVICE_WITNESS (1U << 3)
#define SERVICE_NETWORK_LIMITED (1U << 10)

struct outbound {
    struct outbound_options options;
    struct outbound_questions questions;
    struct random_source random;
    struct addrman_address anchors[ANCHORS_MAX];
    size_t anchors_n;

    bool is_begun;
    int64_t begun_ms;                                          /* By the node's clock. */
    int64_t wake_ms;                                           /* Real. */
    int64_t feeler_ms, extra_block_relay_ms, extra_network_ms; /* When next. */
    int64_t seed_node_ms;
    size_t seed_nodes_n; /* Those not used yet are the first so many. */
    bool wants_seed_node;
    bool fixed_seeds_due;
    char *fetches[FETCHES_MAX]; /* Owned names. */
    size_t fetches_n;
    char *fetching;              /* Owned: the one given out last. */
    struct outbound_call feeler; /* Waits a moment, so as not to keep a beat. */
    bool has_feeler;

    bool extra_full_relay;
    bool extra_block_relay;
};

/* What one address is chosen for. */
struct choice {
    enum peer_kind kind;
    bool is_anchor;
    enum net_kind preferred; /* NET_COUNT: any. */
};

struct outbound *outbound_new(const struct outbound_options *options,
                              const struct outbound_questions *questions,
                              const struct addrman_address *anchors, size_t anchors_n)
{
    struct outbound *outbound = alloc_zero(sizeof(*outbound));

    CHECK(anchors_n <= ANCHORS_MAX);
    outbound->options = *options;
    outbound->questions = *questions;
    random_init(&outbound->random, options->seed, "outbound");
    if (anchors_n > 0)
        memcpy(outbound->anchors, anchors, anchors_n * sizeof(*anchors));
    outbound->anchors_n = anchors_n;
    outbound->seed_nodes_n = options->seed_nodes_n;
    outbound->fixed_seeds_due = options->fixed_seeds;
    if (!options->fixed_seeds)
        log_info("net", "Fixed seeds are disabled");
    return outbound;
}

void outbound_free(struct outbound *own_outbound)
{
    if (own_outbound == NULL)
        return;
    for (size_t i = 0; i < own_outbound->fetches_n; i++)
        free(own_outbound->fetches[i]);
    free(own_outbound->fetching);
    free(own_outbound);
}

void outbound_set_extra_full_relay(struct outbound *outbound, bool is_on)
{
    outbound->extra_full_relay = is_on;
    log_debug("net", "setting try another outbound peer=%s", is_on ? "true" : "false");
}

bool outbound_extra_full_relay(const struct outbound *outbound)
{
    return outbound->extra_full_relay;
}

void outbound_start_extra_block_relay(struct outbound *outbound)
{
    log_debug("net", "enabling extra block-relay-only peers");
    outbound->extra_block_relay = true;
}

/* --- Seeds --- */

void outbound_fetch_from(struct outbound *outbound, const char *name)
{
    if (outbound->fetches_n < FETCHES_MAX)
        outbound->fetches[outbound->fetches_n++] = alloc_string(name);
}

static void begin(struct outbound *o, struct addrman *man, const struct outbound_view *view)
{
    o->is_begun = true;
    o->begun_ms = view->now_ms;
    o->seed_node_ms = view->now_ms;
    o->feeler_ms = view->now_ms + (int64_t)random_poisson(&o->random, FEELER_MEAN_MS);
    o->extra_block_relay_ms =
        view->now_ms + (int64_t)random_poisson(&o->random, EXTRA_BLOCK_RELAY_MEAN_MS);
    o->extra_network_ms = view->now_ms + (int64_t)random_poisson(&o->random, EXTRA_NETWORK_MEAN_MS);
    o->wants_seed_node = o->seed_nodes_n > 0 && addrman_size(man) == 0;
}

static void use_seed_node(struct outbound *o, struct addrman *man)
{
    const char *name;

    if (!o->wants_seed_node || o->seed_nodes_n == 0)
        return;
    o->wants_seed_node = false;
    name = o->options.seed_nodes[--o->seed_nodes_n];
    outbound_fetch_from(o, name);
    if (addrman_size(man) == 0)
        log_info("net", "Empty addrman, adding seednode (%s) to addrfetch", name);
    else
        log_info("net",
                 "Couldn't connect to peers from addrman after %d seconds. Adding seednode (%s) to "
                 "addrfetch",
                 SEED_NODE_AGAIN_MS / 1000, name);
}

static bool take_fetch(struct outbound *o, const struct outbound_view *view,
                       struct outbound_call *ret)
{
    if (o->fetches_n == 0)
        return false;
    free(o->fetching);
    o->fetching = o->fetches[0];
    o->fetches_n--;
    memmove(o->fetches, o->fetches + 1, o->fetches_n * sizeof(o->fetches[0]));
    *ret = (struct outbound_call){.kind = PEER_ADDR_FETCH, .name = o->fetching};
    return view->has_slot;
}

/* Networks that we could reach but know no address of. */
static uint32_t empty_networks(const struct addrman *man, const struct outbound_view *view)
{
    uint32_t nets = 0;

    for (enum net_kind net = NET_IPV4; net <= NET_CJDNS; net++) {
        if ((view->reachable & NET_BIT(net)) != 0 &&
            addrman_count(man, net, false) + addrman_count(man, net, true) == 0)
            nets |= NET_BIT(net);
    }
    return nets;
}

static void add_fixed_seeds(struct outbound *o, struct addrman *man, uint32_t nets, int64_t now_s)
{
    struct net_address source = net_address_internal("fixedseeds");
    size_t added = 0;

    for (const char *const *text = o->options.fixed; text != NULL && *text != NULL; text++) {
        struct addrman_address known = {.services = SERVICE_NETWORK | SERVICE_WITNESS};

        CHECK(net_address_read(&known.address, *text, strlen(*text), 0));
        /* The tables have no other addresses of that range. */
        net_address_to_cjdns(&known.address);
        if ((nets & NET_BIT(net_address_net(&known.address))) == 0)
            continue;
        known.time_s = now_s - FIXED_SEED_WEEK_S -
                       (int64_t)random_below(&o->random, (uint64_t)FIXED_SEED_WEEK_S);
        (void)addrman_add(man, &known, 1, &source, 0, now_s);
        added++;
    }
    o->fixed_seeds_due = false;
    log_info("net", "Added %zu fixed seeds from reachable networks.", added);
}

static void consider_fixed_seeds(struct outbound *o, struct addrman *man,
                                 const struct outbound_view *view)
{
    uint32_t nets = o->fixed_seeds_due ? empty_networks(man, view) : 0;

    if (nets == 0)
        return;
    if (view->now_ms > o->begun_ms + FIXED_SEEDS_AFTER_MS)
        log_info("net", "Adding fixed seeds as 60 seconds have passed and addrman is empty for at "
                        "least one reachable network");
    else if (!o->options.dns_seed && o->options.seed_nodes_n == 0 && !view->has_added_nodes)
        log_info("net", "Adding fixed seeds as -dnsseed=0 (or IPv4/IPv6 connections are disabled "
                        "via -onlynet) and neither -addnode nor -seednode are provided");
    else
        return;
    add_fixed_seeds(o, man, nets, view->now_ms / 1000);
}

/* --- What kind --- */

/* A network that we have no peer of, but addresses. */
static bool pick_network(struct outbound *o, const struct addrman *man,
                         const struct outbound_view *view, enum net_kind *ret)
{
    enum net_kind nets[] = {NET_IPV4, NET_IPV6, NET_ONION, NET_I2P, NET_CJDNS};

    for (size_t i = 0; i < ARRAY_LEN(nets); i++) {
        size_t other = i + (size_t)random_below(&o->random, ARRAY_LEN(nets) - i);
        enum net_kind net = nets[other];

        nets[other] = nets[i];
        if ((view->reachable & NET_BIT(net)) != 0 && view->nets_n[net] == 0 &&
            addrman_count(man, net, false) + addrman_count(man, net, true) > 0) {
            *ret = net;
            return true;
        }
    }
    return false;
}

static bool choose_kind(struct outbound *o, const struct addrman *man,
                        const struct outbound_view *view, struct choice *ret)
{
    const struct outbound_options *options = &o->options;

    *ret = (struct choice){.kind = PEER_FULL_RELAY, .preferred = NET_COUNT};
    if (o->anchors_n > 0 && view->block_relay_n < options->block_relay_max) {
        ret->kind = PEER_BLOCK_RELAY;
        ret->is_anchor = true;
    } else if (view->full_relay_n < options->full_relay_max) {
        ret->kind = PEER_FULL_RELAY;
    } else if (view->block_relay_n < options->block_relay_max) {
        ret->kind = PEER_BLOCK_RELAY;
    } else if (o->extra_full_relay) {
        ret->kind = PEER_FULL_RELAY;
    } else if (view->now_ms > o->extra_block_relay_ms && o->extra_block_relay) {
        o->extra_block_relay_ms =
            view->now_ms + (int64_t)random_poisson(&o->random, EXTRA_BLOCK_RELAY_MEAN_MS);
        ret->kind = PEER_BLOCK_RELAY;
    } else if (view->now_ms > o->feeler_ms) {
        o->feeler_ms = view->now_ms + (int64_t)random_poisson(&o->random, FEELER_MEAN_MS);
        ret->kind = PEER_FEELER;
    } else if (view->full_relay_n == options->full_relay_max &&
               options->full_relay_max == OUTBOUND_FULL_RELAY_MAX &&
               view->now_ms > o->extra_network_ms && pick_network(o, man, view, &ret->preferred)) {
        o->extra_network_ms =
            view->now_ms + (int64_t)random_poisson(&o->random, EXTRA_NETWORK_MEAN_MS);
    } else {
        return false;
    }
    return true;
}

/* --- Which address --- */

static bool is_near_a_peer(const struct outbound *o, const struct outbound_view *view,
                           const struct net_address *address)
{
    struct net_group group = asmap_group(o->options.asmap, address);

    for (size_t i = 0; i < view->groups_n; i++) {
        if (net_group_equal(&view->groups[i], &group))
            return true;
    }
    return false;
}

static bool is_reachable(const struct outbound_view *view, const struct net_address *address)
{
    return (view->reachable & NET_BIT(net_address_net(address))) != 0;
}

static bool take_anchor(struct outbound *o, const struct outbound_view *view,
                        struct addrman_address *ret)
{
    const struct outbound_questions *q = &o->questions;
    char text[NET_ADDRESS_TEXT_SIZE];

    while (o->anchors_n > 0) {
        const struct addrman_address *anchor = &o->anchors[--o->anchors_n];

        if (!net_address_is_valid(&anchor->address) || q->is_local(q->context, &anchor->address) ||
            !is_reachable(view, &anchor->address) ||
            !q->has_services(q->context, anchor->services) ||
            is_near_a_peer(o, view, &anchor->address))
            continue;
        *ret = *anchor;
        log_debug("net", "Trying to make an anchor connection to %s",
                  net_address_text(text, &anchor->address));
        return true;
    }
    return false;
}

static bool draw(struct outbound *o, struct addrman *man, const struct outbound_view *view,
                 const struct choice *choice, struct addrman_address *ret, int64_t *ret_last_try_s)
{
    const struct outbound_questions *q = &o->questions;
    int64_t now_s = view->now_ms / 1000;

    if (choice->kind == PEER_FEELER) {
        if (addrman_select_collision(man, ret, ret_last_try_s)) {
            if (!q->is_connected(q->context, &ret->address))
                return true;
            /* We cannot test it by another connection; that there is one is test enough. */
            (void)addrman_good(man, &ret->address, now_s);
        }
        return addrman_select(man, ret, ret_last_try_s, true, view->reachable, now_s);
    }
    return addrman_select(
        man, ret, ret_last_try_s, false,
        choice->preferred != NET_COUNT ? NET_BIT(choice->preferred) : view->reachable, now_s);
}

static bool has_useful_services(const struct outbound *o, const struct choice *choice,
                                uint64_t services)
{
    if (choice->kind == PEER_FEELER)
        return (services & (SERVICE_NETWORK | SERVICE_NETWORK_LIMITED)) != 0;
    return o->questions.has_services(o->questions.context, services);
}

static bool is_called_for_anyway(struct outbound *o, const struct choice *choice,
                                 const struct net_address *address)
{
    static const char *const kinds[] = {[PEER_FULL_RELAY] = "outbound-full-relay",
                                        [PEER_FEELER] = "feeler",
                                        [PEER_BLOCK_RELAY] = "block-relay-only"};
    char text[NET_ADDRESS_TEXT_SIZE];

    if (!o->questions.is_added(o->questions.context, address))
        return false;
    log_debug("net",
              "Not making automatic %s%s connection to %s peer selected for manual (addnode) "
              "connection%s%s",
              choice->preferred != NET_COUNT ? "network-specific " : "", kinds[choice->kind],
              net_name(net_address_net(address)), o->options.logs_ips ? ": " : "",
              o->options.logs_ips ? net_address_text(text, address) : "");
    return true;
}

static bool choose_address(struct outbound *o, struct addrman *man,
                           const struct outbound_view *view, const struct choice *choice,
                           struct addrman_address *ret)
{
    const struct outbound_questions *q = &o->questions;
    bool is_feeler = choice->kind == PEER_FEELER;
    int64_t last_try_s;

    if (choice->is_anchor && take_anchor(o, view, ret))
        return true;
    for (unsigned tries = 1; tries <= TRIES_MAX; tries++) {
        if (!draw(o, man, view, choice, ret, &last_try_s))
            return false;
        if (!is_feeler && is_near_a_peer(o, view, &ret->address))
            continue;
        if (!net_address_is_valid(&ret->address) || q->is_local(q->context, &ret->address))
            return false;
        if (!is_reachable(view, &ret->address))
            continue;
        if (view->now_ms / 1000 - last_try_s < RECENT_S && tries < TRIES_OF_RECENT)
            continue;
        if (!has_useful_services(o, choice, ret->services))
            continue;
        if (tries < TRIES_OF_BAD_PORTS && net_port_is_bad(ret->address.port) &&
            (ret->address.net == NET_IPV4 || ret->address.net == NET_IPV6))
            continue;
        if (!is_called_for_anyway(o, choice, &ret->address))
            return true;
    }
    return false;
}

/* --- A step --- */

static size_t different_groups(const struct outbound_view *view)
{
    size_t n = 0;

    for (size_t i = 0; i < view->groups_n; i++) {
        bool is_new = true;

        for (size_t j = 0; j < i; j++)
            is_new = is_new && !net_group_equal(&view->groups[i], &view->groups[j]);
        n += is_new ? 1 : 0;
    }
    return n;
}

/* While we are offline every address fails; nothing is held against them. */
static bool failures_count(const struct outbound *o, const struct outbound_view *view)
{
    uint32_t others = o->options.automatic_max > 0 ? o->options.automatic_max - 1 : 0;

    return different_groups(view) + view->private_n >= MIN(others, 2U);
}

static enum outbound_what call_feeler(struct outbound *o, struct outbound_call *ret)
{
    char text[NET_ADDRESS_TEXT_SIZE];

    o->has_feeler = false;
    *ret = o->feeler;
    log_debug("net", "Making feeler connection to %s", net_address_text(text, &ret->known.address));
    return OUTBOUND_ADDRESS;
}

static enum outbound_what choose(struct outbound *o, struct addrman *man,
                                 const struct outbound_view *view, struct outbound_call *ret)
{
    char text[NET_ADDRESS_TEXT_SIZE];
    struct choice choice;

    if (!choose_kind(o, man, view, &choice))
        return OUTBOUND_NOTHING;
    addrman_resolve_collisions(man, view->now_ms / 1000);
    *ret = (struct outbound_call){.kind = choice.kind, .counts_failure = failures_count(o, view)};
    if (!choose_address(o, man, view, &choice, &ret->known))
        return OUTBOUND_NOTHING;
    if (choice.kind == PEER_FEELER) {
        o->feeler = *ret;
        o->has_feeler = true;
        o->wake_ms = view->real_ms + (int64_t)random_below(&o->random, FEELER_NOISE_MS);
        return OUTBOUND_NOTHING;
    }
    if (choice.preferred != NET_COUNT)
        log_debug("net", "Making network specific connection to %s on %s.",
                  net_address_text(text, &ret->known.address), net_name(choice.preferred));
    return OUTBOUND_ADDRESS;
}

bool outbound_is_due(const struct outbound *outbound, int64_t real_ms)
{
    return real_ms >= outbound->wake_ms;
}

enum outbound_what outbound_step(struct outbound *outbound, struct addrman *man,
                                 const struct outbound_view *view, struct outbound_call *ret_call)
{
    struct outbound *o = outbound;

    if (!o->is_begun)
        begin(o, man, view);
    if (view->real_ms < o->wake_ms)
        return OUTBOUND_NOTHING;
    if (o->has_feeler)
        return call_feeler(o, ret_call);
    use_seed_node(o, man);
    o->wake_ms = view->real_ms + PAUSE_MS;
    if (take_fetch(o, view, ret_call))
        return OUTBOUND_NAME;
    if (!view->has_slot)
        return OUTBOUND_NOTHING;
    consider_fixed_seeds(o, man, view);
    if (o->seed_nodes_n > 0 && view->full_relay_n < SEED_NODE_ENOUGH &&
        view->now_ms > o->seed_node_ms + SEED_NODE_AGAIN_MS) {
        o->seed_node_ms = view->now_ms;
        o->wants_seed_node = true;
    }
    return choose(o, man, view, ret_call);
}
