#include "base/alloc.h"
#include "base/check.h"
#include "coins/run_set_priv.h"

/* Fewer runs than this are not worth a merge. */
#define MERGE_N_MIN 4U
#define MERGE_N_SMALL 3U
#define MERGE_SMALL_BYTES (UINT64_C(64) << 10)

struct run_set *run_set_new(struct run *const *own_runs, uint32_t n)
{
    struct run_set *set = alloc_zero(sizeof(*set) + n * sizeof(set->runs[0]));

    atomic_init(&set->refs, 1);
    set->n = n;
    for (uint32_t i = 0; i < n; i++)
        set->runs[i] = own_runs[i];
    return set;
}

struct run_set *run_set_ref(struct run_set *set)
{
    (void)atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    return set;
}

void run_set_unref(struct run_set *own_set)
{
    if (own_set == NULL || atomic_fetch_sub_explicit(&own_set->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (uint32_t i = 0; i < own_set->n; i++)
        run_unref(own_set->runs[i]);
    free(own_set);
}

uint64_t run_set_file_bytes(const struct run_set *set)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < set->n; i++)
        bytes += run_file_bytes(set->runs[i]);
    return bytes;
}

uint64_t run_set_memory_bytes(const struct run_set *set)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < set->n; i++)
        bytes += run_memory_bytes(set->runs[i]);
    return bytes;
}

int run_set_find(const struct run_set *set, struct record *ret_record, uint64_t hash,
                 const struct outpoint *outpoint, struct buf *scratch, struct error *err)
{
    uint8_t key[RECORD_KEY_BYTES_MAX];
    size_t key_len = 0;

    for (uint32_t i = 0; i < set->n; i++) {
        struct span body;
        int rc;

        if (!run_may_have(set->runs[i], hash))
            continue;
        if (key_len == 0)
            key_len = record_key_write(key, outpoint);
        rc = run_find(set->runs[i], &body, hash, span_of(key, key_len), scratch, err);
        if (rc < 0)
            return rc;
        if (rc == 0)
            continue;
        if (record_read(ret_record, body) < 0)
            return error_set(err, E_CORRUPT, "a coin in run %llu is malformed",
                             (unsigned long long)run_id(set->runs[i]));
        return ret_record->is_spent ? 0 : 1;
    }
    return 0;
}

/* The longest row of newest runs of which the oldest is not much larger than the
 * newer ones together: sizes then grow by about three from one run to the next, a
 * record is written again about log3(set / flush) times, and few runs are left to
 * ask. */
uint32_t run_set_merge_n(const struct run_set *set)
{
    uint64_t newer = 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < set->n; i++) {
        uint64_t bytes = run_file_bytes(set->runs[i]);

        if (i + 1 >= MERGE_N_MIN && bytes * 4 <= newer * 3)
            n = i + 1;
        /* Mostly what each run needs for itself. */
        if (i + 1 >= MERGE_N_SMALL && newer + bytes <= MERGE_SMALL_BYTES)
            n = i + 1;
        newer += bytes;
    }
    return n;
}

struct walk_source {
    struct run_walk *walk; /* Owned. */
    uint64_t hash;
    struct span body;
    size_t key_len;
    bool is_at_end;
};

struct run_set_walk {
    struct run_set *set;
    struct siphash_key salt;
    uint32_t n;
    struct walk_source sources[];
};

/* Reads a source's next record. Hashes must rise: else the file is not ours. */
static int source_next(struct run_set_walk *walk, uint32_t i, struct error *err)
{
    struct walk_source *source = &walk->sources[i];
    uint8_t key[RECORD_KEY_BYTES_MAX];
    struct outpoint outpoint;
    uint64_t hash;
    int rc;

    rc = run_walk_next(source->walk, &source->body, err);
    if (rc == 0)
        source->is_at_end = true;
    if (rc <= 0)
        return rc;
    if (record_read_key(&outpoint, source->body) < 0)
        return error_set(err, E_CORRUPT, "a coin in run %llu is malformed",
                         (unsigned long long)run_id(walk->set->runs[i]));
    source->key_len = record_key_write(key, &outpoint);
    hash = outpoint_hash(&walk->salt, &outpoint);
    if (hash < source->hash)
        return error_set(err, E_CORRUPT, "coins in run %llu are out of order",
                         (unsigned long long)run_id(walk->set->runs[i]));
    source->hash = hash;
    return 0;
}

struct run_set_walk *run_set_walk_new(struct run_set *set, uint32_t n,
                                      const struct siphash_key *salt, uint32_t buffer_bytes)
{
    struct run_set_walk *walk = alloc_zero(sizeof(*walk) + n * sizeof(walk->sources[0]));

    CHECK(n <= set->n);
    walk->set = run_set_ref(set);
    walk->salt = *salt;
    walk->n = n;
    for (uint32_t i = 0; i < n; i++)
        walk->sources[i].walk = run_walk_new(set->runs[i], buffer_bytes);
    return walk;
}

void run_set_walk_free(struct run_set_walk *own_walk)
{
    if (own_walk == NULL)
        return;
    for (uint32_t i = 0; i < own_walk->n; i++)
        run_walk_free(own_walk->sources[i].walk);
    run_set_unref(own_walk->set);
    free(own_walk);
}

/* Order of two sources' records: by hash, then key. */
static int source_compare(const struct walk_source *a, const struct walk_source *b)
{
    int order;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    order = memcmp(a->body.data, b->body.data, MIN(a->key_len, b->key_len));
    if (order != 0)
        return order;
    return (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

int run_set_walk_next(struct run_set_walk *walk, uint64_t *ret_hash, struct span *ret_body,
                      struct error *err)
{
    const struct walk_source *least = NULL;

    /* The bodies handed out last time were lent until now: step over them. A body
     * that is NULL has not been read yet. */
    for (uint32_t i = 0; i < walk->n; i++) {
        struct walk_source *source = &walk->sources[i];
        int rc;

        if (source->is_at_end || source->body.data != NULL)
            continue;
        rc = source_next(walk, i, err);
        if (rc < 0)
            return rc;
    }
    for (uint32_t i = 0; i < walk->n; i++) {
        const struct walk_source *source = &walk->sources[i];

        if (!source->is_at_end && (least == NULL || source_compare(source, least) < 0))
            least = source;
    }
    if (least == NULL)
        return 0;
    *ret_hash = least->hash;
    *ret_body = least->body;
    for (uint32_t i = 0; i < walk->n; i++) {
        struct walk_source *source = &walk->sources[i];

        if (source != least && !source->is_at_end && source_compare(source, least) == 0)
            source->body = span_of(NULL, 0);
    }
    walk->sources[least - walk->sources].body = span_of(NULL, 0);
    return 1;
}
