#include "p2p/addr_cache.h"

#include "base/alloc.h"
#include "base/check.h"

#define LIFE_MIN_S (21LL * 60 * 60)
#define LIFE_SPREAD_S (6LL * 60 * 60)

struct answer {
    enum net_kind net;
    struct net_address local;
    int64_t until_s;
    struct addrman_address *list; /* Owned. */
    size_t n;
};

struct addr_cache {
    struct random_source random;
    struct answer answers[ADDR_CACHE_ANSWERS_MAX];
    size_t n;
};

struct addr_cache *addr_cache_new(const uint8_t *seed)
{
    struct addr_cache *cache = alloc_zero(sizeof(*cache));

    random_init(&cache->random, seed, "addr_cache");
    return cache;
}

void addr_cache_free(struct addr_cache *own_cache)
{
    for (size_t i = 0; own_cache != NULL && i < own_cache->n; i++)
        free(own_cache->answers[i].list);
    free(own_cache);
}

static struct answer *find(struct addr_cache *cache, enum net_kind net,
                           const struct net_address *local)
{
    struct answer *oldest = &cache->answers[0];

    for (size_t i = 0; i < cache->n; i++) {
        struct answer *answer = &cache->answers[i];

        if (answer->net == net && net_address_equal(&answer->local, local))
            return answer;
        if (answer->until_s < oldest->until_s)
            oldest = answer;
    }
    if (cache->n < ADDR_CACHE_ANSWERS_MAX)
        oldest = &cache->answers[cache->n++];
    free(oldest->list);
    *oldest = (struct answer){.net = net, .local = *local};
    return oldest;
}

size_t addr_cache_get(struct addr_cache *cache, const struct addrman_address **ret_list,
                      struct addrman *man, enum net_kind net, const struct net_address *local,
                      bool (*allowed)(void *context, const struct net_address *address),
                      void *context, int64_t now_s)
{
    struct answer *answer = find(cache, net, local);
    size_t n = 0;

    if (answer->list == NULL || answer->until_s < now_s) {
        free(answer->list);
        answer->n = addrman_get(man, &answer->list, ADDR_CACHE_N, ADDR_CACHE_PERCENT, NET_COUNT,
                                true, now_s);
        for (size_t i = 0; i < answer->n; i++) {
            if (allowed == NULL || allowed(context, &answer->list[i].address))
                answer->list[n++] = answer->list[i];
        }
        answer->n = n;
        answer->until_s = now_s + LIFE_MIN_S + (int64_t)random_below(&cache->random, LIFE_SPREAD_S);
    }
    *ret_list = answer->list;
    return answer->n;
}
