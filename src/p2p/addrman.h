/* The addresses of peers we have heard of, and which of them to try next.
 *
 * Two tables of buckets of 64 places. "New" (1,024 buckets) holds what others told us:
 * which bucket, follows from the groups of the address and of who told it, so that one
 * source group reaches at most 64 buckets. "Tried" (256 buckets) holds what we have been
 * connected to: a group reaches at most 8. Bucket and place are hashes under a secret
 * key, so nobody can aim at a place; and where an address stands in the way of a newly
 * good one, it is tried first and only goes if it does not answer (test before evict).
 *
 * Bounds: 65,536 new and 16,384 tried addresses, about 10 MB. Owner thread: net. Time
 * comes in as seconds since 1970, randomness from the seed.
 */
#ifndef P2P_ADDRMAN_H
#define P2P_ADDRMAN_H

#include "os/disk.h"
#include "p2p/address.h"
#include "p2p/asmap.h"
#include "p2p/random.h"

#define ADDRMAN_NEW_BUCKETS 1024
#define ADDRMAN_TRIED_BUCKETS 256
#define ADDRMAN_BUCKET_SIZE 64
#define ADDRMAN_COLLISIONS_MAX 10
/* A successful connection this recent keeps an address from being tested. */
#define ADDRMAN_REPLACEMENT_S (4 * 60 * 60)

struct addrman;

/* What is known of an address. */
struct addrman_address {
    struct net_address address;
    uint64_t services;
    int64_t time_s; /* Last seen, as far as told. */
};

/* Where it stands. */
struct addrman_place {
    bool is_tried;
    int32_t bucket;
    int32_t position;
    uint32_t multiplicity; /* Of places in new that it has. */
};

struct addrman_options {
    const struct asmap *asmap; /* Borrowed, longer than the addrman lives. May be NULL. */
    const uint8_t *seed;       /* RANDOM_SEED_BYTES. */
    bool has_known_key;        /* -test=addrman: the bucket key is 1. */
    uint32_t check_ratio;      /* -checkaddrman: one in so many operations; 0: never. */
};

struct addrman *addrman_new(const struct addrman_options *options);
void addrman_free(struct addrman *own_man); /* NULL is fine. */

/* --- Learning --- */

/* source told us of these. penalty_s is taken from the times (but not of a source's own
 * address). Returns: whether any was added. */
bool addrman_add(struct addrman *man, const struct addrman_address *list, size_t n,
                 const struct net_address *source, int64_t penalty_s, int64_t now_s);
/* A connection was made and the handshake completed. Returns: whether it went to tried;
 * not, if another stands there that must be tested first. */
bool addrman_good(struct addrman *man, const struct net_address *address, int64_t now_s);
/* A connection is being tried; counts: a failure would be the address's fault (we are
 * online). */
void addrman_attempt(struct addrman *man, const struct net_address *address, bool counts,
                     int64_t now_s);
/* A long connection ended. */
void addrman_connected(struct addrman *man, const struct net_address *address, int64_t now_s);
void addrman_set_services(struct addrman *man, const struct net_address *address,
                          uint64_t services);

/* --- Choosing --- */

/* Bit of a set of networks. */
#define NET_BIT(net) (1U << (net))

/* One to try, on one of nets (0: any). False: none. ret_last_try_s may be NULL. */
bool addrman_select(struct addrman *man, struct addrman_address *ret, int64_t *ret_last_try_s,
                    bool new_only, uint32_t nets, int64_t now_s);
/* Test before evict: decide what can be decided; and the address to be tested now, for a
 * feeler. False: none waits. */
void addrman_resolve_collisions(struct addrman *man, int64_t now_s);
bool addrman_select_collision(struct addrman *man, struct addrman_address *ret,
                              int64_t *ret_last_try_s);

/* Random ones, for peers and RPC. max 0: all; percent 0: all; net NET_COUNT: any;
 * is_filtered: none that are old or failed often.
 * Returns: how many; *ret_list is yours to free. */
size_t addrman_get(struct addrman *man, struct addrman_address **ret_list, size_t max,
                   unsigned percent, enum net_kind net, bool is_filtered, int64_t now_s);

/* --- Looking --- */

size_t addrman_size(struct addrman *man);
/* NET_COUNT: of any network. */
size_t addrman_count(const struct addrman *man, enum net_kind net, bool is_tried);
bool addrman_find(const struct addrman *man, struct addrman_place *ret,
                  const struct net_address *address);

/* Every place of one table that is taken, in order. */
struct addrman_entry {
    struct addrman_address known;
    struct net_address source;
    struct addrman_place place;
};
size_t addrman_entries(const struct addrman *man, struct addrman_entry **ret_list, bool is_tried);

/* Every rule the tables must keep. Returns: 0, or the (negative) number of the first that
 * is broken, as Core counts them. */
int addrman_check(const struct addrman *man);

/* --- peers.dat --- */

/* Reads "<folder>/peers.dat" in Core's format (versions 0 to 4), or starts empty: where
 * there is none, one is written; where it is of a later version, it is moved to
 * peers.dat.bak first. magic: four bytes of the chain.
 *
 * Returns: 0, E_CORRUPT (the text of err is the reason, for "Invalid or corrupt peers.dat
 *          (%s)"), or E_IO.
 * Out:     ret_man: yours. */
NODISCARD int addrman_load(struct addrman **ret_man, const struct addrman_options *options,
                           struct disk *disk, const char *folder, const uint8_t *magic,
                           struct error *err);
/* Writes it, whole or not at all. */
NODISCARD int addrman_save(const struct addrman *man, struct disk *disk, const char *folder,
                           const uint8_t *magic, struct error *err);

/* The content of the file alone. E_UNSUPPORTED: a later version. */
NODISCARD int addrman_read(struct addrman **ret_man, const struct addrman_options *options,
                           struct span file, const uint8_t *magic, struct error *err);
void addrman_write(struct buf *buf, const struct addrman *man, const uint8_t *magic);

#endif /* P2P_ADDRMAN_H */
