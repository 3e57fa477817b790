/* The tables inside: private to the p2p room. */
#ifndef P2P_ADDRMAN_PRIV_H
#define P2P_ADDRMAN_PRIV_H

#include "p2p/addrman.h"

#define NEW_REFS_MAX 8
#define NOBODY (-1)
#define ENTRIES_MAX \
    ((ADDRMAN_NEW_BUCKETS + ADDRMAN_TRIED_BUCKETS) * (size_t)ADDRMAN_BUCKET_SIZE + 2)
#define INDEX_HEADS 65536

struct entry {
    struct net_address address;
    struct net_address source; /* Who told us first; port 0. */
    uint64_t services;
    int64_t time_s;
    int64_t last_try_s;
    int64_t last_count_s; /* Of the last try that counted. */
    int64_t last_success_s;
    int32_t attempts; /* Since the last success. */
    bool is_used;     /* Not in the list of free ones. */
    bool is_tried;
    uint8_t refs_n;              /* Places in new. */
    uint16_t refs[NEW_REFS_MAX]; /* Bucket * size + position. */
    uint32_t order_at;           /* Place in order. */
    int32_t next;                /* In the index's chain, or the next free one. */
};

/* Buckets with at least one entry, in no order: most are empty for long, and drawing one
 * must not mean to look for it. */
struct bucket_list {
    uint16_t list[ADDRMAN_NEW_BUCKETS];
    uint16_t at[ADDRMAN_NEW_BUCKETS]; /* Place in list of those that are there. */
    uint8_t n_in[ADDRMAN_NEW_BUCKETS];
    size_t n;
};

struct addrman {
    const struct asmap *asmap;
    struct random_source random;
    struct siphash_key salt; /* Of the index. */
    uint8_t key[32];         /* Of the buckets; kept in the file. */
    uint32_t check_ratio;
    int64_t last_good_s;

    struct entry *entries; /* Owned. An id is a place here. */
    size_t entries_n;
    size_t entries_capacity;
    int32_t free_id; /* First of the free ones, or NOBODY. */
    int32_t *order;  /* Owned: all ids, in the order that addrman_get shuffles. */
    size_t order_n;
    int32_t heads[INDEX_HEADS]; /* By hash of address and port. */

    int32_t fresh[ADDRMAN_NEW_BUCKETS * ADDRMAN_BUCKET_SIZE]; /* Ids, or NOBODY. */
    int32_t tried[ADDRMAN_TRIED_BUCKETS * ADDRMAN_BUCKET_SIZE];
    size_t counts[NET_COUNT][2]; /* New, tried. */
    struct bucket_list taken[2]; /* New, tried: the buckets that are not empty. */

    /* Those that are good but found their place in tried taken. */
    int32_t collisions[ADDRMAN_COLLISIONS_MAX];
    size_t collisions_n;
};

int32_t addrman_id_of(const struct addrman *man, const struct net_address *address);
/* In neither table yet. The address is not there already. */
int32_t addrman_create(struct addrman *man, const struct addrman_address *known,
                       const struct net_address *source);
void addrman_delete(struct addrman *man, int32_t id);
/* Which place follows from the hashes: bucket * size + position. */
unsigned addrman_new_place(const struct addrman *man, const struct entry *entry,
                           const struct net_address *source);
unsigned addrman_place_in_new_bucket(const struct addrman *man, const struct entry *entry,
                                     unsigned bucket);
unsigned addrman_tried_place(const struct addrman *man, const struct entry *entry);
/* The place is free. */
void addrman_put_new(struct addrman *man, int32_t id, unsigned place);
void addrman_put_tried(struct addrman *man, int32_t id, unsigned place);

#endif /* P2P_ADDRMAN_PRIV_H */
