#include "keys/keyring.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/hash160.h"

enum entry_kind { ENTRY_KEY, ENTRY_SCRIPT, ENTRY_TAPROOT };

struct keyring_entry {
    enum entry_kind kind;
    uint8_t id[HASH160_BYTES]; /* Taproot: the first bytes of the output key. */
    struct pubkey pubkey;
    struct seckey *secret; /* From secret_alloc; NULL: not known. */
    const struct key_origin *origin;
    struct span script;
    struct taproot taproot;
};

void keyring_init(struct keyring *ring)
{
    memset(ring, 0, sizeof(*ring));
    arena_init(&ring->arena);
}

void keyring_clear(struct keyring *ring)
{
    for (size_t i = 0; i < ring->entries_n; i++)
        secret_free(ring->entries[i]->secret, sizeof(struct seckey));
    free(ring->entries);
    free(ring->slots);
    arena_clear(&ring->arena);
    keyring_init(ring);
}

/* The ids are hashes or points already, so their first bytes spread well. */
static size_t home_slot(const struct keyring *ring, const uint8_t *id)
{
    return (size_t)get_le64(id) & (ring->slots_n - 1);
}

static struct keyring_entry *find(const struct keyring *ring, enum entry_kind kind,
                                  const uint8_t *id)
{
    size_t at;

    if (ring->slots_n == 0)
        return NULL;
    for (at = home_slot(ring, id); ring->slots[at] != 0; at = (at + 1) & (ring->slots_n - 1)) {
        struct keyring_entry *entry = ring->entries[ring->slots[at] - 1];

        if (entry->kind == kind && memcmp(entry->id, id, HASH160_BYTES) == 0)
            return entry;
    }
    return NULL;
}

static void place(struct keyring *ring, size_t index)
{
    size_t at = home_slot(ring, ring->entries[index]->id);

    while (ring->slots[at] != 0)
        at = (at + 1) & (ring->slots_n - 1);
    ring->slots[at] = (uint32_t)(index + 1);
}

static void grow(struct keyring *ring)
{
    ring->slots_n = ring->slots_n == 0 ? 16 : ring->slots_n * 2;
    CHECK(ring->slots_n <= UINT32_MAX);
    free(ring->slots);
    ring->slots = alloc_array(ring->slots_n, sizeof(*ring->slots));
    ring->entries = realloc_array(ring->entries, ring->slots_n / 2, sizeof(*ring->entries));
    for (size_t i = 0; i < ring->entries_n; i++)
        place(ring, i);
}

static struct keyring_entry *find_or_add(struct keyring *ring, enum entry_kind kind,
                                         const uint8_t *id)
{
    struct keyring_entry *entry = find(ring, kind, id);

    if (entry != NULL)
        return entry;
    if (ring->entries_n * 2 >= ring->slots_n)
        grow(ring);
    entry = arena_array(&ring->arena, 1, sizeof(*entry));
    entry->kind = kind;
    memcpy(entry->id, id, HASH160_BYTES);
    ring->entries[ring->entries_n] = entry;
    place(ring, ring->entries_n);
    ring->entries_n++;
    return entry;
}

static struct keyring_entry *add_key(struct keyring *ring, const struct pubkey *pubkey)
{
    struct key_id id = pubkey_id(pubkey);
    struct keyring_entry *entry = find_or_add(ring, ENTRY_KEY, id.b);

    entry->pubkey = *pubkey;
    return entry;
}

void keyring_add_secret(struct keyring *ring, const struct seckey *key)
{
    struct pubkey pubkey = pubkey_of_seckey(key);
    struct keyring_entry *entry = add_key(ring, &pubkey);

    if (entry->secret != NULL)
        return;
    entry->secret = secret_alloc(sizeof(*entry->secret));
    *entry->secret = *key;
    ring->secrets_n++;
}

void keyring_add_origin(struct keyring *ring, const struct pubkey *pubkey,
                        const struct key_origin *origin)
{
    struct keyring_entry *entry = add_key(ring, pubkey);
    struct key_origin *copy = arena_array(&ring->arena, 1, sizeof(*copy));
    uint32_t *path = arena_array(&ring->arena, origin->path_n, sizeof(*path));

    if (origin->path_n > 0)
        memcpy(path, origin->path, origin->path_n * sizeof(*path));
    memcpy(copy->fingerprint, origin->fingerprint, sizeof(copy->fingerprint));
    copy->path = path;
    copy->path_n = origin->path_n;
    entry->origin = copy;
}

static struct span copied(struct keyring *ring, struct span bytes)
{
    uint8_t *copy = arena_alloc(&ring->arena, bytes.len);

    if (bytes.len > 0)
        memcpy(copy, bytes.data, bytes.len);
    return span_of(copy, bytes.len);
}

void keyring_add_script(struct keyring *ring, struct span script)
{
    uint8_t hash[HASH160_BYTES];
    struct keyring_entry *entry;

    hash160(hash, script.data, script.len);
    entry = find_or_add(ring, ENTRY_SCRIPT, hash);
    if (entry->script.data == NULL)
        entry->script = copied(ring, script);
}

void keyring_add_taproot(struct keyring *ring, const struct taproot *taproot)
{
    struct keyring_entry *entry = find_or_add(ring, ENTRY_TAPROOT, taproot->output_key);
    struct taproot_leaf *leaves = arena_array(&ring->arena, taproot->leaves_n, sizeof(*leaves));

    for (size_t i = 0; i < taproot->leaves_n; i++) {
        leaves[i] = taproot->leaves[i];
        leaves[i].script = copied(ring, leaves[i].script);
        leaves[i].control = copied(ring, leaves[i].control);
    }
    entry->taproot = *taproot;
    entry->taproot.leaves = leaves;
}

const struct seckey *keyring_secret(const struct keyring *ring, const struct key_id *id)
{
    const struct keyring_entry *entry = find(ring, ENTRY_KEY, id->b);

    return entry == NULL ? NULL : entry->secret;
}

static struct key_id xonly_id(const uint8_t *xonly, bool is_odd)
{
    struct pubkey pubkey = pubkey_of_xonly(xonly);

    pubkey.b[0] = is_odd ? 3 : 2;
    return pubkey_id(&pubkey);
}

const struct seckey *keyring_secret_by_xonly(const struct keyring *ring, const uint8_t *xonly)
{
    struct key_id even = xonly_id(xonly, false);
    struct key_id odd = xonly_id(xonly, true);
    const struct seckey *key = keyring_secret(ring, &even);

    return key != NULL ? key : keyring_secret(ring, &odd);
}

const struct pubkey *keyring_pubkey(const struct keyring *ring, const struct key_id *id)
{
    const struct keyring_entry *entry = find(ring, ENTRY_KEY, id->b);

    return entry == NULL ? NULL : &entry->pubkey;
}

const struct key_origin *keyring_origin(const struct keyring *ring, const struct key_id *id)
{
    const struct keyring_entry *entry = find(ring, ENTRY_KEY, id->b);

    return entry == NULL ? NULL : entry->origin;
}

const struct key_origin *keyring_origin_by_xonly(const struct keyring *ring, const uint8_t *xonly)
{
    struct key_id even = xonly_id(xonly, false);
    struct key_id odd = xonly_id(xonly, true);
    const struct key_origin *origin = keyring_origin(ring, &even);

    return origin != NULL ? origin : keyring_origin(ring, &odd);
}

bool keyring_script(const struct keyring *ring, struct span *ret_script, const uint8_t *hash)
{
    const struct keyring_entry *entry = find(ring, ENTRY_SCRIPT, hash);

    if (entry == NULL)
        return false;
    *ret_script = entry->script;
    return true;
}

const struct taproot *keyring_taproot(const struct keyring *ring, const uint8_t *output_key)
{
    const struct keyring_entry *entry = find(ring, ENTRY_TAPROOT, output_key);

    if (entry == NULL || memcmp(entry->taproot.output_key, output_key, XONLY_BYTES) != 0)
        return NULL;
    return &entry->taproot;
}
