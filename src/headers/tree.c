#include "headers/tree.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"

#define CHUNK_NODES 1024U
#define CHUNKS_MAX (HEADER_TREE_MAX / CHUNK_NODES)
#define TABLE_SLOTS_MIN 4096U
#define MEDIAN_SPAN 11
/* The nodes with the most work are at hand, from some blocks below the best one on. */
#define TOP_BLOCKS 128
#define TOP_NODES_MIN 1024U

__extension__ typedef unsigned __int128 uint128;

/* Open addressing; a slot holds index + 1. Tables that were outgrown stay until
 * the tree goes, because a reader may still be probing them: all of them together
 * are as large as the newest. */
struct table {
    struct table *older;
    uint32_t slots_mask;
    _Atomic uint32_t slots[];
};

struct header_tree {
    const struct params *params;
    uint64_t salt[2];
    _Atomic uint32_t count;
    _Atomic(struct table *) table;
    _Atomic(struct header_node *) best;
    _Atomic(struct header_node *) chunks[CHUNKS_MAX];

    /* All nodes that have at least the work of `floor`, failed ones too, in the order in
     * which they came; NULL: all there are. */
    struct header_node **top; /* Owned. */
    uint32_t top_n;
    uint32_t top_capacity;
    const struct header_node *floor;
};

/* Hashes of headers are work-bound only at their end, so that the first bytes of
 * many could be ground for one slot: the salt keeps slots unpredictable. */
static uint32_t slot_of(const struct header_tree *tree, const struct block_hash *hash)
{
    uint64_t a = get_le64(hash->b) ^ tree->salt[0];
    uint64_t b = get_le64(hash->b + 8) ^ tree->salt[1];
    uint128 product = (uint128)(a | 1) * (b ^ UINT64_C(0x9e3779b97f4a7c15));
    uint64_t mixed = (uint64_t)product ^ (uint64_t)(product >> 64);

    mixed ^= get_le64(hash->b + 16) * (tree->salt[0] | 1);
    mixed *= tree->salt[1] | 1;
    return (uint32_t)(mixed >> 32);
}

static struct table *table_new(uint32_t slots_n)
{
    struct table *table = alloc_zero(sizeof(*table) + slots_n * sizeof(table->slots[0]));

    table->slots_mask = slots_n - 1;
    return table;
}

static void table_put(struct table *table, uint32_t slot, uint32_t index)
{
    slot &= table->slots_mask;
    while (atomic_load_explicit(&table->slots[slot], memory_order_relaxed) != 0)
        slot = (slot + 1) & table->slots_mask;
    atomic_store_explicit(&table->slots[slot], index + 1, memory_order_release);
}

static void table_grow(struct header_tree *tree, uint32_t count)
{
    struct table *old = atomic_load_explicit(&tree->table, memory_order_relaxed);
    struct table *table = table_new((old->slots_mask + 1) * 2);

    for (uint32_t i = 0; i < count; i++)
        table_put(table, slot_of(tree, &header_tree_at(tree, i)->hash), i);
    table->older = old;
    atomic_store_explicit(&tree->table, table, memory_order_release);
}

uint32_t header_tree_count(const struct header_tree *tree)
{
    return atomic_load_explicit(&tree->count, memory_order_acquire);
}

struct header_node *header_tree_at(const struct header_tree *tree, uint32_t index)
{
    return atomic_load_explicit(&tree->chunks[index / CHUNK_NODES], memory_order_acquire) +
           index % CHUNK_NODES;
}

struct header_node *header_tree_find(const struct header_tree *tree, const struct block_hash *hash)
{
    const struct table *table = atomic_load_explicit(&tree->table, memory_order_acquire);
    uint32_t slot = slot_of(tree, hash) & table->slots_mask;

    for (;;) {
        uint32_t entry = atomic_load_explicit(&table->slots[slot], memory_order_acquire);
        struct header_node *node;

        if (entry == 0)
            return NULL;
        node = header_tree_at(tree, entry - 1);
        if (block_hash_equal(&node->hash, hash))
            return node;
        slot = (slot + 1) & table->slots_mask;
    }
}

struct header_node *header_tree_genesis(const struct header_tree *tree)
{
    return header_tree_at(tree, 0);
}

struct header_node *header_tree_best(const struct header_tree *tree)
{
    return atomic_load_explicit(&tree->best, memory_order_acquire);
}

/* Skew-binary numbers (Myers, "An applicative random-access stack", 1983): where
 * the parent's jump and the jump after it span equally far, join them. Every
 * ancestor is then O(log height) steps away. */
static struct header_node *jump_after(struct header_node *prev)
{
    const struct header_node *jump = prev->jump;

    if (prev->height - jump->height == jump->height - jump->jump->height)
        return jump->jump;
    return prev;
}

static bool work_after(struct header_node *node, const struct header *header)
{
    struct u256 work = work_of_bits(header->bits);
    uint128 sum;

    if (work.limb[2] != 0 || work.limb[3] != 0)
        return false;
    sum = (uint128)work.limb[1] << 64 | work.limb[0];
    if (node->prev != NULL) {
        uint128 before = (uint128)node->prev->work_high << 64 | node->prev->work_low;

        if (__builtin_add_overflow(sum, before, &sum))
            return false;
    }
    node->work_low = (uint64_t)sum;
    node->work_high = (uint64_t)(sum >> 64);
    return true;
}

static struct header_node *node_slot(struct header_tree *tree, uint32_t index)
{
    _Atomic(struct header_node *) *chunk = &tree->chunks[index / CHUNK_NODES];

    if (atomic_load_explicit(chunk, memory_order_relaxed) == NULL)
        atomic_store_explicit(chunk, alloc_array(CHUNK_NODES, sizeof(struct header_node)),
                              memory_order_release);
    return header_tree_at(tree, index);
}

/* Raises the floor until there is room again, or makes more room. */
static void make_room(struct header_tree *tree)
{
    const struct header_node *best = header_tree_best(tree);
    uint32_t kept = 0;

    tree->floor = header_ancestor(best, MAX(0, best->height - TOP_BLOCKS));
    for (uint32_t i = 0; i < tree->top_n; i++) {
        if (header_work_compare(tree->top[i], tree->floor) >= 0)
            tree->top[kept++] = tree->top[i];
    }
    tree->top_n = kept;
    if (kept < tree->top_capacity / 2)
        return;
    tree->top_capacity = MAX(TOP_NODES_MIN, tree->top_capacity * 2);
    tree->top = realloc_array(tree->top, tree->top_capacity, sizeof(struct header_node *));
}

static void note_top(struct header_tree *tree, struct header_node *node)
{
    if (tree->floor != NULL && header_work_compare(node, tree->floor) < 0)
        return;
    if (tree->top_n == tree->top_capacity)
        make_room(tree);
    tree->top[tree->top_n++] = node;
}

/* Among equals the first one. NULL: all of them failed. */
static struct header_node *best_of_top(const struct header_tree *tree)
{
    struct header_node *best = NULL;

    for (uint32_t i = 0; i < tree->top_n; i++) {
        struct header_node *node = tree->top[i];

        if (!header_is_failed(node) && (best == NULL || header_work_compare(node, best) > 0))
            best = node;
    }
    return best;
}

int header_tree_add(struct header_tree *tree, struct header_node **ret_node,
                    const struct header *header, const struct block_hash *hash, struct error *err)
{
    uint32_t index = atomic_load_explicit(&tree->count, memory_order_relaxed);
    struct table *table = atomic_load_explicit(&tree->table, memory_order_relaxed);
    struct header_node *prev = index == 0 ? NULL : header_tree_find(tree, &header->prev);
    struct header_node *best = header_tree_best(tree);
    struct header_node *node;

    CHECK(index == 0 || prev != NULL);
    if (index >= HEADER_TREE_MAX)
        return error_set(err, E_LIMIT, "the header tree is full");
    node = node_slot(tree, index);
    *node = (struct header_node){.hash = *hash,
                                 .merkle_root = header->merkle_root,
                                 .prev = prev,
                                 .version = header->version,
                                 .time = header->time,
                                 .bits = header->bits,
                                 .nonce = header->nonce,
                                 .height = prev == NULL ? 0 : prev->height + 1,
                                 .time_max = header->time,
                                 .index = index};
    node->jump = prev == NULL ? node : jump_after(prev);
    if (prev != NULL && prev->time_max > node->time_max)
        node->time_max = prev->time_max;
    if (!work_after(node, header))
        return error_set(err, E_LIMIT, "chainwork is out of range");
    if (prev != NULL && header_is_failed(prev))
        header_mark(node, HEADER_FAILED_CHILD);

    if ((index + 1) * UINT64_C(2) > table->slots_mask) {
        table_grow(tree, index);
        table = atomic_load_explicit(&tree->table, memory_order_relaxed);
    }
    table_put(table, slot_of(tree, hash), index);
    atomic_store_explicit(&tree->count, index + 1, memory_order_release);
    if (best == NULL || (!header_is_failed(node) && header_work_compare(node, best) > 0))
        atomic_store_explicit(&tree->best, node, memory_order_release);
    if (prev != NULL) {
        node->sibling = prev->child;
        prev->child = index + 1;
    }
    note_top(tree, node);
    *ret_node = node;
    return 0;
}

struct header_tree *header_tree_new(const struct params *params, const uint64_t salt[2])
{
    struct header_tree *tree = alloc_zero(sizeof(*tree));
    struct header_node *node;
    struct header header;
    struct reader r;

    tree->params = params;
    tree->salt[0] = salt[0];
    tree->salt[1] = salt[1];
    atomic_init(&tree->table, table_new(TABLE_SLOTS_MIN));
    reader_init(&r, params->genesis.data, params->genesis.len);
    header_read(&header, &r);
    CHECK(r.rc == 0);
    CHECK(header_tree_add(tree, &node, &header, &params->genesis_hash, NULL) == 0);
    return tree;
}

void header_tree_free(struct header_tree *own_tree)
{
    struct table *table;

    if (own_tree == NULL)
        return;
    table = atomic_load(&own_tree->table);
    while (table != NULL) {
        struct table *older = table->older;

        free(table);
        table = older;
    }
    for (uint32_t i = 0; i < CHUNKS_MAX; i++)
        free(atomic_load(&own_tree->chunks[i]));
    free(own_tree->top);
    free(own_tree);
}

void header_tree_settle(struct header_tree *tree)
{
    uint32_t count = header_tree_count(tree);
    struct header_node *best = header_tree_genesis(tree);

    for (uint32_t i = 1; i < count; i++) {
        struct header_node *node = header_tree_at(tree, i);
        bool is_child = header_is_failed(node->prev);

        if (is_child != header_has(node, HEADER_FAILED_CHILD)) {
            if (is_child)
                header_mark(node, HEADER_FAILED_CHILD);
            else
                header_unmark(node, HEADER_FAILED_CHILD);
        }
        if (!header_is_failed(node) && header_work_compare(node, best) > 0)
            best = node;
    }
    /* Among equals the one that was best stays. */
    if (header_is_failed(header_tree_best(tree)) ||
        header_work_compare(best, header_tree_best(tree)) > 0)
        atomic_store_explicit(&tree->best, best, memory_order_release);
}

struct header_node *header_tree_below(const struct header_tree *tree,
                                      const struct header_node *root, const struct header_node *at,
                                      bool skip)
{
    if (!skip && at->child != 0)
        return header_tree_at(tree, at->child - 1);
    for (; at != root; at = at->prev) {
        if (at->sibling != 0)
            return header_tree_at(tree, at->sibling - 1);
    }
    return NULL;
}

/* The best is far below the old floor. */
static void refill_top(struct header_tree *tree)
{
    const struct header_node *best = header_tree_best(tree);
    uint32_t count = header_tree_count(tree);

    tree->floor = header_ancestor(best, MAX(0, best->height - TOP_BLOCKS));
    tree->top_n = 0;
    for (uint32_t i = 0; i < count; i++)
        note_top(tree, header_tree_at(tree, i));
}

bool header_tree_fail(struct header_tree *tree, struct header_node *node)
{
    bool was_failed = header_is_failed(node);
    struct header_node *best;

    if (header_has(node, HEADER_FAILED))
        return false;
    header_mark(node, HEADER_FAILED);
    /* Below one that had failed before all is marked. */
    for (struct header_node *at = header_tree_below(tree, node, node, was_failed); at != NULL;
         at = header_tree_below(tree, node, at, was_failed)) {
        was_failed = header_is_failed(at);
        header_mark(at, HEADER_FAILED_CHILD);
    }
    if (!header_is_failed(header_tree_best(tree)))
        return true;
    best = best_of_top(tree);
    if (best != NULL) {
        atomic_store_explicit(&tree->best, best, memory_order_release);
        return true;
    }
    header_tree_settle(tree);
    refill_top(tree);
    return true;
}

bool header_tree_reconsider(struct header_tree *tree, struct header_node *node)
{
    uint32_t count = header_tree_count(tree);
    bool changed = false;

    for (uint32_t i = 0; i < count; i++) {
        struct header_node *other = header_tree_at(tree, i);

        if (!header_is_failed(other))
            continue;
        changed = true;
        if (other->height >= node->height ? header_is_ancestor(node, other)
                                          : header_is_ancestor(other, node))
            header_unmark(other, HEADER_FAILED);
        else
            header_mark(other, HEADER_FAILED);
    }
    if (changed)
        header_tree_settle(tree);
    return changed;
}

struct header header_of_node(const struct header_node *node)
{
    struct header header = {.version = node->version,
                            .merkle_root = node->merkle_root,
                            .time = node->time,
                            .bits = node->bits,
                            .nonce = node->nonce};

    if (node->prev != NULL)
        header.prev = node->prev->hash;
    return header;
}

struct u256 header_work(const struct header_node *node)
{
    return (struct u256){.limb = {node->work_low, node->work_high, 0, 0}};
}

int header_work_compare(const struct header_node *a, const struct header_node *b)
{
    if (a->work_high != b->work_high)
        return a->work_high < b->work_high ? -1 : 1;
    if (a->work_low != b->work_low)
        return a->work_low < b->work_low ? -1 : 1;
    return 0;
}

struct header_node *header_ancestor(const struct header_node *node, int32_t height)
{
    const struct header_node *at = node;

    if (height < 0 || height > node->height)
        return NULL;
    while (at->height > height)
        at = at->jump->height >= height ? at->jump : at->prev;
    /* The tree hands out its nodes unqualified; only its owner changes them. */
    return (struct header_node *)(uintptr_t)at;
}

struct header_node *header_fork(const struct header_node *a, const struct header_node *b)
{
    int32_t height = MIN(a->height, b->height);
    struct header_node *x = header_ancestor(a, height);
    struct header_node *y = header_ancestor(b, height);

    /* Equal heights have equal jumps, so both sides step alike. */
    while (x != y) {
        if (x->jump != y->jump) {
            x = x->jump;
            y = y->jump;
        } else {
            x = x->prev;
            y = y->prev;
        }
    }
    return x;
}

static struct ancestor ancestor_at(const void *context, int32_t height)
{
    const struct header_node *node = header_ancestor(context, height);

    CHECK(node != NULL);
    return (struct ancestor){.version = node->version, .time = node->time, .bits = node->bits};
}

struct ancestry header_ancestry(const struct header_node *node)
{
    return (struct ancestry){
        .tip_height = node == NULL ? -1 : node->height, .at = ancestor_at, .context = node};
}

uint32_t header_median_time(const struct header_node *node)
{
    uint32_t times[MEDIAN_SPAN];
    size_t n = 0;

    /* Insertion keeps them sorted as they come. */
    for (; node != NULL && n < MEDIAN_SPAN; node = node->prev, n++) {
        size_t at = n;

        for (; at > 0 && times[at - 1] > node->time; at--)
            times[at] = times[at - 1];
        times[at] = node->time;
    }
    CHECK(n > 0);
    return times[n / 2];
}

size_t header_locator(const struct header_node *node, struct block_hash *ret_hashes)
{
    size_t n = 0;
    int32_t step = 1;

    for (;;) {
        CHECK(n < LOCATOR_MAX);
        ret_hashes[n++] = node->hash;
        if (node->height == 0)
            return n;
        node = header_ancestor(node, node->height > step ? node->height - step : 0);
        if (n > 10)
            step *= 2;
    }
}
