/* The header tree: every header that passed its checks, in memory.
 *
 * Owner thread: chain; it alone adds and marks. Nodes never move and are never
 * freed before the tree, what identifies them never changes, and what changes is
 * atomic, so that any thread may follow pointers, look up hashes and read marks
 * without waiting for the owner. The tree is append-only: a node's index is
 * greater than its parent's.
 */
#ifndef HEADERS_TREE_H
#define HEADERS_TREE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "consensus/params.h"
#include "consensus/pow.h"
#include "primitives/header.h"

/* What is known of a block, beyond its header. */
enum header_mark {
    HEADER_CHECKED = 1 << 0,      /* Context-free body checks passed. */
    HEADER_CONNECTED = 1 << 1,    /* Connected once: everything was verified ... */
    HEADER_SKIPPED = 1 << 2,      /* ... but for the scripts (assumevalid). */
    HEADER_DATA = 1 << 3,         /* The block's bytes are in a file. */
    HEADER_UNDO = 1 << 4,         /* So is its undo. */
    HEADER_FAILED = 1 << 5,       /* Invalid by itself, or by the user's will. */
    HEADER_FAILED_CHILD = 1 << 6, /* An ancestor is. */
    HEADER_WITNESS = 1 << 7,      /* Its bytes carry what segwit asks for. */
    HEADER_SPARE = 1 << 8         /* Its bytes are in a file that is not ours (import). */
};
#define HEADER_FAILED_ANY ((uint32_t)(HEADER_FAILED | HEADER_FAILED_CHILD))

/* 2^24 headers are 300 years of blocks. */
#define HEADER_TREE_MAX (1U << 24)

struct header_node {
    struct block_hash hash;
    struct merkle_root merkle_root;
    struct header_node *prev; /* NULL: genesis. */
    struct header_node *jump; /* An ancestor some way back (genesis: itself). */
    uint64_t work_low;        /* Chainwork, 128 bits: what was hashed, not what bits claim. */
    uint64_t work_high;
    int32_t version;
    uint32_t time;
    uint32_t bits;
    uint32_t nonce;
    int32_t height;
    uint32_t time_max; /* The greatest time of this and all ancestors. */
    uint32_t index;    /* Position in the tree. */

    /* Written by the owner, readable by all. */
    _Atomic uint32_t marks;
    _Atomic uint32_t tx_n;        /* 0: not known. */
    _Atomic uint32_t size_bytes;  /* Of the body; 0: not known. */
    _Atomic uint64_t chain_tx_n;  /* 0 unless known for all ancestors too. */
    _Atomic uint64_t block_place; /* See header_place. */
    _Atomic uint64_t undo_place;

    /* For the owner only. */
    uint32_t child;   /* Index + 1 of the newest child; 0: none. */
    uint32_t sibling; /* ... and of the parent's next newest. */
    int32_t sequence; /* Earlier is preferred among equal work. */
    bool is_touched;  /* Changed since it was saved. */
};

/* A place in a numbered file, as one word. */
static inline uint64_t header_place(uint32_t file, uint32_t offset)
{
    return (uint64_t)file << 32 | offset;
}
static inline uint32_t header_place_file(uint64_t place)
{
    return (uint32_t)(place >> 32);
}
static inline uint32_t header_place_offset(uint64_t place)
{
    return (uint32_t)place;
}

static inline uint32_t header_marks(const struct header_node *node)
{
    return atomic_load_explicit(&node->marks, memory_order_acquire);
}
static inline bool header_has(const struct header_node *node, uint32_t marks)
{
    return (header_marks(node) & marks) == marks;
}
static inline bool header_is_failed(const struct header_node *node)
{
    return (header_marks(node) & HEADER_FAILED_ANY) != 0;
}
/* Owner only. */
static inline void header_mark(struct header_node *node, uint32_t marks)
{
    atomic_store_explicit(&node->marks, header_marks(node) | marks, memory_order_release);
}
static inline void header_unmark(struct header_node *node, uint32_t marks)
{
    atomic_store_explicit(&node->marks, header_marks(node) & ~marks, memory_order_release);
}

struct header_tree;

/* A tree that holds the network's genesis header. salt: random, for the table of
 * hashes. params is borrowed. Never NULL. */
struct header_tree *header_tree_new(const struct params *params, const uint64_t salt[2]);
void header_tree_free(struct header_tree *own_tree);

/* Owner only. The header must not be in the tree and its parent must be.
 *
 * Returns: 0, or E_LIMIT when the tree is full or its work would pass 128 bits. */
NODISCARD int header_tree_add(struct header_tree *tree, struct header_node **ret_node,
                              const struct header *header, const struct block_hash *hash,
                              struct error *err);

/* Any thread. NULL if it is not there. */
struct header_node *header_tree_find(const struct header_tree *tree, const struct block_hash *hash);
struct header_node *header_tree_genesis(const struct header_tree *tree);
uint32_t header_tree_count(const struct header_tree *tree);
/* index < header_tree_count. Parents come before their children. */
struct header_node *header_tree_at(const struct header_tree *tree, uint32_t index);

/* Most work among those not marked invalid; any thread. */
struct header_node *header_tree_best(const struct header_tree *tree);

/* Owner only. Mark a node invalid and its descendants with it; the best header
 * follows. header_tree_reconsider takes the marks off the node, its ancestors and
 * its descendants; other branches stay as they were, those that failed with an
 * ancestor cleared now by themselves. Returns whether anything changed. */
bool header_tree_fail(struct header_tree *tree, struct header_node *node);
bool header_tree_reconsider(struct header_tree *tree, struct header_node *node);
/* Owner only. Walks root's descendants, parents first: the one after `at`, which is root
 * to begin with; NULL at the end. skip: without those of `at`. */
struct header_node *header_tree_below(const struct header_tree *tree,
                                      const struct header_node *root, const struct header_node *at,
                                      bool skip);
/* Owner only, after marks were set one by one: children of invalid parents, and
 * the best header. */
void header_tree_settle(struct header_tree *tree);

/* Any thread. */
struct header header_of_node(const struct header_node *node);
struct u256 header_work(const struct header_node *node);
/* Negative, zero or positive as a has less, equal or more work than b. */
int header_work_compare(const struct header_node *a, const struct header_node *b);
/* The ancestor at height; NULL when height is negative or above the node. */
struct header_node *header_ancestor(const struct header_node *node, int32_t height);
static inline bool header_is_ancestor(const struct header_node *old, const struct header_node *node)
{
    return header_ancestor(node, old->height) == old;
}
/* The last block both branches have. */
struct header_node *header_fork(const struct header_node *a, const struct header_node *b);
uint32_t header_median_time(const struct header_node *node);
/* For consensus: the chain that ends in node (NULL: no blocks). Borrows node. */
struct ancestry header_ancestry(const struct header_node *node);

/* A block locator: hashes from node back, the last ten one by one, then in steps
 * that double, and genesis. Returns how many were written. */
#define LOCATOR_MAX 48
size_t header_locator(const struct header_node *node, struct block_hash *ret_hashes);

#endif /* HEADERS_TREE_H */
