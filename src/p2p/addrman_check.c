/* What must always hold of the tables. The numbers are those that Core gives the same
 * rules, since they show in its error texts. */
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "p2p/addrman_priv.h"

static int check_entry(const struct addrman *man, int32_t id)
{
    const struct entry *entry = &man->entries[id];

    if (entry->is_tried) {
        if (entry->last_success_s == 0)
            return -1;
        if (entry->refs_n != 0)
            return -2;
    } else {
        if (entry->refs_n > NEW_REFS_MAX)
            return -3;
        if (entry->refs_n == 0)
            return -4;
    }
    if (addrman_id_of(man, &entry->address) != id)
        return -5;
    if (entry->order_at >= man->order_n || man->order[entry->order_at] != id)
        return -14;
    if (entry->last_try_s < 0)
        return -6;
    return entry->last_success_s < 0 ? -8 : 0;
}

static int check_tried(const struct addrman *man, size_t tried_n)
{
    size_t n = 0;

    for (unsigned place = 0; place < ADDRMAN_TRIED_BUCKETS * ADDRMAN_BUCKET_SIZE; place++) {
        int32_t id = man->tried[place];
        unsigned right;

        if (id == NOBODY)
            continue;
        if ((size_t)id >= man->entries_n || !man->entries[id].is_used || !man->entries[id].is_tried)
            return -11;
        right = addrman_tried_place(man, &man->entries[id]);
        if (right / ADDRMAN_BUCKET_SIZE != place / ADDRMAN_BUCKET_SIZE)
            return -17;
        if (right != place)
            return -18;
        n++;
    }
    return n == tried_n ? 0 : -13;
}

static int check_fresh(const struct addrman *man, size_t refs_n)
{
    size_t n = 0;

    for (unsigned place = 0; place < ADDRMAN_NEW_BUCKETS * ADDRMAN_BUCKET_SIZE; place++) {
        int32_t id = man->fresh[place];
        const struct entry *entry;
        bool is_named = false;

        if (id == NOBODY)
            continue;
        if ((size_t)id >= man->entries_n || !man->entries[id].is_used || man->entries[id].is_tried)
            return -12;
        entry = &man->entries[id];
        for (unsigned i = 0; i < entry->refs_n; i++)
            is_named = is_named || entry->refs[i] == place;
        if (!is_named)
            return -12;
        if (addrman_place_in_new_bucket(man, entry, place / ADDRMAN_BUCKET_SIZE) != place)
            return -19;
        n++;
    }
    return n == refs_n ? 0 : -15;
}

/* The lists of taken buckets must be right; Core has none, nor a number for them. */
static int check_taken(const struct addrman *man, bool is_tried)
{
    const struct bucket_list *taken = &man->taken[is_tried ? 1 : 0];
    const int32_t *table = is_tried ? man->tried : man->fresh;
    unsigned buckets = is_tried ? ADDRMAN_TRIED_BUCKETS : ADDRMAN_NEW_BUCKETS;
    size_t n = 0;

    for (unsigned bucket = 0; bucket < buckets; bucket++) {
        unsigned n_in = 0;

        for (unsigned i = 0; i < ADDRMAN_BUCKET_SIZE; i++)
            n_in += table[bucket * ADDRMAN_BUCKET_SIZE + i] != NOBODY ? 1 : 0;
        if (n_in != taken->n_in[bucket])
            return -22;
        if (n_in > 0 && (taken->at[bucket] >= taken->n || taken->list[taken->at[bucket]] != bucket))
            return -22;
        n += n_in > 0 ? 1 : 0;
    }
    return n == taken->n ? 0 : -22;
}

static int check_all(const struct addrman *man)
{
    static const uint8_t no_key[sizeof(man->key)];
    size_t counts[NET_COUNT][2] = {0};
    size_t tried_n = 0;
    size_t refs_n = 0;
    size_t n = 0;
    int rc;

    for (size_t i = 0; i < man->entries_n; i++) {
        const struct entry *entry = &man->entries[i];

        if (!entry->is_used)
            continue;
        rc = check_entry(man, (int32_t)i);
        if (rc != 0)
            return rc;
        counts[net_address_net(&entry->address)][entry->is_tried ? 1 : 0]++;
        tried_n += entry->is_tried ? 1 : 0;
        refs_n += entry->refs_n;
        n++;
    }
    if (n != man->order_n)
        return -7;
    rc = check_tried(man, tried_n);
    if (rc != 0)
        return rc;
    rc = check_fresh(man, refs_n);
    if (rc != 0)
        return rc;
    rc = check_taken(man, false);
    if (rc == 0)
        rc = check_taken(man, true);
    if (rc != 0)
        return rc;
    if (memcmp(man->key, no_key, sizeof(no_key)) == 0)
        return -16;
    return memcmp(counts, man->counts, sizeof(counts)) == 0 ? 0 : -21;
}

int addrman_check(const struct addrman *man)
{
    int rc;

    log_debug("addrman", "CheckAddrman: new %zu, tried %zu, total %zu started",
              addrman_count(man, NET_COUNT, false), addrman_count(man, NET_COUNT, true),
              man->order_n);
    rc = check_all(man);
    log_debug("addrman", "CheckAddrman: completed");
    return rc;
}
