#include "p2p/dns_seeds.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"

#define ENOUGH_PEERS 2
#define AT_ONCE 3
#define FEW_WAIT_MS 11000
#define MANY_WAIT_MS (5 * 60 * 1000)
#define MANY_ADDRESSES 1000
#define SEED_NODES_MS 30000
#define LOOK_MS 500
#define DAY_S (24 * 60 * 60)

/* What we ask for (x9.), and what we take the answers to have. */
#define SERVICES_WANTED (1U << 0 | 1U << 3)

enum phase { PHASE_BEGIN, PHASE_SEED_NODES, PHASE_SEEDS, PHASE_ANSWER, PHASE_OVER };

struct dns_seeds {
    struct dns_seeds_options options;
    struct random_source random;
    enum phase phase;
    const char **names; /* Owned, shuffled. */
    size_t n;
    size_t at;
    size_t left_now;  /* Seeds to ask before looking whether it is enough. */
    int64_t until_ms; /* By the node's clock: the seed nodes' time. */
    int64_t wake_ms;  /* Real. */
    int64_t wait_ms;  /* What is left of a wait that is looked into. */
    size_t found;
    char host[DNS_SEED_HOST_SIZE];
    bool must_fetch; /* The seed at hand had no answer. */
    bool has_said;   /* That the network is off. */
};

struct dns_seeds *dns_seeds_new(const struct dns_seeds_options *options)
{
    struct dns_seeds *seeds = alloc_zero(sizeof(*seeds));

    seeds->options = *options;
    random_init(&seeds->random, options->seed, "dns_seeds");
    while (options->names != NULL && options->names[seeds->n] != NULL)
        seeds->n++;
    seeds->names = alloc_array(seeds->n + 1, sizeof(*seeds->names));
    for (size_t i = 0; i < seeds->n; i++) {
        size_t other = (size_t)random_below(&seeds->random, i + 1);

        seeds->names[i] = seeds->names[other];
        seeds->names[other] = options->names[i];
    }
    return seeds;
}

void dns_seeds_free(struct dns_seeds *own_seeds)
{
    if (own_seeds == NULL)
        return;
    free(own_seeds->names);
    free(own_seeds);
}

static void begin_seeds(struct dns_seeds *s, struct addrman *man, uint32_t full_ready_n)
{
    s->phase = PHASE_SEEDS;
    if (s->options.is_forced || addrman_size(man) == 0)
        s->left_now = s->n;
    if (full_ready_n >= ENOUGH_PEERS && s->left_now == 0) {
        log_info("net", "Skipping DNS seeds. Enough peers have been found");
        s->phase = PHASE_OVER;
    }
}

static void begin(struct dns_seeds *s, struct addrman *man, const struct dns_seeds_view *view)
{
    if (!s->options.has_seed_nodes) {
        begin_seeds(s, man, 0);
        return;
    }
    log_info("net",
             "-seednode enabled. Trying the provided seeds for %d seconds before defaulting to the "
             "dnsseeds.",
             SEED_NODES_MS / 1000);
    s->phase = PHASE_SEED_NODES;
    s->until_ms = view->now_ms + SEED_NODES_MS;
    s->wake_ms = view->real_ms + LOOK_MS;
}

static void look_at_seed_nodes(struct dns_seeds *s, struct addrman *man,
                               const struct dns_seeds_view *view)
{
    s->wake_ms = view->real_ms + LOOK_MS;
    if (view->now_ms > s->until_ms) {
        log_info("net", "Couldn't connect to enough peers via seed nodes. Handing fetch logic to "
                        "the DNS seeds.");
        begin_seeds(s, man, 0);
    } else if (view->full_ready_n >= ENOUGH_PEERS) {
        log_info("net", "P2P peers available. Finished fetching data from seed nodes.");
        begin_seeds(s, man, view->full_ready_n);
    }
}

static void finish(struct dns_seeds *s, bool has_peers)
{
    s->phase = PHASE_OVER;
    if (!has_peers || s->found > 0)
        log_info("net", "%zu addresses found from DNS seeds", s->found);
    if (has_peers)
        log_info("net", s->found > 0 ? "P2P peers available. Finished DNS seeding."
                                     : "P2P peers available. Skipped DNS seeding.");
}

/* Before a further handful of seeds: what we know is tried first. Returns whether to go
 * on now. */
static bool wait_for_peers(struct dns_seeds *s, struct addrman *man,
                           const struct dns_seeds_view *view)
{
    int64_t step_ms;

    if (s->wait_ms == 0) {
        if (s->left_now > 0)
            return true;
        s->left_now = AT_ONCE;
        if (addrman_size(man) == 0)
            return true;
        s->wait_ms = addrman_size(man) >= MANY_ADDRESSES ? MANY_WAIT_MS : FEW_WAIT_MS;
        log_info("net", "Waiting %d seconds before querying DNS seeds.", (int)(s->wait_ms / 1000));
    } else if (view->full_ready_n >= ENOUGH_PEERS) {
        finish(s, true);
        return false;
    } else if (s->wait_ms < 0) {
        s->wait_ms = 0; /* The last part of it is over. */
        return true;
    }
    step_ms = MIN(s->wait_ms, (int64_t)FEW_WAIT_MS);
    s->wait_ms -= step_ms;
    if (s->wait_ms == 0)
        s->wait_ms = -1;
    s->wake_ms = view->real_ms + step_ms;
    return false;
}

static enum dns_seeds_what ask_next(struct dns_seeds *s, struct addrman *man,
                                    const struct dns_seeds_view *view, char *ret_name)
{
    const char *name;

    if (s->must_fetch) {
        s->must_fetch = false;
        (void)snprintf(ret_name, DNS_SEED_HOST_SIZE, "%s", s->names[s->at - 1]);
        return DNS_SEEDS_FETCH;
    }
    if (s->at == s->n) {
        finish(s, false);
        return DNS_SEEDS_NOTHING;
    }
    if (!wait_for_peers(s, man, view))
        return DNS_SEEDS_NOTHING;
    if (!view->is_active) {
        if (!s->has_said)
            log_info("net", "Waiting for network to be reactivated before querying DNS seeds.");
        s->has_said = true;
        s->wake_ms = view->real_ms + 1000;
        return DNS_SEEDS_NOTHING;
    }
    name = s->names[s->at++];
    s->left_now--;
    s->has_said = false;
    log_info("net", "Loading addresses from DNS seed %s", name);
    if (s->options.by_proxy) {
        (void)snprintf(ret_name, DNS_SEED_HOST_SIZE, "%s", name);
        return DNS_SEEDS_FETCH;
    }
    (void)snprintf(s->host, sizeof(s->host), "x%x.%s", SERVICES_WANTED, name);
    memcpy(ret_name, s->host, sizeof(s->host));
    s->phase = PHASE_ANSWER;
    return DNS_SEEDS_LOOK_UP;
}

enum dns_seeds_what dns_seeds_step(struct dns_seeds *seeds, struct addrman *man,
                                   const struct dns_seeds_view *view, char *ret_name)
{
    if (view->real_ms < seeds->wake_ms)
        return DNS_SEEDS_NOTHING;
    if (seeds->phase == PHASE_BEGIN)
        begin(seeds, man, view);
    else if (seeds->phase == PHASE_SEED_NODES)
        look_at_seed_nodes(seeds, man, view);
    if (seeds->phase == PHASE_SEEDS)
        return ask_next(seeds, man, view, ret_name);
    return DNS_SEEDS_NOTHING;
}

void dns_seeds_answered(struct dns_seeds *seeds, struct addrman *man,
                        const struct net_address *addresses, size_t n, int64_t now_ms)
{
    struct net_address source = net_address_internal(seeds->host);

    CHECK(seeds->phase == PHASE_ANSWER);
    seeds->phase = PHASE_SEEDS;
    seeds->must_fetch = n == 0;
    for (size_t i = 0; i < MIN(n, (size_t)DNS_SEED_ADDRESSES_MAX); i++) {
        struct addrman_address known = {.address = addresses[i], .services = SERVICES_WANTED};

        known.address.port = seeds->options.port;
        /* Nobody knows how old it is: between three and seven days. */
        known.time_s = now_ms / 1000 - 3 * DAY_S - (int64_t)random_below(&seeds->random, 4 * DAY_S);
        (void)addrman_add(man, &known, 1, &source, 0, now_ms / 1000);
        seeds->found++;
    }
}
