/* What getaddr is answered with. The same for all askers of one network and one address
 * of ours, for about a day: who asks again and again learns no more, nor which of our
 * addresses are the same node. Owner thread: net. */
#ifndef P2P_ADDR_CACHE_H
#define P2P_ADDR_CACHE_H

#include "p2p/addrman.h"
#include "p2p/random.h"

#define ADDR_CACHE_ANSWERS_MAX 32 /* The oldest goes. */
#define ADDR_CACHE_N 1000         /* Addresses in an answer, */
#define ADDR_CACHE_PERCENT 23     /* and of all we know. */

struct addr_cache;

struct addr_cache *addr_cache_new(const uint8_t *seed);
void addr_cache_free(struct addr_cache *own_cache); /* NULL is fine. */

/* For an asker who came by network net to our address local (port and all). allowed says
 * which ones may be told (no banned ones); it may be NULL.
 * Returns: how many; *ret_list is borrowed until the next call. */
size_t addr_cache_get(struct addr_cache *cache, const struct addrman_address **ret_list,
                      struct addrman *man, enum net_kind net, const struct net_address *local,
                      bool (*allowed)(void *context, const struct net_address *address),
                      void *context, int64_t now_s);

#endif /* P2P_ADDR_CACHE_H */
