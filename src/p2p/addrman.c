#include "p2p/addrman.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "codec/writer.h"
#include "crypto/sha256.h"
#include "p2p/addrman_priv.h"

#define TRIED_BUCKETS_PER_GROUP 8
#define NEW_BUCKETS_PER_SOURCE_GROUP 64

/* When an address is not worth keeping or handing on. */
#define FUTURE_S (10 * 60)
#define JUST_TRIED_S 60
#define HORIZON_S (30LL * 24 * 60 * 60)
#define RETRIES_MAX 3
#define FAILURES_MAX 10
#define FAILURES_SINCE_S (7LL * 24 * 60 * 60)

#define RECENT_TRY_S (10 * 60)
#define TEST_PATIENCE_S 60
#define TEST_WINDOW_S (40 * 60)

/* --- Places --- */

struct hasher {
    struct sha256 sha;
};

static void hash_begin(struct hasher *h, const struct addrman *man)
{
    sha256_init(&h->sha);
    sha256_add(&h->sha, man->key, sizeof(man->key));
}

/* A length, then the bytes. */
static void hash_bytes(struct hasher *h, const uint8_t *bytes, size_t len)
{
    uint8_t prefix[COMPACT_SIZE_BYTES_MAX];

    sha256_add(&h->sha, prefix, compact_size_write(prefix, len));
    sha256_add(&h->sha, bytes, len);
}

static void hash_group(struct hasher *h, const struct net_group *group)
{
    hash_bytes(h, group->bytes, group->len);
}

static void hash_address(struct hasher *h, const struct net_address *address)
{
    uint8_t key[NET_ADDRESS_BYTES_MAX + 2];

    hash_bytes(h, key, net_address_key(key, address, true));
}

static void hash_u64(struct hasher *h, uint64_t v)
{
    uint8_t bytes[8];

    put_le64(bytes, v);
    sha256_add(&h->sha, bytes, sizeof(bytes));
}

static uint64_t hash_end(struct hasher *h)
{
    uint8_t digest[SHA256_BYTES];

    sha256d_finish(&h->sha, digest);
    return get_le64(digest);
}

static unsigned place_in_bucket(const struct addrman *man, const struct entry *entry, uint8_t table,
                                unsigned bucket)
{
    uint8_t bytes[5] = {table};
    struct hasher h;

    put_le32(bytes + 1, bucket);
    hash_begin(&h, man);
    sha256_add(&h.sha, bytes, sizeof(bytes));
    hash_address(&h, &entry->address);
    return bucket * ADDRMAN_BUCKET_SIZE + (unsigned)(hash_end(&h) % ADDRMAN_BUCKET_SIZE);
}

unsigned addrman_place_in_new_bucket(const struct addrman *man, const struct entry *entry,
                                     unsigned bucket)
{
    return place_in_bucket(man, entry, 'N', bucket);
}

unsigned addrman_new_place(const struct addrman *man, const struct entry *entry,
                           const struct net_address *source)
{
    struct net_group group = asmap_group(man->asmap, &entry->address);
    struct net_group source_group = asmap_group(man->asmap, source);
    struct hasher h;
    uint64_t which;

    hash_begin(&h, man);
    hash_group(&h, &group);
    hash_group(&h, &source_group);
    which = hash_end(&h) % NEW_BUCKETS_PER_SOURCE_GROUP;
    hash_begin(&h, man);
    hash_group(&h, &source_group);
    hash_u64(&h, which);
    return addrman_place_in_new_bucket(man, entry, (unsigned)(hash_end(&h) % ADDRMAN_NEW_BUCKETS));
}

unsigned addrman_tried_place(const struct addrman *man, const struct entry *entry)
{
    struct net_group group = asmap_group(man->asmap, &entry->address);
    struct hasher h;
    uint64_t which;

    hash_begin(&h, man);
    hash_address(&h, &entry->address);
    which = hash_end(&h) % TRIED_BUCKETS_PER_GROUP;
    hash_begin(&h, man);
    hash_group(&h, &group);
    hash_u64(&h, which);
    return place_in_bucket(man, entry, 'K', (unsigned)(hash_end(&h) % ADDRMAN_TRIED_BUCKETS));
}

/* --- Entries --- */

struct addrman *addrman_new(const struct addrman_options *options)
{
    struct addrman *man = alloc_zero(sizeof(*man));

    man->asmap = options->asmap;
    man->check_ratio = options->check_ratio;
    man->last_good_s = 1;
    man->free_id = NOBODY;
    random_init(&man->random, options->seed, "addrman");
    random_fill(&man->random, man->key, sizeof(man->key));
    random_fill(&man->random, &man->salt, sizeof(man->salt));
    if (options->has_known_key) {
        memset(man->key, 0, sizeof(man->key));
        man->key[0] = 1;
    }
    memset(man->heads, 0xff, sizeof(man->heads));
    memset(man->fresh, 0xff, sizeof(man->fresh));
    memset(man->tried, 0xff, sizeof(man->tried));
    return man;
}

void addrman_free(struct addrman *own_man)
{
    if (own_man == NULL)
        return;
    free(own_man->entries);
    free(own_man->order);
    free(own_man);
}

static int32_t *head_of(struct addrman *man, const struct net_address *address)
{
    return &man->heads[net_address_hash(&man->salt, address) % INDEX_HEADS];
}

int32_t addrman_id_of(const struct addrman *man, const struct net_address *address)
{
    int32_t id = man->heads[net_address_hash(&man->salt, address) % INDEX_HEADS];

    while (id != NOBODY && !net_address_equal(&man->entries[id].address, address))
        id = man->entries[id].next;
    return id;
}

static struct entry *find(struct addrman *man, const struct net_address *address)
{
    int32_t id = addrman_id_of(man, address);

    return id == NOBODY ? NULL : &man->entries[id];
}

static size_t *count_of(struct addrman *man, const struct entry *entry, bool is_tried)
{
    return &man->counts[net_address_net(&entry->address)][is_tried ? 1 : 0];
}

static int32_t take_id(struct addrman *man)
{
    int32_t id = man->free_id;

    if (id != NOBODY) {
        man->free_id = man->entries[id].next;
        return id;
    }
    if (man->entries_n == man->entries_capacity) {
        man->entries_capacity = MIN(MAX(man->entries_capacity * 2, (size_t)64), ENTRIES_MAX);
        CHECK(man->entries_n < man->entries_capacity);
        man->entries = realloc_array(man->entries, man->entries_capacity, sizeof(*man->entries));
        man->order = realloc_array(man->order, man->entries_capacity, sizeof(*man->order));
    }
    return (int32_t)man->entries_n++;
}

int32_t addrman_create(struct addrman *man, const struct addrman_address *known,
                       const struct net_address *source)
{
    int32_t id = take_id(man);
    struct entry *entry = &man->entries[id];
    int32_t *head = head_of(man, &known->address);

    memset(entry, 0, sizeof(*entry));
    entry->address = known->address;
    entry->source = *source;
    entry->source.port = 0;
    entry->services = known->services;
    entry->time_s = known->time_s;
    entry->is_used = true;
    entry->order_at = (uint32_t)man->order_n;
    entry->next = *head;
    *head = id;
    man->order[man->order_n++] = id;
    return id;
}

static void swap_order(struct addrman *man, size_t a, size_t b)
{
    int32_t id = man->order[a];

    man->order[a] = man->order[b];
    man->order[b] = id;
    man->entries[man->order[a]].order_at = (uint32_t)a;
    man->entries[man->order[b]].order_at = (uint32_t)b;
}

static void forget_collision(struct addrman *man, size_t at)
{
    man->collisions[at] = man->collisions[--man->collisions_n];
}

void addrman_delete(struct addrman *man, int32_t id)
{
    struct entry *entry = &man->entries[id];
    int32_t *link = head_of(man, &entry->address);

    CHECK(entry->is_used && !entry->is_tried && entry->refs_n == 0);
    while (*link != id)
        link = &man->entries[*link].next;
    *link = entry->next;
    for (size_t i = 0; i < man->collisions_n; i++) {
        if (man->collisions[i] == id)
            forget_collision(man, i--);
    }
    swap_order(man, entry->order_at, man->order_n - 1);
    man->order_n--;
    entry->is_used = false;
    entry->next = man->free_id;
    man->free_id = id;
}

static void count_in(struct bucket_list *taken, unsigned place)
{
    unsigned bucket = place / ADDRMAN_BUCKET_SIZE;

    if (taken->n_in[bucket]++ > 0)
        return;
    taken->at[bucket] = (uint16_t)taken->n;
    taken->list[taken->n++] = (uint16_t)bucket;
}

static void count_out(struct bucket_list *taken, unsigned place)
{
    unsigned bucket = place / ADDRMAN_BUCKET_SIZE;
    uint16_t last;

    if (--taken->n_in[bucket] > 0)
        return;
    last = taken->list[--taken->n];
    taken->list[taken->at[bucket]] = last;
    taken->at[last] = taken->at[bucket];
}

void addrman_put_new(struct addrman *man, int32_t id, unsigned place)
{
    struct entry *entry = &man->entries[id];

    CHECK(man->fresh[place] == NOBODY && entry->refs_n < NEW_REFS_MAX && !entry->is_tried);
    man->fresh[place] = id;
    count_in(&man->taken[0], place);
    if (entry->refs_n == 0)
        (*count_of(man, entry, false))++;
    entry->refs[entry->refs_n++] = (uint16_t)place;
}

void addrman_put_tried(struct addrman *man, int32_t id, unsigned place)
{
    struct entry *entry = &man->entries[id];

    CHECK(man->tried[place] == NOBODY && entry->refs_n == 0 && !entry->is_tried);
    man->tried[place] = id;
    count_in(&man->taken[1], place);
    entry->is_tried = true;
    (*count_of(man, entry, true))++;
}

static void drop_ref(struct addrman *man, struct entry *entry, unsigned place)
{
    unsigned i = 0;

    while (entry->refs[i] != place) {
        i++;
        CHECK(i < entry->refs_n);
    }
    entry->refs[i] = entry->refs[--entry->refs_n];
    man->fresh[place] = NOBODY;
    count_out(&man->taken[0], place);
    if (entry->refs_n == 0)
        (*count_of(man, entry, false))--;
}

/* For log lines. */
static const char *text_of(const struct addrman *man, int32_t id, char *ret_text)
{
    return net_address_text(ret_text, &man->entries[id].address);
}

static const char *asn_text(const struct addrman *man, const struct net_address *address,
                            char *ret_text, size_t size)
{
    uint32_t asn = asmap_find(man->asmap, address);

    ret_text[0] = '\0';
    if (asn != 0)
        (void)snprintf(ret_text, size, " mapped to AS%" PRIu32, asn);
    return ret_text;
}

static void clear_new(struct addrman *man, unsigned place)
{
    int32_t id = man->fresh[place];
    char text[NET_ADDRESS_TEXT_SIZE];

    if (id == NOBODY)
        return;
    drop_ref(man, &man->entries[id], place);
    log_debug("addrman", "Removed %s from new[%u][%u]", text_of(man, id, text),
              place / ADDRMAN_BUCKET_SIZE, place % ADDRMAN_BUCKET_SIZE);
    if (man->entries[id].refs_n == 0)
        addrman_delete(man, id);
}

/* --- Judging --- */

static bool is_terrible(const struct entry *entry, int64_t now_s)
{
    if (now_s - entry->last_try_s <= JUST_TRIED_S)
        return false;
    if (entry->time_s > now_s + FUTURE_S || now_s - entry->time_s > HORIZON_S)
        return true;
    if (entry->last_success_s == 0 && entry->attempts >= RETRIES_MAX)
        return true;
    return now_s - entry->last_success_s > FAILURES_SINCE_S && entry->attempts >= FAILURES_MAX;
}

/* How likely it should be taken when it comes up, 0 to 1. */
static double chance_of(const struct entry *entry, int64_t now_s)
{
    double chance = now_s - entry->last_try_s < RECENT_TRY_S ? 0.01 : 1.0;

    for (int32_t i = 0; i < entry->attempts && i < 8; i++)
        chance *= 0.66;
    return chance;
}

static void check_now_and_then(struct addrman *man)
{
    int broken;

    if (man->check_ratio == 0 || random_below(&man->random, man->check_ratio) != 0)
        return;
    broken = addrman_check(man);
    if (broken != 0) {
        log_error("addrman", "ADDRMAN CONSISTENCY CHECK FAILED!!! err=%d", broken);
        CHECK_NEVER("the address tables are broken");
    }
}

/* --- Learning --- */

/* Known already: newer time, more services. Returns whether it may have one more place in
 * new. */
static bool refresh(struct addrman *man, struct entry *entry, const struct addrman_address *told,
                    int64_t penalty_s, int64_t now_s)
{
    int64_t interval_s = now_s - told->time_s < 24 * 60 * 60 ? 60 * 60 : 24 * 60 * 60;

    if (entry->time_s < told->time_s - interval_s - penalty_s)
        entry->time_s = MAX((int64_t)0, told->time_s - penalty_s);
    entry->services |= told->services;
    if (told->time_s <= entry->time_s || entry->is_tried || entry->refs_n == NEW_REFS_MAX)
        return false;
    /* Each further place is twice as hard to get. */
    return entry->refs_n == 0 || random_below(&man->random, 1ULL << entry->refs_n) == 0;
}

static bool may_replace(const struct addrman *man, int32_t there, int32_t id, int64_t now_s)
{
    if (there == NOBODY)
        return true;
    return is_terrible(&man->entries[there], now_s) ||
           (man->entries[there].refs_n > 1 && man->entries[id].refs_n == 0);
}

static bool add_one(struct addrman *man, const struct addrman_address *told,
                    const struct net_address *source, int64_t penalty_s, int64_t now_s)
{
    char text[NET_ADDRESS_TEXT_SIZE];
    char asn[32];
    unsigned place;
    bool is_added;
    int32_t id;

    if (!net_address_is_routable(&told->address))
        return false;
    if (net_address_host_equal(&told->address, source))
        penalty_s = 0;
    id = addrman_id_of(man, &told->address);
    if (id != NOBODY) {
        if (!refresh(man, &man->entries[id], told, penalty_s, now_s))
            return false;
    } else {
        id = addrman_create(man, told, source);
        man->entries[id].time_s = MAX((int64_t)0, told->time_s - penalty_s);
    }
    place = addrman_new_place(man, &man->entries[id], source);
    if (man->fresh[place] == id)
        return false;
    is_added = may_replace(man, man->fresh[place], id, now_s);
    if (is_added) {
        clear_new(man, place);
        addrman_put_new(man, id, place);
        log_debug("addrman", "Added %s%s to new[%u][%u]", text_of(man, id, text),
                  asn_text(man, &told->address, asn, sizeof(asn)), place / ADDRMAN_BUCKET_SIZE,
                  place % ADDRMAN_BUCKET_SIZE);
    } else if (man->entries[id].refs_n == 0) {
        addrman_delete(man, id);
    }
    return is_added;
}

bool addrman_add(struct addrman *man, const struct addrman_address *list, size_t n,
                 const struct net_address *source, int64_t penalty_s, int64_t now_s)
{
    char text[NET_ADDRESS_TEXT_SIZE];
    size_t added = 0;

    check_now_and_then(man);
    for (size_t i = 0; i < n; i++)
        added += add_one(man, &list[i], source, penalty_s, now_s) ? 1 : 0;
    if (added > 0)
        log_debug("addrman", "Added %zu addresses (of %zu) from %s: %zu tried, %zu new", added, n,
                  net_address_host_text(text, source), addrman_count(man, NET_COUNT, true),
                  addrman_count(man, NET_COUNT, false));
    check_now_and_then(man);
    return added > 0;
}

/* Back from tried to the place in new that it was first told for. */
static void demote(struct addrman *man, unsigned tried_place)
{
    int32_t id = man->tried[tried_place];
    struct entry *entry = &man->entries[id];
    char text[NET_ADDRESS_TEXT_SIZE];
    unsigned place = addrman_new_place(man, entry, &entry->source);

    entry->is_tried = false;
    man->tried[tried_place] = NOBODY;
    count_out(&man->taken[1], tried_place);
    (*count_of(man, entry, true))--;
    clear_new(man, place);
    addrman_put_new(man, id, place);
    log_debug("addrman", "Moved %s from tried[%u][%u] to new[%u][%u] to make space",
              text_of(man, id, text), tried_place / ADDRMAN_BUCKET_SIZE,
              tried_place % ADDRMAN_BUCKET_SIZE, place / ADDRMAN_BUCKET_SIZE,
              place % ADDRMAN_BUCKET_SIZE);
}

static void note_collision(struct addrman *man, int32_t id, unsigned place)
{
    char there[NET_ADDRESS_TEXT_SIZE];
    char text[NET_ADDRESS_TEXT_SIZE];
    bool is_noted = man->collisions_n == ADDRMAN_COLLISIONS_MAX;

    for (size_t i = 0; i < man->collisions_n; i++)
        is_noted = is_noted || man->collisions[i] == id;
    if (!is_noted)
        man->collisions[man->collisions_n++] = id;
    log_debug("addrman",
              "Collision with %s while attempting to move %s to tried table. "
              "Collisions=%zu",
              text_of(man, man->tried[place], there), text_of(man, id, text), man->collisions_n);
}

static bool make_good(struct addrman *man, int32_t id, bool tests_first, int64_t now_s)
{
    struct entry *entry = &man->entries[id];
    char text[NET_ADDRESS_TEXT_SIZE];
    char asn[32];
    unsigned place;

    man->last_good_s = now_s;
    entry->last_success_s = now_s;
    entry->last_try_s = now_s;
    entry->attempts = 0;
    /* The time others see stays, or they could read from it whom we are connected to. */
    if (entry->is_tried)
        return false;
    place = addrman_tried_place(man, entry);
    if (tests_first && man->tried[place] != NOBODY) {
        note_collision(man, id, place);
        return false;
    }
    while (entry->refs_n > 0)
        drop_ref(man, entry, entry->refs[0]);
    if (man->tried[place] != NOBODY)
        demote(man, place);
    addrman_put_tried(man, id, place);
    log_debug("addrman", "Moved %s%s to tried[%u][%u]", text_of(man, id, text),
              asn_text(man, &entry->address, asn, sizeof(asn)), place / ADDRMAN_BUCKET_SIZE,
              place % ADDRMAN_BUCKET_SIZE);
    return true;
}

bool addrman_good(struct addrman *man, const struct net_address *address, int64_t now_s)
{
    int32_t id;
    bool is_moved;

    check_now_and_then(man);
    man->last_good_s = now_s;
    id = addrman_id_of(man, address);
    is_moved = id != NOBODY && make_good(man, id, true, now_s);
    check_now_and_then(man);
    return is_moved;
}

void addrman_attempt(struct addrman *man, const struct net_address *address, bool counts,
                     int64_t now_s)
{
    struct entry *entry = find(man, address);

    check_now_and_then(man);
    if (entry == NULL)
        return;
    entry->last_try_s = now_s;
    /* Failures count once for each time that somebody else answered: while we are offline
     * all addresses fail. */
    if (counts && entry->last_count_s < man->last_good_s) {
        entry->last_count_s = now_s;
        entry->attempts++;
    }
}

void addrman_connected(struct addrman *man, const struct net_address *address, int64_t now_s)
{
    struct entry *entry = find(man, address);

    check_now_and_then(man);
    if (entry != NULL && now_s - entry->time_s > 20 * 60)
        entry->time_s = now_s;
}

void addrman_set_services(struct addrman *man, const struct net_address *address, uint64_t services)
{
    struct entry *entry = find(man, address);

    check_now_and_then(man);
    if (entry != NULL)
        entry->services = services;
}

/* --- Choosing --- */

static void tell(struct addrman_address *ret, const struct entry *entry)
{
    *ret = (struct addrman_address){
        .address = entry->address, .services = entry->services, .time_s = entry->time_s};
}

static size_t count_on(const struct addrman *man, uint32_t nets, bool is_tried)
{
    size_t n = 0;

    for (unsigned net = 0; net < NET_COUNT; net++) {
        if (nets == 0 || (nets & NET_BIT(net)) != 0)
            n += man->counts[net][is_tried ? 1 : 0];
    }
    return n;
}

/* The first on one of nets in a random bucket that is not empty, from a random position
 * on; NOBODY if it has none. */
static int32_t draw(struct addrman *man, bool is_tried, uint32_t nets)
{
    const int32_t *table = is_tried ? man->tried : man->fresh;
    const struct bucket_list *taken = &man->taken[is_tried ? 1 : 0];
    size_t bucket = (size_t)taken->list[random_below(&man->random, taken->n)] * ADDRMAN_BUCKET_SIZE;
    size_t first = (size_t)random_below(&man->random, ADDRMAN_BUCKET_SIZE);

    for (size_t i = 0; i < ADDRMAN_BUCKET_SIZE; i++) {
        int32_t id = table[bucket + (first + i) % ADDRMAN_BUCKET_SIZE];

        if (id == NOBODY)
            continue;
        if (nets == 0 || (nets & NET_BIT(net_address_net(&man->entries[id].address))) != 0)
            return id;
    }
    return NOBODY;
}

bool addrman_select(struct addrman *man, struct addrman_address *ret, int64_t *ret_last_try_s,
                    bool new_only, uint32_t nets, int64_t now_s)
{
    size_t fresh_n = count_on(man, nets, false);
    size_t tried_n = new_only ? 0 : count_on(man, nets, true);
    double factor = 1.0;
    char text[NET_ADDRESS_TEXT_SIZE];
    bool is_tried;
    int32_t id;

    check_now_and_then(man);
    if (fresh_n + tried_n == 0)
        return false;
    is_tried = tried_n > 0 && (fresh_n == 0 || random_bool(&man->random));
    for (;;) {
        id = draw(man, is_tried, nets);
        if (id == NOBODY)
            continue;
        if ((double)random_below(&man->random, 1U << 30) <
            factor * chance_of(&man->entries[id], now_s) * (double)(1U << 30))
            break;
        factor *= 1.2;
    }
    tell(ret, &man->entries[id]);
    if (ret_last_try_s != NULL)
        *ret_last_try_s = man->entries[id].last_try_s;
    log_debug("addrman", "Selected %s from %s", text_of(man, id, text), is_tried ? "tried" : "new");
    return true;
}

/* Has it been decided who gets the place? */
static bool resolve(struct addrman *man, int32_t id, int64_t now_s)
{
    unsigned place = addrman_tried_place(man, &man->entries[id]);
    int32_t there = man->tried[place];
    char old_text[NET_ADDRESS_TEXT_SIZE];
    char text[NET_ADDRESS_TEXT_SIZE];
    const struct entry *old;

    if (man->entries[id].is_tried)
        return true;
    if (there == NOBODY) {
        (void)make_good(man, id, false, now_s);
        return true;
    }
    old = &man->entries[there];
    if (now_s - old->last_success_s < ADDRMAN_REPLACEMENT_S)
        return true;
    if (now_s - old->last_try_s < ADDRMAN_REPLACEMENT_S) {
        if (now_s - old->last_try_s <= TEST_PATIENCE_S)
            return false;
        log_debug("addrman", "Replacing %s with %s in tried table", text_of(man, there, old_text),
                  text_of(man, id, text));
    } else {
        if (now_s - man->entries[id].last_success_s <= TEST_WINDOW_S)
            return false;
        log_debug("addrman", "Unable to test; replacing %s with %s in tried table anyway",
                  text_of(man, there, old_text), text_of(man, id, text));
    }
    (void)make_good(man, id, false, now_s);
    return true;
}

void addrman_resolve_collisions(struct addrman *man, int64_t now_s)
{
    int32_t ids[ADDRMAN_COLLISIONS_MAX];
    size_t n = man->collisions_n;

    check_now_and_then(man);
    memcpy(ids, man->collisions, sizeof(ids));
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;

        /* Making room for one may have deleted another. */
        while (at < man->collisions_n && man->collisions[at] != ids[i])
            at++;
        if (at < man->collisions_n && resolve(man, ids[i], now_s)) {
            for (at = 0; at < man->collisions_n; at++) {
                if (man->collisions[at] == ids[i])
                    forget_collision(man, at--);
            }
        }
    }
    check_now_and_then(man);
}

bool addrman_select_collision(struct addrman *man, struct addrman_address *ret,
                              int64_t *ret_last_try_s)
{
    int32_t there;
    int32_t id;
    size_t at;

    check_now_and_then(man);
    if (man->collisions_n == 0)
        return false;
    at = (size_t)random_below(&man->random, man->collisions_n);
    id = man->collisions[at];
    there = man->tried[addrman_tried_place(man, &man->entries[id])];
    if (there == NOBODY)
        return false;
    tell(ret, &man->entries[there]);
    if (ret_last_try_s != NULL)
        *ret_last_try_s = man->entries[there].last_try_s;
    return true;
}

size_t addrman_get(struct addrman *man, struct addrman_address **ret_list, size_t max,
                   unsigned percent, enum net_kind net, bool is_filtered, int64_t now_s)
{
    size_t wanted = man->order_n;
    struct addrman_address *list;
    size_t n = 0;

    check_now_and_then(man);
    if (percent != 0)
        wanted = MIN(percent, 100U) * wanted / 100;
    if (max != 0)
        wanted = MIN(wanted, max);
    list = alloc_array(wanted + 1, sizeof(*list));
    for (size_t i = 0; i < man->order_n && n < wanted; i++) {
        const struct entry *entry;

        swap_order(man, i, i + (size_t)random_below(&man->random, man->order_n - i));
        entry = &man->entries[man->order[i]];
        if (net != NET_COUNT && net_address_class(&entry->address) != net)
            continue;
        if (is_filtered && is_terrible(entry, now_s))
            continue;
        tell(&list[n++], entry);
    }
    log_debug("addrman", "GetAddr returned %zu random addresses", n);
    *ret_list = list;
    check_now_and_then(man);
    return n;
}

/* --- Looking --- */

size_t addrman_size(struct addrman *man)
{
    check_now_and_then(man);
    return man->order_n;
}

size_t addrman_count(const struct addrman *man, enum net_kind net, bool is_tried)
{
    return count_on(man, net == NET_COUNT ? 0 : NET_BIT(net), is_tried);
}

bool addrman_find(const struct addrman *man, struct addrman_place *ret,
                  const struct net_address *address)
{
    int32_t id = addrman_id_of(man, address);
    const struct entry *entry;
    unsigned place;

    if (id == NOBODY)
        return false;
    entry = &man->entries[id];
    place = entry->is_tried ? addrman_tried_place(man, entry)
                            : addrman_new_place(man, entry, &entry->source);
    *ret = (struct addrman_place){
        .is_tried = entry->is_tried,
        .bucket = (int32_t)(place / ADDRMAN_BUCKET_SIZE),
        .position = (int32_t)(place % ADDRMAN_BUCKET_SIZE),
        .multiplicity = entry->is_tried ? 1 : entry->refs_n,
    };
    return true;
}

size_t addrman_entries(const struct addrman *man, struct addrman_entry **ret_list, bool is_tried)
{
    const int32_t *table = is_tried ? man->tried : man->fresh;
    unsigned places =
        (is_tried ? ADDRMAN_TRIED_BUCKETS : ADDRMAN_NEW_BUCKETS) * (unsigned)ADDRMAN_BUCKET_SIZE;
    struct addrman_entry *list;
    size_t n = 0;

    for (unsigned place = 0; place < places; place++)
        n += table[place] != NOBODY ? 1 : 0;
    list = alloc_array(n + 1, sizeof(*list));
    n = 0;
    for (unsigned place = 0; place < places; place++) {
        const struct entry *entry = table[place] == NOBODY ? NULL : &man->entries[table[place]];

        if (entry == NULL)
            continue;
        tell(&list[n].known, entry);
        list[n].source = entry->source;
        list[n].place = (struct addrman_place){
            .is_tried = is_tried,
            .bucket = (int32_t)(place / ADDRMAN_BUCKET_SIZE),
            .position = (int32_t)(place % ADDRMAN_BUCKET_SIZE),
            .multiplicity = is_tried ? 1 : entry->refs_n,
        };
        n++;
    }
    *ret_list = list;
    return n;
}
