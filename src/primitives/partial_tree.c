#include "primitives/partial_tree.h"

#include <string.h>

#include "base/check.h"
#include "crypto/sha256.h"

#define HEIGHT_MAX 16

static uint32_t width_at(uint32_t leaves_n, unsigned height)
{
    return (uint32_t)(((uint64_t)leaves_n + (UINT64_C(1) << height) - 1) >> height);
}

static void hash_pair(uint8_t *ret_hash, const uint8_t *left, const uint8_t *right)
{
    uint8_t pair[2 * HASH_BYTES];

    memcpy(pair, left, HASH_BYTES);
    memcpy(pair + HASH_BYTES, right, HASH_BYTES);
    sha256d(ret_hash, pair, sizeof(pair));
}

/* --- Making --- */

/* The whole tree with marks: which nodes have a wanted leaf below. */
struct tree {
    uint32_t leaves_n;
    unsigned height;
    uint8_t (*hashes[HEIGHT_MAX])[HASH_BYTES];
    bool *marks[HEIGHT_MAX];
};

struct making {
    struct tree tree;
    uint8_t *hashes; /* Room for one a leaf. */
    uint32_t hashes_n;
    uint8_t *flags;
    uint32_t flags_n; /* Bits. */
};

static void grow_tree(struct tree *tree, struct arena *arena)
{
    tree->height = 0;
    while (width_at(tree->leaves_n, tree->height) > 1) {
        unsigned h = tree->height++;
        uint32_t below = width_at(tree->leaves_n, h);
        uint32_t n = width_at(tree->leaves_n, h + 1);

        CHECK(tree->height < HEIGHT_MAX);
        tree->hashes[h + 1] = arena_alloc(arena, (size_t)n * HASH_BYTES);
        tree->marks[h + 1] = arena_array(arena, n, sizeof(bool));
        for (uint32_t i = 0; i < n; i++) {
            uint32_t right = MIN(2 * i + 1, below - 1);

            hash_pair(tree->hashes[h + 1][i], tree->hashes[h][2 * i], tree->hashes[h][right]);
            tree->marks[h + 1][i] = tree->marks[h][2 * i] || tree->marks[h][right];
        }
    }
}

/* Depth first: a bit for each node, a hash where the way ends. */
static void lead(struct making *making, unsigned height, uint32_t at)
{
    const struct tree *tree = &making->tree;
    bool is_marked = tree->marks[height][at];

    making->flags[making->flags_n / 8] |= (uint8_t)(is_marked << making->flags_n % 8);
    making->flags_n++;
    if (height == 0 || !is_marked) {
        memcpy(making->hashes + (size_t)making->hashes_n++ * HASH_BYTES, tree->hashes[height][at],
               HASH_BYTES);
        return;
    }
    lead(making, height - 1, 2 * at);
    if (2 * at + 1 < width_at(tree->leaves_n, height - 1))
        lead(making, height - 1, 2 * at + 1);
}

void partial_tree_make(struct partial_tree *ret_tree, const struct txid *leaves,
                       const bool *is_marked, uint32_t leaves_n, struct arena *arena)
{
    struct making making = {.tree.leaves_n = leaves_n};

    CHECK(leaves_n > 0 && leaves_n <= PARTIAL_TREE_LEAVES_MAX);
    making.tree.hashes[0] = arena_alloc(arena, (size_t)leaves_n * HASH_BYTES);
    making.tree.marks[0] = arena_array(arena, leaves_n, sizeof(bool));
    memcpy(making.tree.hashes[0], leaves, (size_t)leaves_n * HASH_BYTES);
    memcpy(making.tree.marks[0], is_marked, leaves_n * sizeof(bool));
    grow_tree(&making.tree, arena);
    making.hashes = arena_alloc(arena, (size_t)leaves_n * HASH_BYTES);
    /* Nodes are fewer than twice the leaves and one a level, for odd ones. */
    making.flags = arena_array(arena, (leaves_n * 2 + HEIGHT_MAX) / 8 + 1, 1);
    lead(&making, making.tree.height, 0);
    ret_tree->leaves_n = leaves_n;
    ret_tree->hashes = span_of(making.hashes, (size_t)making.hashes_n * HASH_BYTES);
    ret_tree->flags = span_of(making.flags, (making.flags_n + 7) / 8);
}

/* --- Checking --- */

struct check {
    const struct partial_tree *tree;
    size_t hashes_used; /* Bytes. */
    size_t flags_used;  /* Bits. */
    struct txid *found; /* Room for all leaves. */
    uint32_t found_n;
    bool is_bad;
};

static void walk(struct check *check, unsigned height, uint32_t at, uint8_t *ret_hash)
{
    const struct partial_tree *tree = check->tree;
    uint8_t left[HASH_BYTES];
    uint8_t right[HASH_BYTES];
    bool is_marked;

    memset(ret_hash, 0, HASH_BYTES);
    if (check->is_bad || check->flags_used >= tree->flags.len * 8) {
        check->is_bad = true;
        return;
    }
    is_marked = (tree->flags.data[check->flags_used / 8] >> (check->flags_used % 8) & 1) != 0;
    check->flags_used++;
    if (height == 0 || !is_marked) {
        if (check->hashes_used + HASH_BYTES > tree->hashes.len) {
            check->is_bad = true;
            return;
        }
        memcpy(ret_hash, tree->hashes.data + check->hashes_used, HASH_BYTES);
        check->hashes_used += HASH_BYTES;
        if (height == 0 && is_marked)
            memcpy(check->found[check->found_n++].b, ret_hash, HASH_BYTES);
        return;
    }
    walk(check, height - 1, 2 * at, left);
    memcpy(right, left, HASH_BYTES);
    if (2 * at + 1 < width_at(tree->leaves_n, height - 1)) {
        walk(check, height - 1, 2 * at + 1, right);
        /* Equal neighbours would let one tree pass for another (CVE-2012-2459). */
        if (memcmp(left, right, HASH_BYTES) == 0)
            check->is_bad = true;
    }
    hash_pair(ret_hash, left, right);
}

bool partial_tree_check(const struct partial_tree *tree, const struct merkle_root *root,
                        struct txid **ret_found, uint32_t *ret_found_n, struct arena *arena)
{
    struct check check = {.tree = tree};
    uint8_t hash[HASH_BYTES];
    unsigned height = 0;

    if (tree->leaves_n == 0 || tree->leaves_n > PARTIAL_TREE_LEAVES_MAX ||
        tree->hashes.len / HASH_BYTES > tree->leaves_n ||
        tree->flags.len * 8 < tree->hashes.len / HASH_BYTES)
        return false;
    while (width_at(tree->leaves_n, height) > 1)
        height++;
    check.found = arena_array(arena, tree->leaves_n, sizeof(*check.found));
    walk(&check, height, 0, hash);
    *ret_found = check.found;
    *ret_found_n = check.found_n;
    return !check.is_bad && (check.flags_used + 7) / 8 == tree->flags.len &&
           check.hashes_used == tree->hashes.len && memcmp(hash, root->b, HASH_BYTES) == 0;
}
