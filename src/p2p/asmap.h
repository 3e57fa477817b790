/* The map from addresses to autonomous systems: Core's asmap file, a binary trie as a
 * program of bits. Read once and checked whole, so that a look-up never runs out of it.
 *
 * A struct asmap does not change once made: any thread.
 */
#ifndef P2P_ASMAP_H
#define P2P_ASMAP_H

#include "base/error.h"
#include "os/disk.h"
#include "p2p/address.h"

/* Of a file; real ones have a few MB. */
#define ASMAP_BYTES_MAX ((size_t)64 << 20)

struct asmap;

/* Returns: 0, E_MALFORMED if data is no sane map for addresses of 128 bits, or E_LIMIT.
 * Out:     ret_asmap: release with asmap_free. data is copied. */
NODISCARD int asmap_new(struct asmap **ret_asmap, struct span data, struct error *err);
void asmap_free(struct asmap *own_asmap);
/* E_NOT_FOUND and E_IO besides. Logs which file, and that it is wrong, as Core does. */
NODISCARD int asmap_load(struct asmap **ret_asmap, struct disk *disk, const char *path,
                         struct error *err);

/* The system of an IPv4 or IPv6 address (or of the IPv4 address it leads to); 0 if the
 * map has none, for any other network, and where asmap is NULL. */
uint32_t asmap_find(const struct asmap *asmap, const struct net_address *address);
/* net_group_of with the system that asmap knows. */
struct net_group asmap_group(const struct asmap *asmap, const struct net_address *address);

/* 32 bytes that name the map (of which addrman's file is keyed); zeros where asmap is
 * NULL. */
void asmap_version(uint8_t *ret_version, const struct asmap *asmap);

#endif /* P2P_ASMAP_H */
