#include "keys/taproot.h"

#include <string.h>

#include "base/check.h"
#include "crypto/sha256.h"
#include "script/sighash.h"

/* A subtree that is complete: which leaves, and its hash. */
struct subtree {
    size_t first;
    size_t end;
    uint8_t depth;
    uint8_t hash[SHA256_BYTES];
};

/* Appends a sibling's hash to the path of every leaf of a subtree. */
static void extend_paths(struct taproot_leaf *leaves, uint8_t *paths, const struct subtree *tree,
                         const uint8_t *sibling)
{
    for (size_t i = tree->first; i < tree->end; i++) {
        size_t done = leaves[i].control.len;

        CHECK(done < TAPROOT_DEPTH_MAX * (size_t)SHA256_BYTES);
        memcpy(paths + i * TAPROOT_DEPTH_MAX * SHA256_BYTES + done, sibling, SHA256_BYTES);
        leaves[i].control.len += SHA256_BYTES;
    }
}

/* Hashes the tree; the paths come out bottom up, one row of TAPROOT_DEPTH_MAX
 * hashes a leaf, its length meanwhile in control.len. */
static void hash_tree(uint8_t *ret_root, uint8_t *paths, struct taproot_leaf *leaves,
                      size_t leaves_n)
{
    struct subtree stack[TAPROOT_DEPTH_MAX + 2];
    size_t n = 0;

    for (size_t i = 0; i < leaves_n; i++) {
        CHECK(n < TAPROOT_DEPTH_MAX + 1);
        stack[n].first = i;
        stack[n].end = i + 1;
        stack[n].depth = leaves[i].depth;
        tapleaf_hash(leaves[i].hash, leaves[i].version, leaves[i].script);
        memcpy(stack[n].hash, leaves[i].hash, SHA256_BYTES);
        leaves[i].control.len = 0;
        n++;
        while (n >= 2 && stack[n - 1].depth == stack[n - 2].depth) {
            struct subtree *left = &stack[n - 2];
            struct subtree *right = &stack[n - 1];

            extend_paths(leaves, paths, left, right->hash);
            extend_paths(leaves, paths, right, left->hash);
            tapbranch_hash(left->hash, left->hash, right->hash);
            left->end = right->end;
            left->depth--;
            n--;
        }
    }
    CHECK(n == 1 && stack[0].depth == 0);
    memcpy(ret_root, stack[0].hash, SHA256_BYTES);
}

bool taproot_build(struct taproot *ret_taproot, const uint8_t *internal_key,
                   struct taproot_leaf *leaves, size_t leaves_n, struct arena *arena)
{
    uint8_t *paths = NULL;

    memset(ret_taproot, 0, sizeof(*ret_taproot));
    memcpy(ret_taproot->internal_key, internal_key, XONLY_BYTES);
    ret_taproot->leaves = leaves;
    ret_taproot->leaves_n = leaves_n;
    if (leaves_n > 0) {
        paths = arena_array(arena, leaves_n, TAPROOT_DEPTH_MAX * SHA256_BYTES);
        hash_tree(ret_taproot->merkle_root, paths, leaves, leaves_n);
    }
    if (!taproot_output_key(ret_taproot->output_key, &ret_taproot->output_is_odd, internal_key,
                            ret_taproot->merkle_root))
        return false;
    for (size_t i = 0; i < leaves_n; i++) {
        size_t path_len = leaves[i].control.len;
        uint8_t *control = arena_alloc(arena, TAPROOT_CONTROL_BASE_BYTES + path_len);

        control[0] = (uint8_t)(leaves[i].version | (ret_taproot->output_is_odd ? 1 : 0));
        memcpy(control + 1, internal_key, XONLY_BYTES);
        memcpy(control + TAPROOT_CONTROL_BASE_BYTES, paths + i * TAPROOT_DEPTH_MAX * SHA256_BYTES,
               path_len);
        leaves[i].control = span_of(control, TAPROOT_CONTROL_BASE_BYTES + path_len);
    }
    return true;
}
