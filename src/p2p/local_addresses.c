#include "p2p/local_addresses.h"

#include <string.h>

static int compare_hosts(const struct net_address *a, const struct net_address *b)
{
    struct net_address left = *a;
    struct net_address right = *b;

    left.port = right.port = 0;
    return net_address_compare(&left, &right);
}

static size_t place_of(const struct local_addresses *locals, const struct net_address *address)
{
    size_t at = 0;

    while (at < locals->n && compare_hosts(&locals->list[at].address, address) < 0)
        at++;
    return at;
}

static struct local_address *find(struct local_addresses *locals, const struct net_address *address)
{
    size_t at = place_of(locals, address);

    if (at == locals->n || !net_address_host_equal(&locals->list[at].address, address))
        return NULL;
    return &locals->list[at];
}

bool local_addresses_add(struct local_addresses *locals, const struct net_address *address,
                         int32_t score)
{
    struct local_address *known = find(locals, address);
    size_t at = place_of(locals, address);

    if (!net_address_is_routable(address))
        return false;
    if (known != NULL) {
        if (score >= known->score) {
            known->score = score < INT32_MAX ? score + 1 : score;
            known->address.port = address->port;
        }
        return true;
    }
    if (locals->n == LOCAL_ADDRESSES_MAX)
        return false;
    memmove(locals->list + at + 1, locals->list + at, (locals->n - at) * sizeof(*locals->list));
    locals->list[at] = (struct local_address){.address = *address, .score = score};
    locals->n++;
    return true;
}

void local_addresses_remove(struct local_addresses *locals, const struct net_address *address)
{
    const struct local_address *known = find(locals, address);
    size_t at;

    if (known == NULL)
        return;
    at = (size_t)(known - locals->list);
    locals->n--;
    memmove(locals->list + at, locals->list + at + 1, (locals->n - at) * sizeof(*locals->list));
}

bool local_addresses_seen(struct local_addresses *locals, const struct net_address *address)
{
    struct local_address *known = find(locals, address);

    if (known != NULL && known->score < INT32_MAX)
        known->score++;
    return known != NULL;
}

const struct local_address *local_addresses_find(const struct local_addresses *locals,
                                                 const struct net_address *address)
{
    size_t at = place_of(locals, address);

    if (at == locals->n || !net_address_host_equal(&locals->list[at].address, address))
        return NULL;
    return &locals->list[at];
}

const struct local_address *local_addresses_best(const struct local_addresses *locals,
                                                 const struct net_address *partner,
                                                 enum net_kind net)
{
    bool is_private = net == NET_ONION || net == NET_I2P;
    const struct local_address *best = NULL;
    int best_reach = -1;

    for (size_t i = 0; i < locals->n; i++) {
        const struct local_address *local = &locals->list[i];
        int reach = net_address_reachability(&local->address, partner);

        if (net_address_net(&local->address) != net &&
            (is_private || net_address_is_private_net(&local->address)))
            continue;
        if (reach > best_reach || (reach == best_reach && local->score > best->score)) {
            best = local;
            best_reach = reach;
        }
    }
    return best;
}
